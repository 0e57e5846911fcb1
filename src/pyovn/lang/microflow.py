"""A microflow: a match expression that says enough about a packet to make one.

    inport == "p1" && eth.dst == … && tcp.dst == 80 && ip4   →   {"reg14": 1, "eth_dst": …, "ip_proto": 6, …}

What it does not say is zero.
"""

from collections.abc import Callable

from pyovn.lang.match import Compare, Expr, IsPort, annotate, simplify
from pyovn.lang.match.ast import leaves
from pyovn.lang.match.normalise import conjuncts
from pyovn.lang.symbols import Symbol
from pyovn.net.errors import OvnError
from pyovn.openflow.fields import FULL

Ports = Callable[[str], int | None]


class BadMicroflow(OvnError):
    """An expression that does not describe one packet."""


def packet_of(expr: Expr, ports: Ports) -> dict[str, int]:
    """The packet that the expression describes; raises BadMicroflow."""
    annotated = annotate(expr)
    found = conjuncts(simplify(annotated, lambda _port: True))
    if not found:
        raise BadMicroflow("Constraints are contradictory.")
    if len(found) > 1 or any(len(values) > 1 for values in found[0].values()):
        raise BadMicroflow(f"Constraints are ambiguous: {annotated}.")
    packet: dict[str, int] = {}
    for symbol, (value,) in found[0].items():
        if symbol.is_string:
            packet[symbol.openflow] = ports(value) or 0
        else:
            _write(packet, symbol, value[0])
    return packet


def _write(packet: dict[str, int], symbol: Symbol, value: int) -> None:
    for name, width in reversed(symbol.pieces):
        packet[name] = packet.get(name, 0) | value & FULL[name]
        value >>= width


def inport_of(expr: Expr) -> str | None:
    """The port that the expression says the packet comes from."""
    for node in leaves(expr):
        if isinstance(node, IsPort) and node.symbol.name == "inport":
            return node.port
    return None


def mentions(expr: Expr, name: str) -> bool:
    """Whether the expression compares a symbol of this name."""
    return any(isinstance(node, Compare | IsPort) and node.symbol.name == name for node in leaves(expr))
