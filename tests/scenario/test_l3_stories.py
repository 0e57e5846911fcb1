"""The L3 story "OVN Routing and ovn-trace", typed as it was written, on a lab without root."""

import asyncio

import pytest

from tests.scenario.test_l2_stories import lab

pytestmark = pytest.mark.timeout(120)

TWO_NETWORKS = """\
ovn-nbctl ls-add network1
ovn-nbctl ls-add network2
ovn-nbctl lsp-add network1 vm1
ovn-nbctl lsp-add network2 vm2
ovn-nbctl lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.0.11"
ovn-nbctl lsp-set-addresses vm2 "40:44:00:00:00:02 192.168.1.11"
ovn-nbctl lr-add router1
ovn-nbctl lrp-add router1 router1-net1 40:44:00:00:00:03 192.168.0.1/24
ovn-nbctl lsp-add network1 net1-router1
ovn-nbctl lsp-set-addresses net1-router1 40:44:00:00:00:03
ovn-nbctl lsp-set-type net1-router1 router
ovn-nbctl lsp-set-options net1-router1 router-port=router1-net1
ovn-nbctl lrp-add router1 router1-net2 40:44:00:00:00:04 192.168.1.1/24
ovn-nbctl lsp-add network2 net2-router1
ovn-nbctl lsp-set-addresses net2-router1 40:44:00:00:00:04
ovn-nbctl lsp-set-type net2-router1 router
ovn-nbctl lsp-set-options net2-router1 router-port=router1-net2"""

GUEST = """\
ovs-vsctl add-port br-int {0} -- set Interface {0} type=internal -- set Interface {0} external_ids:iface-id={0}
ip netns add {0}
ip link set {0} netns {0}
ip netns exec {0} ip link set {0} address 40:44:00:00:00:0{1}
ip netns exec {0} ip addr add 192.168.{2}.11/24 dev {0}
ip netns exec {0} ip link set {0} up
ip netns exec {0} ip route add default via 192.168.{2}.1"""

MICROFLOW = (
    'inport == "vm1" && eth.src == 40:44:00:00:00:01 && eth.dst == 40:44:00:00:00:03'
    " && ip4.src == 192.168.0.11 && ip4.dst == 192.168.1.11 && ip.ttl == 64"
)
#: What the guide's trace shows, apart from what later releases say more of.
ROUTE = (
    'ingress(dp="network1", inport="vm1")',
    'outport = "net1-router1";',
    'egress(dp="network1", inport="vm1", outport="net1-router1")',
    '/* output to "net1-router1", type "patch" */;',
    'ingress(dp="router1", inport="router1-net1")',
    "reg0 = ip4.dst;",
    "eth.src = 40:44:00:00:00:04;",
    'outport = "router1-net2";',
    "flags.loopback = 1;",
    "eth.dst = 40:44:00:00:00:02;",
    'egress(dp="router1", inport="router1-net1", outport="router1-net2")',
    '/* output to "router1-net2", type "patch" */;',
    'ingress(dp="network2", inport="net2-router1")',
    'outport = "vm2";',
    'egress(dp="network2", inport="net2-router1", outport="vm2")',
    '/* output to "vm2", type "" */;',
)


def test_routing_and_trace():
    async def story():
        async with lab("worker1", "worker2") as (_, type_on):
            await type_on("worker1", *TWO_NETWORKS.splitlines(), *GUEST.format("vm1", 1, 0).splitlines())
            await type_on("worker2", *GUEST.format("vm2", 2, 1).splitlines())
            await type_on("worker1", "ovn-nbctl --timeout=20 --wait=hv sync")

            answer = await type_on("worker1", "ip netns exec vm1 ping -c2 -i0.1 192.168.1.11")
            assert "2 packets transmitted, 2 received" in answer
            assert "ttl=63" in answer, "one router on the way"
            assert "1 received" in await type_on("worker2", "ip netns exec vm2 ping -c1 192.168.1.1")

            traced = await type_on("worker1", f"ovn-trace --summary network1 '{MICROFLOW}'")
            place = 0
            for line in ROUTE:
                found = traced.find(line, place)
                assert found >= 0, f"{line}\nis not where it should be in\n{traced}"
                place = found

    asyncio.run(story())
