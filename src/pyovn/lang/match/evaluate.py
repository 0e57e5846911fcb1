"""Evaluation of a match on one packet.

    evaluate(parse("ip4 && tcp.dst == 80"), {"eth_type": 0x800, "ip_proto": 6, "tcp_dst": 80}) → True

A packet is its OpenFlow fields by name; a field it lacks is 0.  Any stage of an expression will do.
"""

from collections.abc import Callable, Mapping

from pyovn.lang.match.annotate import expansion, prerequisites
from pyovn.lang.match.ast import And, Compare, Expr, IsPort, Literal, Or, Resident
from pyovn.lang.symbols import SYMBOLS, Symbol, SymbolTable

Fields = Mapping[str, int]
Ports = Callable[[str], int | None]


def no_port(_name: str) -> int | None:
    """No port is known."""
    return None


def everywhere(_port: str) -> bool:
    """Every port is resident, as `ovn-trace` sees it."""
    return True


def evaluate(
    expr: Expr,
    fields: Fields,
    ports: Ports = no_port,
    chassis_resident: Callable[[str], bool] = everywhere,
    symbols: SymbolTable = SYMBOLS,
) -> bool:
    """Whether the packet matches."""
    if type(expr) is Compare:
        return _holds(expr, fields, symbols)
    if type(expr) is And:
        return all(evaluate(term, fields, ports, chassis_resident, symbols) for term in expr.terms)
    if type(expr) is Or:
        return any(evaluate(term, fields, ports, chassis_resident, symbols) for term in expr.terms)
    if type(expr) is IsPort:
        key = ports(expr.port)
        return key is not None and fields.get(expr.symbol.openflow, 0) == key
    if type(expr) is Resident:
        return chassis_resident(expr.port) == expr.wanted
    return type(expr) is Literal and expr.value


def _holds(node: Compare, fields: Fields, symbols: SymbolTable) -> bool:
    symbol = node.symbol
    if symbol.kind == "predicate":
        positive = bool(node.value) == (node.op == "==")
        return evaluate(expansion(symbol, symbols), fields, symbols=symbols) == positive
    op, wanted = node.op, node.value
    actual = read(symbol, fields) & node.mask
    if op == "==":
        holds = actual == wanted
    elif op == "!=":
        holds = actual != wanted
    elif op == "<":
        holds = actual < wanted
    elif op == "<=":
        holds = actual <= wanted
    elif op == ">":
        holds = actual > wanted
    else:
        holds = actual >= wanted
    if holds and symbol.prerequisites:
        needed = prerequisites(symbol, symbols)
        return needed is None or evaluate(needed, fields, symbols=symbols)
    return holds


def read(symbol: Symbol, fields: Fields) -> int:
    """The value of a symbol that is not a predicate."""
    pieces = symbol.pieces
    if len(pieces) == 1:
        return fields.get(pieces[0][0], 0)
    if not pieces and symbol.base is not None:
        return read(symbol.base, fields) >> symbol.shift & symbol.full
    value = 0
    for name, width in pieces:
        value = value << width | fields.get(name, 0)
    return value
