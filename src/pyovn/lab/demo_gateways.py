"""The demo of routers: guests reach a host outside of OVN through gateways, and a gateway dies.

    topology → commands → SNAT, packet by packet → a floating IP → ovn-trace → connections tracked → fail-over

Every line after a prompt is a command that really runs, in the environment that `pyovn lab env` prints.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from rich.table import Table
from rich.text import Text

from pyovn.lab.capture import Capture
from pyovn.lab.external import External
from pyovn.lab.service import tap_underlay
from pyovn.lab.stage import Play, Stage, Step
from pyovn.lab.steady import Steady
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_str
from pyovn.net.mac import mac_str
from pyovn.packet import arp, ethernet, geneve, icmp4, ipv4, udp
from pyovn.packet.describe import describe
from pyovn.tables.sb import Chassis, PortBinding

HOSTS: Final = ("central", "gw1", "gw2", "worker1", "worker2")
INTERNET: Final = "198.51.100.1"
TOPOLOGY: Final = """\
               internet          172.24.4.1 and 198.51.100.1, outside of OVN
                  │
  ════╤═══════════╧════════╤════ physical network 172.24.4.0/24
     gw1                  gw2    one serves router1's port 172.24.4.10
      ║       Geneve       ║
  ════╩══╦══════════════╦══╩════
      worker1        worker2
         │              │        network1, behind router1:
        vm1            vm2       SNAT to 172.24.4.10,
   192.168.0.11   192.168.0.12   172.24.4.101 ↔ vm1"""

NETWORK: Final = Step(
    "A network, a router and its way out",
    "central",
    (
        "ovn-nbctl ls-add network1 -- lsp-add network1 vm1 -- lsp-add network1 vm2",
        'ovn-nbctl lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.0.11"',
        'ovn-nbctl lsp-set-addresses vm2 "40:44:00:00:00:02 192.168.0.12"',
        "ovn-nbctl lr-add router1 -- lrp-add router1 router1-net1 40:44:00:00:00:03 192.168.0.1/24",
        "ovn-nbctl lsp-add-router-port network1 net1-router1 router1-net1",
        "ovn-nbctl ls-add public -- lsp-add-localnet-port public provnet physnet1",
        "ovn-nbctl lrp-add router1 router1-public 40:44:00:00:00:10 172.24.4.10/24",
        "ovn-nbctl lsp-add-router-port public public-router1 router1-public",
        "ovn-nbctl lsp-set-options public-router1 router-port=router1-public nat-addresses=router",
        "ovn-nbctl lrp-set-gateway-chassis router1-public gw1 20",
        "ovn-nbctl lrp-set-gateway-chassis router1-public gw2 10",
        "ovn-nbctl lr-route-add router1 0.0.0.0/0 172.24.4.1",
        "ovn-nbctl lr-nat-add router1 snat 172.24.4.10 192.168.0.0/24",
        "ovn-nbctl lr-nat-add router1 dnat_and_snat 172.24.4.101 192.168.0.11",
        "ovn-nbctl set nb_global . options:bfd-min-rx=100 options:bfd-min-tx=100",
    ),
)
GATEWAY: Final = (
    "ovs-vsctl add-br br-ex -- add-port br-ex eth1",
    "ovs-vsctl set open . external-ids:ovn-bridge-mappings=physnet1:br-ex"
    " external-ids:ovn-cms-options=enable-chassis-as-gw",
)
BOUND: Final = Step("What router1 does, and where", "central", ("ovn-nbctl show router1", "ovn-sbctl show"))
TRACE: Final = (
    f'ovn-trace --minimal network1 \'inport == "vm2" && eth.src == 40:44:00:00:00:02 && eth.dst == 40:44:00:00:00:03'
    f" && ip4.src == 192.168.0.12 && ip4.dst == {INTERNET} && ip.ttl == 64 && icmp4.type == 8'"
)
TICK_S: Final = 0.05


def plugging(name: str, number: int) -> tuple[str, ...]:
    """The lines that plug guest `name` into its hypervisor's switch."""
    inside = f"ip netns exec {name}"
    return (
        f"ovs-vsctl add-port br-int {name} -- set Interface {name} type=internal external_ids:iface-id={name}",
        f"ip netns add {name} && ip link set {name} netns {name}",
        f"{inside} ip link set {name} address 40:44:00:00:00:0{number} up",
        f"{inside} ip addr add 192.168.0.1{number}/24 dev {name}",
        f"{inside} ip route add default via 192.168.0.1",
        f"{inside} httpd",
    )


async def tell(stage: Stage) -> bool:
    """Tell the story; whether every packet was where it should be."""
    await stage.step(Step("Gateway nodes reach the physical network", "gw1", GATEWAY))
    for line in GATEWAY:
        await stage.line("gw2", line)
    await stage.step(NETWORK)
    await stage.step(Step("vm1 on worker1, vm2 on worker2", "worker1", plugging("vm1", 1)))
    for line in plugging("vm2", 2):
        await stage.line("worker2", line)
    await stage.type("central", "ip netns exec internet httpd")
    await stage.type("central", "ovn-nbctl --wait=hv sync")
    await stage.lab.until(lambda: serving(stage) == "gw1")
    await stage.step(BOUND)
    return all([await out(stage), await inwards(stage), await fail_over(stage)])


def serving(stage: Stage) -> str | None:
    """The chassis that holds the gateway port."""
    replica = stage.lab.southbound.replica
    for port in replica.where(PortBinding, logical_port="cr-router1-public"):
        chassis = replica.get(Chassis, port.chassis) if port.chassis is not None else None
        return chassis.name if chassis is not None and port.up else None
    return None


# -- one packet, at each place that it passes


class Sighting(NamedTuple):
    """An echo request at one place."""

    place: str
    frame: bytes

    def cells(self) -> tuple[str, ...]:
        """What a reader wants to compare."""
        ether = ethernet.parse(self.frame)
        packet = ipv4.parse(ether.payload)
        return (
            self.place,
            f"{mac_str(ether.src)} → {mac_str(ether.dst)}",
            f"{ip4_str(packet.src)} → {ip4_str(packet.dst)}",
            str(packet.ttl),
        )


def is_request(frame: bytes) -> bool:
    """Whether a frame is an echo request."""
    try:
        ether = ethernet.parse(frame)
        packet = ipv4.parse(ether.payload) if ether.type == ethernet.IP4 else None
        return packet is not None and packet.proto == ipv4.ICMP and icmp4.parse(packet.payload).type == 8
    except Malformed:
        return False


@contextlib.contextmanager
def watched(stage: Stage, guest: str) -> Iterator[list[Sighting]]:
    """The echo requests that pass `guest`'s card, the tunnels and the physical network meanwhile."""
    seen: list[Sighting] = []
    hosts = {host.address: name for name, host in stage.lab.hosts.items()}

    def at(place: str) -> Callable[[bytes], None]:
        return lambda frame: seen.append(Sighting(place, frame)) if is_request(frame) else None

    def tunnel(frame: bytes) -> None:
        outer = ipv4.parse(ethernet.parse(frame).payload)
        packet = geneve.parse(udp.parse(outer.payload).data)
        ends = f"{hosts[ip4_str(outer.src)]} ⇒ {hosts[ip4_str(outer.dst)]}, VNI {packet.vni}"
        at(ends)(packet.payload)

    machines = next(each for each in stage.lab.everywhere() if guest in each.cards)
    card, wire = at(f"{guest}'s card"), at("physical network")
    machines.cards[guest].taps.append(tap := lambda frame, _: card(frame))
    stage.lab.segments["eth1"].taps.append(wire)
    untap = tap_underlay(stage.lab, tunnel)
    try:
        yield seen
    finally:
        untap()
        stage.lab.segments["eth1"].taps.remove(wire)
        machines.cards[guest].taps.remove(tap)


def show_way(stage: Stage, seen: list[Sighting]) -> None:
    """The way of a packet as a table; what changed since the place before stands out."""
    table = Table("where", "Ethernet", "IPv4", "TTL")
    before: tuple[str, ...] = ()
    for sighting in seen:
        cells = sighting.cells()
        styles = [
            "" if not before or cell == old else "bold yellow" for cell, old in zip(cells, before or cells, strict=True)
        ]
        table.add_row(cells[0], *(Text(cell, style) for cell, style in zip(cells[1:], styles[1:], strict=True)))
        before = cells
    stage.show(table)


def addresses(seen: list[Sighting]) -> list[tuple[str, str]]:
    """(place without details, source and destination) of each sighting."""
    return [(sighting.place.partition(",")[0], sighting.cells()[2]) for sighting in seen]


async def out(stage: Stage) -> bool:
    """vm2, without a floating IP, speaks to the internet."""
    stage.title("Out: vm2 is seen as the router's address")
    page = await stage.line("worker2", f"ip netns exec vm2 curl http://{INTERNET}/")
    await stage.line("worker2", f"ip netns exec vm2 traceroute -n {INTERNET}")
    with watched(stage, "vm2") as seen:
        await stage.line("worker2", f"ip netns exec vm2 ping -c1 {INTERNET}")
    stage.title("That echo request, at each place it passed")
    show_way(stage, seen)
    stage.title("The same, as the logical pipeline tells it")
    await stage.line("central", TRACE)
    stage.title("What the gateway remembers of it")
    tracked = "ovs-appctl dpctl/dump-conntrack"
    stage.prompt("gw1", tracked, "the echo request's, both ways")
    stage.show(
        "\n".join(
            line for line in (await stage.type("gw1", tracked)).splitlines() if "icmp" in line and INTERNET in line
        )
    )
    return "sees 172.24.4.10 port" in page and addresses(seen) == [
        ("vm2's card", f"192.168.0.12 → {INTERNET}"),
        ("worker2 ⇒ gw1", f"192.168.0.12 → {INTERNET}"),
        ("physical network", f"172.24.4.10 → {INTERNET}"),
    ]


async def inwards(stage: Stage) -> bool:
    """The internet speaks to vm1's floating IP; so does vm2."""
    stage.title("In: 172.24.4.101 is vm1")
    page = await stage.line("central", "ip netns exec internet curl http://172.24.4.101/")
    hairpin = await stage.line("worker2", "ip netns exec vm2 curl http://172.24.4.101/")
    with watched(stage, "vm1") as seen:
        await stage.line("central", "ip netns exec internet ping -c1 172.24.4.101")
    show_way(stage, seen)
    return (
        "vm1 sees 172.24.4.1 port" in page
        and "vm1 sees 172.24.4.10 port" in hairpin
        and addresses(seen)
        == [
            ("physical network", "172.24.4.1 → 172.24.4.101"),
            ("gw1 ⇒ worker1", "172.24.4.1 → 192.168.0.11"),
            ("vm1's card", "172.24.4.1 → 192.168.0.11"),
        ]
    )


# -- fail-over


async def fail_over(stage: Stage) -> bool:
    """gw1 dies under a running ping and comes back."""
    stage.title("gw1 dies while vm2 pings the internet twenty times a second")
    stage.prompt("gw2", "ovs-appctl bfd/show ovn-gw1-0", "gw2 watches gw1 through its tunnel")
    stage.show("\n".join((await stage.type("gw2", "ovs-appctl bfd/show ovn-gw1-0")).splitlines()[:5]))
    announced = Capture()

    def announcement(frame: bytes) -> None:
        ether = ethernet.parse(frame)
        if ether.type == ethernet.ARP and (message := arp.parse(ether.payload)).spa == message.tpa:
            announced.add(frame, 0.0)

    guest = stage.lab.host("worker2").machines.cards["vm2"].guest
    segment = stage.lab.segments["eth1"]
    segment.taps.append(announcement)
    async with Steady(guest, INTERNET, TICK_S) as pings:
        await pings.answers_since(guest.now())
        for line, heir in (("pyovn lab kill gw1", "gw2"), ("pyovn lab start gw1", "gw1")):
            await asyncio.sleep(10 * TICK_S)
            await stage.line("central", line)
            await stage.lab.until(lambda heir=heir: serving(stage) == heir)  # type: ignore[misc]  # bound now
            stage.show(f"cr-router1-public is on {heir}")
            await pings.answers_since(guest.now())
        await asyncio.sleep(10 * TICK_S)
    segment.taps.remove(announcement)
    stage.show(Text.assemble("\none mark a request: ", *timeline(pings)))
    stage.show(f"{pings.sent} requests, {pings.lost} lost, longest gap {pings.longest_gap_s:.2f} s")
    stage.title("How the physical network learnt where the router went")
    for text in dict.fromkeys(describe(captured.frame) for captured in announced.frames):
        stage.show(text)
    return bool(announced.frames) and pings.longest_gap_s < pings.sent * TICK_S


def timeline(pings: Steady) -> Iterator[tuple[str, str]]:
    """A mark for each request: full where it was answered."""
    answered = set(pings.answered)
    for at in pings.asked:
        yield ("█", "green") if at in answered else ("·", "bold red")


PLAY: Final = Play(
    "pyovn demo: gateways", TOPOLOGY, HOSTS, tell, (External("internet", ("172.24.4.1/24", f"{INTERNET}/32")),)
)
