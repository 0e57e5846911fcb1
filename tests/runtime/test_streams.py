import asyncio
from pathlib import Path

import pytest

from pyovn.net.errors import Malformed
from pyovn.runtime.streams import Remote, StreamFault, Tls, close, connect, listen, remotes
from tests.support.certificates import certificates
from tests.support.loops import asynchronous


@pytest.mark.parametrize(
    ("text", "kind", "path", "host", "port"),
    [
        ("unix:/run/x", "unix", "/run/x", "", 0),
        ("punix:/run/x", "punix", "/run/x", "", 0),
        ("tcp:1.2.3.4:6642", "tcp", "", "1.2.3.4", 6642),
        ("tcp:[::1]:6642", "tcp", "", "::1", 6642),
        ("tcp:[::1]", "tcp", "", "::1", 6640),
        ("ssl:central", "ssl", "", "central", 6640),
        ("ptcp:6641", "ptcp", "", "", 6641),
        ("ptcp:0:127.0.0.1", "ptcp", "", "127.0.0.1", 0),
        ("pssl:6641:[::]", "pssl", "", "::", 6641),
        ("ptcp:", "ptcp", "", "", 6640),
    ],
)
def test_the_name_of_a_stream_is_taken_apart(text: str, kind: str, path: str, host: str, port: int) -> None:
    remote = Remote.parse(text)
    assert (remote.kind, remote.path, remote.host, remote.port) == (kind, path, host, port)
    assert str(remote) == text
    assert remote.is_passive == text.startswith("p")
    assert remote.uses_tls == ("ssl" in kind)


@pytest.mark.parametrize("text", ["", "x", "udp:1.2.3.4:5", "unix:", "tcp:", "tcp:a:b", "tcp:a:65536", "ptcp:x"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Remote.parse(text)


def test_a_list_of_remotes() -> None:
    assert [str(each) for each in remotes("tcp:a:1, unix:/b")] == ["tcp:a:1", "unix:/b"]
    for text in ("", ",", "punix:/a"):
        with pytest.raises(Malformed):
            remotes(text)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.readexactly(5))
    await close(writer)


async def echoed(passive: Remote, tls: Tls | None = None) -> bytes:
    """What comes back from an echo server at `passive`."""
    server = await listen(passive, echo, tls)
    async with server:
        kind = passive.kind.removeprefix("p")
        port = 0 if passive.path else server.sockets[0].getsockname()[1]
        reader, writer = await connect(Remote(kind, passive.path, passive.host, port), tls)
        writer.write(b"hello")
        answer = await reader.read()
        await close(writer)
    return answer


@asynchronous
async def test_bytes_go_through_tcp() -> None:
    assert await echoed(Remote.parse("ptcp:0:127.0.0.1")) == b"hello"


@asynchronous
async def test_bytes_go_through_unix_sockets(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("left over")
    assert await echoed(Remote.parse(f"punix:{tmp_path}/s")) == b"hello"


@asynchronous
async def test_paths_may_be_longer_than_a_socket_address(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100)
    directory.mkdir()
    assert await echoed(Remote.parse(f"punix:{directory}/s")) == b"hello"


@asynchronous
async def test_bytes_go_through_tls(tmp_path: Path) -> None:
    assert await echoed(Remote.parse("pssl:0:127.0.0.1"), certificates(tmp_path)) == b"hello"


@asynchronous
async def test_a_peer_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ours, theirs = certificates(tmp_path / "a"), certificates(tmp_path / "b")
    server = await listen(Remote.parse("pssl:0:127.0.0.1"), echo, theirs)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(StreamFault, match="certificate verify failed"):
            await connect(Remote("ssl", host="127.0.0.1", port=port), ours)


@asynchronous
async def test_why_a_stream_cannot_be_opened_is_said_in_the_systems_words(tmp_path: Path) -> None:
    with pytest.raises(StreamFault, match="^No such file or directory$"):
        await connect(Remote.parse(f"unix:{tmp_path}/nothing"))
    with pytest.raises(StreamFault, match="listen failed"):
        await listen(Remote.parse(f"punix:{tmp_path}/no/s"), echo)


@pytest.mark.parametrize(
    ("tls", "text"), [(Tls(), "needs a private key"), (Tls("/no", "/no", "/no"), "cannot use SSL files /no")]
)
def test_missing_files_for_tls_are_named(tls: Tls, text: str) -> None:
    with pytest.raises(StreamFault, match=text):
        tls.context(server=True)
