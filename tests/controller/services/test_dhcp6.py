"""The DHCPv6 responder, told by scapy."""

import functools
import operator

import pytest
from scapy.layers.dhcp6 import (
    DUID_LL,
    USER_CLASS_DATA,
    DHCP6_Advertise,
    DHCP6_Confirm,
    DHCP6_Decline,
    DHCP6_InfoRequest,
    DHCP6_Rebind,
    DHCP6_Release,
    DHCP6_Renew,
    DHCP6_Reply,
    DHCP6_Request,
    DHCP6_Solicit,
    DHCP6OptBootFileUrl,
    DHCP6OptClientId,
    DHCP6OptDNSDomains,
    DHCP6OptDNSServers,
    DHCP6OptIA_NA,
    DHCP6OptIAAddress,
    DHCP6OptRapidCommit,
    DHCP6OptServerId,
    DHCP6OptStatusCode,
    DHCP6OptUserClass,
)
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from pyovn.controller.effects import Problem
from tests.controller.services.punts import effects, told

OFFER = 'reg0[3] = put_dhcpv6_opts(ia_addr = fd00::4, dns_server = fd00::2, domain_search = "a.example,b.example",'
OFFER += ' server_id = 00:00:00:00:ff:01, fqdn = "vm.example"{});'
STATEFUL = OFFER.format("")
STATELESS = "reg0[3] = put_dhcpv6_opts(dns_server = fd00::2, server_id = 00:00:00:00:ff:01);"
FRAME = Ether() / IPv6(src="fe80::1", dst="ff02::1:2") / UDP(sport=546, dport=547)
CLIENT, SERVER = DHCP6OptClientId(duid=DUID_LL(lladdr="40:44:00:00:00:01")), DUID_LL(lladdr="00:00:00:00:ff:01")
US, LEASE = DHCP6OptServerId(duid=SERVER), DHCP6OptIA_NA(iaid=9)


def exchange(message, *options, offer=STATEFUL):
    """(answered?, reply as scapy sees it) to a client's message."""
    message.trid = 77
    answered, packet = told(effects(offer, functools.reduce(operator.truediv, options, FRAME / message)))
    return answered, Ether(packet)


@pytest.mark.parametrize(
    ("message", "options", "reply"),
    [
        pytest.param(DHCP6_Solicit(), (CLIENT, LEASE), DHCP6_Advertise, id="SOLICIT"),
        pytest.param(DHCP6_Solicit(), (CLIENT, LEASE, DHCP6OptRapidCommit()), DHCP6_Reply, id="SOLICIT in a hurry"),
        pytest.param(DHCP6_Request(), (CLIENT, US, LEASE), DHCP6_Reply, id="REQUEST"),
        pytest.param(DHCP6_Renew(), (CLIENT, US, LEASE), DHCP6_Reply, id="RENEW"),
        pytest.param(DHCP6_Rebind(), (CLIENT, LEASE), DHCP6_Reply, id="REBIND"),
    ],
)
def test_the_client_gets_its_address(message, options, reply):
    answered, packet = exchange(message, *options)
    assert answered
    assert packet[reply].trid == 77
    assert (packet[DHCP6OptIA_NA].iaid, packet[DHCP6OptIAAddress].addr) == (9, "fd00::4")
    assert packet[DHCP6OptServerId].duid == SERVER
    assert packet[DHCP6OptDNSServers].dnsservers == ["fd00::2"]
    assert packet[DHCP6OptDNSDomains].dnsdomains == ["a.example.", "b.example."]


@pytest.mark.parametrize(
    ("message", "options"),
    [
        (DHCP6_Confirm(), (CLIENT, LEASE)),
        (DHCP6_Release(), (CLIENT, US, LEASE)),
        (DHCP6_Decline(), (CLIENT, US, LEASE)),
    ],
    ids=["CONFIRM", "RELEASE", "DECLINE"],
)
def test_all_is_well(message, options):
    answered, packet = exchange(message, *options)
    assert (answered, packet[DHCP6OptStatusCode].statuscode) == (True, 0)


def test_who_asks_for_information_gets_no_address():
    answered, packet = exchange(DHCP6_InfoRequest())
    assert answered
    assert DHCP6OptDNSServers in packet
    assert DHCP6OptIA_NA not in packet


def test_without_addresses_there_is_a_status():
    assert exchange(DHCP6_Solicit(), CLIENT, LEASE, offer=STATELESS)[1][DHCP6OptStatusCode].statuscode == 2


@pytest.mark.parametrize(
    ("message", "options"),
    [
        pytest.param(DHCP6_Request(), (CLIENT, DHCP6OptServerId(duid=DUID_LL()), LEASE), id="another server"),
        pytest.param(DHCP6_Request(), (CLIENT, LEASE), id="no server"),
        pytest.param(DHCP6_Solicit(), (LEASE,), id="no client"),
        pytest.param(DHCP6_Reply(), (CLIENT,), id="a reply"),
    ],
)
def test_the_server_is_silent_about(message, options):
    assert not exchange(message, *options)[0]


BOOT = OFFER.format(', bootfile_name = "tftp://a", bootfile_name_alt = "http://b"')


def test_boot_loaders_get_the_other_file():
    assert exchange(DHCP6_InfoRequest(), CLIENT, offer=BOOT)[1][DHCP6OptBootFileUrl].optdata == b"tftp://a"
    loader = DHCP6OptUserClass(userclassdata=[USER_CLASS_DATA(data="iPXE")])
    assert exchange(DHCP6_InfoRequest(), CLIENT, loader, offer=BOOT)[1][DHCP6OptBootFileUrl].optdata == b"http://b"


def test_what_makes_no_sense_goes_on_unanswered():
    packet = FRAME / b"\1\0"
    problem, *rest = effects(STATELESS, packet)
    assert isinstance(problem, Problem)
    assert told(rest) == (False, bytes(packet))
