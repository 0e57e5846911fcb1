"""Security groups as clouds write them: port groups with ACLs, on guests of two hypervisors, without root."""

import asyncio

import pytest

from pyovn.lab.terminal import CommandFailed
from tests.scenario.test_l2_stories import lab

pytestmark = pytest.mark.timeout(120)

NETWORK = """\
ovn-nbctl ls-add net
ovn-nbctl lsp-add net web -- lsp-set-addresses web "40:44:00:00:00:01 192.168.0.1"
ovn-nbctl lsp-add net app -- lsp-set-addresses app "40:44:00:00:00:02 192.168.0.2"
ovn-nbctl lsp-add net other -- lsp-set-addresses other "40:44:00:00:00:03 192.168.0.3"
ovn-nbctl pg-add all web app other
ovn-nbctl acl-add all to-lport 1000 'outport == @all && ip' drop
ovn-nbctl acl-add all from-lport 1000 'inport == @all && ip' allow-related
ovn-nbctl pg-add web web
ovn-nbctl pg-add app app
ovn-nbctl acl-add web to-lport 1001 'outport == @web && tcp.dst == 80 && ip4.src == $app_ip4' allow-related"""
GUEST = """\
ovs-vsctl add-port br-int {0} -- set Interface {0} type=internal -- set Interface {0} external_ids:iface-id={0}
ip netns add {0}
ip link set {0} netns {0}
ip netns exec {0} ip link set {0} address 40:44:00:00:00:0{1}
ip netns exec {0} ip addr add 192.168.0.{1}/24 dev {0}
ip netns exec {0} ip link set {0} up"""
SYNC = "ovn-nbctl --timeout=20 --wait=hv sync"


def test_a_security_group_lets_its_members_in_and_nobody_else():
    async def story():
        async with lab("worker1", "worker2") as (_, type_on):
            await type_on("worker1", *NETWORK.splitlines(), *GUEST.format("web", 1).splitlines())
            await type_on("worker2", *GUEST.format("app", 2).splitlines(), *GUEST.format("other", 3).splitlines(), SYNC)
            await type_on("worker1", "ip netns exec web serve tcp 80", "ip netns exec web serve tcp 81")

            # a member of the group is let in, and the answers come back though nothing else lets them in
            assert await type_on("worker2", "ip netns exec app tcp 192.168.0.1 80 hello") == "hello\n"
            for line in (
                "ip netns exec app tcp 192.168.0.1 81 hello",  # another port
                "ip netns exec other tcp 192.168.0.1 80 hello",  # somebody else
                "ip netns exec other ping -c1 -W1 192.168.0.1",
            ):
                with pytest.raises(CommandFailed):
                    await type_on("worker2", line)

            # joining the group is enough; leaving it too
            await type_on("worker1", "ovn-nbctl pg-set-ports app app other", SYNC)
            assert await type_on("worker2", "ip netns exec other tcp 192.168.0.1 80 hello") == "hello\n"
            await type_on("worker1", "ovn-nbctl pg-set-ports app app", SYNC)
            with pytest.raises(CommandFailed):
                await type_on("worker2", "ip netns exec other tcp 192.168.0.1 80 hello")

    asyncio.run(story())


def test_a_refusal_is_told_at_once_and_a_tier_passes_on():
    async def story():
        async with lab("worker1") as (_, type_on):
            await type_on("worker1", *NETWORK.splitlines(), SYNC)
            for name, number in (("web", 1), ("app", 2)):
                await type_on("worker1", *GUEST.format(name, number).splitlines())
            await type_on(
                "worker1",
                "ovn-nbctl acl-add web to-lport 1002 'outport == @web && tcp.dst == 82' reject",
                "ovn-nbctl --tier=1 acl-add web to-lport 1 'outport == @web && udp.dst == 53' allow-related",
                SYNC,
                "ip netns exec web serve udp 53",
            )
            with pytest.raises(CommandFailed, match="Connection refused"):
                await type_on("worker1", "ip netns exec app tcp 192.168.0.1 82 hello")
            with pytest.raises(CommandFailed):
                await type_on("worker1", "ip netns exec app udp 192.168.0.1 53 question")
            await type_on(
                "worker1",
                "ovn-nbctl acl-add web to-lport 1003 'outport == @web && udp.dst == 53' pass",
                "ovn-nbctl acl-del all to-lport 1000 'outport == @all && ip'",
                "ovn-nbctl --tier=2 acl-add all to-lport 1000 'outport == @all && ip' drop",
                SYNC,
            )
            assert await type_on("worker1", "ip netns exec app udp 192.168.0.1 53 question") == "question\n"
            with pytest.raises(CommandFailed):
                await type_on("worker1", "ip netns exec app tcp 192.168.0.1 81 hello")

    asyncio.run(story())
