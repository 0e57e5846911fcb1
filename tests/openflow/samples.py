# ruff: noqa: E501 - a table of words as the C program prints them
"""One of everything: matches and actions that a real switch accepts, with ovs-ofctl's words for them.

The words were taken from `ovs-ofctl -O OpenFlow15 --no-names dump-flows` of a real switch that held the flow.
"""

from pyovn.net.ip import ip4_int, ip6_int, mask6
from pyovn.net.mac import mac_int
from pyovn.openflow import actions as a
from pyovn.openflow.fields import FULL
from pyovn.openflow.match import Match, match

A, B = ip4_int("10.0.0.1"), ip4_int("10.0.0.2")
A6, B6 = ip6_int("fd00::1"), ip6_int("fd00::2")
MAC = mac_int("00:01:02:03:04:05")
IP, IP6, ARP = {"eth_type": 0x800}, {"eth_type": 0x86DD}, {"eth_type": 0x806}
TCP, UDP, SCTP = {**IP, "ip_proto": 6}, {**IP, "ip_proto": 17}, {**IP, "ip_proto": 132}
ICMP, ICMP6 = {**IP, "ip_proto": 1}, {**IP6, "ip_proto": 58}
NS = {**ICMP6, "icmpv6_type": 135, "icmpv6_code": 0}
NA = {**ICMP6, "icmpv6_type": 136, "icmpv6_code": 0}
EST = (0x22, 0x22)

MATCHES: list[tuple[Match, str]] = [
    (match(), ""),
    (match(in_port=1), "in_port=1"),
    (match(in_port=a.OFPP_LOCAL), "in_port=LOCAL"),
    (match(metadata=5, reg0=1, reg1=(0x10, 0xFF), reg14=5, reg15=0x8000),
     "reg0=0x1,reg1=0x10/0xff,reg14=0x5,reg15=0x8000,metadata=0x5"),
    (match(xxreg0=5), "reg0=0,reg1=0,reg2=0,reg3=0x5"),
    (match(xreg1=(5 << 32, 0xFF << 32)), "reg2=0x5/0xff"),
    (match(vlan_tci=(0x1005, 0x1FFF)), "dl_vlan=5"),
    (match(vlan_tci=(0x7005, 0xFFFF)), "dl_vlan=5,dl_vlan_pcp=3"),
    (match(vlan_tci=(0x7000, 0xF000)), "dl_vlan_pcp=3"),
    (match(vlan_tci=0), "vlan_tci=0x0000/0x1fff"),
    (match(vlan_tci=(0, 0x1000)), "vlan_tci=0x0000/0x1000"),
    (match(vlan_tci=(0x1000, 0x1000)), "vlan_tci=0x1000/0x1000"),
    (match(vlan_tci=(0x1005, 0x100F)), "vlan_tci=0x1005/0x100f"),
    (match(eth_src=MAC, eth_dst=(1 << 40, 1 << 40), eth_type=0x1234),
     "dl_src=00:01:02:03:04:05,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,dl_type=0x1234"),
    (match(**IP, ip_src=A, ip_dst=(ip4_int("10.0.0.0"), 0xFF00FF00)), "ip,nw_src=10.0.0.1,nw_dst=10.0.0.0/255.0.255.0"),
    (match(**IP, ip_src=(0x0A000000, 0xFF000000)), "ip,nw_src=10.0.0.0/8"),
    (match(**IP, ip_dscp=46, ip_ecn=1, ip_ttl=5), "ip,nw_tos=184,nw_ecn=1,nw_ttl=5"),
    (match(**IP, ip_proto=2), "ip,nw_proto=2"),
    (match(**IP6, ip_proto=1), "ipv6,nw_proto=1"),
    (match(**IP, ip_frag=3), "ip,nw_frag=later"),
    (match(**IP, ip_frag=(1, 1)), "ip,nw_frag=yes"),
    (match(**IP, ip_frag=0), "ip,nw_frag=no"),
    (match(**IP, ip_frag=1), "ip,nw_frag=first"),
    (match(**IP, ip_frag=(0, 2)), "ip,nw_frag=not_later"),
    (match(**IP6, ipv6_src=A6, ipv6_dst=(ip6_int("fd00::"), mask6(64)), ipv6_label=0x12),
     "ipv6,ipv6_src=fd00::1,ipv6_dst=fd00::/64,ipv6_label=0x00012"),
    (match(**TCP), "tcp"),
    (match(**TCP, tcp_dst=80), "tcp,tp_dst=80"),
    (match(**TCP, tcp_src=(5, 0xFF), tcp_flags=(2, 0x12)), "tcp,tp_src=0x5/0xff,tcp_flags=+syn-ack"),
    (match(**TCP, tcp_flags=0x12), "tcp,tcp_flags=syn|ack"),
    (match(**{**TCP, **IP6}, tcp_dst=80), "tcp6,tp_dst=80"),
    (match(**UDP, udp_src=53, udp_dst=54), "udp,tp_src=53,tp_dst=54"),
    (match(**SCTP, sctp_dst=53), "sctp,tp_dst=53"),
    (match(**ICMP, icmp_type=3, icmp_code=1), "icmp,icmp_type=3,icmp_code=1"),
    (match(**NS, nd_target=A6, nd_sll=MAC), "icmp6,icmp_type=135,icmp_code=0,nd_target=fd00::1,nd_sll=00:01:02:03:04:05"),
    (match(**NA, nd_target=(ip6_int("fd00::"), mask6(64)), nd_tll=MAC),
     "icmp6,icmp_type=136,icmp_code=0,nd_target=fd00::/64,nd_tll=00:01:02:03:04:05"),
    (match(**NA, nd_reserved=5, nd_options_type=2), "icmp6,icmp_type=136,icmp_code=0,nd_reserved=5,nd_options_type=2"),
    (match(**ARP, arp_op=1, arp_spa=A, arp_tpa=(0x0A000000, 0xFFFFFF00), arp_sha=MAC, arp_tha=(0, 0xFF << 40)),
     "arp,arp_spa=10.0.0.1,arp_tpa=10.0.0.0/24,arp_op=1,arp_sha=00:01:02:03:04:05,"
     "arp_tha=00:00:00:00:00:00/ff:00:00:00:00:00"),
    (match(eth_type=0x8035, arp_op=3), "rarp,arp_op=3"),
    (match(eth_type=0x8847, mpls_label=5, mpls_tc=3, mpls_bos=1, mpls_ttl=4),
     "mpls,mpls_label=5,mpls_tc=3,mpls_ttl=4,mpls_bos=1"),
    (match(ct_state=(0x21, 0x23), ct_zone=5, ct_mark=(1, 3), ct_label=(1, 0xFF), **IP),
     "ct_state=+new-est+trk,ct_zone=5,ct_mark=0x1/0x3,ct_label=0x1/0xff,ip"),
    (match(ct_state=(0xDC, 0xDC)), "ct_state=+rel+rpl+inv+snat+dnat"),
    (match(ct_state=EST, **IP, ct_nw_proto=6, ct_nw_src=A, ct_nw_dst=B, ct_tp_src=5, ct_tp_dst=6),
     "ct_state=+est+trk,ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=6,ct_tp_src=5,ct_tp_dst=6,ip"),
    (match(ct_state=EST, **IP6, ct_nw_proto=6, ct_ipv6_src=A6, ct_ipv6_dst=(B6, mask6(127))),
     "ct_state=+est+trk,ct_ipv6_src=fd00::1,ct_ipv6_dst=fd00::2/127,ct_nw_proto=6,ipv6"),
    (match(tun_id=5, tun_src=A, tun_dst=B, tun_flags=(1, 1)),
     "tun_id=0x5,tun_src=10.0.0.1,tun_dst=10.0.0.2,tun_flags=+oam"),
    (match(tun_id=(5, 0xFF), tun_ipv6_src=A6, tun_ipv6_dst=B6, tun_flags=(0, 1)),
     "tun_id=0x5/0xff,tun_ipv6_src=fd00::1,tun_ipv6_dst=fd00::2,tun_flags=-oam"),
    (match(tun_gbp_id=5, tun_gbp_flags=8), "tun_gbp_id=5,tun_gbp_flags=0x8"),
    (match(in_port=2, tun_metadata0=(0x50000, 0xFFFF0000)), "tun_metadata0=0x50000/0xffff0000,in_port=2"),
    (match(tun_metadata0=5), "tun_metadata0=0x5"),
    (match(pkt_mark=5), "pkt_mark=0x5"),
    (match(recirc_id=0), "recirc_id=0"),
    (match(conj_id=5), "conj_id=5"),
    (match(packet_type=0x10800), "packet_type=(1,0x800)"),
    (match(actset_output=1), "actset_output=1"),
]  # fmt: skip


def whole(field: str, value: int) -> a.SetField:
    return a.SetField(field, value, FULL[field])


def part(field: str, value: int, mask: int) -> a.SetField:
    return a.SetField(field, value, mask)


def spec(use: str, src: tuple[str, int] | None, value: int, dst: tuple[str, int] | None, bits: int) -> a.LearnSpec:
    return a.LearnSpec(use, src, value, dst, bits)  # type: ignore[arg-type]


LEARN_ALL = a.Learn(
    3,
    (
        spec("match", ("vlan_tci", 0), 0, ("vlan_tci", 0), 12),
        spec("match", ("eth_src", 0), 0, ("eth_dst", 0), 48),
        spec("match", None, 0x800, ("eth_type", 0), 16),
        spec("load", ("in_port", 0), 0, ("reg0", 0), 16),
        spec("load", None, 1, ("reg1", 3), 1),
        spec("output", ("in_port", 0), 0, None, 16),
    ),
    5, 6, 7, 0x5, a.LEARN_SEND_FLOW_REM | a.LEARN_DELETE_LEARNED, 3, 4,
)  # fmt: skip
LEARN_LIMIT = a.Learn(3, (spec("load", None, 1 << 100, ("xxreg0", 0), 128),), limit=5, result=("reg0", 4))
LEARN_HAIRPIN = a.Learn(
    69,
    (
        spec("match", ("metadata", 0), 0, ("metadata", 0), 64),
        spec("match", None, 0x800, ("eth_type", 0), 16),
        spec("match", ("ip_src", 0), 0, ("ip_src", 0), 32),
        spec("match", None, A, ("ip_dst", 0), 32),
        spec("match", None, 6, ("ip_proto", 0), 8),
        spec("match", ("tcp_dst", 0), 0, ("tcp_src", 0), 16),
        spec("load", None, 1, ("reg10", 7), 1),
    ),
    flags=a.LEARN_DELETE_LEARNED,
)  # fmt: skip

ACTIONS: list[tuple[dict[str, int], a.Actions, str]] = [
    ({}, (), "drop"),
    ({}, (a.Output(1), a.Output(a.OFPP_IN_PORT), a.Output(a.OFPP_LOCAL)), "output:1,IN_PORT,LOCAL"),
    ({}, (a.Output(a.OFPP_NORMAL), a.Output(a.OFPP_FLOOD), a.Output(a.OFPP_ALL)), "NORMAL,FLOOD,ALL"),
    ({}, (a.OutputReg("reg0", 0, 16), a.OutputReg("reg15", 0, 32)), "output:NXM_NX_REG0[0..15],output:NXM_NX_REG15[]"),
    ({}, (a.OutputTrunc(1, 100),), "output(port=1,max_len=100)"),
    ({}, (a.Controller(), a.Controller(128)), "CONTROLLER:65535,CONTROLLER:128"),
    ({}, (a.Controller(controller_id=3),), "controller(id=3)"),
    ({}, (a.Controller(userdata=b"\0\0\0\x09\0"),), "controller(userdata=00.00.00.09.00)"),
    ({}, (a.Controller(5, b"\1\2\3", True, 5, 3, a.OFPR_INVALID_TTL),),
     "controller(reason=invalid_ttl,max_len=5,id=3,userdata=01.02.03,pause,meter_id=5)"),
    ({}, (a.Resubmit(5), a.Resubmit(3, 2), a.Resubmit(255, 7)), "resubmit(,5),resubmit(2,3),resubmit:7"),
    ({**TCP, "ct_state": EST}, (a.Resubmit(4, ct=True),), "resubmit(,4,ct)"),  # type: ignore[dict-item]
    ({}, (whole("reg0", 1), part("reg1", 0x10, 0xF0), whole("metadata", 0x1234)),
     "set_field:0x1->reg0,set_field:0x10/0xf0->reg1,set_field:0x1234->metadata"),
    ({}, (whole("xxreg0", 1), part("xreg2", 5, 0xF), whole("eth_src", MAC), whole("pkt_mark", 5)),
     "set_field:0x1->xxreg0,set_field:0x5/0xf->xreg2,set_field:00:01:02:03:04:05->eth_src,set_field:0x5->pkt_mark"),
    ({}, (whole("in_port", a.OFPP_NONE), whole("in_port", 7)), "set_field:ANY->in_port,set_field:7->in_port"),
    ({}, (whole("tun_id", 5), whole("tun_dst", A), whole("tun_metadata0", 3), part("tun_metadata0", 0x10, 0xFF)),
     "set_field:0x5->tun_id,set_field:10.0.0.1->tun_dst,set_field:0x3->tun_metadata0,set_field:0x10/0xff->tun_metadata0"),
    (IP, (whole("ip_src", A), part("ip_dst", 0x0A000000, 0xFF00FF00), whole("ip_ttl", 3), whole("ip_dscp", 5), whole("ip_ecn", 1)),
     "set_field:10.0.0.1->ip_src,set_field:10.0.0.0/255.0.255.0->ip_dst,set_field:3->nw_ttl,set_field:5->ip_dscp,"
     "set_field:1->nw_ecn"),
    (IP6, (whole("ipv6_src", A6), part("ipv6_dst", A6 - 1, mask6(64))),
     "set_field:fd00::1->ipv6_src,set_field:fd00::/64->ipv6_dst"),
    (TCP, (whole("tcp_src", 80), part("tcp_dst", 5, 0xFF)), "set_field:80->tcp_src,set_field:5/0xff->tcp_dst"),
    (UDP, (whole("udp_src", 80),), "set_field:80->udp_src"),
    (ICMP, (whole("icmp_type", 3), whole("icmp_code", 1)), "set_field:3->icmp_type,set_field:1->icmp_code"),
    (ARP, (whole("arp_op", 1), whole("arp_spa", A), whole("arp_sha", MAC)),
     "set_field:1->arp_op,set_field:10.0.0.1->arp_spa,set_field:00:01:02:03:04:05->arp_sha"),
    (NS, (whole("nd_target", A6), whole("nd_sll", MAC)), "set_field:fd00::1->nd_target,set_field:00:01:02:03:04:05->nd_sll"),
    ({}, (a.Move("reg0", 0, "reg1", 16, 16), a.Move("metadata", 0, "reg3", 0, 32), a.Move("in_port", 0, "reg0", 0, 16)),
     "move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31],move:OXM_OF_METADATA[0..31]->NXM_NX_REG3[],"
     "move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]"),
    ({}, (a.Move("reg14", 0, "tun_metadata0", 16, 15), a.Move("tun_metadata0", 0, "reg15", 0, 16)),
     "move:NXM_NX_REG14[0..14]->NXM_NX_TUN_METADATA0[16..30],move:NXM_NX_TUN_METADATA0[0..15]->NXM_NX_REG15[0..15]"),
    (ARP, (a.Move("arp_sha", 0, "arp_tha", 0, 48), a.Move("arp_spa", 0, "arp_tpa", 0, 32)),
     "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]"),
    (NS, (a.Move("nd_target", 0, "xxreg0", 0, 128),), "move:NXM_NX_ND_TARGET[]->NXM_NX_XXREG0[]"),
    ({}, (a.Push("in_port", 0, 16), a.Push("reg3", 1, 4), a.Pop("in_port", 0, 16), a.Pop("xxreg0", 0, 128)),
     "push:NXM_OF_IN_PORT[],push:NXM_NX_REG3[1..4],pop:NXM_OF_IN_PORT[],pop:NXM_NX_XXREG0[]"),
    ({}, (a.Push("in_port", 0, 32), a.Push("eth_src", 0, 48)), "push:OXM_OF_IN_PORT[],push:NXM_OF_ETH_SRC[]"),
    ({}, (a.PushVlan(0x8100), whole("vlan_vid", 0x1064), whole("vlan_pcp", 3), a.PopVlan()),
     "push_vlan:0x8100,set_field:4196->vlan_vid,set_field:3->vlan_pcp,pop_vlan"),
    (IP, (a.PushMpls(0x8847),), "push_mpls:0x8847"),
    ({"eth_type": 0x8847}, (whole("mpls_label", 5), whole("mpls_tc", 3), a.SetMplsTtl(4), a.DecMplsTtl(), a.PopMpls(0x800)),
     "set_field:5->mpls_label,set_field:3->mpls_tc,set_mpls_ttl(4),dec_mpls_ttl,pop_mpls:0x0800"),
    (IP, (a.DecTtl(), a.DecTtl((1, 2))), "dec_ttl,dec_ttl(1,2)"),
    ({}, (a.Meter(5), a.Group(7)), "meter:5,group:7"),
    ({}, (a.SetQueue(3), a.PopQueue()), "set_queue:3,pop_queue"),
    (IP, (a.Ct(), a.Ct(commit=True), a.Ct(True, True, 3), a.Ct(zone=("reg11", 0, 16), table=5)),
     "ct(),ct(commit),ct(commit,force,zone=3),ct(table=5,zone=NXM_NX_REG11[0..15])"),
    (IP, (a.Ct(True, zone=1, nat=a.Nat("src", A)), a.Ct(nat=a.Nat(), table=3), a.CtClear()),
     "ct(commit,zone=1,nat(src=10.0.0.1)),ct(table=3,nat),ct_clear"),
    (IP, (a.Ct(True, nat=a.Nat("dst", A, B, 80, 90, a.NAT_RANDOM)), a.Ct(True, nat=a.Nat("src"))),
     "ct(commit,nat(dst=10.0.0.1-10.0.0.2:80-90,random)),ct(commit,nat(src))"),
    (IP6, (a.Ct(True, nat=a.Nat("src", A6, B6, v6=True)),
           a.Ct(True, nat=a.Nat("dst", A6, None, 80, None, a.NAT_PERSISTENT | a.NAT_HASH, True))),
     "ct(commit,nat(src=fd00::1-fd00::2)),ct(commit,nat(dst=[fd00::1]:80,persistent,hash))"),
    (TCP, (a.Ct(True, alg=21, exec=(whole("ct_mark", 1), part("ct_label", 2, 2), a.Move("reg0", 0, "ct_mark", 0, 32))),),
     "ct(commit,exec(set_field:0x1->ct_mark,set_field:0x2/0x2->ct_label,move:NXM_NX_REG0[]->NXM_NX_CT_MARK[]),alg=ftp)"),
    ({}, (a.Conjunction(5, 1, 3), a.Conjunction(9, 2, 2)), "conjunction(5,1/3),conjunction(9,2/2)"),
    ({}, (a.Note(b"\1\2\3\4\5\6"),), "note:01.02.03.04.05.06"),
    ({}, (a.Clone((whole("reg0", 1), a.Output(1))), a.Clone(())), "clone(set_field:0x1->reg0,output:1),clone(drop)"),
    ({}, (a.CheckPktLarger(1500, "reg0", 3), a.CheckPktLarger(9000, "xxreg0", 99)),
     "check_pkt_larger(1500)->NXM_NX_REG0[3],check_pkt_larger(9000)->NXM_NX_XXREG0[99]"),
    ({}, (a.Bundle("eth_src", "active_backup", (1, 2, 3)),), "bundle(eth_src,0,active_backup,ofport,members:1,2,3)"),
    ({}, (a.Bundle("symmetric_l4", "hrw", (4, 8), 60000, ("reg0", 0, 16)),),
     "bundle_load(symmetric_l4,60000,hrw,ofport,NXM_NX_REG0[0..15],members:4,8)"),
    ({}, (a.Multipath("eth_src", 50, "modulo_n", 2, 0, ("reg0", 0, 32)),), "multipath(eth_src,50,modulo_n,2,0,NXM_NX_REG0[])"),
    ({}, (a.Sample(100, 2, 3, 4),), "sample(probability=100,collector_set_id=2,obs_domain_id=3,obs_point_id=4)"),
    ({}, (a.Sample(100, 2, 3, 4, 1, 2),),
     "sample(probability=100,collector_set_id=2,obs_domain_id=3,obs_point_id=4,sampling_port=1,egress)"),
    (TCP, (a.FinTimeout(3, 5), a.Exit()), "fin_timeout(idle_timeout=3,hard_timeout=5),exit"),
    ({}, (LEARN_ALL,),
     "learn(table=3,idle_timeout=5,hard_timeout=6,fin_idle_timeout=3,fin_hard_timeout=4,priority=7,send_flow_rem,"
     "delete_learned,cookie=0x5,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],eth_type=0x800,"
     "load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],load:0x1->NXM_NX_REG1[3],output:NXM_OF_IN_PORT[])"),
    ({}, (LEARN_LIMIT,), "learn(table=3,limit=5,result_dst=NXM_NX_REG0[4],load:0x10000000000000000000000000->NXM_NX_XXREG0[])"),
    (TCP, (LEARN_HAIRPIN,),
     "learn(table=69,delete_learned,OXM_OF_METADATA[],eth_type=0x800,NXM_OF_IP_SRC[],ip_dst=10.0.0.1,nw_proto=6,"
     "NXM_OF_TCP_SRC[]=NXM_OF_TCP_DST[],load:0x1->NXM_NX_REG10[7])"),
    ({}, (a.DeleteField("tun_metadata0"),), "delete_field:tun_metadata0"),
    ({}, (a.WriteMetadata(5, 0xFF), a.GotoTable(3)), "write_metadata:0x5/0xff,goto_table:3"),
    ({}, (a.ClearActions(), a.WriteActions((a.Output(1),))), "clear_actions,write_actions(output:1)"),
    ({}, (a.Output(1), a.GotoTable(3)), "output:1,goto_table:3"),
]  # fmt: skip

#: Actions that only newer switches know.
NEW_ACTIONS: list[tuple[dict[str, int], a.Actions, str]] = [
    ({}, (a.Sample(65535, 2, ("reg0", 0, 32), ("reg1", 0, 32)),),
     "sample(probability=65535,collector_set_id=2,obs_domain_id=NXM_NX_REG0[],obs_point_id=NXM_NX_REG1[])"),
    ({}, (a.Sample(65535, 2, 9, ("reg1", 0, 32)),),
     "sample(probability=65535,collector_set_id=2,obs_domain_id=9,obs_point_id=NXM_NX_REG1[])"),
]  # fmt: skip
