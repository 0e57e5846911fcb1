"""Gateway routers, several next hops, and the ways into physical networks, on real Open vSwitch.

On the network of `routed_rig`, to which each story adds what it needs.
"""

import pytest

from tests.support.netns import until
from tests.support.routed_rig import BEYOND, MACHINE, attach, changed, localnet, switch
from tests.support.sockets import Ear, probe, route_to, talk

pytestmark = [pytest.mark.system, pytest.mark.timeout(120), pytest.mark.xdist_group("l3")]

#: A router on the gateway hv4 (172.16.0.2 outside), behind a network that joins it to a distributed one.
GATEWAY_ROUTER = (
    "lr-add gr -- set Logical_Router gr options:chassis=hv4 -- lr-add r4 -- ls-add join",
    switch("d", 4, "r4"),
    f"lrp-add gr gr-public 40:44:00:00:16:02 172.16.0.2/24 fd16::2/64 -- {attach('public', 'gr-public')}"
    f" -- lrp-add gr gr-join 40:44:00:00:64:01 100.64.0.1/24 fd64::1/64 -- {attach('join', 'gr-join')}"
    f" -- lrp-add r4 r4-join 40:44:00:00:64:02 100.64.0.2/24 fd64::2/64 -- {attach('join', 'r4-join')}"
    " -- lr-route-add r4 0.0.0.0/0 100.64.0.1 -- lr-route-add r4 ::/0 fd64::1"
    " -- lr-route-add gr 10.0.4.0/24 100.64.0.2 -- lr-route-add gr fd04::/64 fd64::2"
    f" -- lr-route-add gr 0.0.0.0/0 {MACHINE}",
    "lr-nat-add gr snat 172.16.0.2 10.0.4.0/24 -- lr-nat-add gr dnat_and_snat 172.16.0.120 10.0.4.21",
)


@pytest.fixture(scope="session")
def gateway_router(net):
    net.type(*GATEWAY_ROUTER)
    net.plug("d21", 0, 4)
    net.plug("d22", 1, 4)
    net.sync()
    return net


def test_guests_reach_the_world_through_a_gateway_router(gateway_router):
    net = gateway_router
    assert net["d22"].ping(BEYOND) == (3, 3)
    assert route_to(net["d22"], MACHINE) == ["10.0.4.1", "100.64.0.1", MACHINE]
    assert talk(net["d22"], BEYOND, net.machine) == "172.16.0.2"
    assert talk(net["d21"], BEYOND, net.machine) == "172.16.0.120"


def test_a_gateway_router_serves_floating_ips(gateway_router):
    net = gateway_router
    assert net.machine.ping("172.16.0.120") == (3, 3)
    assert talk(net.machine, "172.16.0.120", net["d21"], "10.0.4.21") == MACHINE
    assert talk(net["a2"], "172.16.0.120", net["d21"], "10.0.4.21") == "172.16.0.100"


def test_routes_are_watched_with_bfd(gateway_router):
    net = gateway_router
    with changed(
        net,
        "lr-add gr2 -- set Logical_Router gr2 options:chassis=hv3"
        f" -- lrp-add gr2 gr2-public 40:44:00:00:16:03 172.16.0.3/24 -- {attach('public', 'gr2-public')}",
        "lr-del gr2 -- lsp-del public-gr2-public -- --if-exists lr-route-del gr 198.18.0.0/16 -- --all destroy BFD",
    ):
        net.type(
            "--bfd lr-route-add gr 198.18.0.0/16 172.16.0.3 gr-public",
            "--bfd lr-route-add gr2 198.19.0.0/16 172.16.0.2 gr2-public",
        )
        sessions = [
            net.rig.nbctl("--bare", "--columns=_uuid", "find", "BFD", f"logical_port={port}").strip()
            for port in ("gr-public", "gr2-public")
        ]
        for session in sessions:
            net.rig.nbctl("wait-until", "BFD", session, "status=up")
        net.type("lrp-set-enabled gr2-public disabled")
        net.rig.nbctl("wait-until", "BFD", sessions[0], "status=down")


def two_ways(net):
    """Two machines that both know 203.0.113.1."""
    ways = [net.rig.machine(f"40:44:00:00:16:8{n}", f"172.16.0.8{n}/24,203.0.113.1/32") for n in (1, 2)]
    for way in ways:
        way.sysctl("arp_announce", 2)
        way.ip("route", "add", "172.16.0.120/32", "via", "172.16.0.2", "src", "203.0.113.1")
    return ways


def test_traffic_spreads_over_next_hops_and_answers_go_back_where_they_came_from(gateway_router):
    net = gateway_router
    one, two = two_ways(net)
    routes = " -- ".join(f"--ecmp-symmetric-reply lr-route-add gr 203.0.113.0/24 172.16.0.8{n}" for n in (1, 2))
    with changed(net, routes, "lr-route-del gr 203.0.113.0/24"):
        for _ in range(4):
            for way in (one, two):
                assert talk(way, "172.16.0.120", net["d21"], "10.0.4.21") == "203.0.113.1"
        with Ear(one) as first, Ear(two) as second:
            for port in range(1, 33):
                probe(net["d22"], "203.0.113.1", port=port, patience_s=0)
            for ear in (first, second):
                assert any(is_udp(frame) for frame in ear.frames())


def is_udp(frame: bytes) -> bool:
    """True for a UDP datagram over IPv4."""
    return frame[12:14] == b"\x08\x00" and frame[23] == 17


@pytest.fixture(scope="session")
def vlan(net):
    """A network in VLAN 42, with a guest on hv1, on the router, whose port there stays on the gateway."""
    net.type(
        switch("e", 5, "r1"),
        f"{localnet('e')} -- set Logical_Switch_Port ln-e tag_request=42 tag=42",
        "lrp-set-options r1-e reside-on-redirect-chassis=true",
    )
    net.plug("e21", 0, 5)
    net.sync()
    return net


def test_a_network_in_a_vlan_is_tagged_outside(vlan):
    with Ear(vlan.machine) as ear:
        assert ear.who_has("10.0.5.21", own="10.0.5.254", vlan=42) == {"40:44:00:00:05:21"}
        assert ear.who_has("10.0.5.21", own="10.0.5.254") == set()


def test_a_router_port_that_stays_on_the_gateway_is_reached_by_the_physical_network(vlan):
    with Ear(vlan.machine) as ear:
        assert ear.who_has("10.0.5.1", own="10.0.5.254", vlan=42) == {"40:44:00:00:05:01"}
    assert vlan["e21"].ping("10.0.5.1") == (3, 3)
    assert not vlan.tunnelled(0, lambda: vlan["e21"].ping(BEYOND))
    assert vlan["e21"].ping(BEYOND) == (3, 3)


@pytest.fixture
def own_macs(net):
    """Each chassis uses a MAC of its own in place of the routers'."""
    key = "ovn-chassis-mac-mappings"
    for number, host in enumerate(net.rig.hosts):
        host.vsctl("set", "open", ".", f"external_ids:{key}=physnet:0e:00:00:00:00:0{number}")
    yield
    for host in net.rig.hosts:
        host.vsctl("remove", "open", ".", "external_ids", key)


@pytest.mark.usefixtures("own_macs")
def test_traffic_to_the_gateway_can_go_by_the_physical_network(net):
    with changed(
        net,
        "lrp-set-options r1-public redirect-type=bridged",
        "remove Logical_Router_Port r1-public options redirect-type",
    ):
        assert not any("echo request" in each for each in net.tunnelled(1, lambda: net["a2"].ping("fd16::fe")))
        assert net["a2"].ping("fd16::fe") == (3, 3)


def test_an_l2_gateway_joins_a_network_in_one_place(net):
    net.type(
        "ls-add f -- lsp-add f l2 -- lsp-set-type l2 l2gateway -- lsp-set-addresses l2 unknown"
        " -- lsp-set-options l2 network_name=physnet l2gateway-chassis=hv4"
        " -- set Logical_Switch_Port l2 tag_request=43 tag=43"
    )
    net.plug("f21", 0, 6)
    net.sync()
    with Ear(net.machine) as ear:
        assert ear.who_has("10.0.6.21", own="10.0.6.254", vlan=43) == {"40:44:00:00:06:21"}


def test_a_virtual_address_follows_who_announces_it(net):
    net.type(
        "lsp-add a vip -- lsp-set-type vip virtual -- lsp-set-addresses vip '40:44:00:00:01:99 10.0.1.99'"
        " -- lsp-set-options vip virtual-ip=10.0.1.99 virtual-parents=a1,a2"
    )
    for name in ("a1", "a2"):
        guest = net[name]
        device = f"{guest.name}i"
        guest.ip("addr", "add", "10.0.1.99/32", "dev", device)
        with Ear(guest) as ear:
            ear.announce("10.0.1.99")
        net.rig.sbctl("wait-until", "Port_Binding", "vip", f"virtual_parent={name}")
        until(lambda: net["b1"].ping("10.0.1.99", count=1) == (1, 1), "an answer")
        assert net["b1"].ping("10.0.1.99") == (3, 3)
        guest.ip("addr", "del", "10.0.1.99/32", "dev", device)
    net.type("lsp-del vip")


def test_a_guest_takes_its_address_from_router_advertisements(net):
    net.type(
        "set Logical_Router_Port r1-a ipv6_ra_configs:address_mode=slaac ipv6_ra_configs:send_periodic=true"
        " ipv6_ra_configs:max_interval=4 ipv6_ra_configs:min_interval=3",
        "lsp-add a s1 -- lsp-set-addresses s1 '40:44:00:00:01:77 10.0.1.77 fd01::4244:ff:fe00:177'",
    )
    guest = net.rig.hosts[1].plug("s1", "40:44:00:00:01:77", "")
    until(lambda: "fd01::4244:ff:fe00:177" in guest.ip("-6", "addr"), "an address")
    until(lambda: "fd01" not in guest.ip("-6", "addr", "show", "tentative"), "an address that is ours alone")
    assert guest.ping("fd02::11") == (3, 3)
    with Ear(net["a1"]) as ear:
        advertised = (f for f in ear.frames() if f[12:14] == b"\x86\xdd" and f[20] == 58 and f[54] == 134)
        assert next(advertised, None) is not None


def test_an_external_port_is_served_by_one_chassis_after_the_other(net):
    x = net.rig.machine("40:44:00:00:07:21", "10.0.7.21/24", "10.0.7.1")
    net.type(
        "ha-chassis-group-add outer -- ha-chassis-group-add-chassis outer hv3 20"
        " -- ha-chassis-group-add-chassis outer hv4 10",
        switch("g", 7, "r1"),
        f"{localnet('g')} -- lsp-add g x1 -- lsp-set-type x1 external -- lsp-set-addresses x1 '{x.mac} 10.0.7.21'",
    )
    group = net.rig.nbctl("--bare", "--columns=_uuid", "find", "HA_Chassis_Group", "name=outer").strip()
    net.type(f"set Logical_Switch_Port x1 ha_chassis_group={group}")
    for change, chassis in (("", "hv3"), ("ha-chassis-group-add-chassis outer hv4 30", "hv4")):
        if change:
            net.type(change)
        net.rig.sbctl("wait-until", "Port_Binding", "x1", f"chassis={net.chassis(chassis)}")
        net.sync()
        assert x.ping("10.0.7.1") == (3, 3)
        assert x.ping("10.0.2.11") == (3, 3)
    net.type("lsp-del ln-g")
    net.machine.ip("neigh", "flush", "dev", f"{net.machine.name}i")  # on one wire, every port of r1 answers for all
