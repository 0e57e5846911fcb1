import pytest

from pyovn.trace.network import Network
from pyovn.trace.request import Request, answer
from tests.trace.networks import PACKET, network, rows

NET = network(("ingress", 0, 0, "1", 'outport = "b"; output;'))


@pytest.mark.parametrize(
    ("datapath", "microflow", "expected"),
    [
        ("nosuch", PACKET, 'unknown datapath "nosuch"\n'),
        ("sw", "foo == 1", "error parsing flow: Syntax error at `foo' expecting field name.\n"),
        ("sw", 'inport == "a" && tcp && udp', "error parsing flow: Constraints are contradictory.\n"),
        ("sw", "ip4", "microflow does not specify ingress port"),
        ("sw", 'inport == "nosuch"', "microflow does not specify ingress port"),
        (None, "ip4", "error parsing flow: flow match expression does not match on inport\n"),
        (None, 'inport == "nosuch"', 'unknown port "nosuch"\n'),
    ],
)
def test_what_is_wrong_with_a_request_is_the_answer(datapath: str | None, microflow: str, expected: str) -> None:
    assert answer(NET, Request(microflow, datapath)) == expected


def test_an_unknown_port_is_worth_a_warning() -> None:
    warnings: list[str] = []
    net = Network(rows([]), warn=warnings.append)
    answer(net, Request('inport == "nosuch"', "sw"))
    assert warnings == ["nosuch: unknown logical port"]


def test_several_forms_have_banners() -> None:
    text = answer(NET, Request(PACKET, "sw", ("minimal", "summary")))
    lines = text.splitlines()
    assert lines[0].startswith("# tcp,reg14=0x1,")
    assert lines[1] == "# Summary trace."
    assert lines[-2:] == ["# Minimal trace.", 'output("b");']


def test_the_detailed_form_is_the_default() -> None:
    assert answer(NET, Request(PACKET)).splitlines()[1:3] == ["", 'ingress(dp="sw", inport="a")']
