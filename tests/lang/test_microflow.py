import pytest

from pyovn.lang.match import parse
from pyovn.lang.microflow import BadMicroflow, inport_of, packet_of

PORTS = {"a": 1, "b": 2}


def test_constraints_become_fields() -> None:
    expr = parse('inport == "a" && ip4 && tcp.dst == 80 && xxreg0[32..63] == 7')
    assert packet_of(expr, PORTS.get) == {"reg14": 1, "eth_type": 0x800, "ip_proto": 6, "tcp_dst": 80, "reg2": 7} | {
        "reg0": 0,
        "reg1": 0,
        "reg3": 0,
    }


def test_what_a_prefix_leaves_open_is_zero() -> None:
    assert packet_of(parse("ip4.src == 10.0.0.0/24"), PORTS.get)["ip_src"] == 0x0A000000


def test_a_port_that_nobody_has_is_port_zero() -> None:
    assert packet_of(parse('inport == "nosuch"'), PORTS.get) == {"reg14": 0}


@pytest.mark.parametrize("text", ["tcp.dst == 80", "ip4 && tcp.dst > 5", 'inport == {"a", "b"}', "ip"])
def test_several_packets_are_ambiguous(text: str) -> None:
    with pytest.raises(BadMicroflow, match=r"^Constraints are ambiguous: .*\.$"):
        packet_of(parse(text), PORTS.get)


@pytest.mark.parametrize("text", ["tcp && udp", "0", "ip4 && ip6"])
def test_no_packet_is_a_contradiction(text: str) -> None:
    with pytest.raises(BadMicroflow, match=r"^Constraints are contradictory\.$"):
        packet_of(parse(text), PORTS.get)


def test_the_microflow_says_where_it_starts() -> None:
    assert inport_of(parse('ip4 && inport == "a"')) == "a"
    assert inport_of(parse("ip4")) is None
