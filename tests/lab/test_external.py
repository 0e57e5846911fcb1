"""The words that describe external hosts."""

import pytest

from pyovn.lab.external import External, Usage, from_option, parse


def test_words_and_options_say_the_same():
    wanted = External("dmz", ("10.9.0.9/24", "fd00::9/64"), "eth2", 20, ("10.9.0.1",), "0a:00:00:00:00:01")
    words = "dmz 10.9.0.9/24 fd00::9/64 --network eth2 --vlan=20 --gateway 10.9.0.1 --mac 0a:00:00:00:00:01"
    assert parse(words.split()) == wanted
    option = "dmz=10.9.0.9/24,fd00::9/64;network=eth2;vlan=20;gateway=10.9.0.1;mac=0a:00:00:00:00:01"
    assert from_option(option) == wanted


@pytest.mark.parametrize(
    "words", ["", "--help", "x --vlan", "x --vlan 0", "x --vlan 4095", "x --vlan soon", "x --colour red"]
)
def test_what_makes_no_sense_is_refused(words):
    with pytest.raises(Usage, match="external"):
        parse(words.split())


@pytest.mark.parametrize("text", ["x", "=10.0.0.1/24"])
def test_an_option_without_name_or_address_is_refused(text):
    with pytest.raises(Usage, match="NAME=ADDRESS"):
        from_option(text)
