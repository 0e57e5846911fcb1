import io
import struct

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.net.errors import Malformed
from pyovn.packet import pcap

FRAMES = st.lists(st.tuples(st.integers(0, 2**31), st.binary(max_size=200)))


@given(FRAMES)
def test_what_is_written_is_read(frames):
    data = pcap.HEADER + b"".join(pcap.record(pcap.Captured(time, frame)) for time, frame in frames)
    assert [(int(captured.time_s), captured.frame) for captured in pcap.parse(data)] == frames


@given(FRAMES)
def test_others_read_it_too(frames):
    data = pcap.HEADER + b"".join(pcap.record(pcap.Captured(time, frame)) for time, frame in frames)
    assert [(int(time), frame) for time, frame in dpkt.pcap.Reader(io.BytesIO(data))] == frames


def test_files_of_little_endian_microseconds_are_read():
    header = struct.pack("<IHHIIII", pcap.MICROSECONDS, 2, 4, 0, 0, 65535, 1)
    (captured,) = pcap.parse(header + struct.pack("<IIII", 5, 500_000, 2, 2) + b"ab")
    assert captured == pcap.Captured(5.5, b"ab")


@pytest.mark.parametrize("data", [b"", b"x" * 24, pcap.HEADER + b"1", pcap.HEADER + bytes(11) + b"\x09" + bytes(4)])
def test_a_broken_file_is_refused(data):
    with pytest.raises(Malformed, match="capture file"):
        list(pcap.parse(data))
