import pytest

from pyovn.lang.match import parse
from pyovn.lang.microflow import packet_of
from pyovn.trace.flow_text import flow_text

LINK = "vlan_tci=0x0000,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00"
IP = "nw_src=0.0.0.0,nw_dst=0.0.0.0"
IP6 = "ipv6_src=::,ipv6_dst=::,ipv6_label=0x00000"
REST = "nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no"


@pytest.mark.parametrize(
    ("microflow", "expected"),
    [
        ("1", f"{LINK},dl_type=0x0000"),
        ("eth.type == 0x1234", f"{LINK},dl_type=0x1234"),
        ("ip4", f"ip,{LINK},{IP},nw_proto=0,{REST}"),
        ("ip4 && tcp.flags == 0x12", f"tcp,{LINK},{IP},{REST},tp_src=0,tp_dst=0,tcp_flags=syn|ack"),
        ("ip6 && udp.dst == 67", f"udp6,{LINK},{IP6},{REST},tp_src=0,tp_dst=67"),
        ("icmp4.type == 8", f"icmp,{LINK},{IP},{REST},icmp_type=8,icmp_code=0"),
        ("ip4 && ip.proto == 2", f"ip,{LINK},{IP},nw_proto=2,{REST},tp_src=0,tp_dst=0"),
        ("ip4 && tcp && ip.frag == 3", f"tcp,{LINK},{IP},nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=later"),
        ("ip4 && ip.dscp == 5 && ip.ecn == 1", f"ip,{LINK},{IP},nw_proto=0,nw_tos=20,nw_ecn=1,nw_ttl=0,nw_frag=no"),
        (
            "vlan.vid == 5",
            "dl_vlan=5,dl_vlan_pcp=0,vlan_tci1=0x0000" + LINK[len("vlan_tci=0x0000") :] + ",dl_type=0x0000",
        ),
        ("pkt.mark == 7 && reg0 == 5", f"pkt_mark=0x7,reg0=0x5,{LINK},dl_type=0x0000"),
        ("ct.est && ct_mark == 3 && ct_label == 5", f"ct_state=est|trk,ct_mark=0x3,ct_label=0x5,{LINK},dl_type=0x0000"),
        (
            "arp.op == 1 && arp.spa == 1.2.3.4",
            f"arp,{LINK},arp_spa=1.2.3.4,arp_tpa=0.0.0.0,arp_op=1,arp_sha=00:00:00:00:00:00,arp_tha=00:00:00:00:00:00",
        ),
        (
            "nd_ns && nd.target == fd00::5",
            f"icmp6,{LINK},{IP6},nw_tos=0,nw_ecn=0,nw_ttl=255,nw_frag=no,icmp_type=135,icmp_code=0,"
            "nd_target=fd00::5,nd_sll=00:00:00:00:00:00,nd_tll=00:00:00:00:00:00",
        ),
    ],
)
def test_packets_are_told_as_open_vswitch_tells_them(microflow: str, expected: str) -> None:
    assert flow_text(packet_of(parse(microflow), {}.get)) == expected


def test_a_tracked_packet_has_its_original_tuple() -> None:
    packet = {"ct_state": 0x22, "eth_type": 0x800, "ip_proto": 6, "ct_nw_proto": 6, "ct_nw_src": 1, "ct_tp_dst": 80}
    assert flow_text(packet).startswith(
        "ct_state=est|trk,ct_nw_src=0.0.0.1,ct_nw_dst=0.0.0.0,ct_nw_proto=6,ct_tp_src=0,ct_tp_dst=80,tcp,"
    )


def test_neighbour_discovery_has_no_original_addresses() -> None:
    packet = {"ct_state": 0x22, "eth_type": 0x86DD, "ip_proto": 58, "icmpv6_type": 135, "ct_nw_proto": 58}
    assert flow_text(packet).startswith("ct_state=est|trk,ct_nw_proto=58,ct_tp_src=0,ct_tp_dst=0,icmp6,")
