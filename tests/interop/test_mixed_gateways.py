"""Routing, NAT, floating IPs and fail-over in networks of our parts and the C programs, on real Open vSwitch.

In each mixture the two hypervisors with guests run one kind of controller and the two gateways the other, or all run
ours under a C ovn-northd.
"""

import pytest

from tests.support.failover import MISHAPS, ordeal
from tests.support.netns import until
from tests.support.routed_rig import BEYOND, CENTRAL, LOCAL, MACHINE, SNAT, routed
from tests.support.sockets import route_to, talk

pytestmark = [pytest.mark.interop, pytest.mark.system, pytest.mark.timeout(180)]

FAILOVERS = [mishap for mishap in MISHAPS if mishap.name in ("network card down", "priorities swapped")]
#: client, address, server, whom the server sees
CONVERSATIONS = (
    ("a2", BEYOND, "machine", SNAT),
    ("a1", BEYOND, "machine", CENTRAL),
    ("b1", BEYOND, "machine", LOCAL),
    ("machine", CENTRAL, "a1", MACHINE),
    ("machine", LOCAL, "b1", MACHINE),
    ("a2", CENTRAL, "a1", SNAT),
    ("b1", CENTRAL, "a1", LOCAL),
    ("a1", LOCAL, "b1", CENTRAL),
    ("a1", CENTRAL, "a1", CENTRAL),
)


@pytest.mark.parametrize(
    ("northd", "guests", "gateways"),
    [
        pytest.param("23.03", "ours", "ours", id="Debian's northd, our controllers"),
        pytest.param("23.03", "23.03", "ours", id="Debian's northd, our gateways"),
        pytest.param("23.03", "ours", "23.03", id="Debian's northd, Debian's gateways"),
        pytest.param("26.03", "ours", "ours", id="C northd, our controllers"),
        pytest.param("26.03", "26.03", "ours", id="C northd, our gateways"),
        pytest.param("26.03", "ours", "26.03", id="C northd, C gateways"),
        pytest.param("ours", "26.03", "26.03", id="our northd, C controllers"),
        pytest.param("ours", "26.03", "ours", id="our northd, our gateways"),
        pytest.param("ours", "ours", "26.03", id="our northd, C gateways"),
    ],
)
def test_the_stories_of_routing_come_true_with(northd, guests, gateways):
    with routed(northd, (guests, guests, gateways, gateways)) as net:
        machines = {**net.guests, "machine": net.machine}
        for target, hops in (("10.0.3.11", ["10.0.2.1", "10.9.0.2"]), ("fd03::11", ["fd02::1", "fd09::2"])):
            assert net["b1"].ping(target) == (3, 3)
            if ":" not in target or northd != "23.03":  # that one answers only to networks next to a router
                assert route_to(net["b1"], target) == [*hops, target]
        until(lambda: net["a2"].ping("fd16::fe", count=1) == (1, 1), "an answer over IPv6")
        for client, target, server, seen in CONVERSATIONS:
            inside = target if server == "machine" else net.address(server)
            assert talk(machines[client], target, machines[server], inside) == seen, f"{client} to {target}"
        for mishap in FAILOVERS:
            ordeal(net, mishap)
        assert talk(net["a2"], BEYOND, net.machine) == SNAT
