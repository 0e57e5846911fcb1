"""External connectivity as in the deployment stories, on a lab of any parts: gateways with HA, SNAT, floating IPs.

central   controller and database node            gw1, gw2   gateway nodes, on the physical network eth1
worker1, worker2   compute nodes with vm1, vm2    internet   a host on eth1 that is also 198.51.100.1
"""

import asyncio
import contextlib

import pytest

from pyovn.lab import external
from pyovn.lab.network import OUR_PARTS
from pyovn.lab.service import capture_underlay
from pyovn.lab.steady import Steady
from pyovn.lab.terminal import CommandFailed
from pyovn.packet import ethernet, ipv4
from pyovn.packet.geneve import parse as parse_geneve
from pyovn.packet.udp import parse as parse_udp
from pyovn.tables.sb import Chassis, PortBinding
from tests.scenario.test_l2_stories import lab

NODES = ("central", "gw1", "gw2", "worker1", "worker2")

GATEWAY_NODE = """\
ovs-vsctl add-br br-ex
ovs-vsctl add-port br-ex eth1
ovs-vsctl set open . external-ids:ovn-bridge-mappings=physnet1:br-ex
ovs-vsctl set open . external-ids:ovn-cms-options="enable-chassis-as-gw" """

NETWORK = """\
ovn-nbctl ls-add network1 -- lsp-add network1 vm1 -- lsp-add network1 vm2
ovn-nbctl lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.0.11"
ovn-nbctl lsp-set-addresses vm2 "40:44:00:00:00:02 192.168.0.12"
ovn-nbctl lr-add router1
ovn-nbctl lrp-add router1 router1-net1 40:44:00:00:00:03 192.168.0.1/24
ovn-nbctl lsp-add-router-port network1 net1-router1 router1-net1
ovn-nbctl ls-add public
ovn-nbctl lsp-add-localnet-port public provnet physnet1
ovn-nbctl lrp-add router1 router1-public 40:44:00:00:00:10 172.24.4.10/24
ovn-nbctl lsp-add-router-port public public-router1 router1-public
ovn-nbctl lsp-set-options public-router1 router-port=router1-public nat-addresses=router
ovn-nbctl lrp-set-gateway-chassis router1-public gw1 20
ovn-nbctl lrp-set-gateway-chassis router1-public gw2 10
ovn-nbctl lr-route-add router1 0.0.0.0/0 172.24.4.1
ovn-nbctl lr-nat-add router1 snat 172.24.4.10 192.168.0.0/24
ovn-nbctl lr-nat-add router1 dnat_and_snat 172.24.4.101 192.168.0.11"""

GUEST = """\
ovs-vsctl add-port br-int {0} -- set Interface {0} type=internal -- set Interface {0} external_ids:iface-id={0}
ip netns add {0}
ip link set {0} netns {0}
ip netns exec {0} ip link set {0} address 40:44:00:00:00:0{1}
ip netns exec {0} ip addr add 192.168.0.1{1}/24 dev {0}
ip netns exec {0} ip link set {0} up
ip netns exec {0} ip route add default via 192.168.0.1
ip netns exec {0} httpd"""


@contextlib.asynccontextmanager
async def cloud(parts, *, vlan=None):
    """The nodes of the story with its network, and a function that types lines."""
    async with lab(*NODES, parts=parts) as (network, type_on):
        external.connect(network, external.External("internet", ("172.24.4.1/24", "198.51.100.1/32"), vlan=vlan))
        lines = {
            "gw1": GATEWAY_NODE, "gw2": GATEWAY_NODE, "central": NETWORK,
            "worker1": GUEST.format("vm1", 1), "worker2": GUEST.format("vm2", 2),
        }  # fmt: skip
        for node, typed in lines.items():
            await type_on(node, f"set -e\n{typed}")
        await type_on("central", "ip netns exec internet httpd")
        if vlan is not None:
            await type_on("central", f"ovn-nbctl set logical_switch_port provnet tag_request={vlan}")
        await type_on("central", "ovn-nbctl --timeout=30 --wait=hv sync")
        await network.until(lambda: serving(network) == "gw1")
        yield network, type_on


def serving(network):
    """The chassis that holds the gateway port."""
    replica = network.southbound.replica
    for port in replica.where(PortBinding, logical_port="cr-router1-public"):
        chassis = replica.get(Chassis, port.chassis) if port.chassis else None
        return chassis.name if chassis and port.up else None
    return None


def between(capture, inner):
    """(source, destination) in the last byte of the tunnel addresses of the captured packets with this inner IP one."""
    found = set()
    for captured in capture.frames:
        outer = ipv4.parse(ethernet.parse(captured.frame).payload)
        frame = ethernet.parse(parse_geneve(parse_udp(outer.payload).data).payload)
        if frame.type == ethernet.IP4 and inner(ipv4.parse(frame.payload)):
            found.add((outer.src & 0xFF, outer.dst & 0xFF))
    return found


def icmp(packet):
    return packet.proto == ipv4.ICMP


def guests_reach_the_world(parts=OUR_PARTS):
    """The reference architecture: east/west distributed, north/south through gateways, floating IPs of both kinds."""

    async def story():
        async with cloud(parts) as (network, type_on):

            async def fetch(node, guest, address):
                return await type_on(node, f"ip netns exec {guest} curl http://{address}/")

            capture, end = capture_underlay(network)
            assert "2 received" in await type_on("worker2", "ip netns exec vm2 ping -c2 -i0.1 192.168.0.11")
            end()
            assert between(capture, icmp) == {(15, 14), (14, 15)}, "east/west traffic stays between the compute nodes"

            assert "sees 172.24.4.10 port" in await fetch("worker2", "vm2", "198.51.100.1"), "SNAT"
            assert "sees 172.24.4.101 port" in await fetch("worker1", "vm1", "198.51.100.1"), "its floating IP"
            assert "vm1 sees 172.24.4.1 port" in await fetch("central", "internet", "172.24.4.101")
            assert "vm1 sees 172.24.4.10 port" in await fetch("worker2", "vm2", "172.24.4.101"), "hairpin"
            assert "vm1 sees 172.24.4.101 port" in await fetch("worker1", "vm1", "172.24.4.101"), "to itself"

            way = await type_on("worker2", "ip netns exec vm2 traceroute -q1 -n 198.51.100.1")
            assert [line.split()[1] for line in way.splitlines()[1:]] == ["192.168.0.1", "198.51.100.1"]

            # distributed floating IPs: compute nodes reach the physical network themselves
            for node in ("worker1", "worker2"):
                await type_on(node, f"set -e\n{GATEWAY_NODE.rpartition('ovs-vsctl')[0]}")
            await type_on(
                "central",
                "ovn-nbctl lr-nat-add router1 dnat_and_snat 172.24.4.102 192.168.0.12 vm2 40:44:00:00:00:22",
                "ovn-nbctl --timeout=30 --wait=hv sync",
            )
            capture, end = capture_underlay(network)
            assert "vm2 sees 172.24.4.1 port" in await fetch("central", "internet", "172.24.4.102")
            assert "sees 172.24.4.102 port" in await fetch("worker2", "vm2", "198.51.100.1")
            assert "2 received" in await type_on("central", "ip netns exec internet ping -c2 -i0.1 172.24.4.102")
            end()
            assert not between(capture, lambda packet: packet.proto in (ipv4.ICMP, ipv4.TCP)), "no tunnel on the way"
            assert "vm2 sees 172.24.4.101 port" in await fetch("worker1", "vm1", "172.24.4.102")
            assert "vm1 sees 172.24.4.102 port" in await fetch("worker2", "vm2", "172.24.4.101")
            known = await type_on("central", "ip netns exec internet ip neigh")
            assert "172.24.4.102 dev internet lladdr 40:44:00:00:00:22" in known

            # the way out narrows
            await type_on(
                "central",
                "ovn-nbctl set logical_router_port router1-public options:gateway_mtu=700",
                "ovn-nbctl --timeout=30 --wait=hv sync",
            )
            with pytest.raises(CommandFailed, match=r"Frag needed and DF set \(mtu = 700\)"):
                await type_on("worker1", "ip netns exec vm1 ping -c1 -s 800 198.51.100.1")
            assert "1 received" in await type_on("worker1", "ip netns exec vm1 ping -c1 -s 600 198.51.100.1")
            await type_on("central", "ip netns exec internet serve tcp 7")
            sent = "x" * 3000
            assert await type_on("worker2", f"ip netns exec vm2 tcp 198.51.100.1 7 {sent}") == f"{sent}\n"

    asyncio.run(story())


def gateways_take_over(parts=OUR_PARTS):
    """One gateway fails in every way that it can; gives the longest gap of a ping for each, in seconds."""
    gaps, told = {}, []

    async def story():
        async with cloud(parts, vlan=20) as (network, type_on):
            fast = "options:bfd-min-rx=100 options:bfd-min-tx=100 options:bfd-mult=3"
            await type_on("central", f"ovn-nbctl set nb_global . {fast}", "ovn-nbctl --wait=hv sync")
            guest = network.host("worker2").machines.cards["vm2"].guest

            async def gap(what, command, then):
                async with Steady(guest, "198.51.100.1") as pings:
                    await pings.answers_since(guest.now())
                    await type_on("central", command)
                    await network.until(lambda: serving(network) == then)
                    await pings.answers_since(guest.now())
                gaps[what] = pings.longest_gap_s
                told.append(f"{pings.longest_gap_s:6.3f} s  {pings.lost:3} lost  {what}")

            await gap("the gateway's link is down", "pyovn lab link gw1 eth0 down", "gw2")
            await gap("it comes back", "pyovn lab link gw1 eth0 up", "gw1")
            await gap("priorities are swapped", "ovn-nbctl lrp-set-gateway-chassis router1-public gw2 30", "gw2")
            await gap("the other's controller is killed", "pyovn lab kill gw2 controller", "gw2")
            await gap("it starts again", "pyovn lab start gw2 controller; ovn-nbctl --wait=hv sync", "gw2")
            exit_ = "OVN_RUNDIR=$PYOVN_LAB/gw2 ovn-appctl -t ovn-controller exit"
            await gap("its controller leaves", exit_, "gw1")
            assert "gw2 192.0.2.13  down: controller\n" in await type_on("central", "pyovn lab hosts")
            await gap("it joins again", "pyovn lab start gw2 controller", "gw2")
            await gap("its switch is killed", "pyovn lab kill gw2 switch", "gw1")
            await gap("it starts again, with the switch", "pyovn lab start gw2 switch", "gw2")
            await gap("the node is killed", "pyovn lab kill gw2", "gw1")

    asyncio.run(story())
    print("", *told, sep="\n")
    return gaps
