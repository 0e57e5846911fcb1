import pytest

from pyovn.lang.match import parse
from pyovn.lang.microflow import packet_of
from pyovn.trace.port_security import violates_in, violates_out

MAC = "0a:00:00:00:00:01"
FROM = f"eth.src == {MAC}"
TO = f"eth.dst == {MAC}"


def packet(text: str) -> dict[str, int]:
    return packet_of(parse(text), {}.get)


@pytest.mark.parametrize(
    ("text", "mac_only", "with_ip4", "with_ip6"),
    [
        (FROM, True, True, True),
        ("eth.src == 0a:00:00:00:00:09", False, False, False),
        (f"{FROM} && ip4.src == 10.0.0.1", True, True, False),
        (f"{FROM} && ip4.src == 10.0.0.2", True, False, False),
        (f"{FROM} && arp.sha == {MAC} && arp.spa == 10.0.0.1", True, True, True),
        (f"{FROM} && arp.sha == {MAC} && arp.spa == 10.0.0.2", True, False, True),
        (f"{FROM} && arp.sha == 0a:00:00:00:00:03 && arp.spa == 10.0.0.1", False, False, False),
        (f"{FROM} && ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67", True, True, True),
        (f"{FROM} && ip6.src == fd00::1", True, False, True),
        (f"{FROM} && ip6.src == fe80::800:ff:fe00:1", True, True, True),
        (f"{FROM} && ip6.src == fd00::1 && nd_ns && nd.sll == {MAC}", True, False, True),
        (f"{FROM} && ip6.src == fd00::1 && nd_ns && nd.sll == 0a:00:00:00:00:03", True, False, False),
        (f"{FROM} && ip6.src == fd00::1 && nd_na && nd.target == fd00::1 && nd.tll == {MAC}", True, False, True),
        (f"{FROM} && ip6.src == fd00::1 && nd_na && nd.target == fd00::3 && nd.tll == {MAC}", True, False, False),
        (f"{FROM} && ip6.src == fd00::1 && icmp6.type == 128", True, False, True),
    ],
)
def test_what_may_enter(text: str, *, mac_only: bool, with_ip4: bool, with_ip6: bool) -> None:
    for addresses, allowed in ((MAC, mac_only), (f"{MAC} 10.0.0.1/24", with_ip4), (f"{MAC} fd00::1", with_ip6)):
        assert violates_in((addresses,), packet(text)) is not allowed


@pytest.mark.parametrize(
    ("text", "mac_only", "with_ip4", "with_ip6"),
    [
        (TO, True, True, True),
        ("eth.dst == 0a:00:00:00:00:08", False, False, False),
        (f"{TO} && ip4.dst == 10.0.0.1", True, True, False),
        (f"{TO} && ip4.dst == 10.0.0.2", True, False, False),
        (f"{TO} && ip4.dst == 255.255.255.255", True, True, False),
        (f"{TO} && ip4.dst == 224.0.0.5", True, True, False),
        (f"{TO} && ip6.dst == fd00::1", True, False, True),
        (f"{TO} && ip6.dst == ff02::1", True, False, True),
        (f"{TO} && ip6.dst == fe80::800:ff:fe00:1", True, False, True),
        (f"{TO} && arp", True, True, True),
    ],
)
def test_what_may_leave(text: str, *, mac_only: bool, with_ip4: bool, with_ip6: bool) -> None:
    for addresses, allowed in ((MAC, mac_only), (f"{MAC} 10.0.0.1", with_ip4), (f"{MAC} fd00::1", with_ip6)):
        assert violates_out((addresses,), packet(text)) is not allowed


@pytest.mark.parametrize("addresses", [(), ("bogus",), ("",)])
def test_a_port_without_addresses_is_not_secured(addresses: tuple[str, ...]) -> None:
    assert not violates_in(addresses, packet(FROM))


def test_any_entry_that_fits_suffices() -> None:
    entries = f"{MAC} 10.0.0.1", "0a:00:00:00:00:09 10.0.0.9"
    assert not violates_in(entries, packet("eth.src == 0a:00:00:00:00:09 && ip4.src == 10.0.0.9"))
