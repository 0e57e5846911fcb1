import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyovn.net.errors import OvnError
from pyovn.runtime.commands import ANY_NUMBER, Command, CommandFailed, counter_commands
from pyovn.runtime.control import ControlServer, send
from pyovn.runtime.counters import Counters
from pyovn.runtime.streams import StreamFault
from tests.support.c_programs import need
from tests.support.loops import asynchronous
from tests.support.servers import c_server_process

VERSION = "demo (pyovn) 0.1"


async def slow(words: list[str]) -> str:
    await asyncio.sleep(0)
    return " ".join(words)


def broken(words: list[str]) -> str:
    raise ZeroDivisionError("odd")


def refusing(words: list[str]) -> str:
    raise OvnError(f"no {words[0]} here")


COMMANDS = {
    "say": Command(slow, "WORD...", 0, ANY_NUMBER),
    "broken": Command(broken),
    "find": Command(refusing, "NAME", 1, 1),
    "quiet": Command(lambda _: None),
    **counter_commands(Counters()),
}


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="ov") as directory:
        path = f"{directory}/demo.ctl"
        async with ControlServer(path, COMMANDS, version=VERSION):
            yield path
        assert not Path(path).exists()


ANSWERS = [
    ("say", ["a b", "c"], "a b c"),
    ("version", [], VERSION),
    ("quiet", [], ""),
    ("vlog/set", ["vlog:file:dbg"], None),
    (
        "coverage/show",
        [],
        "Event coverage, avg rate over last: 5 seconds, last minute, last hour:\n0 events never hit\n",
    ),
]
REFUSALS = [
    ("dance", [], '"dance" is not a valid command (use "list-commands" to see a list of valid commands)'),
    ("version", ["x"], '"version" command takes at most 0 arguments'),
    ("find", [], '"find" command requires at least 1 arguments'),
    ("find", ["p1"], "no p1 here"),
    ("broken", [], "internal error: ZeroDivisionError: odd"),
    ("vlog/set", ["foo"], 'no destination, level, or module "foo"'),
    ("set-options", ["--format", "xml"], "option format has invalid value xml"),
    ("set-options", ["--format"], "option '--format' requires an argument"),
    ("set-options", ["--colour", "red"], "unrecognized option '--colour'"),
]


@asynchronous
async def test_commands_are_carried_out() -> None:
    async with server() as path:
        assert await send(path, "say", ["a b", "c"]) == "a b c\n"
        assert await send(path, "version") == f"{VERSION}\n"
        assert await send(path, "quiet") == ""
        assert await send(path, "set-options", ["--format", "text"]) == ""
        assert "  say                     WORD...\n" in await send(path, "list-commands")
        for name in ("vlog/list", "vlog/list-pattern", "memory/show", "stopwatch/show"):
            await send(path, name)


@pytest.mark.parametrize(("name", "arguments", "text"), REFUSALS)
def test_what_cannot_be_done_is_said(
    name: str, arguments: list[str], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    @asynchronous
    async def ask() -> None:
        async with server() as path:
            with pytest.raises(CommandFailed) as refused:
                await send(path, name, arguments)
            assert str(refused.value) == text

    ask()
    assert ("ZeroDivisionError" in caplog.text) == (name == "broken")


@asynchronous
async def test_several_commands_may_come_over_one_connection() -> None:
    async with server() as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"id":1,"method":"version","params":[]}{"id":2,"method":"say","params":["x"]}')
        writer.write(b'{"id":null,"method":"say","params":[]}{"id":3,"method":"say","params":[5]}')
        answers = b""
        while answers.count(b"}") < 3:
            answers += await reader.read(1000)
        assert answers == (
            b'{"id":1,"result":"demo (pyovn) 0.1\\n","error":null}{"id":2,"result":"x\\n","error":null}'
            b'{"id":3,"result":null,"error":"command has non-string argument\\n"}'
        )
        writer.close()
        await writer.wait_closed()


@asynchronous
async def test_a_client_that_sends_nonsense_is_dropped() -> None:
    async with server() as path:
        for nonsense in (b"hello", b'{"a":1}', b'{"id":1,"method":5,"params":[]}'):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(nonsense)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        assert await send(path, "version") == f"{VERSION}\n"


@asynchronous
async def test_a_daemon_that_is_not_there_cannot_be_asked() -> None:
    with pytest.raises(StreamFault, match="No such file or directory"):
        await send("/nowhere", "version")


@asynchronous
async def test_a_server_without_path_listens_nowhere() -> None:
    async with ControlServer("", {}) as server_:
        server_.add("x", Command(lambda _: "y"))
        assert await server_.run("x", []) == "y"


@pytest.mark.interop
@asynchronous
async def test_the_c_client_sends_us_commands() -> None:
    program = need("ovs-appctl")
    async with server() as path:

        async def appctl(name: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
            command = [program, "-t", path, name, *arguments]
            return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=10)

        for name, arguments, answer in ANSWERS:
            done = await appctl(name, arguments)
            assert done.returncode == 0
            assert answer is None or done.stdout.strip() == answer.strip()
        for name, arguments, text in REFUSALS[:4]:
            done = await appctl(name, arguments)
            assert done.returncode == 2
            assert done.stderr.splitlines()[0] == text


@pytest.mark.interop
@asynchronous
async def test_we_send_commands_to_c_daemons() -> None:
    with c_server_process({"name": "d", "version": "1.0.0", "tables": {}}) as daemon:
        path = daemon.control
        assert "ovsdb-server/list-dbs" in await send(path, "list-commands", timeout_s=5)
        assert "d" in (await send(path, "ovsdb-server/list-dbs")).split()
        with pytest.raises(CommandFailed, match='"dance" is not a valid command'):
            await send(path, "dance")
