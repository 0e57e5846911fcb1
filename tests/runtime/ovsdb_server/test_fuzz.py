"""Random bytes and random messages at a server's socket: it neither ends, nor grows, nor forgets its other clients."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ovsdb.server.engine import insert, select
from tests.ovsdb.server.fuzz import messages
from tests.support.clusters import eventually
from tests.support.rich_schema import RICH
from tests.support.servers import Rpc, RunningServer, server_process

MOST_GROWTH_KB = 8 * 1024  #: of a server that starts at some 25 MB

fragments = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b'{"id":', b'"method":', b'"params":[', b"{", b"}", b"[", b"]", b'"', b"\\u0000", b"\\", b"null"]),
    messages().map(lambda message: json.dumps(message).encode()),
)
streams = st.lists(fragments, max_size=8)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with server_process(RICH) as running:
        running.transact("Rich", insert(name="a"))
        yield running


def resident_kb(server: RunningServer) -> int:
    (line,) = (each for each in Path(f"/proc/{server.pid}/status").read_text().splitlines() if each[:5] == "VmRSS")
    return int(line.split()[1])


def offer(server: RunningServer, pieces: list[bytes]) -> None:
    """Send bytes on a connection of their own, whatever the server says, and hang up."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(server.path)
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass  # cut off already


def test_no_bytes_take_the_server_down(server: RunningServer) -> None:
    with server.rpc() as witness:
        witness.call("monitor", "Rich", "m", {"Root": [{"columns": ["name"]}]})

        @settings(max_examples=150, deadline=None)
        @given(streams)
        def play(pieces: list[bytes]) -> None:
            offer(server, pieces)

        play()
        before = resident_kb(server)
        play()
        assert resident_kb(server) - before < MOST_GROWTH_KB
        assert witness.call("echo", 1)["result"] == [1]
        assert "rows" in witness.transact("Rich", select("Root"))[0]
    assert eventually(lambda: sessions(server) == 0)
    assert "Traceback" not in server.log()
    assert "Fatal error" not in server.log()


def sessions(server: RunningServer) -> int:
    """How many clients are connected."""
    with Rpc(server.control) as rpc:
        sizes: dict[str, Any] = dict(each.split(":") for each in rpc.call("memory/show")["result"].split())
    return int(sizes.get("sessions", 0))
