"""IP addresses and prefixes, beside the standard library's."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.net import ip
from pyovn.net.errors import Malformed
from pyovn.net.mac import mac_int


@given(st.integers(0, 2**32 - 1))
def test_ipv4(value: int) -> None:
    text = str(ipaddress.IPv4Address(value))
    assert (ip.ip4_int(text), ip.ip4_str(value), ip.ip_parse(text)) == (value, text, (4, value))
    assert ip.ip_str(4, value) == text


@given(st.integers(0, 2**128 - 1))
def test_ipv6(value: int) -> None:
    assert ip.ip6_int(str(ipaddress.IPv6Address(value))) == value
    assert ip.ip_parse(ip.ip6_str(value)) == (6, value)
    assert ip.ip6_int(ip.ip_str(6, value)) == value


@given(st.integers(0, 32), st.integers(0, 128))
def test_masks(four: int, six: int) -> None:
    assert ip.mask4(four) == int(ipaddress.IPv4Network(f"0.0.0.0/{four}").netmask)
    assert ip.mask6(six) == int(ipaddress.IPv6Network(f"::/{six}").netmask)
    assert ip.prefix_length(ip.mask4(four), 32) == four
    assert ip.prefix_length(ip.mask6(six), 128) == six


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.1", (4, 0x0A000001, 32)),
        ("10.0.0.1/24", (4, 0x0A000001, 24)),
        ("10.0.0.1/255.255.0.0", (4, 0x0A000001, 16)),
        ("fd00::1/64", (6, 0xFD << 120 | 1, 64)),
        ("::", (6, 0, 128)),
    ],
)
def test_networks(text: str, network: tuple[int, int, int]) -> None:
    assert ip.parse_network(text) == network


@pytest.mark.parametrize(
    "text", ["", "10.0.0", "10.0.0.1/33", "10.0.0.1/x", "10.0.0.1/255.0.255.0", "fd00::1/129", "fd00::/ffff::", "::g"]
)
def test_bad_networks_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        ip.parse_network(text)


def test_bad_addresses_are_refused() -> None:
    for read in (ip.ip4_int, ip.ip6_int):
        with pytest.raises(Malformed):
            read("bogus")


def test_multicast_of_neighbours() -> None:
    group = ip.solicited_node(ip.ip6_int("fd00::12:3456"))
    assert ip.ip6_str(group) == "ff02::1:ff12:3456"
    assert ip.multicast_mac6(group) == mac_int("33:33:ff:12:34:56")
