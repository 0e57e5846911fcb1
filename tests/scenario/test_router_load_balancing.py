"""Load balancers on routers: the world outside and guests inside ask for a virtual address, without root.

internet ── public ── edge (a gateway router, on gw) ── join ── inner (distributed) ── net: web1, web2, client
"""

import asyncio

import pytest

from pyovn.lab import external
from pyovn.lab.network import OUR_PARTS
from pyovn.lab.terminal import CommandFailed
from tests.scenario.gateways import GATEWAY_NODE, GUEST, cloud
from tests.scenario.test_l2_stories import lab

pytestmark = pytest.mark.timeout(120)

NETWORK = """\
ovn-nbctl ls-add net
ovn-nbctl lsp-add net vm1 -- lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.0.11"
ovn-nbctl lsp-add net vm2 -- lsp-set-addresses vm2 "40:44:00:00:00:02 192.168.0.12"
ovn-nbctl lsp-add net vm3 -- lsp-set-addresses vm3 "40:44:00:00:00:03 192.168.0.13"
ovn-nbctl lr-add inner -- lr-add edge -- set logical_router edge options:chassis=gw
ovn-nbctl lrp-add inner inner-net 40:44:00:00:00:fe 192.168.0.1/24 -- lsp-add-router-port net net-inner inner-net
ovn-nbctl ls-add join
ovn-nbctl lrp-add inner inner-join 40:44:00:00:01:01 100.64.0.2/24 -- lsp-add-router-port join join-inner inner-join
ovn-nbctl lrp-add edge edge-join 40:44:00:00:01:02 100.64.0.1/24 -- lsp-add-router-port join join-edge edge-join
ovn-nbctl ls-add public -- lsp-add-localnet-port public provnet physnet1
ovn-nbctl lrp-add edge edge-public 40:44:00:00:02:01 172.24.4.10/24
ovn-nbctl lsp-add-router-port public public-edge edge-public
ovn-nbctl lsp-set-options public-edge router-port=edge-public nat-addresses=router
ovn-nbctl lr-route-add inner 0.0.0.0/0 100.64.0.1 -- lr-route-add inner 100.64.0.9 100.64.0.1
ovn-nbctl lr-route-add edge 192.168.0.0/24 100.64.0.2 -- lr-route-add edge 0.0.0.0/0 172.24.4.1
ovn-nbctl lb-add web 172.24.4.50:80 192.168.0.11:80,192.168.0.12:80
ovn-nbctl --reject lb-add down 172.24.4.51:80 ""
ovn-nbctl lr-lb-add edge web -- lr-lb-add edge down"""
SYNC = "ovn-nbctl --timeout=30 --wait=hv sync"


def test_a_gateway_router_balances_what_the_world_and_guests_ask_for():
    async def story():
        async with lab("gw", "worker1", "worker2") as (network, type_on):
            external.connect(network, external.External("internet", ("172.24.4.1/24", "198.51.100.1/32")))
            await type_on("gw", *GATEWAY_NODE.splitlines(), *NETWORK.splitlines())
            for number, host in ((1, "worker1"), (2, "worker2"), (3, "worker2")):
                await type_on(host, *GUEST.format(f"vm{number}", number).splitlines())
            await type_on("gw", SYNC)

            seen = [await type_on("gw", "ip netns exec internet curl -s http://172.24.4.50/") for _ in range(8)]
            assert {each.rpartition(" port ")[0] for each in seen} == {"vm1 sees 172.24.4.1", "vm2 sees 172.24.4.1"}
            with pytest.raises(CommandFailed, match="Connection refused"):
                await type_on("gw", "ip netns exec internet tcp 172.24.4.51 80 hello")

            # a backend replies to the guest itself, which never asked *it*
            with pytest.raises(CommandFailed, match="timed out"):
                await type_on("worker2", "ip netns exec vm3 curl -s http://172.24.4.50/")

            # unless it was the router that seemed to ask
            for option, own in (("router_ip", "100.64.0.1"), ("100.64.0.9", "100.64.0.9")):
                await type_on("gw", f"ovn-nbctl set logical_router edge options:lb_force_snat_ip={option}", SYNC)
                for host, client in (("worker2", "vm3"), ("gw", "internet")):
                    seen = [
                        await type_on(host, f"ip netns exec {client} curl -s http://172.24.4.50/") for _ in range(8)
                    ]
                    assert {each.rpartition(" port ")[0] for each in seen} == {f"vm1 sees {own}", f"vm2 sees {own}"}

    asyncio.run(story())


BALANCER = """\
ovn-nbctl lb-add web 172.24.4.50:80 192.168.0.11:80,192.168.0.12:80 -- lr-lb-add router1 web
ovn-nbctl --timeout=30 --wait=hv sync"""


def test_the_gateway_of_a_distributed_router_balances():
    async def story():
        async with cloud(OUR_PARTS) as (_, type_on):
            await type_on("central", *BALANCER.splitlines())
            seen = [await type_on("gw1", "ip netns exec internet curl -s http://172.24.4.50/") for _ in range(8)]
            assert {each.rpartition(" port ")[0] for each in seen} == {"vm1 sees 172.24.4.1", "vm2 sees 172.24.4.1"}

    asyncio.run(story())


TEMPLATE = """\
ovn-nbctl ls-add net
ovn-nbctl lsp-add net vm1 -- lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.0.11"
ovn-nbctl lsp-add net vm2 -- lsp-set-addresses vm2 "40:44:00:00:00:02 192.168.0.12"
ovn-nbctl lr-add router -- lrp-add router router-net 40:44:00:00:00:fe 192.168.0.1/24
ovn-nbctl lsp-add-router-port net net-router router-net
ovn-nbctl --template lb-add web ^vip:80 ^backends tcp ipv4 -- ls-lb-add net web
ovn-nbctl create Chassis_Template_Var chassis=worker1 variables:vip=30.0.0.1 'variables:backends="192.168.0.12:80"'
ovn-nbctl create Chassis_Template_Var chassis=worker2 variables:vip=30.0.0.1 'variables:backends="192.168.0.11:80"'"""


def test_a_template_means_what_each_chassis_says():
    async def story():
        async with lab("worker1", "worker2") as (_, type_on):
            await type_on("worker1", *TEMPLATE.splitlines(), *GUEST.format("vm1", 1).splitlines())
            await type_on("worker2", *GUEST.format("vm2", 2).splitlines(), SYNC)
            asked = "ip netns exec {} curl -s http://30.0.0.1/"
            assert (await type_on("worker1", asked.format("vm1"))).startswith("vm2 sees 192.168.0.11 ")
            assert (await type_on("worker2", asked.format("vm2"))).startswith("vm1 sees 192.168.0.12 ")
            # now each guest is sent to itself, which its switch makes look as if the virtual address asked
            row = "Chassis_Template_Var $(ovn-nbctl --bare --columns=_uuid find Chassis_Template_Var chassis=worker1)"
            await type_on("worker1", f"ovn-nbctl set {row} 'variables:backends=\"192.168.0.11:80\"'", SYNC)
            assert (await type_on("worker1", asked.format("vm1"))).startswith("vm1 sees 30.0.0.1 ")

    asyncio.run(story())
