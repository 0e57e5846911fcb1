import asyncio

import pytest

from pyovn.lab import commands
from pyovn.lab.machines import Machines, NoSuchThing
from pyovn.net.errors import OvnError


class Transcript:
    """Collects what a command prints."""

    def __init__(self):
        self.text = ""

    async def out(self, text):
        self.text += text

    err = out


def wired():
    """A hypervisor with two cards on one wire."""
    machines = Machines("worker1", 1)
    first, second = machines.open("vm1", "internal", 0), machines.open("vm2", "internal", 0)
    first.on_receive, second.on_receive = second.transmit, first.transmit
    return machines


async def type_in(machines, line):
    transcript = Transcript()
    words = line.split()
    code = await commands.execute(machines, None, words, transcript)
    return code, transcript.text


SEED = """\
ip netns add {0}
ip link set {0} netns {0}
ip netns exec {0} ip link set {0} address 40:44:00:00:00:0{1}
ip netns exec {0} ip addr add 192.168.0.1{1}/24 dev {0}
ip netns exec {0} ip link set {0} up
ip netns exec {0} ip route add default via 192.168.0.1
"""


def test_the_lines_of_the_guide_make_guests_that_ping():
    async def scene():
        machines = wired()
        for line in (SEED.format("vm1", 1) + SEED.format("vm2", 2)).splitlines():
            assert await type_in(machines, line) == (0, "")
        code, text = await type_in(machines, "ip netns exec vm1 ping -c2 -i 0.01 192.168.0.12")
        assert code == 0
        assert "64 bytes from 192.168.0.12: icmp_seq=2 ttl=64 time=" in text
        assert "2 packets transmitted, 2 received, 0% packet loss" in text
        assert await type_in(machines, "ip netns list") == (0, "vm2\nvm1\n")
        _, shown = await type_in(machines, "ip netns exec vm1 ip addr")
        assert "link/ether 40:44:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n    inet 192.168.0.11/24 scope global\n" in shown
        assert "inet6 fe80::4244:ff:fe00:1/64 scope link" in shown
        _, routes = await type_in(machines, "ip netns exec vm1 ip route")
        assert "default via 192.168.0.1 dev vm1" in routes
        _, neighbours = await type_in(machines, "ip netns exec vm1 ip neigh")
        assert "192.168.0.12 dev vm1 lladdr 40:44:00:00:00:02" in neighbours

    asyncio.run(scene())


def test_guests_serve_udp_and_tcp():
    async def scene():
        machines = wired()
        for line in (SEED.format("vm1", 1) + SEED.format("vm2", 2)).splitlines():
            await type_in(machines, line)
        for protocol in ("udp", "tcp"):
            await type_in(machines, f"ip netns exec vm2 serve {protocol} 7")
            assert await type_in(machines, f"ip netns exec vm1 {protocol} 192.168.0.12 7 hello") == (0, "hello\n")

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("ip link set vm9 up", 'Cannot find device "vm9"'),
        ("ip netns exec vm9 ping 10.0.0.1", 'Cannot open network namespace "vm9"'),
        ("ip netns del vm9", 'Cannot open network namespace "vm9"'),
        ("emacs", 'exec of "emacs" failed'),
        ("ip addr add 10.0.0.300/24 dev vm1", "10.0.0.300"),
        ("ping 10.0.0.1", "Network is unreachable"),
    ],
)
def test_a_fault_names_its_object(line, fault):
    async def scene():
        with pytest.raises(OvnError, match=fault):
            await type_in(wired(), line)

    asyncio.run(scene())


def test_a_device_belongs_to_one_namespace():
    async def scene():
        machines = wired()
        for line in ("ip netns add a", "ip netns add b", "ip link set vm1 netns a", "ip link set vm1 netns b"):
            await type_in(machines, line)
        assert [card.name for card in machines.inside("b")] == ["vm1"]
        assert machines.inside("a") == []
        with pytest.raises(NoSuchThing):
            await type_in(machines, "ip netns exec a ip link set vm1 up")

    asyncio.run(scene())
