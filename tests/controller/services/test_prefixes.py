"""DHCPv6 prefix delegation: a client's conversation with a server, and what the database hears of it."""

import math

import pytest
from scapy.layers.dhcp6 import (
    DUID_LL,
    DHCP6_Advertise,
    DHCP6_Rebind,
    DHCP6_Renew,
    DHCP6_Reply,
    DHCP6_Request,
    DHCP6_Solicit,
    DHCP6OptClientId,
    DHCP6OptElapsedTime,
    DHCP6OptIA_PD,
    DHCP6OptIAPrefix,
    DHCP6OptServerId,
    DHCP6OptStatusCode,
)
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from pyovn.controller.effects import Delegated, Send
from pyovn.controller.services.prefixes import PATIENCE_S, RETRY_S, Prefixes, Request
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip6_int
from pyovn.openflow.match import match
from pyovn.openflow.messages import PacketIn
from pyovn.packet.dhcp6 import INFINITE, Prefix

REQUEST = Request(5, 6, 2, 3, 0x0000FF01, 0x0000FF02, 9, None)
SERVER = DUID_LL(lladdr="0a:00:00:00:09:63")
GIVEN = {"prefix": "2001:db8:1::", "plen": 64, "preflft": 20, "validlft": 30}


class Play:
    """A client and whoever talks to it."""

    def __init__(self, request=REQUEST):
        self.client = Prefixes(lambda low, high: low)
        self.client.follow({"port": request}, 0.0)

    def at(self, now):
        """What the client says at a moment, a DHCPv6 message, and what the database is told."""
        return self._told(self.client.handle(now))

    def _told(self, effects):
        found = list(effects)
        sent = [Ether(each.message.packet) for each in found if isinstance(each, Send)]
        self.frame = sent[0] if sent else None
        return (sent[0][UDP].payload if sent else None), [each for each in found if isinstance(each, Delegated)]

    def hears(self, kind, asked, now, *, given=GIVEN, server=SERVER, client="00:00:00:00:ff:02", **more):
        """What follows from an answer to a message."""
        options = DHCP6OptClientId(duid=DUID_LL(lladdr=client)) / DHCP6OptServerId(duid=server)
        inside = [] if given is None else [DHCP6OptIAPrefix(**given)]
        association = {"iaid": 9, "T1": 8, "T2": 15, **{key: more[key] for key in more.keys() & {"iaid", "T1", "T2"}}}
        options /= DHCP6OptIA_PD(**association, iapdopt=more.get("inside", inside))
        packet = Ether() / IPv6(src="fe80::963", dst="fe80::200:ff:fe00:ff01") / UDP(sport=547, dport=546)
        packet /= kind(trid=more.get("trid", asked.trid)) / options
        pin = PacketIn(bytes(packet), match(metadata=more.get("router", 2), reg14=3))
        return self._told(self.client.packet(pin, now))

    def bound(self):
        """The same, with a prefix since the moment 0."""
        request, _ = self.hears(DHCP6_Advertise, self.at(0.0)[0], 0.0)
        self.hears(DHCP6_Reply, request, 0.0)
        return self


def test_a_solicitation_asks_for_a_prefix():
    play = Play()
    message, told = play.at(0.0)
    assert isinstance(message, DHCP6_Solicit)
    assert told == []
    assert message[DHCP6OptClientId].duid.lladdr == "00:00:00:00:ff:02"
    assert (message[DHCP6OptIA_PD].iaid, message[DHCP6OptIA_PD].iapdopt) == (9, [])
    assert (play.frame.src, play.frame.dst) == ("00:00:00:00:ff:01", "33:33:00:01:00:02")
    assert (play.frame[IPv6].src, play.frame[IPv6].dst) == ("fe80::200:ff:fe00:ff01", "ff02::1:2")


def test_scapy_agrees_about_the_checksum():
    play = Play()
    play.at(0.0)
    again = play.frame.copy()
    del again[UDP].chksum, again[UDP].len, again[IPv6].plen
    assert bytes(again) == bytes(play.frame)


def test_it_is_said_again_until_somebody_answers():
    play = Play()
    first, _ = play.at(0.0)
    assert play.at(RETRY_S - 0.1) == (None, [])
    again, _ = play.at(RETRY_S)
    assert (again.trid, again[DHCP6OptElapsedTime].elapsedtime) == (first.trid, 300)


def test_the_prefix_of_the_server_that_is_chosen_is_told():
    play = Play()
    solicit, _ = play.at(0.0)
    request, told = play.hears(DHCP6_Advertise, solicit, 1.0)
    assert (type(request), told) == (DHCP6_Request, [])
    assert request[DHCP6OptServerId].duid.lladdr == "0a:00:00:00:09:63"
    assert request[DHCP6OptIAPrefix].prefix == "2001:db8:1::"
    assert play.hears(DHCP6_Reply, request, 2.0) == (None, [Delegated("port", "9:2001:db8:1::/64")])
    assert play.client.deadline == 2.0 + 8


def test_a_prefix_is_renewed_by_its_server_then_by_any_and_in_the_end_gone():
    play = Play().bound()
    renew, _ = play.at(8.0)
    assert isinstance(renew, DHCP6_Renew)
    assert renew[DHCP6OptServerId].duid.lladdr == "0a:00:00:00:09:63"
    rebind, _ = play.at(15.0)
    assert isinstance(rebind, DHCP6_Rebind)
    assert DHCP6OptServerId not in rebind
    assert rebind[DHCP6OptIAPrefix].prefix == "2001:db8:1::"
    solicit, told = play.at(30.0)
    assert isinstance(solicit, DHCP6_Solicit)
    assert told == [Delegated("port", "")]


def test_a_renewed_prefix_lives_anew():
    play = Play().bound()
    renew, _ = play.at(8.0)
    _, told = play.hears(DHCP6_Reply, renew, 9.0)
    assert told == [Delegated("port", "9:2001:db8:1::/64")]
    assert play.client.deadline == 9.0 + 8


@pytest.mark.parametrize(
    ("times", "lifetimes", "deadline"),
    [((0, 0), (20, 30), 10.0), ((0, 0), (INFINITE, INFINITE), None), ((100, 200), (20, 30), 30.0)],
    ids=["left to the client", "for ever", "too late"],
)
def test_when_to_renew(times, lifetimes, deadline):
    play = Play()
    given = {**GIVEN, "preflft": lifetimes[0], "validlft": lifetimes[1]}
    request, _ = play.hears(DHCP6_Advertise, play.at(0.0)[0], 0.0, given=given)
    play.hears(DHCP6_Reply, request, 0.0, given=given, T1=times[0], T2=times[1])
    assert play.client.deadline == deadline
    assert deadline is None or deadline < math.inf


@pytest.mark.parametrize(
    "more",
    [
        {"trid": 77}, {"iaid": 8}, {"router": 4}, {"client": "00:00:00:00:ff:09"}, {"given": None},
        {"given": {**GIVEN, "validlft": 0, "preflft": 0}},
        {"inside": [DHCP6OptStatusCode(statuscode=6), DHCP6OptIAPrefix(**GIVEN)]},
    ],
    ids=["another exchange", "another association", "another router", "another client", "nothing", "over", "refused"],
)  # fmt: skip
def test_advertisements_that_are_no_offer_are_not_followed(more):
    play = Play()
    assert play.hears(DHCP6_Advertise, play.at(0.0)[0], 1.0, **more) == (None, [])


def test_another_server_does_not_reply_for_the_one_that_was_chosen():
    play = Play()
    request, _ = play.hears(DHCP6_Advertise, play.at(0.0)[0], 1.0)
    assert play.hears(DHCP6_Reply, request, 2.0, server=DUID_LL(lladdr="0a:00:00:00:00:01")) == (None, [])


def test_a_server_that_was_chosen_and_is_silent_is_given_up():
    play = Play()
    play.hears(DHCP6_Advertise, play.at(0.0)[0], 0.0)
    assert isinstance(play.at(PATIENCE_S - 1)[0], DHCP6_Request)
    assert isinstance(play.at(PATIENCE_S + RETRY_S)[0], DHCP6_Solicit)


def test_a_server_that_forgot_the_prefix_is_asked_anew():
    play = Play().bound()
    renew, _ = play.at(8.0)
    assert play.hears(DHCP6_Reply, renew, 9.0, given=None) == (None, [])
    solicit, told = play.at(9.0 + RETRY_S)
    assert isinstance(solicit, DHCP6_Solicit)
    assert told == [], "it is valid still"


def test_a_prefix_that_the_database_knows_is_asked_for():
    known = Prefix(ip6_int("2001:db8:7::"), 56, 0, 0)
    message, _ = Play(REQUEST._replace(known=known)).at(0.0)
    found = message[DHCP6OptIAPrefix]
    assert (found.prefix, found.plen) == ("2001:db8:7::", 56)


def test_what_makes_no_sense_is_a_fault():
    play = Play()
    with pytest.raises(Malformed):
        list(play.client.packet(PacketIn(bytes(Ether() / IPv6() / UDP() / b"x"), match(metadata=2, reg14=3)), 0.0))


def test_who_asks_as_before_goes_on():
    play = Play().bound()
    play.client.follow({"port": REQUEST._replace(known=Prefix(ip6_int("2001:db8:1::"), 64, 0, 0))}, 1.0)
    assert play.client.deadline == 8.0
    play.client.follow({}, 1.0)
    assert play.client.deadline is None
