import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pyovn.lang.errors import SyntaxFault
from pyovn.lang.match import Clause, Compare, compile_match, evaluate, parse, template
from pyovn.lang.match.ast import leaves
from pyovn.lang.match.compile import Compiled, port_names, residents
from pyovn.lang.symbols import TRACKED_SYMBOLS
from pyovn.openflow.match import match
from tests.lang.flow_table import accepts, packets_near
from tests.lang.strategies import ADDRESS_SETS, PORT_GROUPS, PORTS, texts


def flows(text: str) -> list[Compiled]:
    return compile_match(parse(text), PORTS.get, lambda _port: True)


def test_one_value_per_symbol_is_one_flow() -> None:
    expected = match(reg14=5, eth_type=0x806, arp_tpa=0x0A000001, arp_op=1)
    assert flows('inport == "eth0" && arp.tpa == 10.0.0.1 && arp.op == 1') == [(expected, ())]


def test_one_symbol_with_several_values_is_as_many_flows() -> None:
    assert flows("ip4.src == {1.2.3.4, 1.2.3.5}") == [
        (match(eth_type=0x800, ip_src=0x01020304), ()),
        (match(eth_type=0x800, ip_src=0x01020305), ()),
    ]


def test_two_symbols_with_several_values_are_a_conjunction() -> None:
    compiled = dict(flows('inport == {"eth0", "eth1"} && reg0 == {7, 8}'))
    assert compiled == {
        match(conj_id=1): (),
        match(reg14=5): (Clause(1, 1, 2),),
        match(reg14=6): (Clause(1, 1, 2),),
        match(reg0=7): (Clause(1, 2, 2),),
        match(reg0=8): (Clause(1, 2, 2),),
    }


def test_a_match_in_two_conjunctions_has_both_clauses() -> None:
    compiled = dict(flows("(reg0 == {1, 2} && reg5 == {3, 4}) || (reg0 == {1, 9} && pkt.mark == {3, 4})"))
    assert compiled[match(reg0=1)] == (Clause(1, 1, 2), Clause(2, 1, 2))


def test_a_match_that_suffices_alone_needs_no_clause() -> None:
    compiled = dict(flows("(ip4.src == {1.2.3.4, 1.2.3.5} && ip4.dst == {1.2.3.4, 1.2.3.5}) || ip4.src == 1.2.3.4"))
    assert compiled[match(eth_type=0x800, ip_src=0x01020304)] == ()


def test_joined_registers_match_one_by_one() -> None:
    assert flows("xxreg1 == ::1") == [(match(reg4=0, reg5=0, reg6=0, reg7=1), ())]
    assert flows("xreg0[0..47] == 5") == [(match(reg0=(0, 0xFFFF), reg1=5), ())]


@pytest.mark.parametrize("text", ["0", 'inport == "nosuch"', "tcp && udp", 'inport == "eth0" && __inport == 9'])
def test_what_never_matches_has_no_flows(text: str) -> None:
    assert flows(text) == []


def test_what_always_matches_is_the_empty_match() -> None:
    assert flows("1") == [((), ())]


def test_a_name_and_a_number_of_one_register_are_one_match() -> None:
    assert flows('inport == "eth0" && __inport[0]') == [(match(reg14=5), ())]


def test_an_unknown_port_takes_its_flow_away_and_no_other() -> None:
    assert flows('inport == {"eth0", "nosuch"} && reg0 == {1, 2}') == [
        (match(reg0=1, reg14=5), ()),
        (match(reg0=2, reg14=5), ()),
    ]


def test_a_template_is_instantiated_for_any_keys() -> None:
    compiled = template(parse('outport == {"a", "b"}'), lambda _port: True)
    assert compiled.ports == {"a", "b"}
    assert compiled.instantiate({"a": 1, "b": 2}.get) == [(match(reg15=1), ()), (match(reg15=2), ())]
    assert compiled.instantiate({"b": 3}.get) == [(match(reg15=3), ())]


def test_an_expression_knows_whom_it_asks_about() -> None:
    expr = parse('inport == "a" && (is_chassis_resident("b") || outport == "c")')
    assert port_names(expr) == {"a", "c"}
    assert residents(expr) == {"b"}


def test_tracked_symbols_compile_to_conntrack_fields() -> None:
    expr = parse("udp.dst == 53", TRACKED_SYMBOLS)
    compiled = compile_match(expr, PORTS.get, lambda _port: True, TRACKED_SYMBOLS)
    assert compiled == [(match(ct_state=(0x20, 0x30), ct_nw_proto=17, ct_tp_dst=53), ())]


def is_exact(node: object) -> bool:
    """No mask on a nominal field and no negated predicate: for these OpenFlow can say less than the language."""
    if not isinstance(node, Compare):
        return True
    symbol = node.symbol
    return (symbol.level != "nominal" or node.mask == symbol.full) and (
        symbol.kind != "predicate" or (node.op == "==") == bool(node.value)
    )


@given(texts, st.data())
def test_compiled_flows_match_the_packets_for_which_the_expression_is_true(text: str, data: st.DataObject) -> None:
    try:
        expr = parse(text, address_sets=ADDRESS_SETS, port_groups=PORT_GROUPS)
    except SyntaxFault:
        return
    assume(all(map(is_exact, leaves(expr))))
    compiled = compile_match(expr, PORTS.get, lambda _port: True)
    packet = data.draw(packets_near(compiled))
    assert accepts(compiled, packet) == evaluate(expr, packet, PORTS.get)
