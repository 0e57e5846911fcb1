"""The L3 story "OVN Routing and ovn-trace", typed as it was written, on a lab without root."""

import asyncio

import pytest

from pyovn.lab.service import capture_underlay
from pyovn.packet import ethernet, geneve, ipv4, udp
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


def carried(frame):
    """The Geneve packet in a captured frame."""
    return geneve.parse(udp.parse(ipv4.parse(ethernet.parse(frame).payload).payload).data)


def test_routing_and_trace():
    async def story():
        async with lab("worker1", "worker2") as (network, type_on):
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

            # what the guide sees in the tunnel: the ingress pipeline of network2 ran on worker1, that of network1 there
            async def key(table, row):
                return int(await type_on("worker1", f"ovn-sbctl get {table} {row} tunnel_key"))

            capture, end = capture_underlay(network)
            await type_on("worker1", "ip netns exec vm1 ping -c1 192.168.1.11")
            end()
            said = {
                (packet.vni, *geneve.ovn_keys(packet))
                for captured in capture.frames
                if (packet := carried(captured.frame)).vni
            }
            assert said == {
                (await key("Datapath_Binding", "network2"), await key("Port_Binding", "net2-router1"),
                 await key("Port_Binding", "vm2")),
                (await key("Datapath_Binding", "network1"), await key("Port_Binding", "net1-router1"),
                 await key("Port_Binding", "vm1")),
            }  # fmt: skip

            # and in the flows of worker2
            ports = await type_on("worker2", "ovs-ofctl show br-int")
            assert [name for name in ("ovn-worker-0", "vm2", "LOCAL(br-int)") if name not in ports] == []
            recent = "grep 'idle_age=[0-9],'"
            arrival = await type_on("worker2", f"ovs-ofctl dump-flows br-int table=0 | {recent} | grep NXM_NX_TUN_ID")
            assert "move:NXM_NX_TUN_ID[0..23]->OXM_OF_METADATA[0..23]" in arrival
            departure = await type_on("worker2", f"ovs-ofctl dump-flows br-int table=65 | {recent}")
            keys = (
                f"reg15={await key('Port_Binding', 'vm2'):#x},metadata={await key('Datapath_Binding', 'network2'):#x}"
            )
            assert keys in departure

    asyncio.run(story())
