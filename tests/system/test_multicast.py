"""Multicast on real Open vSwitch: who joined a group gets what is sent to it, over routers too; nobody else does."""

import contextlib
from collections.abc import Iterator

import pytest

from tests.support.netns import Guest, Rig, until
from tests.support.sockets import Ear, Listener, tell

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

ROLES = [
    pytest.param("ours", "ours", id="ours"),
    pytest.param("ours", "26.03", id="C controllers"),
    pytest.param("any", "ours", id="C northd"),
]
GROUPS = ("239.1.1.1", "ff15::7")
#: port → host, address; a network by letter, whose router is the first address
GUESTS = {
    "s1": (0, "10.0.1.11/24,fd01::11/64"),
    "s2": (1, "10.0.1.12/24,fd01::12/64"),
    "s3": (1, "10.0.1.13/24,fd01::13/64"),
    "t1": (0, "10.0.2.11/24,fd02::11/64"),
    "t2": (1, "10.0.2.12/24,fd02::12/64"),
}


def addresses(port: str) -> list[str]:
    return [each.partition("/")[0] for each in GUESTS[port][1].split(",")]


def mac_of(port: str) -> str:
    return f"50:54:00:00:0{'st'.index(port[0]) + 1}:1{port[1]}"


@contextlib.contextmanager
def network(northd: str, controller: str) -> Iterator[tuple[Rig, dict[str, Guest]]]:
    """Two networks with snooping, on two hypervisors, and a router that relays between them."""
    with Rig(2, northd=northd) as rig:
        rig.nbctl("lr-add", "r", "--", "set", "Logical_Router", "r", "options:mcast_relay=true")
        for number, letter in enumerate("st", 1):
            own = (f"50:54:00:00:0{number}:01", f"10.0.{number}.1/24", f"fd0{number}::1/64")
            rig.nbctl("ls-add", letter, "--", "lrp-add", "r", f"r-{letter}", *own)
            snooping = ("mcast_snoop=true", "mcast_querier=false", "mcast_flood_unregistered=false")
            rig.nbctl("set", "Logical_Switch", letter, *(f"other_config:{each}" for each in snooping))
            link = ("type=router", "addresses=router", f"options:router-port=r-{letter}")
            rig.nbctl("lsp-add", letter, f"{letter}-r", "--", "set", "Logical_Switch_Port", f"{letter}-r", *link)
        for port in GUESTS:
            rig.nbctl("lsp-add", port[0], port, "--", "lsp-set-addresses", port, mac_of(port), "unknown")
        for host in rig.hosts:
            host.configure("geneve")
            host.start_controller(controller)
        for host in rig.hosts:
            until(lambda host=host: "br-int" in host.vsctl("list-br"), f"br-int on {host.chassis}")
        guests = {}
        for port, (host, address) in GUESTS.items():
            gateways = (each[:-2] + "1" for each in addresses(port))
            guests[port] = rig.hosts[host].plug(port, mac_of(port), address, *gateways)
        for port in GUESTS:
            rig.nbctl("wait-until", "Logical_Switch_Port", port, "up=true")
        rig.nbctl("--wait=hv", "sync")
        yield rig, guests


def datapaths(rig: Rig, group: str) -> int:
    """How many datapaths have the group."""
    return len(rig.sbctl("--bare", "--columns=tunnel_key", "find", "Multicast_Group", f'name="{group}"').split())


def overhears(ear: Ear, data: bytes, last: bytes) -> bool:
    """Does `data` come by before the `last` that is sent?"""
    for frame in ear.frames():
        if frame.endswith(data):
            return True
        if frame.endswith(last):
            return False
    raise AssertionError(f"{last!r} does not arrive")


@pytest.mark.parametrize(("northd", "controller"), ROLES)
def test_groups_reach_those_who_joined(northd, controller):
    with network(northd, controller) as (rig, guests):
        for port in ("s3", "t1"):
            for address in addresses(port):
                until(lambda address=address: guests["s1"].ping(address, count=1)[1] == 1, f"the way to {address}")
        for group in GROUPS:
            with Listener(guests["s2"], group) as near, Ear(guests["s3"]) as ear:
                with Listener(guests["t1"], group) as far:
                    until(lambda group=group: datapaths(rig, group) == 3, f"{group} in all networks")
                    rig.nbctl("--wait=hv", "sync")
                    tell(guests["s1"], group, b"both of you")
                    assert near.hears() == (b"both of you", 8)
                    assert far.hears() == (b"both of you", 7)
                until(lambda group=group: datapaths(rig, group) == 2, f"{group} in one network")
                rig.nbctl("--wait=hv", "sync")
                with Ear(guests["t1"]) as far_ear:
                    tell(guests["s1"], group, b"those at home")
                    assert near.hears() == (b"those at home", 8)
                    for port, each in (("s3", ear), ("t1", far_ear)):
                        tell(guests["s1"], addresses(port)[":" in group], b"nothing else")
                        assert not overhears(each, b"those at home", b"nothing else"), port
