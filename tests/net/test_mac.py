"""Ethernet addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip6_int
from pyovn.net.mac import BROADCAST, eui64_lla, is_multicast, mac_int, mac_str


@given(st.integers(0, BROADCAST))
def test_reading_undoes_writing(mac: int) -> None:
    assert mac_int(mac_str(mac)) == mac
    assert mac_int(mac_str(mac).upper()) == mac


def test_octets_may_lack_their_zero() -> None:
    assert mac_int("a:0:0:0:0:1") == 0x0A0000000001


@pytest.mark.parametrize(
    "text",
    [
        "",
        "aa:bb:cc:dd:ee",
        "aa:bb:cc:dd:ee:ff:00",
        "gg:00:00:00:00:00",
        "0_:00:00:00:00:00",
        "aa-bb-cc-dd-ee-ff",
        "aaa:bb:cc:dd:ee:f",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="invalid Ethernet address"):
        mac_int(text)


def test_groups() -> None:
    assert is_multicast(BROADCAST)
    assert is_multicast(mac_int("01:00:5e:00:00:01"))
    assert not is_multicast(mac_int("0a:00:00:00:00:01"))


def test_link_local_address() -> None:
    assert eui64_lla(mac_int("02:ac:10:ff:01:30")) == ip6_int("fe80::ac:10ff:feff:130")
