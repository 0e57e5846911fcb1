import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.lang.errors import SyntaxFault
from pyovn.lang.match import annotate, compile_match, evaluate, parse, simplify
from tests.lang.flow_table import packets_near
from tests.lang.strategies import ADDRESS_SETS, PORT_GROUPS, PORTS, texts

HTTP = {"eth_type": 0x800, "ip_proto": 6, "tcp_dst": 80, "reg14": 5, "reg0": 1, "reg1": 2, "ct_state": 0x22}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp.dst == 80", True),
        ("udp.dst == 0", False),
        ("ip4 && tcp", True),
        ("xreg0 == 0x0000000100000002", True),
        ("xreg0[30..33] == 4", True),
        ("ct.est && !ct.new", True),
        ('inport == "eth0"', True),
        ('inport == "nosuch"', False),
        ("tcp.dst > 79 && tcp.dst <= 80", True),
        ("tcp.dst < 80 || tcp.dst >= 81", False),
        ("tcp.dst != 80", False),
        ('is_chassis_resident("anything")', True),
        ("!ip.is_frag", True),
        ("1 && !0", True),
    ],
)
def test_a_packet_matches_or_not(text: str, *, expected: bool) -> None:
    assert evaluate(parse(text), HTTP, PORTS.get) is expected


def test_residence_is_asked_of_the_caller() -> None:
    assert not evaluate(parse('is_chassis_resident("p")'), {}, PORTS.get, lambda _port: False)


@given(texts, st.data())
def test_annotation_and_simplification_keep_the_meaning(text: str, data: st.DataObject) -> None:
    try:
        expr = parse(text, address_sets=ADDRESS_SETS, port_groups=PORT_GROUPS)
    except SyntaxFault:
        return
    flows = compile_match(expr, PORTS.get, lambda _port: True)
    packet = data.draw(packets_near(flows))
    annotated = annotate(expr)
    for later in (annotated, simplify(annotated, lambda _port: True)):
        assert evaluate(later, packet, PORTS.get) == evaluate(expr, packet, PORTS.get)
