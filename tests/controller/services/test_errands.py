"""Router advertisements, the DHCP relay, virtual ports, logs and events: one packet-in, one effect."""

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRDNSS,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Ether

from pyovn.controller.effects import Adopt, Learn, Learned, Logged, Neighbour, Problem, Record
from pyovn.net.ip import ip4_int, ip6_int
from tests.controller.services.punts import effects, told

ADVERT = 'reg0[3] = put_nd_ra_opts(addr_mode = "slaac", slla = ae:01:02:03:04:05, prefix = fd00::/64, mtu = 1400);'
SOLICIT = Ether(src="40:44:00:00:00:01") / IPv6(src="fe80::1", dst="ff02::2", hlim=255) / ICMPv6ND_RS()


def test_a_router_solicitation_becomes_an_advertisement():
    answered, packet = told(effects(ADVERT, SOLICIT))
    found = Ether(packet)
    assert answered
    assert found[ICMPv6ND_RA].routerlifetime == 0xFFFF
    assert found[ICMPv6NDOptPrefixInfo].prefix == "fd00::"
    assert (found[ICMPv6NDOptMTU].mtu, found[ICMPv6NDOptSrcLLAddr].lladdr) == (1400, "ae:01:02:03:04:05")
    again = found.copy()
    del again[ICMPv6ND_RA].cksum
    assert bytes(again) == packet


def test_who_has_no_address_yet_hears_what_all_hear():
    packet = SOLICIT.copy()
    packet[IPv6].src = "::"
    assert Ether(told(effects(ADVERT, packet))[1])[IPv6].src == "ff02::1"


def test_a_solicitation_from_afar_is_not_answered():
    packet = SOLICIT.copy()
    packet[IPv6].hlim = 64
    assert told(effects(ADVERT, packet)) == (False, bytes(packet))


def test_a_datagram_is_no_solicitation():
    problem, *rest = effects(ADVERT, Ether() / IPv6(dst="ff02::2") / UDP())
    assert isinstance(problem, Problem)
    assert not told(rest)[0]


RELAY = "reg0[3] = dhcp_relay_{}_chk(10.0.1.1, 10.0.9.9);"
MAC = bytes.fromhex("404400000001")
REQUEST = Ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)
REPLY = Ether(dst="00:00:00:00:ff:01") / IP(src="10.0.9.9", dst="10.0.1.1") / UDP(sport=67, dport=67)


def relayed(direction, under, kind, *options, **fields):
    message = BOOTP(**{"chaddr": MAC, **fields}) / DHCP(options=[("message-type", kind), *options, "end"])
    answered, packet = told(effects(RELAY.format(direction), under / message))
    return answered, Ether(packet)


def test_a_relayed_request_says_through_whom_it_came():
    answered, packet = relayed("req", REQUEST, "discover", hops=2)
    assert (answered, packet[BOOTP].giaddr, packet[BOOTP].hops) == (True, "10.0.1.1", 3)


@pytest.mark.parametrize("fields", [{"giaddr": "10.7.7.7"}, {"hops": 16}, {"op": 2}], ids=["relayed", "far", "reply"])
def test_a_relay_leaves_alone(fields):
    assert not relayed("req", REQUEST, "discover", **fields)[0]


SERVER = ("server_id", "10.0.9.9")
OFFERED = {"op": 2, "giaddr": "10.0.1.1", "yiaddr": "10.0.1.50"}


@pytest.mark.parametrize(
    ("flags", "mac", "address"),
    [("", "40:44:00:00:00:01", "10.0.1.50"), ("B", "ff:ff:ff:ff:ff:ff", "255.255.255.255")],
    ids=["unicast", "broadcast"],
)
def test_a_relayed_reply_goes_to_the_client(flags, mac, address):
    answered, packet = relayed("resp", REPLY, "offer", SERVER, flags=flags, **OFFERED)
    assert (answered, packet.dst, packet[IP].dst) == (True, mac, address)


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ((), OFFERED),
        ((("server_id", "10.0.9.8"),), OFFERED),
        ((SERVER,), {**OFFERED, "giaddr": "10.0.1.2"}),
        ((SERVER,), {**OFFERED, "op": 1}),
        ((SERVER,), {**OFFERED, "hlen": 8}),
    ],
    ids=["nobody", "another server", "another relay", "a request", "no Ethernet"],
)
def test_a_relay_does_not_pass_on(options, fields):
    assert not relayed("resp", REPLY, "offer", *options, **fields)[0]


@pytest.mark.parametrize("direction", ["req", "resp"])
def test_dhcp_over_ipv6_is_not_relayed(direction):
    packet = Ether() / IPv6(dst="ff02::1") / UDP() / BOOTP() / DHCP(options=["end"])
    problem, *rest = effects(RELAY.format(direction), packet)
    assert isinstance(problem, Problem)
    assert not told(rest)[0]


PACKET = Ether(src="40:44:00:00:00:01") / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(dport=80)


def test_a_virtual_port_moves_to_who_has_its_address():
    assert effects('bind_vport("virtual", inport);', PACKET) == [Adopt(2, 9, 3)]


def test_a_sender_is_learned():
    assert effects("put_fdb(inport, eth.src);", PACKET) == [Learn(Learned(2, 3, 0x404400000001))]
    four = effects("put_arp(inport, arp.spa, arp.sha);", PACKET, reg0=ip4_int("10.0.0.1"))
    assert four == [Learn(Neighbour(2, 3, (4, ip4_int("10.0.0.1")), 0x404400000001))]
    six = effects("put_nd(inport, ip6.src, nd.sll);", PACKET, xxreg0=ip6_int("fd00::1"))
    assert six == [Learn(Neighbour(2, 3, (6, ip6_int("fd00::1")), 0x404400000001))]


def test_an_acl_tells_the_log():
    (line,) = effects('log(name="web", verdict=drop, severity=warning);', PACKET)
    assert isinstance(line, Logged)
    assert line.text.startswith('name="web", verdict=drop, severity=warning, direction=from-lport: tcp,')
    assert "nw_src=10.0.0.1,nw_dst=10.0.0.2" in line.text
    assert 'name="<unnamed>"' in effects("log(verdict=allow);", PACKET)[0].text


def test_an_event_tells_its_details():
    action = (
        'trigger_event(event = "empty_lb_backends", vip = "10.0.0.9:80", protocol = "tcp",'
        ' load_balancer = "12345678-abcd-9876-fedc-11119f8e7d6c");'
    )
    (found,) = effects(action, PACKET)
    assert isinstance(found, Record)
    assert (found.event, dict(found.details)["vip"]) == ("empty_lb_backends", "10.0.0.9:80")


def test_scapy_knows_the_resolver_option():
    packet = told(effects(ADVERT.replace(", mtu = 1400", ", rdnss = fd00::53"), SOLICIT))[1]
    assert Ether(packet)[ICMPv6NDOptRDNSS].dns == ["fd00::53"]
