"""Kinds of NAT, and errors that come back through it, on real Open vSwitch: on the network of `routed_rig`."""

from collections.abc import Iterator

import pytest

from tests.support.netns import bridge_with, until
from tests.support.routed_rig import BEYOND, CENTRAL, LOCAL, MACHINE, SNAT, Net, attach, changed, localnet, routed
from tests.support.sockets import probe, refused, route_to, seen, talk


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    """A network of its own: addresses outside that these stories use were somebody else's in others."""
    with routed() as found:
        yield found


pytestmark = [pytest.mark.system, pytest.mark.timeout(120), pytest.mark.xdist_group("l3")]

PORT_UNREACHABLE = (3, 3)


@pytest.mark.parametrize("address", [CENTRAL, LOCAL], ids=["by the gateway", "on the spot"])
def test_errors_about_a_floating_ip_come_from_it(net, address):
    complaint = probe(net.machine, address, port=99)
    assert complaint is not None
    assert (complaint.who, (complaint.type, complaint.code)) == (address, PORT_UNREACHABLE)


def test_errors_reach_guests_behind_snat(net):
    complaint = probe(net["a2"], MACHINE, port=99)
    assert complaint is not None
    assert (complaint.who, (complaint.type, complaint.code)) == (MACHINE, PORT_UNREACHABLE)
    assert route_to(net["c1"], MACHINE) == ["10.0.3.1", "10.9.0.1", MACHINE]


def test_a_floating_ip_without_connection_tracking(net):
    with changed(
        net,
        "--stateless lr-nat-add r1 dnat_and_snat 172.16.0.113 10.0.1.12",
        "lr-nat-del r1 dnat_and_snat 172.16.0.113",
    ):
        assert talk(net.machine, "172.16.0.113", net["a2"], "10.0.1.12") == MACHINE
        assert talk(net["a2"], BEYOND, net.machine) == "172.16.0.113"


def test_destination_nat_alone(net):
    with changed(net, "lr-nat-add r1 dnat 172.16.0.114 10.0.3.11", "lr-nat-del r1 dnat 172.16.0.114"):
        assert talk(net.machine, "172.16.0.114", net["c1"], "10.0.3.11") == MACHINE
        assert talk(net["c1"], BEYOND, net.machine) == SNAT


def test_snat_to_a_range_of_ports(net):
    with changed(
        net,
        "--portrange lr-nat-add r1 snat 172.16.0.115 10.0.3.0/24 20000-20003",
        "lr-nat-del r1 snat 10.0.3.0/24",
    ):
        for _ in range(3):
            address, port = seen(net["c1"], BEYOND, net.machine)
            assert address == "172.16.0.115"
            assert port in range(20000, 20004)


def test_destinations_exempted_from_nat(net):
    net.type("create Address_Set name=untouched addresses=198.51.100.1")
    with changed(
        net,
        "--is-exempted lr-nat-update-ext-ip r1 snat 10.0.0.0/16 untouched",
        "clear NAT $ exempted_ext_ips".replace("$", net.nat("snat", SNAT)),
    ):
        assert talk(net["a2"], BEYOND, net.machine) == "10.0.1.12"
        assert talk(net["a2"], MACHINE, net.machine) == SNAT
    assert talk(net["a2"], BEYOND, net.machine) == SNAT


def test_a_distributed_floating_ip_outlives_the_gateways(net):
    gateways = net.rig.hosts[2:]
    for host in gateways:
        host.ip("link", "set", host.nic, "down")
    try:
        until(lambda: net.machine.ping(CENTRAL, count=1) == (1, 0), "no gateway")
        assert net.machine.ping(LOCAL) == (3, 3)
        assert talk(net["b1"], BEYOND, net.machine) == LOCAL
    finally:
        for host in gateways:
            host.ip("link", "set", host.nic, "up")
        until(lambda: net.gateway() == "hv3", "a gateway")
    until(lambda: net.machine.ping(CENTRAL, count=1) == (1, 1), "the gateway's floating IP")


def test_a_router_with_two_gateways_into_two_networks(net):
    host = net.rig.hosts[3]
    second, wire = net.rig.guest(host, "40:44:00:00:17:fe", "172.17.0.254/24", "172.17.0.1")
    host.vsctl(*bridge_with("br-other", wire))
    host.vsctl("set", "open", ".", 'external_ids:ovn-bridge-mappings="physnet:br-ex,othernet:br-other"')
    net.type(
        f"lrp-add r1 r1-other 40:44:00:00:17:01 172.17.0.1/24 -- ls-add other -- {localnet('other', 'othernet')}"
        f" -- {attach('other', 'r1-other')} -- lrp-set-gateway-chassis r1-other hv4 20",
        "--gateway-port=r1-other lr-nat-add r1 snat 172.17.0.100 10.0.0.0/16",
        "--gateway-port=r1-other lr-nat-add r1 dnat_and_snat 172.17.0.112 10.0.1.12",
    )
    try:
        until(lambda: net["c1"].ping("172.17.0.254", count=1) == (1, 1), "the second network")
        assert talk(net["c1"], "172.17.0.254", second) == "172.17.0.100"
        assert talk(net["c1"], MACHINE, net.machine) == SNAT
        assert talk(second, "172.17.0.112", net["a2"], "10.0.1.12") == "172.17.0.254"
        assert talk(net.machine, CENTRAL, net["a1"], "10.0.1.11") == MACHINE
    finally:
        for kind, address in (("snat", "10.0.0.0/16"), ("dnat_and_snat", "172.17.0.112")):
            net.rig.nbctl("lr-nat-del", "r1", kind, address, "r1-other")
        net.type("ls-del other", "lrp-del r1-other")
    assert talk(net["a2"], BEYOND, net.machine) == SNAT


def test_nat_over_ipv6(net):
    net.type("lr-nat-add r1 snat fd16::100 fd01::/64", "lr-nat-add r1 dnat_and_snat fd16::111 fd01::11")
    try:
        assert talk(net["a2"], "fd16::fe", net.machine) == "fd16::100"
        assert talk(net["a1"], "fd16::fe", net.machine) == "fd16::111"
        assert talk(net.machine, "fd16::111", net["a1"], "fd01::11") == "fd16::fe"
        assert net.machine.ping("fd16::111") == (3, 3)
    finally:
        net.type("lr-nat-del r1 snat fd01::/64", "lr-nat-del r1 dnat_and_snat fd16::111")


def test_a_gateway_port_balances(net):
    balanced = "lb-add web 172.16.0.120:8080 10.0.1.12:8080 -- --reject lb-add down 172.16.0.121:8080 ''"
    with changed(net, f"{balanced} -- lr-lb-add r1 web -- lr-lb-add r1 down", "lb-del web -- lb-del down"):
        assert talk(net.machine, "172.16.0.120", net["a2"], "10.0.1.12") == MACHINE
        assert refused(net.machine, "172.16.0.121", 8080) == "ConnectionRefusedError"
        net.type("--may-exist lb-add web 172.16.0.120:8080 10.0.3.11:8080")
        assert talk(net.machine, "172.16.0.120", net["c1"], "10.0.3.11") == MACHINE


EDGE = (
    "lr-add edge -- set logical_router edge options:chassis=hv4 options:lb_force_snat_ip=router_ip"
    f" -- lrp-add edge edge-public 40:44:00:00:16:09 172.16.0.9/24 -- {attach('public', 'edge-public')}"
    f" -- lrp-add edge edge-b 40:44:00:00:02:09 10.0.2.9/24 -- {attach('b', 'edge-b')}"
    " -- lb-add web 172.16.0.123:8080 10.0.2.11:8080 -- lr-lb-add edge web"
)
NO_EDGE = "lr-del edge -- lsp-del public-edge-public -- lsp-del b-edge-b -- lb-del web"


def test_a_gateway_router_balances_and_seems_to_ask_itself(net):
    with changed(net, EDGE, NO_EDGE):
        assert talk(net.machine, "172.16.0.123", net["b1"], "10.0.2.11") == "10.0.2.9"
        assert talk(net["a2"], "172.16.0.123", net["b1"], "10.0.2.11") == "10.0.2.9", "by way of r1's gateway"
