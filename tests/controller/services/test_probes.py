"""Health checks: what services are asked, what their answers mean, and when the database hears of it."""

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, UDPerror
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether

from pyovn.controller import layout
from pyovn.controller.effects import Judge, Send
from pyovn.controller.services.probes import Checked, Probing
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int, ip6_int
from pyovn.openflow.actions import Resubmit, SetField
from pyovn.openflow.match import match
from pyovn.openflow.messages import PacketIn

NUMBER = 50000
WEB = Checked(2, 3, 0x404400000001, 0x0A0000000009, 4, ip4_int("10.0.0.9"), ip4_int("10.0.0.1"), "tcp", 80)
WEB6 = WEB._replace(version=6, src=ip6_int("fd00::9"), dst=ip6_int("fd00::1"))


def probing(checked, now=0.0):
    machine = Probing(lambda low, high: NUMBER)
    machine.follow({"row": checked}, now)
    return machine


def asked(machine, now=0.0):
    """The frame of the one probe that is due."""
    (sent,) = [each for each in machine.handle(now) if isinstance(each, Send)]
    return sent.message


def answer(machine, packet, now=0.1, port=3):
    frame = Ether(src="40:44:00:00:00:01", dst="0a:00:00:00:00:09") / packet
    return list(machine.packet(PacketIn(bytes(frame), match(metadata=2, reg14=port)), now))


def network(checked):
    return IP(src="10.0.0.1", dst="10.0.0.9") if checked.version == 4 else IPv6(src="fd00::1", dst="fd00::9")


@pytest.mark.parametrize("checked", [WEB, WEB6], ids=["IPv4", "IPv6"])
def test_scapy_reads_the_probe(checked):
    message = asked(probing(checked))
    frame = Ether(message.packet)
    assert (frame.src, frame.dst) == ("0a:00:00:00:00:09", "40:44:00:00:00:01")
    assert (frame[TCP].sport, frame[TCP].dport, frame[TCP].flags) == (NUMBER, 80, "S")
    assert frame[TCP].chksum == type(frame)(bytes(frame.__class__(message.packet)))[TCP].chksum
    *metadata, last = message.actions
    assert {(each.field, each.value) for each in metadata if isinstance(each, SetField)} == {
        ("metadata", 2),
        ("reg15", 3),
    }
    assert last == Resubmit(layout.LOCAL_OUTPUT)


@pytest.mark.parametrize("checked", [WEB, WEB6], ids=["IPv4", "IPv6"])
def test_a_service_that_accepts_is_online_and_gets_a_reset(checked):
    machine = probing(checked)
    asked(machine)
    accepted = network(checked) / TCP(sport=80, dport=NUMBER, flags="SA", seq=77, ack=NUMBER + 1)
    thanks, judged = answer(machine, accepted)
    assert Ether(thanks.message.packet)[TCP].flags == "R"
    assert judged == Judge("row", "online")


def test_a_service_that_refuses_is_offline():
    machine = probing(WEB)
    asked(machine)
    assert answer(machine, network(WEB) / TCP(sport=80, dport=NUMBER, flags="RA")) == [Judge("row", "offline")]


def test_silence_is_bad_for_tcp_and_good_for_udp():
    for protocol, status in (("tcp", "offline"), ("icmp", "offline"), ("udp", "online")):
        machine = probing(WEB._replace(protocol=protocol))
        asked(machine)
        assert machine.deadline == 3.0
        assert list(machine.handle(2.9)) == []
        assert list(machine.handle(3.0)) == [Judge("row", status)]
        assert machine.deadline == 5.0, "the next probe, an interval after the last"
        asked(machine, 5.0)


def test_udp_without_a_listener_is_offline():
    machine = probing(WEB._replace(protocol="udp"))
    sent = Ether(asked(machine).packet)
    assert sent[UDP].dport == 80
    inner = IPerror(src="10.0.0.9", dst="10.0.0.1", proto=17) / UDPerror(sport=NUMBER, dport=80)
    assert answer(machine, network(WEB) / ICMP(type=3, code=3) / inner) == [Judge("row", "offline")]
    machine = probing(WEB6._replace(protocol="udp"))
    asked(machine)
    inner6 = IPv6(src="fd00::9", dst="fd00::1", nh=17) / UDP(sport=NUMBER, dport=80)
    assert answer(machine, network(WEB6) / ICMPv6DestUnreach(code=4) / inner6) == [Judge("row", "offline")]


def test_an_echo_is_answered():
    machine = probing(WEB._replace(protocol="icmp"))
    assert Ether(asked(machine).packet)[ICMP].id == NUMBER
    assert answer(machine, network(WEB) / ICMP(type=0, id=NUMBER, seq=1)) == [Judge("row", "online")]
    machine = probing(WEB6._replace(protocol="icmp"))
    assert Ether(asked(machine).packet)[ICMPv6EchoRequest].id == NUMBER
    assert answer(machine, network(WEB6) / ICMPv6EchoReply(id=NUMBER, seq=1)) == [Judge("row", "online")]


@pytest.mark.parametrize(
    "packet",
    [
        network(WEB) / TCP(sport=81, dport=NUMBER, flags="SA", ack=NUMBER + 1),
        network(WEB) / TCP(sport=80, dport=NUMBER + 1, flags="SA", ack=NUMBER + 1),
        network(WEB) / TCP(sport=80, dport=NUMBER, flags="SA", ack=NUMBER),
        network(WEB) / TCP(sport=80, dport=NUMBER, flags="A", ack=NUMBER + 1),
        network(WEB) / UDP(sport=80, dport=NUMBER),
        network(WEB) / ICMP(type=0, id=NUMBER),
        IP(src="10.0.0.2", dst="10.0.0.9") / TCP(sport=80, dport=NUMBER, flags="SA", ack=NUMBER + 1),
        IP(src="10.0.0.1", dst="10.0.0.8") / TCP(sport=80, dport=NUMBER, flags="SA", ack=NUMBER + 1),
    ],
)
def test_what_answers_another_question_says_nothing(packet):
    machine = probing(WEB)
    asked(machine)
    assert answer(machine, packet) == []
    assert answer(machine, network(WEB) / TCP(sport=80, dport=NUMBER, flags="RA"), port=4) == []


def test_nonsense_is_malformed():
    machine = probing(WEB)
    asked(machine)
    with pytest.raises(Malformed):
        list(machine.packet(PacketIn(b"\0" * 20, match(metadata=2, reg14=3)), 0.1))


def test_a_status_counts_once_it_was_found_often_enough():
    machine = probing(WEB._replace(successes=2, failures=3))
    refused = network(WEB) / TCP(sport=80, dport=NUMBER, flags="RA")
    accepted = network(WEB) / TCP(sport=80, dport=NUMBER, flags="SA", ack=NUMBER + 1)
    heard = []
    for round_, packet in enumerate([accepted, accepted, refused, refused, accepted, refused, refused, refused]):
        asked(machine, round_ * 5.0)
        heard.append([each.status for each in answer(machine, packet, round_ * 5.0) if isinstance(each, Judge)])
    assert heard == [[], ["online"], [], [], [], [], [], ["offline"]]


def test_a_changed_check_begins_anew_and_others_go_on():
    machine = probing(WEB)
    asked(machine)
    machine.follow({"row": WEB}, 1.0)
    assert machine.deadline == 3.0
    machine.follow({"row": WEB._replace(dst_port=81)}, 1.0)
    assert Ether(asked(machine, 1.0).packet)[TCP].dport == 81
    machine.follow({}, 2.0)
    assert machine.deadline is None
