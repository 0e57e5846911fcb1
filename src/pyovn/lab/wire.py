"""The lab's command socket: one request, then output as it comes.

    →  {"host": "hv1", "words": ["ping", "vm1", "10.0.0.2"]}\n
    ←  {"out": "64 bytes from …\n"}\n  …  {"err": "…"}\n  …  {"exit": 0}\n

Unlike unixctl it streams, so a ping prints each answer when it arrives and a capture runs until the client leaves.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pyovn.net.errors import OvnError

LONGEST_REQUEST = 1 << 16


class Reply:
    """What a command writes to: the client's standard output and standard error."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def out(self, text: str) -> None:
        """Print `text` on the client's standard output."""
        await self._send({"out": text})

    async def err(self, text: str) -> None:
        """Print `text` on the client's standard error."""
        await self._send({"err": text})

    async def exit(self, code: int) -> None:
        """End the client with `code`."""
        await self._send({"exit": code})

    async def _send(self, message: dict[str, object]) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")
        await self._writer.drain()


#: Runs one command of a hypervisor and returns its exit code.
Handler = Callable[[str, Sequence[str], Reply], Awaitable[int]]


async def listen(path: Path, handler: Handler) -> asyncio.Server:
    """Serve commands on the socket at `path`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await answer(reader, writer, handler)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    path.unlink(missing_ok=True)
    return await asyncio.start_unix_server(serve, path=str(path), limit=LONGEST_REQUEST)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    """Read one request and run it; a client that goes away ends its command."""
    reply = Reply(writer)
    try:
        request = json.loads(await reader.readline())
        host, words = str(request["host"]), [str(word) for word in request["words"]]
    except (ValueError, KeyError, TypeError):
        await reply.err("a request is one line of JSON with `host` and `words`\n")
        await reply.exit(2)
        return
    command = asyncio.ensure_future(handler(host, words, reply))
    gone = asyncio.ensure_future(reader.read(1))
    await asyncio.wait((command, gone), return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if not command.done():
        command.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await command
        return
    try:
        await reply.exit(command.result())
    except OvnError as fault:
        await reply.err(f"{fault}\n")
        await reply.exit(1)
