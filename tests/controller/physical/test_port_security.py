"""Port security, flow by flow as the C controller of 26.03 installs them."""

import pytest

from pyovn.controller.physical.port_security import parse_entry, security_flows
from pyovn.controller.physical.ports import LogicalPort
from pyovn.controller.physical.steps import NO_ZONES
from pyovn.net.errors import Malformed
from pyovn.openflow.text import format_flow

PORT = LogicalPort(0, 1, 1, NO_ZONES)
ALLOW, DENY, ND = "set_field:0/0x1000->reg10", "set_field:0x1000/0x1000->reg10", "resubmit(,74)"
FALLBACKS = [
    ("73", "95,arp,", ND),
    ("73", "80,", DENY),
    ("74", "80,arp,", DENY),
    ("74", "80,icmp6,,nw_ttl=255,icmp_type=135", DENY),
    ("74", "80,icmp6,,nw_ttl=255,icmp_type=136", DENY),
    ("75", "80,", DENY),
]


def flows(*entries):
    """(table, priority and match without the port, actions) of each flow."""
    found = []
    for flow in security_flows(PORT, map(parse_entry, entries)):
        text = format_flow(flow).replace("reg14=0x1,metadata=0x1", "").replace("reg15=0x1,metadata=0x1", "")
        head, _, actions = text.partition(" actions=")
        table = head.partition("table=")[2].partition(",")[0]
        found.append((table, head.partition("priority=")[2], actions))
    return found


def test_a_mac_alone_restricts_only_the_mac():
    mac = "dl_src=50:54:00:00:00:01"
    nd = f"90,icmp6,,{mac},nw_ttl=255"
    assert sorted(flows("50:54:00:00:00:01")) == sorted(
        [
            *FALLBACKS,
            ("73", f"90,,{mac}", ND),
            ("74", f"90,arp,,{mac},arp_sha=50:54:00:00:00:01", ALLOW),
            ("74", f"{nd},icmp_type=135,icmp_code=0,nd_sll=00:00:00:00:00:00", ALLOW),
            ("74", f"{nd},icmp_type=135,icmp_code=0,nd_sll=50:54:00:00:00:01", ALLOW),
            ("74", f"{nd},icmp_type=136,icmp_code=0,nd_tll=00:00:00:00:00:00", ALLOW),
            ("74", f"{nd},icmp_type=136,icmp_code=0,nd_tll=50:54:00:00:00:01", ALLOW),
            ("75", "85,,dl_dst=50:54:00:00:00:01", ALLOW),
        ]
    )


def test_an_ipv4_address_allows_itself_dhcp_broadcast_and_multicast():
    found = flows("50:54:00:00:00:01 10.0.0.1/24")
    mac, out = "dl_src=50:54:00:00:00:01", "dl_dst=50:54:00:00:00:01"
    assert ("73", f"90,ip,,{mac},nw_src=10.0.0.1", ALLOW) in found
    assert ("73", f"90,udp,,{mac},nw_src=0.0.0.0,nw_dst=255.255.255.255,tp_src=68,tp_dst=67", ALLOW) in found
    assert ("74", f"90,arp,,{mac},arp_spa=10.0.0.1,arp_sha=50:54:00:00:00:01", ALLOW) in found
    for destination in ("10.0.0.1", "10.0.0.255", "255.255.255.255", "224.0.0.0/4"):
        assert ("75", f"95,ip,,{out},nw_dst={destination}", ALLOW) in found
    assert ("75", f"90,ip,,{out}", DENY) in found
    assert ("75", f"90,ipv6,,{out}", DENY) in found


def test_an_ipv6_address_allows_itself_and_what_a_host_needs_to_get_one():
    found = flows("50:54:00:00:00:01 fd00::1")
    mac = "dl_src=50:54:00:00:00:01"
    for source in ("fd00::1", "fe80::5254:ff:fe00:1"):
        assert ("73", f"90,ipv6,,{mac},ipv6_src={source}", ND) in found
        assert ("75", f"95,ipv6,,dl_dst=50:54:00:00:00:01,ipv6_dst={source}", ALLOW) in found
    for icmp_type, verdict in ((131, ALLOW), (135, ND), (143, ALLOW)):
        where = f"90,icmp6,,{mac},ipv6_src=::,ipv6_dst=ff02::/16,icmp_type={icmp_type},icmp_code=0"
        assert ("73", where, verdict) in found
    assert not [text for _, text, _ in found if text.startswith("90,arp")]


def test_a_prefix_without_host_bits_allows_all_of_it():
    found = flows("50:54:00:00:00:01 192.168.0.0/24 fd00::/64")
    assert ("73", "90,ip,,dl_src=50:54:00:00:00:01,nw_src=192.168.0.0/24", ALLOW) in found
    assert ("73", "90,ipv6,,dl_src=50:54:00:00:00:01,ipv6_src=fd00::/64", ND) in found


def test_under_vrrp_virtual_macs_stand_in_for_the_port():
    found = flows("VRRPv3 50:54:00:00:00:01 192.168.0.9 fd00::9")
    assert ("73", "90,ip,,dl_src=00:00:5e:00:01:00/ff:ff:ff:ff:ff:00,nw_src=192.168.0.9", ALLOW) in found
    assert (
        "73",
        "90,ipv6,,dl_src=00:00:5e:00:02:00/ff:ff:ff:ff:ff:00,ipv6_src=fe80::200:5eff:fe00:200/120",
        ND,
    ) in found
    arp = "90,arp,,dl_src=50:54:00:00:00:01,arp_spa=192.168.0.9,arp_sha=00:00:5e:00:01:00/ff:ff:ff:ff:ff:00"
    assert ("74", arp, ALLOW) in found


def test_a_named_virtual_mac_replaces_all_others():
    entry = parse_entry("VRRPv3 50:54:00:00:00:01 00:00:5e:00:01:05 192.168.0.9")
    assert (entry.macs4, entry.macs6) == (((0x00005E000105, 0xFFFFFFFFFFFF),), ())


def test_no_match_is_given_twice():
    found = flows("50:54:00:00:00:01 255.255.255.255", "50:54:00:00:00:01")
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    "text", ["", "192.168.0.1", "VRRPv3", "50:54:00:00:00:01 nonsense", "50:54:00:00:00:01 1.2.3.4/40"]
)
def test_nonsense_is_refused_with_the_text(text):
    with pytest.raises(Malformed, match="port security"):
        parse_entry(text)
