"""The demo: two guests on two hypervisors ping through a logical switch, and everything on the way is shown.

    topology → commands → pings → the Geneve header beside the southbound database → ovn-trace → the flows that were hit

Every line after a prompt is a command that really runs, in the environment that `pyovn lab env` prints.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.table import Table

from pyovn.lab.service import capture_underlay
from pyovn.lab.stage import Play, Stage, Step
from pyovn.net.errors import Malformed, OvnError
from pyovn.packet import ethernet, geneve, icmp4, ipv4, udp

HOSTS = ("central", "worker1", "worker2")

TOPOLOGY = """\
          ┌────────────────── central ──────────────────┐
          │  Northbound DB ─ ovn-northd ─ Southbound DB │
          └───────┬─────────────────────────────┬───────┘
           ovn-controller                ovn-controller
          ┌───────┴───────┐   Geneve    ┌───────┴───────┐
  vm1 ────┤    br-int     ├═════════════┤    br-int     ├──── vm2
          └─── worker1 ───┘             └─── worker2 ───┘
   logical switch network1:  vm1 192.168.0.11   vm2 192.168.0.12"""


def plugging(name: str, number: int) -> Sequence[str]:
    """The lines that plug guest `name` into its hypervisor's switch."""
    inside = f"ip netns exec {name}"
    return (
        f"ovs-vsctl add-port br-int {name} -- set Interface {name} type=internal"
        f" -- set Interface {name} external_ids:iface-id={name}",
        f"ip netns add {name}",
        f"ip link set {name} netns {name}",
        f"{inside} ip link set {name} address 40:44:00:00:00:0{number}",
        f"{inside} ip addr add 192.168.0.1{number}/24 dev {name}",
        f"{inside} ip link set {name} up",
    )


STORY = (
    Step(
        "A logical switch with two ports",
        "central",
        (
            "ovn-nbctl ls-add network1",
            "ovn-nbctl lsp-add network1 vm1",
            "ovn-nbctl lsp-add network1 vm2",
            'ovn-nbctl lsp-set-addresses vm1 "40:44:00:00:00:01"',
            'ovn-nbctl lsp-set-addresses vm2 "40:44:00:00:00:02"',
            "ovn-nbctl show",
        ),
    ),
    Step("vm1 is plugged in on worker1", "worker1", plugging("vm1", 1)),
    Step("vm2 is plugged in on worker2", "worker2", plugging("vm2", 2)),
    Step("Where the ports are bound", "central", ("ovn-nbctl --wait=hv sync", "ovn-sbctl show")),
)
PINGS = (
    Step("vm1 pings vm2", "worker1", ("ip netns exec vm1 ping -c2 -i0.2 192.168.0.12",)),
    Step("vm2 pings vm1", "worker2", ("ip netns exec vm2 ping -c2 -i0.2 192.168.0.11",)),
)
TRACE = Step(
    "What the logical pipeline does with that packet",
    "central",
    (
        "ovn-trace --summary network1 "
        "'inport == \"vm1\" && eth.src == 40:44:00:00:00:01 && eth.dst == 40:44:00:00:00:02'",
    ),
)


class NothingSeen(OvnError):
    """A packet that should have crossed the underlay and did not."""


class Tunnelled(NamedTuple):
    """An echo request as it went over the wire."""

    outer: ipv4.Ipv4
    header: bytes
    geneve: geneve.Geneve
    inner: ipv4.Ipv4


async def tell(stage: Stage) -> bool:
    """Tell the story; whether the wire and the database agree."""
    for step in STORY:
        await stage.step(step)
    capture, end = capture_underlay(stage.lab)
    for step in PINGS:
        await stage.step(step)
    end()
    agree = await show_wire(stage, [tunnelled(captured.frame) for captured in capture.frames])
    await stage.step(TRACE)
    await show_flows(stage)
    return agree


async def show_wire(stage: Stage, packets: Sequence[Tunnelled | None]) -> bool:
    """Show the first echo request on the wire beside what the southbound database says.  Raises NothingSeen."""

    async def value(line: str) -> int:
        return int(await stage.type("central", line))

    stage.title("The packet between the hypervisors")
    request = next((packet for packet in packets if packet is not None), None)
    if request is None:
        raise NothingSeen("no echo request was seen between the hypervisors")
    datapath = await value("ovn-sbctl get Datapath_Binding network1 tunnel_key")
    port1 = await value("ovn-sbctl get Port_Binding vm1 tunnel_key")
    port2 = await value("ovn-sbctl get Port_Binding vm2 tunnel_key")
    option = request.geneve.options[0]
    ingress, egress = geneve.ovn_keys(request.geneve) or (0, 0)
    rows = (
        ("VNI", f"0x{request.geneve.vni:06x}", f"Datapath_Binding network1 tunnel_key = {datapath}"),
        ("option class", f"0x{option.cls:04x}", "Open Virtual Networking"),
        ("option type", f"0x{option.type:02x}", "critical"),
        ("option data", option.data.hex(), "0 | ingress (15 bits) | egress (16 bits)"),
        ("ingress port", f"{ingress}", f"Port_Binding vm1 tunnel_key = {port1}"),
        ("egress port", f"{egress}", f"Port_Binding vm2 tunnel_key = {port2}"),
    )
    stage.show(f"Geneve header: {request.header.hex(' ', 4)}")
    table = Table("Geneve field", "on the wire", "in the southbound database")
    for row in rows:
        table.add_row(*row)
    stage.show(table)
    return (request.geneve.vni, ingress, egress) == (datapath, port1, port2)


async def show_flows(stage: Stage) -> None:
    """Show the flows of worker2 that the packets hit, where they came in and where they left."""
    stage.title("The flows on worker2 that these packets hit")
    for table, what in ((0, "from the wire to the logical network"), (65, "to the guest")):
        line = f"ovs-ofctl dump-flows br-int table={table}"
        stage.prompt("worker2", line, f"{what}, those with packets")
        for flow in (await stage.type("worker2", line)).splitlines():
            if re.search(r"n_packets=[1-9]", flow):
                stage.show(flow)


PLAY = Play("pyovn demo", TOPOLOGY, HOSTS, tell)


def tunnelled(frame: bytes) -> Tunnelled | None:
    """The echo request in a captured Geneve packet, None where the packet is something else."""
    try:
        outer = ipv4.parse(ethernet.parse(frame).payload)
        datagram = udp.parse(outer.payload)
        packet = geneve.parse(datagram.data)
        inside = ethernet.parse(packet.payload)
        if inside.type != ethernet.IP4:
            return None
        inner = ipv4.parse(inside.payload)
        if inner.proto != ipv4.ICMP or icmp4.parse(inner.payload).type != icmp4.ECHO_REQUEST:
            return None
    except Malformed:
        return None
    header = datagram.data[: len(datagram.data) - len(packet.payload)]
    return Tunnelled(outer, header, packet, inner)
