"""The DHCPv4 responder, told by scapy."""

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from pyovn.controller.effects import Problem
from tests.controller.services.punts import effects, told

OFFER = (
    "reg0[3] = put_dhcp_opts(offerip = 10.0.0.4, netmask = 255.255.255.0, router = 10.0.0.1, lease_time = 3600,"
    " server_id = 10.0.0.1{});"
)
CLIENT = Ether(src="40:44:00:00:00:01", dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255")
PORTS = UDP(sport=68, dport=67)


def exchange(kind, *options, more="", **fields):
    """(answered?, reply as scapy sees it) to a client's message."""
    message = BOOTP(chaddr=bytes.fromhex("404400000001"), xid=77, **fields)
    message /= DHCP(options=[("message-type", kind), *options, "end"])
    answered, packet = told(effects(OFFER.format(more), CLIENT / PORTS / message))
    return answered, Ether(packet)


def options(reply):
    return {each[0]: each[1] for each in reply[DHCP].options if isinstance(each, tuple)}


@pytest.mark.parametrize(
    ("kind", "asked", "reply"),
    [
        pytest.param("discover", (), 2, id="DISCOVER gets an OFFER"),
        pytest.param("request", (("requested_addr", "10.0.0.4"),), 5, id="taking our offer seals it"),
        pytest.param("request", (("requested_addr", "10.0.0.9"),), 6, id="wanting another address is refused"),
        pytest.param("inform", (), 5, id="INFORM gets an ACK"),
    ],
)
def test_the_server_says(kind, asked, reply):
    answered, packet = exchange(kind, *asked)
    assert answered
    assert (options(packet)["message-type"], packet[BOOTP].xid, packet[BOOTP].op) == (reply, 77, 2)
    assert options(packet)["server_id"] == "10.0.0.1"


@pytest.mark.parametrize("kind", ["release", "decline", "ack", 99])
def test_the_server_is_silent_about(kind):
    answered, packet = exchange(kind)
    assert (answered, packet[IP].dst) == (False, "255.255.255.255")


def test_a_request_for_another_server_is_not_ours():
    assert not exchange("request", ("server_id", "10.0.0.99"), ("requested_addr", "10.0.0.4"))[0]
    assert exchange("request", ("server_id", "10.0.0.1"), ("requested_addr", "10.0.0.4"))[0]


def test_replies_are_no_requests():
    assert not exchange("discover", op=2)[0]


def test_a_renewing_client_is_answered_where_it_is():
    answered, packet = exchange("request", ciaddr="10.0.0.4")
    assert (answered, packet[IP].dst, packet[BOOTP].yiaddr) == (True, "10.0.0.4", "10.0.0.4")


@pytest.mark.parametrize(
    ("fields", "destination"),
    [({}, "10.0.0.4"), ({"flags": "B"}, "255.255.255.255"), ({"giaddr": "10.9.0.1"}, "10.9.0.1")],
    ids=["address", "broadcast", "relay"],
)
def test_an_offer_goes_to(fields, destination):
    assert exchange("discover", **fields)[1][IP].dst == destination


def test_a_refusal_says_no_more_than_by_whom():
    packet = exchange("request", ("requested_addr", "10.0.0.9"))[1]
    assert options(packet) == {"message-type": 6, "server_id": "10.0.0.1"}
    assert (packet[IP].dst, packet[BOOTP].yiaddr) == ("255.255.255.255", "0.0.0.0")


def test_informing_gives_no_lease():
    packet = exchange("inform", ciaddr="10.0.0.50")[1]
    assert options(packet).keys() == {"message-type", "router", "server_id"}
    assert (packet[IP].dst, packet[BOOTP].yiaddr) == ("10.0.0.50", "0.0.0.0")


def test_relay_agents_get_their_information_back():
    assert options(exchange("discover", ("relay_agent_information", b"\1\2ab"))[1])["relay_agent_information"]


BOOT = ', bootfile_name = "pxe", bootfile_name_alt = "http://ipxe", next_server = 10.0.0.7'


def test_boot_loaders_get_the_other_file():
    assert options(exchange("discover", more=BOOT)[1])["boot-file-name"] == b"pxe"
    packet = exchange("discover", (175, b"\1"), more=BOOT)[1]
    assert (options(packet)["boot-file-name"], packet[BOOTP].siaddr) == (b"http://ipxe", "10.0.0.7")


@pytest.mark.parametrize(
    "packet",
    [
        CLIENT / PORTS / b"garbage",
        CLIENT / b"x",
        Ether() / IPv6(dst="ff02::1") / PORTS / BOOTP() / DHCP(options=[("message-type", 1), "end"]),
    ],
    ids=["garbage", "no datagram", "IPv6"],
)
def test_what_makes_no_sense_goes_on_unanswered(packet):
    problem, *rest = effects(OFFER.format(""), packet)
    assert isinstance(problem, Problem)
    assert told(rest) == (False, bytes(packet))
