"""Random texts of the match language: mostly well-typed, over symbols that real flows use."""

from hypothesis import strategies as st

from pyovn.lang.symbols import SYMBOLS, Symbol

ADDRESS_SETS = {"set1": ["10.0.0.1", "10.0.0.2", "10.0.0.3"], "set4": []}
PORT_GROUPS = {"pg1": ["lsp1", "lsp2", "lsp3"], "pg_empty": []}
#: The ports that the C test program knows, and their keys.
PORTS = {"eth0": 5, "eth1": 6, "lsp1": 0x11, "lsp2": 0x12, "lsp3": 0x13}

COMMON = (
    "ip4.src", "ip4.dst", "ip6.dst", "tcp.dst", "udp.src", "inport", "outport", "eth.src", "ip4", "ip6", "tcp",
    "ct.est", "ct.new", "reg0", "reg5", "xreg1", "xxreg1", "eth.type", "ip.proto", "ip.frag", "vlan.vid", "icmp6.type",
    "ct_label",
    "eth.mcast", "eth.bcast", "nd_ns", "arp.tpa", "flags.loopback", "ct_mark.blocked", "vlan.present", "ip.ttl",
)  # fmt: skip

symbols = st.sampled_from(COMMON).map(SYMBOLS.__getitem__)


def numbers(width: int) -> st.SearchStrategy[str]:
    values = st.one_of(st.integers(0, min(7, (1 << width) - 1)), st.integers(0, (1 << width) - 1))
    return st.one_of(
        values.map(hex),
        values.filter(lambda value: value < 1 << 64).map(str),
        st.tuples(values, values).map(lambda pair: f"{pair[0]:#x}/{pair[1]:#x}"),
    )


def constants(symbol: Symbol) -> st.SearchStrategy[str]:
    if symbol.is_string:
        return st.sampled_from(['"eth0"', '"eth1"', '"elsewhere"', "@pg1"])
    if symbol.name in ("ip4.src", "ip4.dst"):
        return st.one_of(numbers(32), st.sampled_from(["$set1", "$set4", "10.0.0.0/24", "1.2.3.4"]))
    return numbers(symbol.width)


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    symbol = draw(symbols)
    if symbol.width == 1 and draw(st.booleans()):
        return symbol.name
    operator = draw(st.sampled_from(("==",) * 5 + ("!=", "<", "<=", ">", ">=")))
    name = symbol.name
    if symbol.width > 1 and symbol.level == "ordinal" and draw(st.integers(0, 5)) == 0:
        low = draw(st.integers(0, symbol.width - 1))
        name += f"[{low}..{draw(st.integers(low, symbol.width - 1))}]"
    if draw(st.integers(0, 3)) == 0:
        members = ", ".join(draw(st.lists(constants(symbol), min_size=1, max_size=3)))
        return f"{name} {operator} {{{members}}}"
    return f"{name} {operator} {draw(constants(symbol))}"


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operands = st.one_of(inner.map(lambda text: f"({text})"), inner.map(lambda text: f"!({text})"), comparisons())
    return st.tuples(st.sampled_from((" && ", " || ")), st.lists(operands, min_size=1, max_size=3)).map(
        lambda pair: pair[0].join(pair[1])
    )


leaves = st.one_of(comparisons(), st.sampled_from(("0", "1", 'is_chassis_resident("here")')))
texts = st.recursive(leaves, _joined, max_leaves=6)
