from pyovn.trace.request import Request, answer, run
from pyovn.trace.tracer import MAX_TABLES, Options
from tests.trace.networks import PACKET, ROUTER, flow, network, nodes, port, trace

LABELS = {"stage-name": "s", "source": ""}


def minimal(net: object, packet: str = PACKET) -> str:
    return answer(net, Request(packet, None, ("minimal",))).split("\n", 1)[1]  # type: ignore[arg-type]


def test_the_highest_priority_that_matches_wins() -> None:
    net = network(
        ("ingress", 0, 10, "udp", 'outport = "c"; output;'),
        ("ingress", 0, 5, "tcp", 'outport = "b"; output;'),
        ("ingress", 0, 1, "1", "drop;"),
    )
    assert minimal(net) == 'output("b");\n'


def test_no_match_is_an_implicit_drop() -> None:
    net = network(("ingress", 0, 10, "udp", "next;"))
    assert answer(net, Request(PACKET)).endswith(" 0. stage: no match (implicit drop)\n")


def test_flows_that_do_nothing_go_without_saying() -> None:
    net = network(("ingress", 0, 0, "1", "next;"), ("ingress", 1, 0, "1", "drop;"))
    assert " 0. " not in answer(net, Request(PACKET))


def test_the_prerequisites_of_actions_are_part_of_the_match() -> None:
    net = network(("ingress", 0, 10, "1", "arp.op = 2; next;"), ("ingress", 0, 5, "1", 'outport = "b"; output;'))
    assert minimal(net) == 'output("b");\n'


def test_a_packet_does_not_go_back_unless_it_may() -> None:
    assert "omitting output because inport == outport" in trace('outport = "a"; output;', PACKET, "summary")
    assert trace('outport = "a"; flags.loopback = 1; output;') == 'output("a");\n'


def test_a_group_reaches_its_members_in_order_of_name() -> None:
    assert trace('outport = "mc"; output;') == 'output("b");\noutput("c");\n'


def test_nowhere_is_an_error() -> None:
    assert trace("output;") == "*** output to null logical port;\n"
    assert trace("__outport = 99; output;") == ("*** unknown port or multicast group 99;\n")


def test_the_other_side_of_a_patch_is_another_ingress() -> None:
    drops = flow(99, ROUTER, "ingress", 0, 0, 'inport == "to-sw"', "drop;", LABELS)
    net = network(("ingress", 0, 0, "1", 'outport = "to-lr"; output;'), Logical_Flow=[drops])
    text = answer(net, Request(PACKET))
    assert 'ingress(dp="lr", inport="to-sw")' in text
    assert text.endswith(' 0. s: inport == "to-sw", priority 0, uuid 00000063\n    drop;\n')


def test_a_redirect_port_is_its_distributed_port() -> None:
    redirect = port(6, "cr-b", type="chassisredirect", options={"distributed-port": "b"})
    text = trace('outport = "cr-b"; output;', PACKET, "summary", Port_Binding=[redirect])
    assert '/* Replacing type "chassisredirect" outport "cr-b" with distributed port "b". */;' in text
    assert '/* output to "b", type "" */;' in text


def test_a_redirect_port_without_a_distributed_port_is_an_error() -> None:
    redirect = port(6, "cr-b", type="chassisredirect", options={"distributed-port": "to-sw"})
    text = trace('outport = "cr-b"; output;', PACKET, Port_Binding=[redirect])
    assert text == '*** output to type "chassisredirect" port "cr-b" with no or invalid distributed port;\n'


def test_a_patch_is_where_a_packet_comes_out_only_if_it_leads_nowhere() -> None:
    loose = port(6, "loose", type="patch", options={"peer": "nobody"})
    assert trace('outport = "loose"; output;', Port_Binding=[loose]) == 'output("loose");\n'
    assert trace('outport = "to-lr"; output;') == ""


def test_unsnat_is_not_followed_on_a_gateway_router() -> None:
    assert "output" in trace("ct_snat;")
    bound = port(6, "gw", type="l3gateway")
    assert trace("ct_snat;", Port_Binding=[bound]) == ""
    assert "output" in trace("ct_dnat;", Port_Binding=[bound])


def test_egress_sees_nothing_of_the_registers_of_ingress() -> None:
    net = network(
        ("ingress", 0, 0, "1", 'reg0 = 1; flags.localnet = 1; outport = "b"; output;'),
        ("egress", 0, 9, "reg0 == 1 || flags.localnet == 1", "drop;"),
    )
    assert minimal(net) == 'output("b");\n'


def test_a_loop_comes_to_an_end() -> None:
    net = network(("ingress", 0, 0, "1", "next(0);"))
    found = run(net, Request(PACKET))
    texts = [node.text for root in found.nodes for node in root.walk()]
    assert texts[-1] == "*** recursion too deep"
    assert len(texts) <= 2 * MAX_TABLES + 2


def test_each_conntrack_action_takes_the_next_state_the_user_gave() -> None:
    net = network(
        ("ingress", 0, 0, "1", "ct_next;"), ("ingress", 1, 0, "1", "ct_next;"), ("ingress", 2, 0, "1", "ct_next;")
    )
    text = answer(net, Request(PACKET, "sw", ("minimal",), Options(ct_states=(1, 2))))
    assert "ct_next(ct_state=new|trk) {" in text
    assert "ct_next(ct_state=est|trk) {" in text
    assert "ct_next(ct_state=est|trk /* default (use --ct to customize) */)" in text


def test_nodes_know_their_facts() -> None:
    (table,) = [node for node in nodes("drop;") if node.kind == "table"]
    assert table.facts["stage"] == "stage"
    assert table.facts["match"] == "1"
