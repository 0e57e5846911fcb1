"""The tracer: a packet's way through the flows of a logical network.

    pipelines   ingress of a datapath ─ output ─▶ its egress ─ output ─▶ a port, or over a patch the next ingress
    tables      the matching flow of highest priority runs; its actions are in `steps`

A packet is its OpenFlow fields; whoever hands it on hands on a copy, except `next`, which is a call.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pyovn.lang.actions import Actions, Pipeline
from pyovn.lang.actions.flow import Next
from pyovn.lang.match import evaluate
from pyovn.lang.symbols import FLAGS, INPORT, OUTPORT
from pyovn.trace.network import Datapath, Flow, Keys, Network, Port
from pyovn.trace.packet import LOGICAL_REGISTERS, Packet, forget
from pyovn.trace.steps import STEPS
from pyovn.trace.tree import Node

LOOPBACK = 1 << 0
CT_TRACKED, CT_ESTABLISHED = 1 << 5, 1 << 1

#: Tables a packet and its copies may visit before the trace gives up on them.
MAX_TABLES = 4096


def first_of(_count: int) -> int:
    """The choice of one who has no preference and wants no surprise."""
    return 0


@dataclass(slots=True)
class Options:
    """What the user says about state that the database does not have."""

    #: ct_state that each conntrack action in turn reports; then tracked and established
    ct_states: Sequence[int] = ()
    #: (IP version, address, port) that load balancers choose; port 0: unchanged
    lb_dst: tuple[int, int, int] | None = None
    #: number that `select` chooses
    select_id: int | None = None
    #: of so many equal choices, which
    choose: Callable[[int], int] = first_of


@dataclass(slots=True)
class Here:
    """Where a packet is while actions run."""

    tracer: "Tracer"
    datapath: Datapath
    pipeline: Pipeline
    table: int
    packet: Packet
    #: under which what happens is recorded
    node: Node
    flow: Flow
    keys: Keys

    def on_copy(self, node: Node) -> "Here":
        """The same place for a copy of the packet, whose story goes under `node`."""
        return replace(self, packet=dict(self.packet), node=node)

    def run(self, actions: Actions) -> None:
        """Run actions here."""
        for action in actions:
            self.node.add("action", self.tracer.network.shown(str(action)))
            STEPS[type(action)](self, action)

    def go_on(self, table: int, pipeline: Pipeline | None = None) -> None:
        """Look the packet up in a table."""
        self.tracer.visit(self.datapath, pipeline or self.pipeline, table, self.packet, self.node)

    def say(self, text: str) -> None:
        """Note something about the action."""
        self.node.add("note", f"/* {text} */")


@dataclass(slots=True)
class Tracer:
    """One trace."""

    network: Network
    options: Options = field(default_factory=Options)
    #: values that `push` left for `pop`
    stack: list[int] = field(default_factory=list)
    _ct_states: Iterator[int] = field(init=False)
    _visits: int = 0

    def __post_init__(self) -> None:
        self._ct_states = iter(self.options.ct_states)

    def run(self, datapath: Datapath, packet: Packet) -> list[Node]:
        """What happens to the packet that enters `datapath` at the port that its inport register names."""
        root = Node("table", "")
        self.ingress(datapath, dict(packet), root)
        return root.children

    def next_ct_state(self) -> tuple[int, bool]:
        """The state that conntrack reports, and whether that is the default."""
        state = next(self._ct_states, None)
        if state is None:
            return CT_TRACKED | CT_ESTABLISHED, True
        return state | CT_TRACKED, False

    def ingress(self, datapath: Datapath, packet: Packet, parent: Node) -> None:
        """Run the ingress pipeline."""
        inport = datapath.name_of(packet.get(INPORT, 0))
        text = f'ingress(dp="{datapath.friendly}", inport="{inport}")'
        node = parent.add("pipeline", text, datapath=datapath.name, inport=inport)
        self.visit(datapath, "ingress", 0, packet, node)

    def visit(self, datapath: Datapath, pipeline: Pipeline, table: int, packet: Packet, parent: Node) -> None:
        """Look the packet up in a table and run the actions of what matches."""
        self._visits += 1
        if self._visits > MAX_TABLES:
            parent.add("error", "*** recursion too deep")
            return
        keys = self.network.keys_in(datapath)
        flow = self._match(datapath, pipeline, table, packet, keys)
        if flow is None:
            stage = self.network.stage_of(datapath, pipeline, table)
            text = f"{table:2d}. {stage}{': ' if stage else ''}no match (implicit drop)"
            parent.add("table", text, stage=stage, dropped=dict(packet))
            return
        node = parent if is_trivial(flow) else self._table_node(parent, flow)
        here = Here(self, datapath, pipeline, table, packet, node, flow, keys)
        if is_trivial(flow):
            here.go_on(table + 1)
        elif flow.actions:
            here.run(flow.actions)
        else:
            node.add("action", "drop;", dropped=dict(packet))

    def _table_node(self, parent: Node, flow: Flow) -> Node:
        where = f"{flow.stage} ({flow.source}): " if flow.source else f"{flow.stage}: " if flow.stage else ""
        match = self.network.shown(flow.match)
        text = f"{flow.table:2d}. {where}{match}, priority {flow.priority}, uuid {flow.uuid[:8]}"
        facts = {"stage": flow.stage, "source": flow.source, "flow": flow.uuid, "match": flow.match, "hint": flow.hint}
        return parent.add("table", text, **facts)

    def _match(self, datapath: Datapath, pipeline: Pipeline, table: int, packet: Packet, keys: Keys) -> Flow | None:
        for flow in self.network.flows_of(datapath, pipeline, table, packet):
            if evaluate(flow.expr, packet, keys, symbols=flow.symbols):
                return flow
        return None

    def output(self, here: Here) -> None:
        """What `output` does: on to egress, or out of the port."""
        if here.pipeline == "ingress":
            self._leave_ingress(here)
        else:
            self._leave_egress(here)

    def _leave_ingress(self, here: Here) -> None:
        datapath, key = here.datapath, here.packet.get(OUTPORT, 0)
        if not key:
            here.node.add("error", "*** output to null logical port")
            return
        port = datapath.port_of(key)
        if port is not None:
            self._egress_of_one(here.on_copy(here.node), port)
            return
        group = datapath.groups.get(key)
        if group is None:
            here.node.add("error", f"*** unknown port or multicast group {key}")
            return
        text = f'multicast(dp="{datapath.friendly}", mcgroup="{group.name}")'
        copy = here.on_copy(here.node.add("pipeline", text, datapath=datapath.name, group=group.name))
        # A switch gives every member a copy of its own.  C OVN's tracer hands one copy from member to member, with
        # what egress did to it; people compare traces, so this one does too.
        forget(copy.packet, (*LOGICAL_REGISTERS, FLAGS))
        for member in group.ports:
            copy.packet[OUTPORT] = member.key
            node = self._egress_title(copy, member)
            if goes_back({**here.packet, OUTPORT: member.key}):
                node.add("remark", _OMITTED, own_copy=True)
            else:
                node.indented = True
                self.visit(datapath, "egress", 0, copy.packet, node)

    def _egress_of_one(self, here: Here, port: Port) -> None:
        """Run the egress pipeline for the one port that the packet goes to."""
        if port.type == "chassisredirect":
            distributed = self._distributed(here, port)
            if distributed is None:
                return
            port = distributed
        if goes_back(here.packet):
            here.node.add("remark", _OMITTED, dropped=dict(here.packet))
            return
        forget(here.packet, (*LOGICAL_REGISTERS, FLAGS))
        self.visit(here.datapath, "egress", 0, here.packet, self._egress_title(here, port))

    def _egress_title(self, here: Here, port: Port) -> Node:
        datapath = here.datapath
        inport = datapath.name_of(here.packet.get(INPORT, 0))
        text = f'egress(dp="{datapath.friendly}", inport="{inport}", outport="{port.friendly}")'
        return here.node.add("pipeline", text, datapath=datapath.name, inport=inport, outport=port.friendly)

    def _distributed(self, here: Here, port: Port) -> Port | None:
        """The distributed port for which a redirect port stands; the packet goes there."""
        name = f'type "{port.type}"', f'port "{port.friendly}"'
        distributed = self.network.ports.get(port.distributed)
        if distributed is None or distributed.datapath is not here.datapath:
            here.node.add("error", f"*** output to {name[0]} {name[1]} with no or invalid distributed port")
            return None
        instead = f'with distributed port "{distributed.friendly}"'
        here.node.add("remark", f"/* Replacing {name[0]} out{name[1]} {instead}. */", stands_in=port.name)
        here.packet[OUTPORT] = distributed.key
        return distributed

    def _leave_egress(self, here: Here) -> None:
        port = here.datapath.port_of(here.packet.get(OUTPORT, 0))
        if port is None:
            here.node.add("error", f"*** unknown port {here.packet.get(OUTPORT, 0)}")
            return
        peer = self.network.ports.get(port.peer) if port.type in ("patch", "l3gateway") else None
        facts = {"type": port.type, "port": port.name, "crosses": peer is not None, "packet": dict(here.packet)}
        here.node.add("output", port.friendly, **facts)
        if peer is None:
            return
        packet = dict(here.packet)
        forget(packet, (*LOGICAL_REGISTERS, OUTPORT, FLAGS))
        packet[INPORT] = peer.key
        self.ingress(peer.datapath, packet, here.node)


_OMITTED = "/* omitting output because inport == outport && !flags.loopback */"


def goes_back(packet: Packet) -> bool:
    """Whether it would leave where it came in, without leave to do so."""
    return packet.get(INPORT, 0) == packet.get(OUTPORT, 0) and not packet.get(FLAGS, 0) & LOOPBACK


def is_trivial(flow: Flow) -> bool:
    """A flow that only hands every packet on: not worth mentioning."""
    if flow.match != "1" or len(flow.actions) != 1:
        return False
    only = flow.actions[0]
    return isinstance(only, Next) and only.pipeline == only.from_pipeline and only.table == flow.table + 1
