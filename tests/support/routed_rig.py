"""Two routers, three networks and a physical network over four hypervisors: what the stories of routing are told on.

    hv1: a1, c1     hv2: b1, a2     hv3, hv4: gateways     machine: 172.16.0.254, and 198.51.100.1 behind it

    a 10.0.1.0/24 ─┐                              ┌─ public 172.16.0.0/24 ── machine
    b 10.0.2.0/24 ─┴─ r1 ── 10.9.0.0/30 ── r2 ── c 10.0.3.0/24

Everything has IPv6 too: fd0N:: where IPv4 has 10.0.N.0, fd16:: outside.  Of NAT there is SNAT to 172.16.0.100, a
floating IP that the gateway serves (a1: .111) and one that its hypervisor does (b1: .112).
"""

import contextlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pyovn.packet import ethernet, geneve, ipv4, pcap, udp
from pyovn.packet.describe import describe
from tests.support.netns import Guest, Rig, until

OURS: Final = ("ours",) * 4
MACHINE: Final = "172.16.0.254"
BEYOND: Final = "198.51.100.1"
SNAT, CENTRAL, LOCAL = "172.16.0.100", "172.16.0.111", "172.16.0.112"
ROUTER_MAC: Final = "40:44:00:00:16:01"
LOCAL_MAC: Final = "40:44:00:00:16:12"
#: Name → (network, host part, hypervisor).
GUESTS: Final = {"a1": (1, 11, 0), "a2": (1, 12, 1), "b1": (2, 11, 1), "c1": (3, 11, 0)}


def switch(name: str, number: int, router: str) -> str:
    """Commands for a switch on a router."""
    port = f"{router}-{name}"
    return (
        f"lrp-add {router} {port} 40:44:00:00:0{number}:01 10.0.{number}.1/24 fd0{number}::1/64"
        f" -- ls-add {name} -- {attach(name, port)}"
    )


def attach(switch: str, port: str) -> str:
    """Commands for a switch's port to a router port."""
    name = f"{switch}-{port}"
    return (
        f"lsp-add {switch} {name} -- lsp-set-type {name} router -- lsp-set-addresses {name} router"
        f" -- lsp-set-options {name} router-port={port}"
    )


def localnet(switch: str, network: str = "physnet") -> str:
    """Commands for a switch's port to a physical network."""
    name = f"ln-{switch}"
    return (
        f"lsp-add {switch} {name} -- lsp-set-type {name} localnet -- lsp-set-addresses {name} unknown"
        f" -- lsp-set-options {name} network_name={network}"
    )


def mac(name: str) -> str:
    """The MAC of a guest."""
    network, host, _ = GUESTS[name]
    return f"40:44:00:00:0{network}:{host}"


def addresses(name: str) -> tuple[str, str]:
    """The addresses of a guest."""
    network, host, _ = GUESTS[name]
    return f"10.0.{network}.{host}", f"fd0{network}::{host}"


NETWORK: Final = (
    "lr-add r1 -- lr-add r2",
    switch("a", 1, "r1"),
    switch("b", 2, "r1"),
    switch("c", 3, "r2"),
    "lrp-add r1 r1-r2 40:44:00:00:09:01 10.9.0.1/30 fd09::1/64 peer=r2-r1"
    " -- lrp-add r2 r2-r1 40:44:00:00:09:02 10.9.0.2/30 fd09::2/64 peer=r1-r2"
    " -- lr-route-add r1 10.0.3.0/24 10.9.0.2 -- lr-route-add r1 fd03::/64 fd09::2"
    " -- lr-route-add r2 0.0.0.0/0 10.9.0.1 -- lr-route-add r2 ::/0 fd09::1",
    *(
        f"lsp-add {name[0]} {name} -- lsp-set-addresses {name} '{mac(name)} {' '.join(addresses(name))}'"
        for name in GUESTS
    ),
    f"lrp-add r1 r1-public {ROUTER_MAC} 172.16.0.1/24 fd16::1/64 -- ls-add public -- {localnet('public')}"
    f" -- {attach('public', 'r1-public')}"
    " -- lsp-set-options public-r1-public router-port=r1-public nat-addresses=router"
    " -- lrp-set-gateway-chassis r1-public hv3 20 -- lrp-set-gateway-chassis r1-public hv4 10"
    f" -- lr-route-add r1 0.0.0.0/0 {MACHINE} -- lr-route-add r1 ::/0 fd16::fe",
    f"lr-nat-add r1 snat {SNAT} 10.0.0.0/16 -- lr-nat-add r1 dnat_and_snat {CENTRAL} {addresses('a1')[0]}"
    f" -- lr-nat-add r1 dnat_and_snat {LOCAL} {addresses('b1')[0]} b1 {LOCAL_MAC}",
)


@dataclass
class Net:
    """The running network."""

    rig: Rig
    guests: dict[str, Guest]
    machine: Guest

    def __getitem__(self, name: str) -> Guest:
        return self.guests[name]

    def address(self, name: str) -> str:
        """The IPv4 address of a guest."""
        return addresses(name)[0]

    def nat(self, kind: str, external: str) -> str:
        """The UUID of a translation."""
        found = self.rig.nbctl("--bare", "--columns=_uuid", "find", "NAT", f"type={kind}", f"external_ip={external}")
        return found.strip()

    def chassis(self, name: str) -> str:
        """The UUID of a chassis."""
        return self.rig.sbctl("--bare", "--columns=_uuid", "find", "Chassis", f"name={name}").strip()

    def gateway(self) -> str:
        """The chassis that serves r1's gateway port; none while nobody does."""
        row = self.rig.sbctl("--bare", "--columns=chassis", "find", "Port_Binding", "logical_port=cr-r1-public").strip()
        rows = self.rig.sbctl("--columns=_uuid,name", "--format=csv", "--no-heading", "list", "Chassis").split()
        return next((line.partition(",")[2] for line in rows if row and line.startswith(row)), "")

    def tunnelled(self, host: int, act: Callable[[], object]) -> list[str]:
        """The pings and their answers that go through a hypervisor's tunnels meanwhile, in words."""
        capture = self.rig.underlay.capture(self.rig.hosts[host], act)
        datagrams = [udp.parse(ipv4.parse(ethernet.parse(each.frame).payload).payload) for each in pcap.parse(capture)]
        found = [describe(geneve.parse(each.data).payload) for each in datagrams]
        return [each for each in found if "echo" in each]

    def plug(self, name: str, host: int, number: int, *, more: str = "") -> Guest:
        """One more guest, named after its switch: d7 on d, 10.0.`number`.7, with its logical port."""
        last = int(name[1:])
        hardware, ip4, ip6 = f"40:44:00:00:{number:02}:{last:02}", f"10.0.{number}.{last}", f"fd0{number}::{last}"
        self.rig.nbctl(*words(f"lsp-add {name[0]} {name} -- lsp-set-addresses {name} '{hardware} {ip4} {ip6}' {more}"))
        gateways = (f"10.0.{number}.1", f"fd0{number}::1")
        guest = self.rig.hosts[host].plug(name, hardware, f"{ip4}/24,{ip6}/64", *gateways)
        self.guests[name] = guest
        self.rig.nbctl("wait-until", "Logical_Switch_Port", name, "up=true")
        return guest

    def type(self, *lines: str) -> None:
        """Northbound commands, and wait until every hypervisor has done them."""
        for line in lines:
            self.rig.nbctl(*words(line))
        self.sync()

    def sync(self) -> None:
        """Wait until every hypervisor has the newest configuration, and acts on it.

        Open vSwitch goes on for up to half a second with what it remembers, so it is made to forget.
        """
        self.rig.nbctl("--wait=hv", "sync")
        for host in self.rig.hosts:
            host.appctl("revalidator/purge")


@contextlib.contextmanager
def changed(net: Net, change: str, back: str) -> Iterator[None]:
    """The network with a change, which is taken back."""
    net.type(change)
    try:
        yield
    finally:
        net.type(back)


def words(line: str) -> list[str]:
    """A line's words as a shell would see them, without variables."""
    return shlex.split(line)


@contextlib.contextmanager
def routed(northd: str = "ours", controllers: Sequence[str] = OURS, network: Sequence[str] = NETWORK) -> Iterator[Net]:
    """The network, with its guests plugged in and up."""
    with Rig(len(controllers), northd=northd, outside=True) as rig:
        for line in network:
            rig.nbctl(*words(line))
        for host, kind in zip(rig.hosts, controllers, strict=True):
            host.configure(ovn_bridge_mappings="physnet:br-ex")
            host.start_controller(kind)
        for host in rig.hosts:
            until(lambda host=host: "br-int" in host.vsctl("list-br"), f"br-int on {host.chassis}")
        guests = {}
        for name, (number, _, where) in GUESTS.items():
            ip4, ip6 = addresses(name)
            guests[name] = rig.hosts[where].plug(
                name, mac(name), f"{ip4}/24,{ip6}/64", f"10.0.{number}.1", f"fd0{number}::1"
            )
        machine = rig.machine("40:44:00:00:16:fe", f"{MACHINE}/24,fd16::fe/64,{BEYOND}/32", "fd16::1")
        machine.ip("route", "add", "10.0.0.0/8", "via", "172.16.0.1")
        machine.sysctl("arp_announce", 2)  # a router answers no ARP request that comes from another network: BEYOND
        for name in GUESTS:
            rig.nbctl("wait-until", "Logical_Switch_Port", name, "up=true")
        net = Net(rig, guests, machine)
        net.sync()
        until(lambda: net.gateway() == "hv3", "a gateway")
        # Each hypervisor sends to the gateway that it sees alive: the network rests once all see the first one.
        for guest, target in (("b1", addresses("a1")[0]), *((name, MACHINE) for name in GUESTS)):
            until(lambda pair=(guest, target): net[pair[0]].ping(pair[1], count=1) == (1, 1), f"{guest} to {target}")
        yield net
