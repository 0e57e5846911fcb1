"""Many routers: two in a row, gateway routers behind ECMP routes, policies, IPv6 that routers advertise; on the lab.

vm1 ─ net1 ─ r1 ── r2 ─ net2 ─ vm2
             │ join
        gwr1 ┴ gwr2 ─ physical network ─ internet, which is also 198.51.100.1
"""

import asyncio

import pytest

from pyovn.lab import external
from pyovn.lab.terminal import CommandFailed
from tests.scenario.test_l2_stories import lab

pytestmark = pytest.mark.timeout(180)

NODES = ("central", "gw1", "gw2", "worker1", "worker2")
GATEWAY_NODE = """\
ovs-vsctl add-br br-ex -- add-port br-ex eth1
ovs-vsctl set open . external-ids:ovn-bridge-mappings=physnet1:br-ex"""

ROUTERS = """\
ovn-nbctl ls-add net1 -- lsp-add net1 vm1
ovn-nbctl lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.1.11 fd01::4244:ff:fe00:1"
ovn-nbctl ls-add net2 -- lsp-add net2 vm2
ovn-nbctl lsp-set-addresses vm2 "40:44:00:00:00:02 192.168.2.11 fd02::4244:ff:fe00:2"
ovn-nbctl lr-add r1 -- lr-add r2
ovn-nbctl lrp-add r1 r1-net1 40:44:00:00:01:01 192.168.1.1/24 fd01::1/64
ovn-nbctl lrp-add r2 r2-net2 40:44:00:00:02:01 192.168.2.1/24 fd02::1/64
ovn-nbctl lsp-add-router-port net1 net1-r1 r1-net1 -- lsp-add-router-port net2 net2-r2 r2-net2
ovn-nbctl lrp-add r1 r1-r2 40:44:00:00:01:02 10.0.0.1/30 fd10::1/64 peer=r2-r1
ovn-nbctl lrp-add r2 r2-r1 40:44:00:00:02:02 10.0.0.2/30 fd10::2/64 peer=r1-r2
ovn-nbctl lr-route-add r1 192.168.2.0/24 10.0.0.2 -- lr-route-add r1 fd02::/64 fd10::2
ovn-nbctl lr-route-add r2 192.168.1.0/24 10.0.0.1 -- lr-route-add r2 fd01::/64 fd10::1
ovn-nbctl set logical_router_port r1-net1 ipv6_ra_configs:address_mode=slaac ipv6_ra_configs:mtu=1400
ovn-nbctl set logical_router_port r2-net2 ipv6_ra_configs:address_mode=slaac
ovn-nbctl ls-add join -- lrp-add r1 r1-join 40:44:00:00:01:03 100.64.0.1/16
ovn-nbctl lsp-add-router-port join join-r1 r1-join -- lr-route-add r2 0.0.0.0/0 10.0.0.1
ovn-nbctl --ecmp lr-route-add r1 0.0.0.0/0 100.64.0.11 -- --ecmp lr-route-add r1 0.0.0.0/0 100.64.0.12"""

GATEWAY_ROUTER = """\
ovn-nbctl lr-add gwr{0} -- set logical_router gwr{0} options:chassis=gw{0}
ovn-nbctl lrp-add gwr{0} gwr{0}-join 40:44:00:00:0a:0{0} 100.64.0.1{0}/16
ovn-nbctl lsp-add-router-port join join-gwr{0} gwr{0}-join
ovn-nbctl ls-add public{0} -- lsp-add-localnet-port public{0} provnet{0} physnet1
ovn-nbctl lrp-add gwr{0} gwr{0}-public 40:44:00:00:0b:0{0} 172.24.4.1{0}/24
ovn-nbctl lsp-add-router-port public{0} public{0}-gwr{0} gwr{0}-public
ovn-nbctl lr-route-add gwr{0} 0.0.0.0/0 172.24.4.1 -- lr-route-add gwr{0} 192.168.0.0/16 100.64.0.1
ovn-nbctl lr-nat-add gwr{0} snat 172.24.4.1{0} 192.168.0.0/16"""

GUEST = """\
ovs-vsctl add-port br-int {0} -- set Interface {0} type=internal -- set Interface {0} external_ids:iface-id={0}
ip netns add {0}
ip link set {0} netns {0}
ip netns exec {0} ip link set {0} address 40:44:00:00:00:0{1}
ip netns exec {0} ip addr add 192.168.{1}.11/24 dev {0}
ip netns exec {0} ip route add default via 192.168.{1}.1
ip netns exec {0} httpd"""


def hops(shown):
    """Who answered, in the lines of a traceroute."""
    return [line.split()[1] for line in shown.splitlines()[1:]]


def test_guests_behind_many_routers():
    async def story():
        async with lab(*NODES) as (network, type_on):
            external.connect(network, external.External("internet", ("172.24.4.1/24", "198.51.100.1/32")))
            for node, typed in {
                "gw1": GATEWAY_NODE,
                "gw2": GATEWAY_NODE,
                "central": "\n".join((ROUTERS, GATEWAY_ROUTER.format(1), GATEWAY_ROUTER.format(2))),
                "worker1": GUEST.format("vm1", 1),
                "worker2": GUEST.format("vm2", 2),
            }.items():
                await type_on(node, f"set -e\n{typed}")
            sync = "ovn-nbctl --timeout=30 --wait=hv sync"
            await type_on("central", "ip netns exec internet httpd", sync)

            async def in_vm1(command):
                return await type_on("worker1", f"ip netns exec vm1 {command}")

            async def in_vm2(command):
                return await type_on("worker2", f"ip netns exec vm2 {command}")

            # the guests form their addresses from what the routers advertise
            await in_vm1("ip link set vm1 up")
            await in_vm2("ip link set vm2 up")
            assert "2 received" in await in_vm1("ping -c2 -i0.1 192.168.2.11")
            shown = await in_vm1("ip addr")
            assert "inet6 fd01::4244:ff:fe00:1/64 scope global dynamic" in shown
            assert "mtu 1400" in shown
            assert "default via fe80::4244:ff:fe00:101" in await in_vm1("ip route")
            assert "ttl=62" in await in_vm1("ping -c1 fd02::4244:ff:fe00:2")
            assert "vm2 sees fd01::4244:ff:fe00:1 port" in await in_vm1("curl http://[fd02::4244:ff:fe00:2]/")

            # every router on the way says that it is there
            assert hops(await in_vm1("traceroute -n -q1 192.168.2.11")) == ["192.168.1.1", "10.0.0.2", "192.168.2.11"]
            assert hops(await in_vm1("traceroute -n -q1 fd02::4244:ff:fe00:2")) == [
                "fd01::1", "fd10::2", "fd02::4244:ff:fe00:2",
            ]  # fmt: skip
            way = hops(await in_vm2("traceroute -n -q1 198.51.100.1"))
            assert way[:2] + way[3:] == ["192.168.2.1", "10.0.0.1", "198.51.100.1"]
            assert way[2] in ("100.64.0.11", "100.64.0.12")

            # connections spread over the gateway routers, and a policy gathers them
            pages = [await in_vm2("curl http://198.51.100.1/") for _ in range(16)]
            assert {page.split()[2] for page in pages} == {"172.24.4.11", "172.24.4.12"}
            reroute = "ovn-nbctl lr-policy-add r1 1000 'ip4.src == 192.168.2.0/24 && ip4.dst == 198.51.100.0/24'"
            await type_on("central", f"{reroute} reroute 100.64.0.12", sync)
            pages = [await in_vm2("curl http://198.51.100.1/") for _ in range(6)]
            assert {page.split()[2] for page in pages} == {"172.24.4.12"}

            # policies that drop and allow
            drop = "ovn-nbctl lr-policy-add r1 1100 'ip4.src == 192.168.2.0/24 && ip4.dst == 192.168.1.11' drop"
            await type_on("central", drop, "ovn-nbctl lr-policy-add r1 1200 tcp allow", sync)
            with pytest.raises(CommandFailed, match="0 received"):
                await in_vm2("ping -c1 -W0.5 192.168.1.11")
            assert "vm1 sees 192.168.2.11 port" in await in_vm2("curl http://192.168.1.11/")

    asyncio.run(story())
