"""What a host makes of router advertisements."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.lab.host import Host, Packet
from pyovn.lab.slaac import Configuration, configuration
from pyovn.net.ip import ip6_int, ip6_str
from pyovn.packet import ethernet, icmp6, ipv6, nd

MAC = 0x404400000001
ROUTER, ROUTER_MAC = ip6_int("fe80::1"), 0x404400000003


def prefix(network, *, length=64, flags=0xC0, valid=3600, preferred=1800):
    return nd.PREFIX, struct.pack("!BBII4x", length, flags, valid, preferred) + ip6_int(network).to_bytes(16, "big")


def advertisement(*options, lifetime=1800):
    return nd.RouterAdvertisement(64, 0, lifetime, 0, 0, options)


def told(*options, **fields):
    """A host that heard an advertisement."""
    host = Host(MAC)
    host.solicit(0.0)
    message = nd.build_ra(advertisement(*options, **fields))
    assert not host.receive(nd.frame(ROUTER_MAC, 0x333300000001, ROUTER, nd.ALL_NODES, message), 1.0)
    return host


def test_a_prefix_gives_an_address_and_the_router_a_way_out():
    host = told(prefix("fd01::"), (nd.MTU, struct.pack("!2xI", 1400)))
    assert [ip6_str(address.ip[1]) for address in host.addresses] == ["fd01::4244:ff:fe00:1"]
    assert host.next_hop((6, ip6_int("2001:db8::1"))) == (6, ROUTER)
    assert host.source_for((6, ip6_int("2001:db8::1"))) == host.addresses[0].ip, "not the link-local one"
    assert host.source_for((6, ROUTER)) == host.link_local.ip
    assert host.mtu == 1400
    assert host.deadline is None, "it asks no more"


def test_a_router_that_resigns_is_none():
    host = told(prefix("fd01::"))
    message = nd.build_ra(advertisement(lifetime=0))
    host.receive(nd.frame(ROUTER_MAC, 0x333300000001, ROUTER, nd.ALL_NODES, message), 2.0)
    assert not host.routes


@pytest.mark.parametrize(
    "fields", [{"length": 60}, {"flags": 0x80}, {"valid": 0}, {"preferred": 7200}],
    ids=["not 64 bits", "not autonomous", "not valid", "preferred for longer than valid"],
)  # fmt: skip
def test_a_prefix_that_is_not_for_this_gives_no_address(fields):
    assert configuration(advertisement(prefix("fd01::", **fields)), MAC) == Configuration((), True, None)


@given(st.lists(st.tuples(st.integers(1, 31), st.binary(min_size=6, max_size=30)), max_size=4))
def test_no_option_is_too_strange(options):
    found = configuration(advertisement(*options), MAC)
    assert found.mtu is None or found.mtu >= 1280


def test_advertisements_from_beyond_the_link_are_not_believed():
    host = Host(MAC)
    message = icmp6.build(nd.build_ra(advertisement(prefix("fd01::"))), ROUTER, nd.ALL_NODES)
    packet = ipv6.Ipv6(ROUTER, nd.ALL_NODES, icmp6.PROTO, message, 64)
    host.receive(ethernet.build(ethernet.Ethernet(0x333300000001, 1, ethernet.IP6, ipv6.build(packet))), 0.0)
    assert not host.addresses


def test_a_card_asks_three_times_when_its_link_comes_up():
    host, asked, now = Host(MAC), 0, 0.0
    frames = host.solicit(now)
    while frames:
        asked += len(frames)
        assert icmp6.parse(ipv6.parse(ethernet.parse(frames[0]).payload).payload, 0, 0, verify=False).type == icmp6.RS
        if host.deadline is None:
            break
        now = host.deadline
        frames = host.expire(now)
    assert (asked, now) == (3, 8.0)


def test_paths_that_are_narrow_are_remembered():
    host = Host(MAC)
    host.configure("fd01::1/64")
    far = (6, ip6_int("fd01::2"))
    host.neighbours[far] = 2
    (frame,) = host.ping(far, 1, 1, 1400, 0.0)
    quoted = ethernet.parse(frame).payload
    error = icmp6.Icmp6(icmp6.TOO_BIG, 0, 1300, quoted[:600])
    list(host.on_icmp6(Packet(far, host.addresses[0].ip, 58, icmp6.build(error, far[1], ip6_int("fd01::1")), 64), 1.0))
    assert (host.mtu_to(far), host.mtu_to((6, 9))) == (1300, 1500)
