"""Paused packets that go on."""

from hypothesis import given
from hypothesis import strategies as st

from pyovn.controller.effects import resumed
from pyovn.openflow import packet_in
from pyovn.openflow.messages import PacketIn
from pyovn.packet.cursor import Cursor


@given(st.binary(min_size=1, max_size=99), st.binary(min_size=1, max_size=99))
def test_what_goes_on_counts_its_own_bytes(came: bytes, goes: bytes) -> None:
    paused = packet_in.decode(Cursor(packet_in.encode(PacketIn(came, continuation=b"12345678"))))
    assert paused.total_len == len(came)
    again = packet_in.decode(Cursor(packet_in.encode(resumed(paused, goes).message)))
    assert (again.packet, again.total_len) == (goes, len(goes))
