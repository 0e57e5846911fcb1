# ruff: noqa: E501 - tables of words as the C program prints them
"""The ovs-ofctl notation: our words are the C program's, and parsing undoes printing."""

import pytest
from hypothesis import given

from pyovn.net.errors import Malformed
from pyovn.openflow import actions as a
from pyovn.openflow import messages as m
from pyovn.openflow import text
from pyovn.openflow.flows import CHECK_OVERLAP, METER_CONTROLLER, Bucket, Flow, FlowStats, GroupDef, MeterBand, MeterDef
from pyovn.openflow.match import Match, match
from tests.openflow import samples
from tests.openflow.strategies import flows, groups, matches, meters, whole_lists

NAMES = {1: "p1", 2: "ovn-abc-0"}
PORTS = {name: number for number, name in NAMES.items()}


@pytest.mark.parametrize(("wanted", "words"), samples.MATCHES)
def test_matches_in_the_words_of_ovs_ofctl(wanted: Match, words: str) -> None:
    assert text.format_match(wanted) == words
    assert text.parse_match(words) == wanted


@pytest.mark.parametrize(("_match", "doing", "words"), samples.ACTIONS + samples.NEW_ACTIONS)
def test_actions_in_the_words_of_ovs_ofctl(_match: dict[str, int], doing: a.Actions, words: str) -> None:
    assert text.format_actions(doing) == words
    assert text.parse_actions(words) == doing


def printable(wanted: Match) -> Match:
    """The match without what needs a prerequisite to be printed unambiguously."""
    contextual = (
        "tcp_",
        "udp_",
        "sctp_",
        "icmp",
        "vlan_tci",
        "ip_proto",
        "eth_type",
        "ct_state",
        "tun_flags",
        "ip_frag",
    )
    return tuple(term for term in wanted if not term[0].startswith(contextual))


@given(matches)
def test_parsing_a_printed_match_gives_it_back(wanted: Match) -> None:
    plain = printable(wanted)
    assert text.parse_match(text.format_match(plain)) == plain


def speakable(doing: a.Actions) -> bool:
    """False for actions that have several spellings in the notation."""
    return not any(
        (isinstance(action, a.SetField) and action.field in ("tun_flags", "packet_type"))
        or (isinstance(action, a.Clone) and action.actions and not speakable(action.actions))
        or (isinstance(action, a.OutputReg) and action.field == "in_port")
        for action in a.walk(doing)
    )  # fmt: skip


@given(whole_lists.filter(speakable))
def test_parsing_printed_actions_gives_them_back(doing: a.Actions) -> None:
    assert text.parse_actions(text.format_actions(doing)) == doing


@given(flows)
def test_parsing_a_printed_flow_gives_it_back(flow: Flow) -> None:
    plain = flow._replace(match=printable(flow.match), actions=())
    assert text.parse_flow(text.format_flow(plain)) == plain
    assert text.parse_flow(text.format_stats(FlowStats(plain, 1, 2, 3.5, 4, 5))) == plain


@given(groups())
def test_parsing_a_printed_group_gives_it_back(group: GroupDef) -> None:
    plain = group._replace(buckets=tuple(bucket._replace(actions=(a.Output(1),)) for bucket in group.buckets))
    assert text.parse_group(text.format_group(plain)) == plain


@given(meters)
def test_parsing_a_printed_meter_gives_it_back(meter: MeterDef) -> None:
    assert text.parse_meter(text.format_meter(meter).replace("\n", " band=")) == meter


def test_a_dumped_flow_reads_as_the_c_program_prints_it() -> None:
    flow = Flow(3, 5, match(eth_type=0x800), (a.Output(1),), 0, 60, 70, 1 | CHECK_OVERLAP | 8, 3)
    assert text.format_stats(FlowStats(flow, 1, 118, 2.326, 2)) == (
        "cookie=0x0, duration=2.326s, table=3, n_packets=1, n_bytes=118, idle_timeout=60, hard_timeout=70, "
        "send_flow_rem check_overlap no_packet_counts importance=3, idle_age=2, priority=5,ip actions=output:1"
    )
    assert text.format_flow(flow) == (
        "table=3, idle_timeout=60, hard_timeout=70, send_flow_rem check_overlap no_packet_counts importance=3, "
        "priority=5,ip actions=output:1"
    )
    bare = Flow(0, 0x8000, (), (a.Resubmit(3),), 0x1F)
    assert text.format_flow(bare) == "cookie=0x1f, actions=resubmit(,3)"
    assert text.diff_line(Flow(1, 0x8000, match(eth_type=0x800), ())) == "table=1 ip actions=drop"
    assert text.diff_line(Flow(4, 0x8000, (), (a.Output(2),))) == "table=4  actions=output:2"


@pytest.mark.parametrize(
    ("duration", "words"),
    [(0.0, "0s"), (5.0, "5s"), (0.017, "0.017s"), (2.37, "2.370s"), (1.000001, "1.000001s"), (1e-9, "0.000000001s")],
)
def test_durations(duration: float, words: str) -> None:
    assert f"duration={words}," in text.format_stats(FlowStats(Flow(0, 0, (), ()), duration=duration))


def test_ports_by_name() -> None:
    doing = (
        a.Resubmit(3, 2),
        a.Output(2),
        a.Output(a.OFPP_LOCAL),
        a.SetField("in_port", 2, 0xFFFFFFFF),
        a.Bundle("eth_src", "hrw", (1, 2), 0, ("reg0", 0, 32)),
    )
    words = (
        'resubmit("ovn-abc-0",3),output:"ovn-abc-0",LOCAL,set_field:"ovn-abc-0"->in_port,'
        'bundle_load(eth_src,0,hrw,ofport,NXM_NX_REG0[],members:p1,"ovn-abc-0")'
    )
    assert text.format_actions(doing, NAMES) == words
    assert text.parse_actions(words, PORTS) == doing
    assert text.format_match(match(in_port=2), NAMES) == 'in_port="ovn-abc-0"'
    assert text.parse_match('in_port="ovn-abc-0"', PORTS) == match(in_port=2)
    assert text.parse_actions("p1,IN_PORT", PORTS) == (a.Output(1), a.Output(a.OFPP_IN_PORT))


# What ovs-ofctl understands, and what a real switch prints after `add-flow` with it.
SPELLINGS = [
    ("load:5->NXM_NX_REG3[],load:1->NXM_NX_REG3[4..7]", "set_field:0x5->reg3,set_field:0x10/0xf0->reg3"),
    ("load:0xffff->NXM_OF_IN_PORT[],load:7->in_port", "set_field:ANY->in_port,set_field:7->in_port"),
    ("mod_vlan_vid:5,mod_vlan_pcp:3,strip_vlan", "push_vlan:0x8100,set_field:4101->vlan_vid,set_field:3->vlan_pcp,pop_vlan"),
    ("mod_nw_tos:8,mod_nw_src:1.2.3.4,mod_nw_ecn:1", "set_field:2->ip_dscp,set_field:1.2.3.4->ip_src,set_field:1->nw_ecn"),
    ("mod_dl_src:00:01:02:03:04:05,set_tunnel:9", "set_field:00:01:02:03:04:05->eth_src,set_field:0x9->tun_id"),
    ("mod_tp_dst:4,set_tunnel64:0x123456789", "set_field:4->tcp_dst,set_field:0x123456789->tun_id"),
    ("set_mpls_label:5,set_mpls_tc:3", "set_field:5->mpls_label,set_field:3->mpls_tc"),
    ("enqueue(1,5)", "set_queue:5,output:1,pop_queue"),
    ("enqueue:1:5", "set_queue:5,output:1,pop_queue"),
    ("resubmit(in_port,4),resubmit(none,5)", "resubmit(,4),resubmit(ANY,5)"),
    ("in_port,local,controller,normal", "IN_PORT,LOCAL,CONTROLLER:65535,NORMAL"),
    ("output:in_port,output:CONTROLLER,controller(max_len=9)", "IN_PORT,CONTROLLER:65535,CONTROLLER:9"),
    ("move:reg0[3]->reg1[4],push:xxreg0", "move:NXM_NX_REG0[3]->NXM_NX_REG1[4],push:NXM_NX_XXREG0[]"),
    ("ct(alg=ftp,commit)", "ct(commit,alg=ftp)"),
    ("ct(commit,nat(src=0.0.0.0))", "ct(commit,nat(src))"),
    ("ct(commit,nat(dst=1.1.1.1:80)),ct(commit,nat(dst=1.1.1.1-1.1.1.2:80))", None),
    ("ct(commit,nat(src=[fd00::1]-[fd00::2]:4-5)),ct(commit,nat(src=fd00::1))", None),
    ("write_actions(drop)", "write_actions(drop)"),
    ("note:", "note:00.00.00.00.00.00"),
    ("note:00", "note:00.00.00.00.00.00"),
    ("conjunction(0x10, 1/2)", "conjunction(16,1/2)"),
    ("set_field:1.2.0.0/255.255.0.0->nw_src", "set_field:1.2.0.0/16->ip_src"),
    ("set_field:::->ipv6_src,set_field:oam->tun_flags", None),
    ("learn(table=3,metadata=0x5,reg0[3..5]=2,in_port=3,dl_src=00:01:02:03:04:05)",
     "learn(table=3,metadata=0x5,NXM_NX_REG0[3..5]=0x2,in_port=3,eth_src=00:01:02:03:04:05)"),
    ("learn(table=2,cookie=10,result_dst=reg0[0],fin_hard_timeout=2,limit=3,delete_learned)",
     "learn(table=2,fin_hard_timeout=2,delete_learned,cookie=0xa,limit=3,result_dst=NXM_NX_REG0[0])"),
    ("learn(table=1,load:0->NXM_NX_REG1[],NXM_NX_REG4[1..3],vlan_tci=5)",
     "learn(table=1,load:0->NXM_NX_REG1[],NXM_NX_REG4[1..3],vlan_tci=0x5)"),
    ("output:1,goto_table:3,clear_actions", "output:1,goto_table:3,clear_actions"),
    ("resubmit(,5) output:1", "resubmit(,5),output:1"),
    ("sample(probability=1,obs_point_id=reg0[],sampling_port=LOCAL,ingress)",
     "sample(probability=1,collector_set_id=0,obs_domain_id=0,obs_point_id=NXM_NX_REG0[],sampling_port=LOCAL,ingress)"),
]  # fmt: skip


@pytest.mark.parametrize(("spelled", "printed"), SPELLINGS)
def test_other_spellings_of_actions(spelled: str, printed: str | None) -> None:
    assert text.format_actions(text.parse_actions(spelled)) == (printed or spelled)


MATCH_SPELLINGS = [
    ("dl_type=0x0800,nw_proto=6", "tcp"),
    ("nw_proto=6,dl_type=0x86dd,ip_frag=no", "tcp6,nw_frag=no"),
    ("ip,nw_src=0.0.0.0/0", "ip"),
    ("ip,ip_dscp=5", "ip,nw_tos=20"),
    ("dl_vlan=0xffff", "vlan_tci=0x0000/0x1fff"),
    ("dl_vlan=0", "dl_vlan=0"),
    ("vlan_vid=0x1005,vlan_pcp=1", "dl_vlan=5,dl_vlan_pcp=1"),
    ("vlan_tci=0xf123", "dl_vlan=291,dl_vlan_pcp=7"),
    ("ct_state=-trk", "ct_state=-trk"),
    ("ct_state=0x21", "ct_state=new|trk"),
    ("ct_state=0x20/0x20", "ct_state=+trk"),
    ("ct_state=0", "ct_state=0"),
    ("tcp,tcp_flags=0", "tcp,tcp_flags=0"),
    ("tcp,tcp_flags=0x800/0x800", "tcp,tcp_flags=+[800]"),
    ("udp,tp_src=0xff,udp_dst=0xff00/0xff00", "udp,tp_src=255,tp_dst=0xff00/0xff00"),
    ("icmp6,icmpv6_type=135,icmp_code=0", "icmp6,icmp_type=135,icmp_code=0"),
    ("ct_state=+trk,ip,ct_tp_src=0x1000/0xf000", "ct_state=+trk,ct_tp_src=0x1000/0xf000,ip"),
    ("mplsm", "mplsm"),
    ("tunnel_id=5 in_port=controller", "tun_id=0x5,in_port=CONTROLLER"),
    ("tun_flags=0/1", "tun_flags=-oam"),
    ("ct_zone=0x10", "ct_zone=16"),
    ("ipv6,ipv6_label=0x12/0xff", "ipv6,ipv6_label=0x00012/0x000ff"),
    ("packet_type=(0,0)", "packet_type=(0,0)"),
    ("sctp6,tp_src=5", "sctp6,tp_src=5"),
]  # fmt: skip


@pytest.mark.parametrize(("spelled", "printed"), MATCH_SPELLINGS)
def test_other_spellings_of_matches(spelled: str, printed: str) -> None:
    assert text.format_match(text.parse_match(spelled)) == printed


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("ip", "must specify an action"),
        ("bogus=5,actions=drop", "bogus"),
        ("bogus,actions=drop", "unknown keyword"),
        ("actions=foo", "foo"),
        ("actions=drop,output:1", "must not be accompanied"),
        ("actions=ct(bogus)", "bogus"),
        ("actions=ct(commit", "unbalanced"),
        ("actions=set_field:1", "->"),
        ("actions=set_field:1->bogus", "bogus"),
        ("actions=set_field:1->ct_state", "read-only"),
        ("actions=load:4->reg0[0..1]", "does not fit"),
        ("actions=move:reg0->xxreg0", "bits wide"),
        ("actions=move:reg0[3..40]->reg1", "bits"),
        ("actions=output:bogus", "port"),
        ("actions=output(5", "unbalanced"),
        ("actions=controller(reason=bogus)", "controller"),
        ("actions=controller(userdata=0g)", "hexadecimal"),
        ("actions=conjunction(5)", "conjunction"),
        ("actions=check_pkt_larger(5)->reg0[0..1]", "one bit"),
        ("actions=bundle(eth_src,0,hrw)", "arguments"),
        ("actions=bundle(bogus,0,hrw,ofport,members:1)", "expected one of"),
        ("actions=multipath(eth_src)", "six"),
        ("actions=multipath(bogus,0,hrw,1,2,reg0)", "expected one of"),
        ("actions=learn(NXM_NX_REG1[0..3]=NXM_NX_REG2[])", "width"),
        ("actions=ct(nat(src=10.0.0.300))", "IPv4"),
        ("actions=ct(nat(src=zz))", "NAT"),
        ("tp_dst=5,actions=drop", "needs tcp"),
        ("reg0=0x100000000,actions=drop", "fit"),
        ("ct_state=+bogus,actions=drop", "bogus"),
        ("reg0=zz,actions=drop", "number"),
        ('in_port="a,actions=drop', "string"),
    ],
)
def test_bad_flows_are_named(words: str, complaint: str) -> None:
    with pytest.raises(Malformed, match=complaint):
        text.parse_flow(words)


def test_a_flow_may_have_to_be_without_actions() -> None:
    assert text.parse_flow("table=3,ip,out_port=1", actions=False) == Flow(3, 0x8000, match(eth_type=0x800), ())
    assert text.parse_flow("ip", actions=None).actions == ()
    with pytest.raises(Malformed, match="not allowed"):
        text.parse_flow("ip,actions=drop", actions=False)


# --- groups, meters, ports, tables --------------------------------------------------------------------------------

SELECT = GroupDef(
    7, "select", (Bucket((a.Output(1),), 100, 0), Bucket((a.Ct(True),), 1, 1, watch_port=2)), "dp_hash", 5
)


def test_groups() -> None:
    words = (
        "group_id=7,type=select,selection_method=dp_hash,selection_method_param=5,"
        "bucket=bucket_id:0,weight:100,actions=output:1,bucket=bucket_id:1,watch_port:2,actions=ct(commit)"
    )
    assert text.format_group(SELECT) == words
    assert text.parse_group(words) == SELECT
    hashed = text.parse_group(
        "group_id=8,type=select,selection_method=hash,fields(ip_src,ip_dst=255.255.255.0),bucket=output:1"
    )
    assert hashed.fields == (("ip_src", 0xFFFFFFFF, 0xFFFFFFFF), ("ip_dst", 0xFFFFFF00, 0xFFFFFFFF))
    assert text.format_group(hashed).endswith("fields(ip_src,ip_dst=255.255.255.0),bucket=bucket_id:0,actions=output:1")
    assert text.parse_group("group_id=all,type=fast_failover,bucket=watch_group:7,1").type == "ff"
    assert text.parse_group("group_id=1,type=select,fields=tcp_dst").fields[0][0] == "tcp_dst"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("group_id=1", "must specify a type"),
        ("type=all", "must specify a group_id"),
        ("group_id=1,type=bogus", "invalid group type bogus"),
        ("group_id=1,type=all,bogus=2", "unknown keyword bogus"),
        ("group_id=1,type=select,fields(bogus)", "unknown field"),
    ],
)
def test_bad_groups_are_named(words: str, complaint: str) -> None:
    with pytest.raises(Malformed, match=complaint):
        text.parse_group(words)


def test_group_statistics() -> None:
    stats = m.GroupStats(7, 0, 1, 2, 0.891, ((3, 4), (5, 6)))
    assert text.format_group_stats(stats) == (
        "group_id=7,duration=0.891s,ref_count=0,packet_count=1,byte_count=2,"
        "bucket0:packet_count=3,byte_count=4,bucket1:packet_count=5,byte_count=6"
    )


def test_meters() -> None:
    meter = MeterDef(6, (MeterBand(100, 5), MeterBand(200, 6, 1)), pktps=True, burst=True)
    words = "meter=6 pktps burst stats bands=\ntype=drop rate=100 burst_size=5\ntype=dscp_remark rate=200 burst_size=6 prec_level=1"
    assert text.format_meter(meter) == words
    assert text.parse_meter("meter=6 pktps burst stats band=type=drop rate=100 burst_size=5") == meter._replace(
        bands=meter.bands[:1]
    )
    assert text.parse_meter("meter=controller,kbps,band=type=drop,rate=1").id == METER_CONTROLLER
    assert text.format_meter_stats(m.MeterStats(6, 0, 1, 2, 0.892, ((3, 4),))) == (
        "meter:6 flow_count:0 packet_in_count:1 byte_in_count:2 duration:0.892s bands:\n0: packet_count:3 byte_count:4"
    )
    for bad in ("kbps", "meter=1 bogus", "meter=1 band=rate=5", "meter=1 band=type=drop"):
        with pytest.raises(Malformed):
            text.parse_meter(bad)


def test_ports() -> None:
    assert text.format_port(m.Port(1, 0xAA55AA55001C, "p1")) == (
        " 1(p1): addr:aa:55:aa:55:00:1c\n     config:     0\n     state:      LIVE\n     speed: 0 Mbps now, 0 Mbps max"
    )
    busy = m.Port(a.OFPP_LOCAL, 1, "br0", m.PORT_DOWN, m.LINK_DOWN, 1 << 6 | 1 << 12, speed=10_000_000)
    assert text.format_port(busy).splitlines() == [
        " LOCAL(br0): addr:00:00:00:00:00:01",
        "     config:     PORT_DOWN",
        "     state:      LINK_DOWN",
        "     current:    10GB-FD FIBER",
        "     speed: 10000 Mbps now, 0 Mbps max",
    ]


def test_port_statistics() -> None:
    assert text.format_port_stats(m.PortStats(1, 2.37, 1, 0, 118, 0)).splitlines() == [
        "  port  1: rx pkts=1, bytes=118, drop=?, errs=?, frame=?, over=?, crc=?",
        "           tx pkts=0, bytes=0, drop=?, errs=?, coll=?",
        "           duration=2.370s",
    ]


def test_equal_tables_are_printed_once() -> None:
    rows = [m.TableStats(0, 1, 1, 1), *(m.TableStats(n, 0) for n in (1, 2)), m.TableStats(3, 1, 1, 1)]
    rows += [m.TableStats(n, 0) for n in range(4, 254)]
    words = text.format_tables(rows)
    assert words.startswith(
        "  table 0:\n    active=1, lookup=1, matched=1\n\n  table 1:\n    active=0, lookup=0, matched=0\n\n"
    )
    assert "  table 2: ditto\n\n  table 3:" in words
    assert words.endswith("  tables 5...253: ditto\n")
