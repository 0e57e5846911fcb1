import pytest

from pyovn.lang.match import And, Compare, Or, parse
from pyovn.lang.match.ast import leaves
from pyovn.lang.symbols import SYMBOLS, TRACKED_SYMBOLS, Symbol, SymbolTable

PREDICATES = [symbol for symbol in SYMBOLS.by_name.values() if symbol.kind == "predicate"]


def level_of(symbol: Symbol, symbols: SymbolTable) -> str:
    """Nominal if the expansion mentions a nominal symbol, prerequisites not counted."""
    found = {node.symbol.level for node in leaves(parse(symbol.expansion, symbols)) if isinstance(node, Compare)}
    return "nominal" if "nominal" in found else "boolean"


@pytest.mark.parametrize("symbol", PREDICATES, ids=lambda symbol: symbol.name)
def test_the_level_of_a_predicate_follows_from_its_expansion(symbol: Symbol) -> None:
    assert symbol.level == level_of(symbol, SYMBOLS)


@pytest.mark.parametrize("symbols", [SYMBOLS, TRACKED_SYMBOLS])
def test_every_expansion_and_prerequisite_parses(symbols: SymbolTable) -> None:
    for symbol in symbols.by_name.values():
        for text in (symbol.expansion, symbol.prerequisites):
            assert not text or isinstance(parse(text, symbols), And | Or | Compare)


@pytest.mark.parametrize(
    ("name", "base", "shift", "width"),
    [
        ("reg0", "xxreg0", 96, 32),
        ("reg7", "xxreg1", 0, 32),
        ("xreg1", "xxreg0", 0, 64),
        ("reg9", "xreg4", 0, 32),
        ("ct.est", "ct_state", 1, 1),
        ("eth.mcast", "eth.dst", 40, 1),
        ("flags.network_id", "flags", 28, 4),
    ],
)
def test_subfields_lie_where_the_registers_say(name: str, base: str, shift: int, width: int) -> None:
    symbol = SYMBOLS[name]
    assert symbol.base is SYMBOLS[base]
    assert (symbol.shift, symbol.width) == (shift, width)


def test_registers_know_their_own_openflow_fields() -> None:
    assert SYMBOLS["reg5"].pieces == (("reg5", 32),)
    assert SYMBOLS["xreg1"].pieces == (("reg2", 32), ("reg3", 32))


def test_only_the_tracked_table_knows_ct_proto() -> None:
    assert SYMBOLS.get("ct_proto") is None
    assert TRACKED_SYMBOLS["tcp.dst"].openflow == "ct_tp_dst"
