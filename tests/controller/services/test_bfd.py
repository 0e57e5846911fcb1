"""BFD sessions of router ports: their packets, and what the database hears of them."""

import pytest
from scapy.contrib.bfd import BFD
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from pyovn.controller.effects import Judge, Send
from pyovn.controller.services.bfd import STATUS, Path, Sessions, message
from pyovn.net.ip import ip4_int, ip6_int
from pyovn.openflow.match import match
from pyovn.openflow.messages import PacketIn
from pyovn.packet.bfd import Control, State

PATH = Path(2, 3, 0x0000FF01, 4, ip4_int("10.0.0.1"), ip4_int("10.0.0.2"), 49152, 11, 100_000, 100_000, 3)


@pytest.mark.parametrize("version", [4, 6])
def test_scapy_reads_what_a_session_sends(version):
    path = PATH if version == 4 else PATH._replace(version=6, src=ip6_int("fd00::1"), dst=ip6_int("fd00::2"))
    found = Ether(message(path, Control(State.DOWN, 11)).message.packet)
    packet = found[IP if version == 4 else IPv6]
    assert (packet.ttl if version == 4 else packet.hlim) == 255
    assert (found[UDP].dport, found[UDP].sport, BFD(bytes(found[UDP].payload)).my_discriminator) == (3784, 49152, 11)


def packet_in(state=1, ttl=255, src="10.0.0.2", yours=11):
    packet = Ether() / IP(src=src, dst="10.0.0.1", ttl=ttl) / UDP(dport=3784)
    packet /= BFD(sta=state, my_discriminator=22, your_discriminator=yours, min_tx_interval=100_000)
    return PacketIn(bytes(packet), match(metadata=2, reg14=3))


def running():
    machines = Sessions(lambda low, high: high)
    machines.follow({"row": PATH}, 0.0)
    return machines


def test_the_database_hears_of_every_state():
    machines = running()
    assert list(machines.packet(packet_in(), 0.0)) == [Judge("row", "init")]
    assert list(machines.packet(packet_in(2), 0.0)) == [Judge("row", "up")]
    assert [each for each in machines.handle(9.0) if isinstance(each, Judge)] == [Judge("row", "down")]
    assert machines.status("row") == STATUS[State.DOWN]


@pytest.mark.parametrize(
    "fields", [{"ttl": 254}, {"src": "10.0.0.9"}, {"yours": 99}], ids=["routed", "who", "for whom"]
)
def test_strange_packets_are_not_heard(fields):
    machines = running()
    assert list(machines.packet(packet_in(**fields), 0.0)) == []
    assert machines.status("row") == "down"


def test_sessions_begin_with_a_packet_and_end_with_their_row():
    machines = running()
    assert [type(each) for each in machines.handle(0.0)] == [Send]
    machines.follow({}, 0.0)
    assert (machines.deadline, machines.status("row")) == (None, None)


def test_a_session_whose_path_stays_goes_on():
    machines = running()
    list(machines.packet(packet_in(), 0.0))
    machines.follow({"row": PATH}, 0.0)
    assert machines.status("row") == "init"
    machines.follow({"row": PATH._replace(multiplier=5)}, 0.0)
    assert machines.status("row") == "down"
