import pytest

from pyovn.trace.request import Request, answer
from pyovn.trace.tracer import Options
from tests.trace.networks import PACKET, network, trace

PACKET6 = (
    'inport == "a" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:02 && '
    "ip6.src == fd00::1 && ip6.dst == fd00::2 && ip.ttl == 64 && udp.src == 1000 && udp.dst == 80"
)
ON = 'output("b");\n'
RANDOM = "/* Randomly selected. Use --select-id to specify. */"


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ("ip4.src = ip4.dst; tcp.dst = tcp.src; next;", f"ip4.src = 2.2.2.2;\ntcp.dst = 1000;\n{ON}"),
        ("eth.src <-> eth.dst; next;", f"eth.src = 0a:00:00:00:00:02;\neth.dst = 0a:00:00:00:00:01;\n{ON}"),
        ("reg0 = 7; ip4.dst = reg0; next;", f"ip4.dst = 0x7;\n{ON}"),
        ("ip.ttl--; next;", f"ip.ttl--;\n{ON}"),
        (
            "push(eth.src); pop(eth.dst); next;",
            f"push(eth.src) -> 0xa0000000001;\npop(eth.dst) <- 0xa0000000001;\n{ON}",
        ),
        ("pop(eth.src); next;", f"pop(eth.src) <- /* empty stack */;\n{ON}"),
        ("reg0[0..15] = select(1=1, 2=1);", f"select: reg0[0..15] = 1 {RANDOM} {{\n    {ON}}};\n"),
        ("get_arp(outport, ip4.dst); next;", f"eth.dst = 00:00:00:00:00:00;\n{ON}"),
        ("igmp; next;", ON),
        ("icmp4 { icmp4.type = 3; next; };", f"icmp4 {{\n    icmp4.type = 3;\n    {ON}}};\n"),
        ("reject { next; };", f"tcp_reset {{\n    {ON}}};\n"),
        ('mirror("c"); next;', 'clone {\n    output("c");\n};\n' + ON),
        ("reg1[0..15] = ct_tp_dst(); next;", f"reg1[0..15] = 80;\n{ON}"),
        ("reg0[0] = chk_lb_hairpin(); next;", f"reg0[0] = 0;\n{ON}"),
    ],
)
def test_what_can_be_seen_of_actions(actions: str, expected: str) -> None:
    assert trace(actions) == expected


def test_an_arp_request_asks_for_the_destination() -> None:
    text = trace("arp { log(verdict=allow); };")
    assert "arp_spa=1.1.1.1,arp_tpa=2.2.2.2,arp_op=1,arp_sha=0a:00:00:00:00:01" in text


def test_a_solicitation_goes_to_the_solicited_node() -> None:
    assert "dl_dst=33:33:ff:00:00:02" in trace("nd_ns { log(verdict=allow); };", PACKET6)


@pytest.mark.parametrize(
    ("actions", "packet", "expected"),
    [
        ("tcp_reset { log(verdict=drop); };", PACKET, "nw_ttl=255,nw_frag=no,tp_src=1000,tp_dst=80,tcp_flags=rst"),
        ("reject { log(verdict=drop); };", PACKET, "nw_src=2.2.2.2,nw_dst=1.1.1.1"),
        ("icmp6 { log(verdict=drop); };", PACKET6, "nw_ttl=255,nw_frag=no,icmp_type=1,icmp_code=1"),
        ("icmp4_error { log(verdict=drop); };", PACKET, "icmp_type=3,icmp_code=1"),
    ],
)
def test_packets_made_from_packets(actions: str, packet: str, expected: str) -> None:
    assert expected in trace(actions, packet)


def test_known_neighbours_are_found() -> None:
    bindings = [{"logical_port": "b", "ip": "2.2.2.2", "mac": "00:00:00:00:00:22"}]
    assert trace('outport = "b"; get_arp(outport, ip4.dst); next;', MAC_Binding=bindings).startswith(
        "eth.dst = 00:00:00:00:00:22;\n"
    )


def test_configured_neighbours_stand_back_unless_they_override() -> None:
    learned = [{"logical_port": "b", "ip": "2.2.2.2", "mac": "00:00:00:00:00:22"}]
    for override, mac in ((False, "22"), (True, "33")):
        row = {"logical_port": "b", "ip": "2.2.2.2", "mac": "00:00:00:00:00:33", "override_dynamic_mac": override}
        text = trace('outport = "b"; get_arp(outport, ip4.dst);', MAC_Binding=learned, Static_MAC_Binding=[row])
        assert text == f"eth.dst = 00:00:00:00:00:{mac};\n"


def test_the_forwarding_database_is_consulted() -> None:
    fdb = [{"mac": "0a:00:00:00:00:02", "dp_key": 1, "port_key": 3}]
    assert trace("outport = get_fdb(eth.dst); output;", FDB=fdb) == 'output("c");\n'


def test_translation_changes_the_address_and_says_so() -> None:
    actions = "ct_dnat(9.9.9.9);"
    text = trace(actions, PACKET, "summary", options=Options(ct_states=(1,)))
    assert "ct_dnat(ip4.dst=9.9.9.9) {" in text


def test_load_balancers_choose_what_the_user_wants() -> None:
    wanted = Options(lb_dst=(4, 0x04040404, 0))
    text = trace("ct_lb_mark(backends=3.3.3.3:99,4.4.4.4);", PACKET, "summary", options=wanted)
    assert "ct_lb_mark /* default (use --ct to customize) */ {" in text


@pytest.mark.parametrize(("flags", "is_answered"), [(0, True), (2, True), (20, True), (4, False)])
def test_a_reset_alone_is_refused_without_an_answer(flags: int, is_answered: bool) -> None:
    text = trace("reject { next; };", f"{PACKET} && tcp.flags == {flags}")
    assert ("tcp_reset" in text) == is_answered


@pytest.mark.parametrize(
    ("over", "port"), [("icmp4.type == 3 && icmp4.code == 4", 81), ("tcp.dst == 4", 81), ("ip.proto == 2", 0)]
)
def test_the_port_of_a_backend_goes_where_conntrack_looks_for_one(over: str, port: int) -> None:
    """In `ovn-trace` the code of ICMP counts as one; other protocols have none."""
    flows = ("ct_lb_mark;", "reg1[0..15] = ct_tp_dst(); next;", 'outport = "b"; output;')
    tables = network(*(("ingress", table, 0, "1", actions) for table, actions in enumerate(flows)))
    packet = PACKET.partition(" && tcp")[0] + f" && {over}"
    text = answer(tables, Request(packet, "sw", ("minimal",), Options(lb_dst=(4, 0x04040404, 81))))
    assert f"reg1[0..15] = {port};" in text


def test_port_security_is_simulated() -> None:
    packet = PACKET.replace("eth.src == 0a:00:00:00:00:01", "eth.src == 0a:00:00:00:00:09")
    actions = "reg0[0] = check_in_port_sec(); log(verdict=allow);"
    assert "reg0=0x1" in trace(actions, packet)
    assert "reg0=" not in trace(actions)
