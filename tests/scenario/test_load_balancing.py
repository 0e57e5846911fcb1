"""A load balancer on a logical switch: guests of two hypervisors ask for a virtual address, without root."""

import asyncio

import pytest

from pyovn.lab.terminal import CommandFailed
from tests.scenario.test_l2_stories import lab
from tests.scenario.test_security_groups import GUEST, SYNC

pytestmark = pytest.mark.timeout(120)

NETWORK = """\
ovn-nbctl ls-add net
ovn-nbctl lsp-add net web1 -- lsp-set-addresses web1 "40:44:00:00:00:01 192.168.0.1"
ovn-nbctl lsp-add net web2 -- lsp-set-addresses web2 "40:44:00:00:00:02 192.168.0.2"
ovn-nbctl lsp-add net client -- lsp-set-addresses client "40:44:00:00:00:03 192.168.0.3"
ovn-nbctl lr-add router
ovn-nbctl lrp-add router gateway 40:44:00:00:00:fe 192.168.0.254/24
ovn-nbctl lsp-add net to-router -- lsp-set-type to-router router -- lsp-set-addresses to-router router
ovn-nbctl lsp-set-options to-router router-port=gateway
ovn-nbctl lb-add web 30.0.0.1:80 192.168.0.1:8080,192.168.0.2:8080
ovn-nbctl --reject lb-add down 30.0.0.2:80 ""
ovn-nbctl ls-lb-add net web
ovn-nbctl ls-lb-add net down"""


def test_a_virtual_address_leads_to_its_backends():
    async def story():
        async with lab("worker1", "worker2") as (_, type_on):
            await type_on("worker1", *NETWORK.splitlines(), *GUEST.format("web1", 1).splitlines())
            for name, number in (("web2", 2), ("client", 3)):
                await type_on("worker2", *GUEST.format(name, number).splitlines())
            for host, name in (("worker1", "web1"), ("worker2", "web2"), ("worker2", "client")):
                await type_on(host, f"ip netns exec {name} ip route add default via 192.168.0.254")
            await type_on("worker1", SYNC, "ip netns exec web1 serve tcp 8080")
            await type_on("worker2", "ip netns exec web2 serve tcp 8080")

            for _ in range(4):
                assert await type_on("worker2", "ip netns exec client tcp 30.0.0.1 80 hello") == "hello\n"
            # a backend may be sent to itself: it sees the virtual address as the client
            for _ in range(4):
                assert await type_on("worker1", "ip netns exec web1 tcp 30.0.0.1 80 hello") == "hello\n"
            with pytest.raises(CommandFailed, match="Connection refused"):
                await type_on("worker2", "ip netns exec client tcp 30.0.0.2 80 hello")

            # without the first backend everybody is sent to the other
            await type_on("worker1", "ovn-nbctl lb-del web", "ovn-nbctl lb-add web 30.0.0.1:80 192.168.0.2:8080")
            await type_on("worker1", "ovn-nbctl ls-lb-add net web", SYNC)
            for _ in range(4):
                assert await type_on("worker1", "ip netns exec web1 tcp 30.0.0.1 80 hello") == "hello\n"

    asyncio.run(story())


HEALTH = """\
ovn-nbctl set load_balancer web ip_port_mappings:192.168.0.1=web1:192.168.0.253
ovn-nbctl set load_balancer web ip_port_mappings:192.168.0.2=web2:192.168.0.253
ovn-nbctl --id=@check create Load_Balancer_Health_Check vip="30.0.0.1\\:80" options:interval=1 options:timeout=1 \
-- add Load_Balancer web health_check @check"""
WAIT = """\
probe=$(ovn-sbctl --bare --columns=_uuid find Service_Monitor logical_port={}) && \
ovn-sbctl --timeout=20 wait-until Service_Monitor $probe status={}"""


def test_backends_that_do_not_answer_get_no_connections():
    async def story():
        async with lab("worker1", "worker2") as (_, type_on):
            await type_on("worker1", *NETWORK.splitlines(), *GUEST.format("web1", 1).splitlines())
            for name, number in (("web2", 2), ("client", 3)):
                await type_on("worker2", *GUEST.format(name, number).splitlines())
            for host, name in (("worker1", "web1"), ("worker2", "web2"), ("worker2", "client")):
                await type_on(host, f"ip netns exec {name} ip route add default via 192.168.0.254")
            await type_on("worker1", "ip netns exec web1 serve tcp 8080", SYNC)
            await type_on("worker1", *HEALTH.splitlines(), SYNC)

            # web2 refuses: nobody is sent there
            await type_on("worker1", WAIT.format("web1", "online"), WAIT.format("web2", "offline"), SYNC)
            for _ in range(4):
                assert await type_on("worker2", "ip netns exec client tcp 30.0.0.1 80 hello") == "hello\n"

            # it comes up, and counts again
            await type_on("worker2", "ip netns exec web2 serve tcp 8080")
            await type_on("worker1", WAIT.format("web2", "online"), SYNC)
            flows = await type_on("worker1", "ovn-sbctl lflow-list net")
            assert "backends=192.168.0.1:8080,192.168.0.2:8080" in flows

    asyncio.run(story())
