"""Tools that speak older versions of OpenFlow: nothing they send takes the switch down."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.openflow import codec
from pyovn.openflow.connection import SWITCHES, Connection, Received, Send
from pyovn.openflow.of10.actions import encode_actions
from pyovn.openflow.of10.match import encode_fixed, encode_nxm
from pyovn.vswitch.agent import Session
from tests.openflow import strategies
from tests.vswitch.worlds import World

HELLO = bytes.fromhex("0100000800000001")
VENDOR = struct.pack("!I", 0x2320)


def framed(kind: int, body: bytes) -> bytes:
    return struct.pack("!BBHI", 1, kind, 8 + len(body), 7) + body


nxm = strategies.matches.map(encode_nxm)
lists = strategies.action_lists.map(encode_actions)
#: bodies that come close to making sense, and others
bodies = st.one_of(
    st.binary(max_size=120),
    st.tuples(st.binary(max_size=24), nxm | strategies.matches.map(encode_fixed), st.binary(max_size=32), lists).map(
        b"".join
    ),
)
nicira = st.tuples(st.integers(0, 40), bodies).map(
    lambda both: framed(4, VENDOR + struct.pack("!I", both[0]) + both[1])
)
statistics = st.tuples(st.sampled_from((0, 1, 2, 3, 4, 5, 13, 0xFFFF)), bodies).map(
    lambda both: framed(16, struct.pack("!HH", both[0], 0) + both[1])
)
vendor_statistics = st.tuples(st.integers(0, 10), bodies).map(
    lambda both: framed(16, struct.pack("!HH", 0xFFFF, 0) + VENDOR + struct.pack("!I4x", both[0]) + both[1])
)


@st.composite
def flow_mods(draw: st.DrawFn) -> bytes:
    """Flow-mods that make sense but for a bit."""
    match, actions = draw(strategies.matches), draw(lists)
    head = struct.pack(
        "!QHHHHIHH",
        draw(st.integers(0, 9)),
        draw(st.integers(0, 6)),
        0,
        0,
        5,
        2**32 - 1,
        0xFFFF,
        draw(st.integers(0, 7)),
    )
    if draw(st.booleans()):
        return framed(14, encode_fixed(match) + head + actions)
    terms = encode_nxm(match)
    padded = terms + bytes(-len(terms) & 7)
    return framed(4, VENDOR + struct.pack("!I", 13) + head + struct.pack("!H6x", len(terms)) + padded + actions)


messages = st.one_of(
    st.tuples(st.integers(0, 30), bodies).map(lambda both: framed(*both)),
    nicira,
    statistics,
    vendor_statistics,
    flow_mods(),
)


@settings(max_examples=150)
@given(st.lists(messages, max_size=8))
def test_whatever_comes_is_answered_or_ignored(received: list[bytes]) -> None:
    world, connection = World(), Connection(SWITCHES)
    list(connection.receive(HELLO))
    session = Session(world.datapath, world.bridge, dialect=connection.dialect)
    for event in connection.receive(b"".join(received)):
        assert isinstance(event, Received | Send)
        replies = session.receive(*event) if isinstance(event, Received) else []
        for reply, xid in replies:
            assert all(part[0] == 1 for part in codec.split(connection.dialect.encode(reply, xid)))
    assert connection.dialect.encode(*session.receive(*connection.dialect.decode(framed(18, b"")))[0]) == framed(
        19, b""
    )


@given(st.lists(flow_mods(), max_size=8))
def test_what_was_installed_can_be_shown(received: list[bytes]) -> None:
    world, connection = World(), Connection(SWITCHES)
    list(connection.receive(HELLO))
    session = Session(world.datapath, world.bridge, dialect=connection.dialect)
    ask_nxm = framed(16, struct.pack("!HH4sI4xHHB3x", 0xFFFF, 0, VENDOR, 0, 0xFFFF, 0, 0xFF))
    ask_fixed = framed(16, struct.pack("!HH", 1, 0) + encode_fixed(()) + struct.pack("!BxH", 0xFF, 0xFFFF))
    for event in connection.receive(b"".join(received)):
        if isinstance(event, Received):
            session.receive(*event)
    for ask in (ask_nxm, ask_fixed):
        ((reply, xid),) = session.receive(*connection.dialect.decode(ask))
        shown = connection.dialect.encode(reply, xid)
        assert len(reply.entries) == sum(1 for _ in world.bridge.tables)
        assert shown[:2] == b"\x01\x11"


HELLOS = {4: bytes.fromhex("04000010000000010001000800000010"), 5: bytes.fromhex("05000010000000010001000800000020")}
newer = st.tuples(st.integers(0, 35), bodies | st.tuples(st.binary(max_size=40), lists).map(b"".join))


@settings(max_examples=150)
@given(st.sampled_from((4, 5)), st.lists(newer, max_size=8))
def test_newer_tools_are_answered_too(version: int, received: list[tuple[int, bytes]]) -> None:
    world, connection = World(), Connection(SWITCHES)
    list(connection.receive(HELLOS[version]))
    session = Session(world.datapath, world.bridge, dialect=connection.dialect)
    data = b"".join(bytes((version,)) + framed(kind, body)[1:] for kind, body in received)
    for event in connection.receive(data):
        assert isinstance(event, Received | Send)
        for reply, xid in session.receive(*event) if isinstance(event, Received) else []:
            assert all(part[0] == version for part in codec.split(connection.dialect.encode(reply, xid)))
