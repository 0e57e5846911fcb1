"""One question to the tracer and its answer as `ovn-trace` prints it."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyovn.lang.errors import SyntaxFault
from pyovn.lang.match import Expr, parse
from pyovn.lang.microflow import BadMicroflow, inport_of, packet_of
from pyovn.lang.symbols import INPORT
from pyovn.trace.flow_text import flow_text
from pyovn.trace.network import Datapath, Network
from pyovn.trace.openflow import add_flows, cookies
from pyovn.trace.render import detailed, minimal, summary
from pyovn.trace.tracer import MAX_TABLES, Options, Tracer
from pyovn.trace.tree import Node

#: form → (banner where several forms are asked for, renderer), in the order of printing
FORMS = {
    "detailed": ("# Detailed trace.\n", detailed),
    "summary": ("# Summary trace.\n", summary),
    "minimal": ("# Minimal trace.\n", minimal),
}


@dataclass(slots=True)
class Request:
    """What to trace and how to tell it."""

    microflow: str
    #: name or UUID; None: the datapath of the microflow's inport
    datapath: str | None = None
    #: keys of `FORMS`; none: detailed
    forms: Sequence[str] = ()
    options: Options = field(default_factory=Options)
    #: asks a switch for its flows with these cookies: cookie → lines; None where it does not answer
    openflow: Callable[[Sequence[int]], Mapping[int, Sequence[str]] | None] | None = None


@dataclass(slots=True)
class Trace:
    """What came of it."""

    #: what the user did wrong, as C OVN's tool prints it; then there is nothing else
    problem: str = ""
    packet: dict[str, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)


@contextmanager
def deep() -> Iterator[None]:
    """Let functions call each other as deeply as a packet can go; Python's default is a few datapaths."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES_PER_TABLE * MAX_TABLES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


#: Calls between one table and the next, with room to spare.
_FRAMES_PER_TABLE = 12


def answer(network: Network, request: Request) -> str:
    """The text of the trace, or of what is wrong with the request."""
    with deep():
        trace = run(network, request)
        flows = request.openflow(cookies(trace.nodes)) if request.openflow is not None else None
        if flows is not None:
            add_flows(trace.nodes, flows)
        return _told(trace, request)


def _told(trace: Trace, request: Request) -> str:
    if trace.problem:
        return trace.problem
    forms = [form for form in FORMS if form in request.forms] or ["detailed"]
    text = f"# {flow_text(trace.packet)}\n"
    for form in forms:
        banner, render = FORMS[form]
        text += (banner if len(forms) > 1 else "") + render(trace.nodes)
    return text


def run(network: Network, request: Request) -> Trace:
    """The trace as a tree."""
    datapath = None
    if request.datapath is not None:
        datapath = network.find_datapath(request.datapath)
        if datapath is None:
            return Trace(f'unknown datapath "{request.datapath}"\n')
    try:
        expr = parse(request.microflow, address_sets=network.address_sets, port_groups=network.port_groups)
    except SyntaxFault as fault:
        return Trace(f"error parsing flow: {fault}\n")
    if datapath is None:
        found = _datapath_of(network, expr)
        if isinstance(found, str):
            return Trace(found)
        datapath = found
    try:
        packet = packet_of(expr, _ports(network, datapath))
    except BadMicroflow as fault:
        return Trace(f"error parsing flow: {fault}\n")
    if not packet.get(INPORT):
        return Trace("microflow does not specify ingress port")
    with deep():
        return Trace("", packet, Tracer(network, request.options).run(datapath, packet))


def _datapath_of(network: Network, expr: Expr) -> Datapath | str:
    """The datapath where the microflow starts, or what to say where it does not tell."""
    name = inport_of(expr)
    if name is None:
        return "error parsing flow: flow match expression does not match on inport\n"
    port = network.find_port(name)
    return port.datapath if port is not None else f'unknown port "{name}"\n'


def _ports(network: Network, datapath: Datapath) -> Callable[[str], int | None]:
    """Names → keys in a datapath; a name that nobody has is worth a warning."""
    keys = network.keys_in(datapath)

    def key_of(name: str) -> int | None:
        key = keys(name)
        if key is None and name:
            network.warn(f"{name}: unknown logical port")
        return key

    return key_of
