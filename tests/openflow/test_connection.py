"""One side of a connection: hello, echo, framing, complaints."""

import pytest

from pyovn.openflow import codec, errors
from pyovn.openflow import messages as m
from pyovn.openflow.connection import Connection, Event, Failed, Received, Send, State, Up

HELLO = codec.encode(m.Hello(), 1)


def up() -> Connection:
    connection = Connection()
    assert list(connection.receive(HELLO)) == [Up()]
    return connection


def decoded(event: Event) -> tuple[m.Message, int]:
    assert isinstance(event, Send)
    return codec.decode(event.data)


def test_we_greet_with_openflow_15() -> None:
    assert codec.decode(Connection().greeting)[0] == m.Hello(1 << 6)


def test_a_common_version_brings_us_up() -> None:
    assert up().state is State.UP


@pytest.mark.parametrize("size", [1, 3, 8, 100])
def test_messages_arrive_however_they_are_cut(size: int) -> None:
    stream = HELLO + codec.encode(m.BarrierRequest(), 2) + codec.encode(m.PacketOut(b"abc", ()), 3)
    connection = Connection()
    events = [event for at in range(0, len(stream), size) for event in connection.receive(stream[at : at + size])]
    assert events == [Up(), Received(m.BarrierRequest(), 2), Received(m.PacketOut(b"abc", ()), 3)]


def test_echo_is_answered_here() -> None:
    (event,) = up().receive(codec.encode(m.EchoRequest(b"x"), 9))
    assert decoded(event) == (m.EchoReply(b"x"), 9)


def test_a_second_hello_is_ignored() -> None:
    assert list(up().receive(HELLO)) == []


def test_an_old_peer_is_told_and_left() -> None:
    connection = Connection()
    told, failed = connection.receive(bytes.fromhex("0400000800000001"))
    message, _ = decoded(told)
    assert isinstance(message, m.Error)
    assert message.type == errors.HELLO_FAILED
    assert isinstance(failed, Failed)
    assert connection.state is State.FAILED


def test_the_peers_refusal_ends_it() -> None:
    refusal = codec.encode(m.Error(errors.HELLO_FAILED, 0, b""))
    assert list(Connection().receive(refusal)) == [Failed("the peer refused us: OFPHFC_INCOMPATIBLE")]


def test_hello_comes_first() -> None:
    assert list(Connection().receive(codec.encode(m.BarrierRequest()))) == [Failed("BarrierRequest before hello")]


def test_a_bad_message_is_complained_about_and_the_next_one_read() -> None:
    bad = codec.framed(codec.MULTIPART_REQUEST, 5, bytes.fromhex("0063000000000000"))
    short = codec.framed(codec.FLOW_MOD, 6, b"abc")
    first, second, third = up().receive(bad + short + codec.encode(m.BarrierRequest(), 7))
    assert decoded(first) == (m.Error(*errors.CODES["OFPBRC_BAD_MULTIPART"], bad), 5)
    assert decoded(second) == (m.Error(*errors.CODES["OFPBRC_BAD_LEN"], short), 6)
    assert third == Received(m.BarrierRequest(), 7)


def test_a_complaint_quotes_64_bytes() -> None:
    (event,) = up().receive(codec.framed(codec.FLOW_MOD, 6, bytes(30)))
    message, _ = decoded(event)
    assert isinstance(message, m.Error)
    assert len(message.data) == 38
    (event,) = up().receive(codec.framed(codec.MULTIPART_REQUEST, 5, b"\0\x63" + bytes(100)))
    message, _ = decoded(event)
    assert isinstance(message, m.Error)
    assert len(message.data) == 64


def test_an_impossible_length_ends_it() -> None:
    assert list(up().receive(bytes.fromhex("0600000400000001"))) == [Failed("OFPBRC_BAD_LEN: 4")]


def test_errors_have_names() -> None:
    assert str(errors.Refused(4, 9)) == "OFPBMC_BAD_PREREQ"
    assert str(errors.Refused(99, 9)) == "type 99, code 9"
    assert errors.BadMessage("OFPBRC_BAD_TYPE").numbers == (1, 1)
    assert str(errors.BadMessage("OFPBRC_BAD_TYPE", "why")) == "OFPBRC_BAD_TYPE: why"
    assert str(errors.BadMessage("OFPBRC_BAD_TYPE")) == "OFPBRC_BAD_TYPE"
