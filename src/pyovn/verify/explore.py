"""All packets of a set, through the logical flows of a network.

Each table cuts the set into what each flow matches; each part goes on by itself.  Of conntrack are taken the first
packets of connections, and packets that belong to none.  Packets that are made in the place of others (ARP requests,
ICMP errors, resets) are not followed: they carry nothing of the sender's.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pyovn.lang.actions import Action, Actions, Pipeline
from pyovn.lang.actions.balance import CtLb, Select
from pyovn.lang.actions.fdb import GetFdb, LookupFdb
from pyovn.lang.actions.flow import Clone, Next, Output
from pyovn.lang.actions.lookups import FlagLookup, RegisterLookup
from pyovn.lang.actions.mirror import Mirror
from pyovn.lang.actions.move import DecTtl, Exchange, Load, LoadPort, Move, Pop, Push
from pyovn.lang.actions.neighbours import GetNeighbour, LookupNeighbour, LookupNeighbourIp
from pyovn.lang.actions.tracking import CtClear, CtNat, CtNext
from pyovn.lang.match import Expr
from pyovn.lang.match.parse import Part
from pyovn.lang.symbols import FLAGS, INPORT, OUTPORT, SYMBOLS
from pyovn.trace.network import Datapath, Flow, Keys, Network, Port
from pyovn.trace.packet import CONNECTION_FIELDS, LOGICAL_REGISTERS
from pyovn.trace.tracer import LOOPBACK
from pyovn.verify.decide import decide
from pyovn.verify.port_security import may_enter, may_leave
from pyovn.verify.space import Space, Value

NEW, INVALID = 1 << 0 | 1 << 5, 1 << 4 | 1 << 5  #: ct_state: tracked, and new or invalid
SNAT, DNAT = 1 << 6, 1 << 7
IP4, IP6 = 0x800, 0x86DD


class TooMuch(Exception):
    """The exploration took more steps than it was allowed."""


@dataclass(slots=True)
class Here:
    """Where a set of packets is."""

    datapath: Datapath
    pipeline: Pipeline
    table: int
    keys: Keys


@dataclass(slots=True)
class Explorer:
    """An exploration; `arrive` is told of every port where a set of packets comes out."""

    network: Network
    arrive: Callable[[Port, Space], None]
    most_steps: int
    steps: int = 0
    _seen: set[Any] = field(default_factory=set)
    _security: dict[tuple[str, bool], Expr] = field(default_factory=dict)

    def run(self, port: Port) -> None:
        """Everything that may be sent by a port; raises `TooMuch`."""
        space = Space({INPORT: Value(port.key), "vlan_tci": Value(0), "ip_ttl": Value(64), "ip_frag": Value(0)})
        self.visit(port.datapath, "ingress", 0, space)

    def visit(self, datapath: Datapath, pipeline: Pipeline, table: int, space: Space) -> None:
        """Look a set up in a table."""
        key = datapath.uuid, pipeline, table, space.key()
        if key in self._seen:
            return
        self._seen.add(key)
        here = Here(datapath, pipeline, table, self.network.keys_in(datapath))
        waiting = [space]
        for flow in self._flows(here, space):
            rest: list[Space] = []
            for each in waiting:
                self._count()
                for part, holds in decide(flow.expr, each, here.keys, flow.symbols):
                    if holds:
                        self.act(flow.actions, [part.copy()], here)
                    else:
                        rest.append(part)
            waiting = rest
            if not waiting:
                return

    def _flows(self, here: Here, space: Space) -> Iterator[Flow]:
        """The flows of a table; of a large one those that may be for the set, as far as its numbers tell."""
        numbers = Numbers(space)
        return self.network.flows_of(here.datapath, here.pipeline, here.table, numbers)

    def _count(self) -> None:
        self.steps += 1
        if self.steps > self.most_steps:
            raise TooMuch

    def act(self, actions: Actions, spaces: list[Space], here: Here) -> None:
        """Run actions on sets."""
        for action in actions:
            step = STEPS.get(type(action))
            if step is not None:
                spaces = [part for each in spaces for part in step(self, action, each, here)]
            elif hasattr(action, "result"):
                for each in spaces:
                    havoc(each, action.result)
            if not spaces:
                return

    def output(self, space: Space, here: Here) -> None:
        """What `output` does."""
        key = space.number(OUTPORT) or 0
        if here.pipeline == "egress":
            self._leave(space, here)
            return
        port = here.datapath.port_of(key)
        members: Iterable[Port] = (port,) if port is not None else ()
        group = here.datapath.groups.get(key)
        if group is not None:
            members = group.ports
        for member in members:
            self._to_egress(space.copy(), here.datapath, member)

    def _to_egress(self, space: Space, datapath: Datapath, port: Port) -> None:
        if port.type == "chassisredirect":
            distributed = self.network.ports.get(port.distributed)
            if distributed is None or distributed.datapath is not datapath:
                return
            port = distributed
        space.fields[OUTPORT] = Value(port.key)
        if space.number(INPORT) == port.key and not (space.number(FLAGS) or 0) & LOOPBACK:
            return
        clear(space, (*LOGICAL_REGISTERS, FLAGS))
        self.visit(datapath, "egress", 0, space)

    def _leave(self, space: Space, here: Here) -> None:
        port = here.datapath.port_of(space.number(OUTPORT) or 0)
        if port is None:
            return
        peer = self.network.ports.get(port.peer) if port.type in ("patch", "l3gateway") else None
        if peer is None:
            self.arrive(port, space)
            return
        space = space.copy()
        clear(space, (*LOGICAL_REGISTERS, OUTPORT, FLAGS))
        space.fields[INPORT] = Value(peer.key)
        self.visit(peer.datapath, "ingress", 0, space)

    def security(self, port: Port, *, entering: bool) -> Expr:
        """What may enter or leave by a port."""
        key = port.name, entering
        if key not in self._security:
            self._security[key] = (may_enter if entering else may_leave)(port.port_security)
        return self._security[key]


class Numbers(dict[str, int]):
    """A set of packets as an index of flows sees it: a field that is not the same in all of them is None."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self._space = space

    def get(self, name: str, default: Any = None) -> Any:
        """The number in a field, if it is certain."""
        return self._space.number(name) if name else default


def clear(space: Space, names: Iterable[str]) -> None:
    """Make fields zero that nobody but the network writes."""
    for name in names:
        space.fields.pop(name, None)


def places(part: Part) -> list[tuple[str, int, int]]:
    """Where a field or subfield is: OpenFlow field, lowest bit, width; the least significant first."""
    symbol = part.symbol
    if symbol.is_string:
        return [(symbol.openflow, 0, 32)]
    base = symbol.base or symbol
    low, left = part.low + symbol.shift, part.width
    found = []
    for name, width in reversed(base.pieces):
        if low < width and left:
            taken = min(width - low, left)
            found.append((name, low, taken))
            low, left = 0, left - taken
        else:
            low -= min(low, width)
    return found


def read(space: Space, part: Part) -> Value:
    """What a set has in a field or subfield."""
    found, at = Value(0), 0
    for name, low, width in places(part):
        found = found.joined(at, width, space.read(name).cut(low, width))
        at += width
    return found


def write(space: Space, part: Part, value: Value) -> None:
    """Write into a field or subfield."""
    at = 0
    for name, low, width in places(part):
        space.fields[name] = space.read(name).joined(low, width, value.cut(at, width))
        at += width


def havoc(space: Space, part: Part) -> None:
    """Let a field or subfield hold anything."""
    for name, low, width in places(part):
        before = space.read(name)
        space.anything(name)
        space.fields[name] = before.joined(low, width, space.fields[name].cut(0, width))


Step = Callable[[Explorer, Any, Space, Here], Iterable[Space]]


def _load(_explorer: Explorer, action: Load, space: Space, _here: Here) -> Iterable[Space]:
    constant = action.value
    full = (1 << action.dst.width) - 1
    mask = full if constant.mask is None else constant.mask & full
    if mask != full:
        kept = read(space, action.dst)
        for bit in range(action.dst.width):
            if mask >> bit & 1:
                kept = kept.joined(bit, 1, Value(constant.value >> bit & 1))
        write(space, action.dst, kept)
    else:
        write(space, action.dst, Value(constant.value & full))
    return (space,)


def _load_port(_explorer: Explorer, action: LoadPort, space: Space, here: Here) -> Iterable[Space]:
    write(space, action.dst, Value((here.keys(action.port) if action.port else 0) or 0))
    return (space,)


def _move(_explorer: Explorer, action: Move, space: Space, _here: Here) -> Iterable[Space]:
    write(space, action.dst, read(space, action.src))
    return (space,)


def _exchange(_explorer: Explorer, action: Exchange, space: Space, _here: Here) -> Iterable[Space]:
    left, right = read(space, action.left), read(space, action.right)
    write(space, action.left, right)
    write(space, action.right, left)
    return (space,)


def _push(_explorer: Explorer, _action: Push, space: Space, _here: Here) -> Iterable[Space]:
    return (space,)


def _pop(_explorer: Explorer, action: Pop, space: Space, _here: Here) -> Iterable[Space]:
    havoc(space, action.dst)
    return (space,)


def _dec_ttl(_explorer: Explorer, _action: DecTtl, space: Space, _here: Here) -> Iterable[Space]:
    ttl = space.number("ip_ttl") or 0
    if not ttl:
        return ()
    space.fields["ip_ttl"] = Value(ttl - 1)
    return (space,)


def _next(explorer: Explorer, action: Next, space: Space, here: Here) -> Iterable[Space]:
    explorer.visit(here.datapath, action.pipeline, action.table, space.copy())
    return (space,)


def _output(explorer: Explorer, _action: Output, space: Space, here: Here) -> Iterable[Space]:
    explorer.output(space.copy(), here)
    return (space,)


def _clone(explorer: Explorer, action: Clone, space: Space, here: Here) -> Iterable[Space]:
    explorer.act(action.nested, [space.copy()], here)
    return (space,)


def _mirror(explorer: Explorer, action: Mirror, space: Space, here: Here) -> Iterable[Space]:
    copy = space.copy()
    copy.fields[OUTPORT] = Value(here.keys(action.port) or 0)
    explorer.visit(here.datapath, "egress", 0, copy)
    return (space,)


_TUPLE = (("ct_nw_src", "ip_src"), ("ct_nw_dst", "ip_dst"), ("ct_ipv6_src", "ipv6_src"), ("ct_ipv6_dst", "ipv6_dst"))


def _tracked(space: Space, state: int) -> Space:
    """The set as conntrack hands it on."""
    found = space.copy()
    found.states = (*space.states, state)
    found.fields["ct_state"] = Value(state)
    for name, source in _TUPLE:
        found.fields[name] = space.read(source)
    found.fields["ct_nw_proto"] = space.read("ip_proto")
    for name in ("ct_tp_src", "ct_tp_dst"):
        found.anything(name)
    return found


def _ct_next(explorer: Explorer, _action: CtNext, space: Space, here: Here) -> Iterable[Space]:
    for state in (NEW, INVALID):
        explorer.visit(here.datapath, here.pipeline, here.table + 1, _tracked(space, state))
    return ()


def _translated(explorer: Explorer, space: Space, here: Here, flag: int = 0) -> Iterable[Space]:
    """A connection's first packet, with what was made of it."""
    held = space.number("ct_state")
    states = (held,) if held else (NEW, INVALID)
    for state in states:
        found = _tracked(space, state | flag) if not held else space.copy()
        found.fields["ct_state"] = Value(state | flag)
        explorer.visit(here.datapath, here.pipeline, here.table + 1, found)
    return ()


def _ct_nat(explorer: Explorer, action: CtNat, space: Space, here: Here) -> Iterable[Space]:
    if action.version:
        end, flag = ("dst", DNAT) if action.direction == "dnat" else ("src", SNAT)
        name = f"ip_{end}" if action.version == 4 else f"ipv6_{end}"
        space = space.copy()
        space.fields[name] = Value(action.address)
        return _translated(explorer, space, here, flag)
    return _translated(explorer, space, here)


def _ct_again(explorer: Explorer, _action: Action, space: Space, here: Here) -> Iterable[Space]:
    return _translated(explorer, space, here)


def _ct_clear(_explorer: Explorer, _action: CtClear, space: Space, _here: Here) -> Iterable[Space]:
    clear(space, CONNECTION_FIELDS)
    return (space,)


def _ct_lb(explorer: Explorer, action: CtLb, space: Space, here: Here) -> Iterable[Space]:
    if not action.backends:
        return _translated(explorer, space, here)
    for backend in action.backends:
        chosen = space.copy()
        chosen.fields["ip_dst" if backend.version == 4 else "ipv6_dst"] = Value(backend.address)
        if backend.port:
            for name in ("tcp_dst", "udp_dst", "sctp_dst"):
                chosen.fields[name] = Value(backend.port)
        _translated(explorer, chosen, here, DNAT)
    return ()


def _select(explorer: Explorer, action: Select, space: Space, here: Here) -> Iterable[Space]:
    for number, _ in action.choices:
        chosen = space.copy()
        write(chosen, action.result, Value(number))
        explorer.visit(here.datapath, here.pipeline, here.table + 1, chosen)
    return ()


def _get_neighbour(_explorer: Explorer, action: GetNeighbour, space: Space, here: Here) -> Iterable[Space]:
    """Any of the neighbours that are known, or none."""
    port = space.number(OUTPORT) or 0
    found = []
    for mac in {
        0,
        *(mac for (version, _), mac in here.datapath.neighbours.get(port, {}).items() if version == action.version),
    }:
        chosen = space.copy()
        chosen.fields["eth_dst"] = Value(mac)
        found.append(chosen)
    return found


def _get_fdb(_explorer: Explorer, action: GetFdb, space: Space, here: Here) -> Iterable[Space]:
    """Any of the stations that were learned, or none."""
    found = []
    for key in {0, *here.datapath.fdb.values()}:
        chosen = space.copy()
        write(chosen, action.result, Value(key))
        found.append(chosen)
    return found


def _either(_explorer: Explorer, action: Any, space: Space, _here: Here) -> Iterable[Space]:
    """A question whose answer may be yes or no."""
    other = space.copy()
    write(space, action.result, Value(0))
    write(other, action.result, Value(1))
    return space, other


def _flag(explorer: Explorer, action: FlagLookup, space: Space, here: Here) -> Iterable[Space]:
    if action.name not in ("check_in_port_sec", "check_out_port_sec"):
        return _either(explorer, action, space, here)
    entering = action.name == "check_in_port_sec"
    port = here.datapath.port_of(space.number(INPORT if entering else OUTPORT) or 0)
    if port is None:
        write(space, action.result, Value(0))
        return (space,)
    found = []
    for part, allowed in decide(explorer.security(port, entering=entering), space, here.keys, SYMBOLS):
        answered = part.copy()
        write(answered, action.result, Value(0 if allowed else 1))
        found.append(answered)
    return found


def _register(_explorer: Explorer, action: RegisterLookup, space: Space, _here: Here) -> Iterable[Space]:
    sources = {
        "ct_nw_dst": "ct_nw_dst",
        "ct_ip6_dst": "ct_ipv6_dst",
        "ct_proto": "ct_nw_proto",
        "ct_state_save": "ct_state",
    }
    if action.name in sources:
        write(space, action.result, space.read(sources[action.name]).cut(0, action.result.width))
    else:
        havoc(space, action.result)
    return (space,)


STEPS: dict[type, Step] = {
    Load: _load,
    LoadPort: _load_port,
    Move: _move,
    Exchange: _exchange,
    Push: _push,
    Pop: _pop,
    DecTtl: _dec_ttl,
    Next: _next,
    Output: _output,
    Clone: _clone,
    Mirror: _mirror,
    CtNext: _ct_next,
    CtNat: _ct_nat,
    CtClear: _ct_clear,
    CtLb: _ct_lb,
    Select: _select,
    GetNeighbour: _get_neighbour,
    LookupNeighbour: _either,
    LookupNeighbourIp: _either,
    GetFdb: _get_fdb,
    LookupFdb: _either,
    FlagLookup: _flag,
    RegisterLookup: _register,
}
