import pytest

from pyovn.net.errors import Malformed
from pyovn.northd.model.addresses import Address6, Addresses, is_address, link_local, parse_addresses, parsed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("00:00:00:00:00:AB", Addresses("00:00:00:00:00:ab"), id="a MAC alone"),
        pytest.param("2:0:0:0:0:3 10.0.0.1", Addresses("02:00:00:00:00:03", ("10.0.0.1",)), id="short octets"),
        pytest.param(
            "00:00:00:00:00:01 10.0.0.1/24 FE80:0::1",
            Addresses("00:00:00:00:00:01", ("10.0.0.1",), (Address6("fe80::1", "ff02::1:ff00:1"),)),
            id="both versions in canonical spelling",
        ),
        pytest.param(
            "00:00:00:00:00:01 nonsense 10.0.0.1", Addresses("00:00:00:00:00:01"), id="nothing after nonsense"
        ),
    ],
)
def test_addresses_are_taken_apart(text: str, found: Addresses) -> None:
    assert parse_addresses(text) == found


def test_there_is_no_entry_without_a_mac() -> None:
    with pytest.raises(Malformed):
        parse_addresses("10.0.0.1")
    assert parsed(frozenset(["unknown", "dynamic", "", "10.0.0.1"])) == ()


def test_entries_come_in_the_order_of_their_spelling() -> None:
    entries = frozenset(["00:00:00:00:00:02", "00:00:00:00:00:01"])
    assert [entry.mac for entry in parsed(entries)] == ["00:00:00:00:00:01", "00:00:00:00:00:02"]


def test_link_local_addresses_come_from_the_mac() -> None:
    assert link_local("00:00:00:00:ff:01").address == "fe80::200:ff:fe00:ff01"


def test_addresses_are_told_from_other_text() -> None:
    assert is_address("10.0.0.1")
    assert is_address("fd00::1")
    assert not is_address("10.0.0.1/24")
    assert not is_address("host:name")
