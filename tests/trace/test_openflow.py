from pyovn.trace.request import Request, answer
from tests.trace.networks import PACKET, network


def test_each_logical_flow_is_asked_for_once_and_shown_with_its_flows() -> None:
    asked: list[list[int]] = []

    def switch(cookies: list[int]) -> dict[int, list[str]]:
        asked.append(cookies)
        return {0: ["table=8 actions=drop", "table=9 actions=drop"], 77: ["of nobody"]}

    net = network(("ingress", 0, 0, "1", "next;"), ("ingress", 1, 5, "ip4", 'outport = "b"; output;'))
    text = answer(net, Request(PACKET, "sw", ("summary",), openflow=switch))  # type: ignore[arg-type]
    assert asked == [[1, 2]], "a flow that goes without saying is not looked up"
    assert '\n    *** no OpenFlow flows;\n    outport = "b";\n' in text

    net = network(("ingress", 0, 5, "ip4", 'outport = "b"; output;'))
    lines = answer(net, Request(PACKET, "sw", openflow=switch)).splitlines()  # type: ignore[arg-type]
    place = lines.index("    table=8 actions=drop")
    assert lines[place - 1].startswith(" 0. stage")
    assert lines[place + 1 : place + 3] == ["    table=9 actions=drop", '    outport = "b";']
