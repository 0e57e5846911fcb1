import json
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.cli.session import ConnectionFailed, Refused, Session, connect, split_address

messages = st.recursive(
    st.one_of(st.integers(), st.text(max_size=5), st.sampled_from(["{", "}", '"', "é", "\\"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.lists(messages, min_size=1, max_size=4), st.lists(st.integers(1, 40), min_size=1))
def test_messages_arrive_whole_however_they_are_cut(results: list[object], sizes: list[int]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        text = "".join(json.dumps({"id": None, "method": "update", "params": [None, result]}) for result in results)
        data = text.encode() + json.dumps({"id": 1, "result": "done", "error": None}).encode()
        session = Session(ours, "test")
        serial = session.start("get")
        feeder = threading.Thread(target=feed, args=(theirs, data, sizes))
        feeder.start()
        assert session.finish(serial) == "done"
        feeder.join()
        assert session.take_updates() == results


def feed(stream: socket.socket, data: bytes, sizes: list[int]) -> None:
    at, turn = 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        stream.sendall(data[at : at + size])
        at, turn = at + size, turn + 1


def test_echoes_are_answered_while_waiting() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        session = Session(ours, "test")
        serial = session.start("get_schema", "x")
        theirs.sendall(b'{"id":"echo","method":"echo","params":["hi"]}{"id":1,"result":{},"error":null}')
        assert session.finish(serial) == {}
        sent = theirs.recv(4096).decode()
        assert '{"id":"echo","error":null,"result":["hi"]}' in sent


def test_an_error_is_raised() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b'{"id":1,"result":null,"error":{"error":"unknown database"}}')
        with pytest.raises(Refused, match='{"error":"unknown database"}'):
            Session(ours, "test").call("get_schema", "x")


def test_a_lost_connection_is_told() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(ConnectionFailed):
        Session(ours, "unix:x").call("get_schema", "x")


@pytest.mark.parametrize(
    ("news", "leader_only", "fault"),
    [
        ({"leader": False}, True, "not the leader"),
        ({"leader": False}, False, None),
        ({"connected": False}, False, "disconnected from its cluster"),
        ({"connected": False, "name": "other"}, True, None),
        ({"connected": False, "model": "standalone"}, True, None),
        ({"leader": False, "model": "relay"}, True, None),
    ],
)
def test_a_member_that_can_serve_no_more_counts_as_lost(news: dict[str, object], leader_only: bool, fault: str) -> None:
    row = {"name": "db", "model": "clustered", "connected": True, "leader": True}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(theirs, {"id": 1, "result": {"Database": {"u": {"new": row}}}, "error": None})
        session = Session(ours, "test")
        assert session.follow("db", leader_only=leader_only)
        update = {"Database": {"u": {"old": {}, "new": row | news}}}
        send(theirs, {"id": None, "method": "update", "params": ["_Server", update]})
        send(theirs, {"id": 2, "result": "done", "error": None})
        if fault is None:
            assert session.call("transact", "db") == "done"
        else:
            with pytest.raises(ConnectionFailed, match=fault):
                session.call("transact", "db")


def send(stream: socket.socket, message: object) -> None:
    stream.sendall(json.dumps(message).encode())


@pytest.mark.parametrize(
    ("remote", "reason"),
    [
        ("unix:/nonexistent", "No such file or directory"),
        ("tcp:127.0.0.1:1", "Connection refused"),
        ("nonsense", "Address family not supported by protocol"),
    ],
)
def test_an_unreachable_server_is_told(remote: str, reason: str) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        connect(remote, "OVN_Northbound")
    assert str(caught.value) == f"{remote}: database connection failed ({reason})"


def test_addresses_are_taken_apart() -> None:
    assert split_address("10.0.0.1:6641") == ("10.0.0.1", "6641")
    assert split_address("[fd00::1]:6641") == ("fd00::1", "6641")
    assert split_address("[fd00::1]") == ("fd00::1", "")
