"""Tenant networks on VLANs of the physical network, with a router between them and the world; on a lab without root."""

import asyncio

import pytest

from pyovn.lab import external
from pyovn.lab.service import capture_underlay
from pyovn.packet import ethernet
from tests.scenario.gateways import GUEST, NODES, between, icmp, serving
from tests.scenario.test_l2_stories import lab

pytestmark = pytest.mark.timeout(180)

NODE = """\
ovs-vsctl add-br br-ex -- add-port br-ex eth1
ovs-vsctl set open . external-ids:ovn-bridge-mappings=physnet1:br-ex
ovs-vsctl set open . external-ids:ovn-chassis-mac-mappings=physnet1:0a:00:00:00:aa:0{}"""

NETWORKS = """\
ovn-nbctl ls-add network1 -- lsp-add-localnet-port network1 ln1 physnet1
ovn-nbctl set logical_switch_port ln1 tag_request=100
ovn-nbctl lsp-add network1 vm1 -- lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.0.11"
ovn-nbctl ls-add network2 -- lsp-add-localnet-port network2 ln2 physnet1
ovn-nbctl set logical_switch_port ln2 tag_request=101
ovn-nbctl lsp-add network2 vm2 -- lsp-set-addresses vm2 "40:44:00:00:00:02 192.168.1.12"
ovn-nbctl lr-add router1 -- lrp-add router1 router1-net1 40:44:00:00:01:03 192.168.0.1/24
ovn-nbctl lrp-add router1 router1-net2 40:44:00:00:01:04 192.168.1.1/24
ovn-nbctl lsp-add-router-port network1 net1-router1 router1-net1
ovn-nbctl lsp-add-router-port network2 net2-router1 router1-net2
ovn-nbctl ls-add public -- lsp-add-localnet-port public provnet physnet1
ovn-nbctl set logical_switch_port provnet tag_request=20
ovn-nbctl lrp-add router1 router1-public 40:44:00:00:00:10 172.24.4.10/24
ovn-nbctl lsp-add-router-port public public-router1 router1-public
ovn-nbctl lsp-set-options public-router1 router-port=router1-public nat-addresses=router
ovn-nbctl lrp-set-gateway-chassis router1-public gw1 20
ovn-nbctl lr-route-add router1 0.0.0.0/0 172.24.4.1
ovn-nbctl lr-nat-add router1 snat 172.24.4.10 192.168.0.0/16"""

#: how the router is told to leave the overlay alone → whether guests reach it over the wire even for each other
SETTINGS = {
    "ovn-nbctl set logical_router_port router1-net1 options:reside-on-redirect-chassis=true"
    " -- set logical_router_port router1-net2 options:reside-on-redirect-chassis=true": True,
    "ovn-nbctl clear logical_router_port router1-net1 options -- clear logical_router_port router1-net2 options"
    " -- set logical_router_port router1-public options:redirect-type=bridged": False,
}
ROUTER_MACS = {0x404400000103, 0x404400000104}


def test_vlan_networks_need_no_tunnels():
    async def story():
        async with lab(*NODES) as (network, type_on):
            external.connect(network, external.External("internet", ("172.24.4.1/24", "198.51.100.1/32"), vlan=20))
            for number, node in enumerate(NODES):
                await type_on(node, f"set -e\n{NODE.format(number)}")
            await type_on("central", f"set -e\n{NETWORKS}", "ip netns exec internet httpd")
            await type_on("worker1", f"set -e\n{GUEST.format('vm1', 1)}")
            await type_on("worker2", f"set -e\n{GUEST.format('vm2', 2).replace('192.168.0.', '192.168.1.')}")

            for setting, over_the_wire in SETTINGS.items():
                await type_on("central", setting, "ovn-nbctl --timeout=30 --wait=hv sync")
                await network.until(lambda: serving(network) == "gw1")
                capture, end = capture_underlay(network)
                wire = []
                network.segments["eth1"].taps.append(wire.append)
                assert "2 received" in await type_on("worker1", "ip netns exec vm1 ping -c2 -i0.1 192.168.1.12")
                page = await type_on("worker2", "ip netns exec vm2 curl http://198.51.100.1/")
                assert "sees 172.24.4.10 port" in page
                end()
                network.segments["eth1"].taps.clear()
                assert not between(capture, icmp), "no tunnel on the way"
                seen = [each for frame in wire if (each := ethernet.parse(frame)).type == ethernet.IP4]
                assert {frame.vid for frame in seen} == {20, 100, 101}
                assert any(frame.dst in ROUTER_MACS for frame in seen) is over_the_wire

    asyncio.run(story())
