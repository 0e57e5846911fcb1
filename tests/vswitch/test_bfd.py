"""BFD on ports of the switch: two switches back to back, and what makes a port usable."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.packet import bfd, datagram, ethernet, ipv4
from pyovn.packet.bfd import Diagnostic, State
from pyovn.vswitch.bfd import Config, Monitors, config
from pyovn.vswitch.errors import NoMonitor
from pyovn.vswitch.key import place
from pyovn.vswitch.ports import Port

PLAIN = Config()


class Pair:
    """Two ports, each the other's far end; frames cross while `works`."""

    def __init__(self, one=PLAIN, other=PLAIN, works=True, uniform=lambda low, high: high):
        self.now, self.works, self.sent = 0.0, works, []
        self.ports = [Port("one", 1, 1), Port("other", 1, 1)]
        self.sides = [Monitors(self.carry, uniform), Monitors(self.carry, uniform)]
        for side, port, wanted in zip(self.sides, self.ports, (one, other), strict=True):
            side.follow(port, wanted, 0.0)

    def carry(self, port, frame, oam):
        self.sent.append((self.now, port.name, frame))
        far = self.ports[port is self.ports[0]]
        if self.works and far.monitor is not None:
            assert far.monitor(frame, 0, self.now)

    def until(self, end):
        """Let time pass as its deadlines say."""
        while (due := min((side.deadline for side in self.sides if side.deadline is not None), default=end)) <= end:
            self.now = max(self.now, due)
            for side in self.sides:
                side.handle(self.now)
        self.now = end
        return [port.bfd_up for port in self.ports]


def test_two_ends_come_up_and_silence_takes_them_down():
    pair = Pair(Config(min_rx_ms=100), Config(min_rx_ms=100))
    assert [port.bfd_up for port in pair.ports] == [False, False]
    assert pair.until(3.0) == [True, True]
    pair.works = False
    assert pair.until(3.0 + 0.3 + 0.11) == [False, False]
    assert pair.sides[0].status(pair.ports[0])["diagnostic"] == "Control Detection Time Expired"
    pair.works = True
    assert pair.until(8.0) == [True, True]
    assert pair.sides[0].status(pair.ports[0])["flap_count"] == "3"


def test_who_could_not_listen_does_not_judge():
    pair = Pair(Config(min_rx_ms=100), Config(min_rx_ms=100))
    pair.until(3.0)
    pair.now = 9.0
    assert pair.until(12.0) == [True, True]
    assert [side.status(port)["flap_count"] for side, port in zip(pair.sides, pair.ports, strict=True)] == ["1", "1"]


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(50, 2000), st.integers(50, 2000), st.integers(1, 10))
def test_a_path_that_works_stays_up_whatever_the_intervals(seed, tx, rx, mult):
    pair = Pair(Config(min_tx_ms=tx, min_rx_ms=rx, multiplier=mult), Config(), uniform=Random(seed).uniform)
    pair.until(10.0)
    pair.until(60.0)
    assert [side.status(port)["flap_count"] for side, port in zip(pair.sides, pair.ports, strict=True)] == ["1", "1"]


def test_each_side_sends_as_slowly_as_the_other_wants():
    pair = Pair(Config(min_rx_ms=1000), Config(min_rx_ms=500))
    pair.until(10.0)
    pair.sent.clear()
    pair.until(20.0)
    assert sum(name == "one" for _, name, _ in pair.sent) == 20
    assert sum(name == "other" for _, name, _ in pair.sent) == 10


def test_what_leaves_the_port_is_what_open_vswitch_sends():
    pair = Pair()
    pair.ports[0].mac = 0x26EF08955001
    pair.until(0.0)
    _, _, frame = pair.sent[0]
    assert frame[:34].hex() == "00232000000126ef089550010800" + "45c0003400000000ff1164fb" + "a9fe0101a9fe0100"
    assert datagram.parse(frame).udp[:2] == (49152, 3784)


def test_a_path_that_ends_further_on_is_not_used():
    pair = Pair(Config(), Config(cpath_down=True))
    assert pair.until(5.0) == [False, True]
    assert pair.sides[0].status(pair.ports[0])["remote_diagnostic"] == "Concatenated Path Down"
    pair.sides[1].follow(pair.ports[1], Config(), pair.now)
    assert pair.until(10.0) == [True, True]


def test_data_speaks_for_a_port_only_so_long():
    pair = Pair(Config(forwarding_if_rx=True), works=False)
    assert pair.until(5.0) == [False, False]
    pair.ports[0].rx_packets += 1
    assert pair.until(6.5)[0] is True
    assert pair.until(12.0)[0] is False


def test_an_idle_port_slows_down_and_data_wakes_it():
    pair = Pair(Config(min_rx_ms=100, decay_min_rx_ms=1000), Config())
    pair.until(10.0)

    def packets_of_the_other(seconds):
        pair.sent.clear()
        pair.until(pair.now + seconds)
        return sum(name == "other" for _, name, _ in pair.sent)

    assert packets_of_the_other(10) in (10, 11)
    for _ in range(4):
        pair.ports[0].rx_packets += 1
        pair.until(pair.now + 1)
    pair.ports[0].rx_packets += 1
    assert packets_of_the_other(1) >= 9


def test_only_packets_for_the_port_are_taken():
    pair = Pair(Config(check_tnl_key=True, remote_dst_mac=0x002320000001), works=False)
    pair.until(0.0)
    port, frame = pair.ports[0], pair.sent[1][2]
    assert port.monitor(frame, 0, 0.0)
    assert not port.monitor(frame, place("tun_id", 5), 0.0)
    assert not port.monitor(b"\xff" * 6 + frame[6:], 0, 0.0)
    assert not port.monitor(frame[:23] + b"\x06" + frame[24:], 0, 0.0)
    assert not port.monitor(frame[:30], 0, 0.0)


def test_nonsense_in_a_control_packet_changes_nothing():
    pair = Pair()
    pair.until(5.0)
    good = datagram.parse(pair.sent[-1][2])
    for data in (b"", bfd.build(bfd.parse(good.data))[:10], bfd.build(bfd.parse(good.data)._replace(multiplier=0))):
        assert pair.ports[0].monitor(datagram.build(good.saying(data)), 0, pair.now)
    stranger = bfd.Control(State.DOWN, 7, 0xDEAD)
    assert pair.ports[0].monitor(datagram.build(good.saying(bfd.build(stranger))), 0, pair.now)
    assert pair.ports[0].bfd_up


def test_forcing_goes_over_the_session():
    pair = Pair()
    pair.until(5.0)
    side, port = pair.sides[0], pair.ports[0]
    side.force("one", False, pair.now)
    assert (port.bfd_up, side.status(port)["flap_count"]) == (False, "1")
    side.force(None, None, pair.now)
    assert port.bfd_up is True
    with pytest.raises(NoMonitor, match="no such bfd object"):
        side.force("two", True, pair.now)


def test_ending_bfd_makes_a_port_like_any_other():
    pair = Pair()
    pair.sides[0].follow(pair.ports[0], None, 0.0)
    assert (pair.ports[0].bfd_up, pair.ports[0].monitor, pair.sides[0].deadline) == (None, None, None)
    assert pair.sides[0].show(None, 0.0) == ""


def test_settings_that_make_no_sense_are_the_default():
    assert config({"min_rx": "5"}) is None
    assert config({"enable": "true", "min_rx": "soon", "mult": "900", "bfd_src_ip": "x", "min_tx": "7"}) == Config(
        min_tx_ms=7, multiplier=255
    )
    assert config({"enable": "true", "bfd_local_dst_mac": "00:00:00:00:00:09", "oam": "true"}) == Config(
        local_dst_mac=9, oam=True
    )


def test_every_diagnostic_of_the_standard_has_words():
    pair = Pair()
    pair.until(5.0)
    good = datagram.parse(pair.sent[-1][2])
    for code in (*Diagnostic, 31):
        said = bfd.parse(good.data)._replace(diagnostic=int(code), state=State.UP, your_discriminator=0xFFFFFFFF)
        pair.ports[0].monitor(datagram.build(good.saying(bfd.build(said))), 0, pair.now)
        words = pair.sides[0].status(pair.ports[0])["remote_diagnostic"]
        assert (words == "Unknown") is (code == 31)


def test_frames_are_ip_in_ethernet():
    pair = Pair()
    pair.until(0.0)
    packet = ipv4.parse(ethernet.parse(pair.sent[0][2]).payload)
    assert (packet.ttl, packet.tos) == (255, 0xC0)
