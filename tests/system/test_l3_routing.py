"""Routers, NAT and gateways on real Open vSwitch: two hypervisors, two gateways, a machine outside.

All stories are told on one network (`routed_rig`), which is there once for all files.
"""

import pytest

from tests.support.c_programs import need
from tests.support.routed_rig import BEYOND, CENTRAL, LOCAL, LOCAL_MAC, MACHINE, ROUTER_MAC, SNAT, changed
from tests.support.sockets import Ear, probe, refused, route_to, talk

pytestmark = [pytest.mark.system, pytest.mark.timeout(120), pytest.mark.xdist_group("l3")]


@pytest.mark.parametrize("target", ["10.0.2.11", "fd02::11"])
def test_a_guest_reaches_one_of_another_switch_on_another_hypervisor(net, target):
    answers = net["a1"].ping(target)
    assert answers == (3, 3)
    assert net["a1"].time_to_live(target) == 63


@pytest.mark.parametrize("target", ["10.0.3.11", "fd03::11"])
def test_a_guest_reaches_one_behind_two_routers(net, target):
    assert net["b1"].ping(target) == (3, 3)
    assert net["b1"].time_to_live(target) == 62


@pytest.mark.parametrize(
    ("target", "hops"),
    [("10.0.3.11", ["10.0.2.1", "10.9.0.2", "10.0.3.11"]), ("fd03::11", ["fd02::1", "fd09::2", "fd03::11"])],
)
def test_traceroute_shows_both_routers(net, target, hops):
    assert route_to(net["b1"], target) == hops


@pytest.mark.parametrize(
    "target", ["10.0.1.1", "10.0.2.1", "10.9.0.2", "10.0.3.1", "172.16.0.1", "fd01::1", "fd03::1", "fd16::1"]
)
def test_routers_answer_pings(net, target):
    assert net["a1"].ping(target) == (3, 3)


def test_a_router_resets_connections_and_refuses_datagrams(net):
    for router in ("10.0.3.1", "fd03::1"):
        assert refused(net["c1"], router, 99) == "ConnectionRefusedError"
        complaint = probe(net["c1"], router, port=99)
        assert complaint is not None
        assert complaint.who == router


def test_a_guest_reaches_the_world_through_snat(net):
    assert net["a2"].ping(MACHINE) == (3, 3)
    assert net["a2"].ping(BEYOND) == (3, 3)
    assert net["c1"].ping(BEYOND) == (3, 3)
    assert talk(net["a2"], BEYOND, net.machine) == SNAT
    assert net["a2"].ping("fd16::fe") == (3, 3)


@pytest.mark.parametrize(("address", "guest"), [(CENTRAL, "a1"), (LOCAL, "b1")], ids=["by the gateway", "on the spot"])
def test_a_floating_ip_works_both_ways(net, address, guest):
    inside = net.address(guest)
    assert net.machine.ping(address) == (3, 3)
    assert talk(net.machine, address, net[guest], inside) == MACHINE
    assert talk(net[guest], BEYOND, net.machine) == address


def test_a_distributed_floating_ip_goes_by_no_gateway(net):
    assert net.tunnelled(0, lambda: net.machine.ping(CENTRAL))
    assert not net.tunnelled(1, lambda: net.machine.ping(LOCAL))


@pytest.mark.parametrize(
    ("client", "target", "server", "seen"),
    [
        ("a1", LOCAL, "b1", CENTRAL),
        ("b1", CENTRAL, "a1", LOCAL),
    ],
)
def test_guests_with_floating_ips_talk_through_them(net, client, target, server, seen):
    assert talk(net[client], target, net[server], net.address(server)) == seen


@pytest.mark.parametrize(
    ("client", "target", "server", "seen"),
    [
        ("a2", CENTRAL, "a1", SNAT),
        ("a1", CENTRAL, "a1", CENTRAL),
        ("b1", LOCAL, "b1", LOCAL),
    ],
)
def test_a_floating_ip_is_reached_from_where_it_is_served(net, client, target, server, seen):
    need("ovs-vswitchd", "26.03")  # 3.1 loses what one router translates twice, under C's controllers too
    assert talk(net[client], target, net[server], net.address(server)) == seen


def test_what_is_too_large_for_the_gateway_comes_back(net):
    port = "r1-public"
    set_mtu, unset = f"set Logical_Router_Port {port} options:gateway_mtu=1400", f"remove Logical_Router_Port {port}"
    with changed(net, set_mtu, f"{unset} options gateway_mtu"):
        for target in (BEYOND, "fd16::fe"):
            complaint = probe(net["a2"], target, size=1400)
            assert complaint is not None
            assert complaint.info == 1400
            assert talk(net["a2"], target, net.machine)
    net["a2"].forget_routes()


def test_a_neighbour_is_asked_for_and_the_first_packet_waits(net):
    stranger = net.rig.machine("40:44:00:00:16:77", "172.16.0.77/24,fd16::77/64", "fd16::1")
    assert net["a2"].ping("172.16.0.77", count=1) == (1, 1)
    assert net["a2"].ping("fd16::77", count=1) == (1, 1)
    for address in ("172.16.0.77", "fd16::77"):
        learnt = net.rig.sbctl("--bare", "--columns=mac", "find", "MAC_Binding", f'ip="{address}"').strip()
        assert learnt == stranger.mac


def test_a_static_neighbour_is_not_asked_for(net):
    mute = net.rig.machine("40:44:00:00:16:78", "172.16.0.78/24")
    mute.sysctl("arp_ignore", 8)
    mute.ip("neigh", "add", SNAT, "lladdr", ROUTER_MAC, "dev", f"{mute.name}i")
    with changed(
        net,
        f"static-mac-binding-add r1-public 172.16.0.78 {mute.mac}",
        "static-mac-binding-del r1-public 172.16.0.78",
    ):
        assert net["a2"].ping("172.16.0.78") == (3, 3)


def test_a_router_answers_arp_for_its_addresses_outside(net):
    with Ear(net.machine) as ear:
        for address, mac in (("172.16.0.1", ROUTER_MAC), (SNAT, ROUTER_MAC), (CENTRAL, ROUTER_MAC), (LOCAL, LOCAL_MAC)):
            assert ear.who_has(address, own=MACHINE) == {mac}, address


def test_a_policy_sends_traffic_another_way(net):
    way = net.rig.machine("40:44:00:00:16:79", "172.16.0.79/24")
    with (
        changed(
            net, "lr-policy-add r1 100 'ip4.src == 10.0.1.12 && ip4.dst == 198.51.100.0/24' reroute 172.16.0.79",
            "lr-policy-del r1 100",
        ),
        Ear(way) as ear,
    ):  # fmt: skip
        net["a2"].ping(BEYOND, count=1)
        found = next(frame for frame in ear.frames() if frame[12:14] == b"\x08\x00" and frame[23] == 1)
        assert found[30:34] == bytes((198, 51, 100, 1))
    with changed(net, "lr-policy-add r1 100 'ip4.dst == 10.0.2.11' drop", "lr-policy-del r1 100"):
        assert net["a1"].ping("10.0.2.11", count=1) == (1, 0)
    assert net["a1"].ping("10.0.2.11") == (3, 3)


def test_a_discarding_route_swallows(net):
    with changed(net, "lr-route-add r1 203.0.113.0/24 discard", "lr-route-del r1 203.0.113.0/24"):
        assert net["a1"].ping("203.0.113.1", count=1) == (1, 0)


def test_the_routers_addresses_are_announced_after_a_failover(net):
    with (
        Ear(net.machine) as ear,
        changed(net, "lrp-set-gateway-chassis r1-public hv4 30", "lrp-set-gateway-chassis r1-public hv4 10"),
    ):
        wanted = {("172.16.0.1", ROUTER_MAC), (SNAT, ROUTER_MAC), (CENTRAL, ROUTER_MAC)}
        for frame in ear.frames():
            if frame[12:14] == b"\x08\x06" and frame[28:32] == frame[38:42]:
                wanted.discard((".".join(map(str, frame[28:32])), frame[6:12].hex(":")))
            if not wanted:
                break
        assert not wanted
        assert net.machine.ping(CENTRAL) == (3, 3)
