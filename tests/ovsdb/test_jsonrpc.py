import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.ovsdb.errors import ProtocolFault
from pyovn.ovsdb.jsonrpc import Splitter, error, kind, notification, parse, reply, request

NASTY = st.text(st.sampled_from('{}"\\ \nabid:,[]é'), max_size=12)
JSON = st.recursive(
    st.none() | st.integers() | NASTY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY, inner, max_size=3),
)
ODD = st.builds(lambda first, rest: {"result": first, **rest}, JSON, st.dictionaries(NASTY, JSON, max_size=3))
MESSAGES = st.builds(request, NASTY, st.lists(JSON, max_size=3), st.integers()) | ODD


@st.composite
def cuts(draw: st.DrawFn) -> tuple[list[Any], list[bytes]]:
    """Messages, and their bytes in pieces of any size."""
    messages = draw(st.lists(MESSAGES, max_size=4))
    style = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    between = draw(st.sampled_from(["", "\n", " \t "]))
    stream = between.join(json.dumps(each, separators=style, ensure_ascii=False) for each in messages).encode()
    places = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return messages, [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]


@given(cuts())
def test_messages_are_found_however_the_stream_is_cut(cut: tuple[list[Any], list[bytes]]) -> None:
    messages, pieces = cut
    splitter = Splitter()
    assert [parse(json.loads, text) for piece in pieces for text in splitter.feed(piece)] == messages
    assert splitter.pending == 0


def test_the_last_message_is_given_as_soon_as_it_is_whole() -> None:
    splitter = Splitter()
    assert list(splitter.feed(b'{"id":1,"method":"x","params":["}"')) == []
    assert list(splitter.feed(b"]}")) == [b'{"id":1,"method":"x","params":["}"]}']


def test_every_byte_alone_is_enough() -> None:
    stream = b'{"a":"\\"}{\\\\"} {"b":{"c":"}{\\"id\\""}}\n'
    splitter = Splitter()
    found = [text for byte in stream for text in splitter.feed(bytes([byte]))]
    assert [json.loads(text) for text in found] == [{"a": '"}{\\'}, {"b": {"c": '}{"id"'}}]


@pytest.mark.parametrize("stream", [b"x", b'  x{"a":1}', b'{"id":1}]', b"[]", b'{"id":1}}'])
def test_bytes_that_can_begin_no_message_are_refused(stream: bytes) -> None:
    splitter = Splitter()
    with pytest.raises(ProtocolFault):
        [parse(json.loads, text) for piece in (stream, b'{"id":2}') for text in splitter.feed(piece)]


def test_good_messages_before_the_fault_are_still_given() -> None:
    splitter = Splitter()
    found = splitter.feed(b'{"id":1}{"id":2')
    assert next(found) == b'{"id":1}'
    assert list(found) == []
    assert list(splitter.feed(b"}")) == [b'{"id":2}']
    with pytest.raises(ProtocolFault, match="stray byte b'j'"):
        list(splitter.feed(b"junk"))


def test_a_message_that_never_ends_is_refused() -> None:
    splitter = Splitter(largest=100)
    with pytest.raises(ProtocolFault, match="longer than 100 bytes"):
        [text for _ in range(20) for text in splitter.feed(b'{"a":"xxxxxxxxxxxxxxxx')]


def test_a_long_message_may_arrive_in_many_pieces() -> None:
    message = json.dumps({"id": 1, "result": ['a {b} \\ "c" }'] * 20_000}).encode()
    splitter = Splitter()
    found = [text for at in range(0, len(message), 1000) for text in splitter.feed(message[at : at + 1000])]
    assert found == [message]


@pytest.mark.parametrize("text", [b"{", b"[1]", b'"x"', b'{"a":}', b"[" * 100_000])
def test_what_is_not_a_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolFault):
        parse(json.loads, text)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (request("m", [], 1), "request"),
        (notification("m", []), "notification"),
        (reply({}, 1), "reply"),
        (error("x", 1), "error"),
        ({"id": 1, "result": None, "error": None}, "reply"),
    ],
)
def test_the_kind_of_a_message(message: dict[str, Any], expected: str) -> None:
    assert kind(message) == expected


@pytest.mark.parametrize("message", [{}, {"method": 1}, {"method": "m", "params": {}}, {"id": 1}, {"result": 1}])
def test_a_message_of_no_kind_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(ProtocolFault):
        kind(message)
