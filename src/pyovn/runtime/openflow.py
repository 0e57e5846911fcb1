"""OpenFlow over streams, on asyncio.

    async with OpenFlowClient("unix:/run/br-int.mgmt") as client:      a controller's side
        features = await client.request(FeaturesRequest())
        failures = await client.bundle(add_flow(flow) for flow in flows)
        async for message in client: …                                 packet-ins, port status, stray errors

    async with OpenFlowListener("punix:/run/br-int.mgmt", serve): …    a switch's side
        async def serve(channel):
            async for message, xid in channel:
                channel.send(reply, xid)

A switch that connects to its controller itself uses `OpenFlowChannel.connect`.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from types import TracebackType
from typing import Self

from pyovn.net.errors import OvnError
from pyovn.openflow import codec
from pyovn.openflow import messages as m
from pyovn.openflow.connection import CONTROLLERS, SWITCHES, Connection, Dialect, Failed, Received, Send, State
from pyovn.openflow.errors import Refused
from pyovn.openflow.messages import Message
from pyovn.runtime import streams

PORT = 6653
READ_BYTES = 1 << 18
WRITE_BYTES = 1 << 17  #: bytes of a bundle that are written before the stream gets time to drain
HANDSHAKE_S = 10.0
ENDING_S = 1.0  #: how long a listener that closes waits for its handlers


class Disconnected(OvnError):
    """The connection ended while something was expected of it."""


Failures = tuple[tuple[Message, Refused], ...]


class BundleFailed(Refused):
    """A bundle was not committed; `failures` pairs messages with what the switch said about them."""

    def __init__(self, refusal: Refused, failures: Failures) -> None:
        """`refusal` is the answer to the commit."""
        super().__init__(refusal.kind, refusal.code, refusal.data)
        self.failures = failures

    def __str__(self) -> str:
        """The first failure says most."""
        return "; ".join(str(refusal) for _, refusal in self.failures[:3]) or super().__str__()


class OpenFlowChannel:
    """A connection in either role: messages in, messages out."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        name: str = "",
        dialects: tuple[type[Dialect], ...] = CONTROLLERS,
    ) -> None:
        """Talk over an open stream, in one of `dialects`; `handshake` comes first."""
        self.name = name
        self.closed_because = ""
        self._reader, self._writer = reader, writer
        self._connection = Connection(dialects)
        self._received: deque[tuple[Message, int]] = deque()
        self._probe_s = 0.0
        self._next_xid = 0

    @classmethod
    async def connect(
        cls, remote: str, tls: streams.Tls | None = None, dialects: tuple[type[Dialect], ...] = CONTROLLERS
    ) -> Self:
        """Open a stream to `remote` and shake hands; raises StreamFault or Disconnected."""
        reader, writer = await streams.connect(streams.Remote.parse(remote, PORT), tls)
        channel = cls(reader, writer, remote, dialects)
        try:
            await channel.handshake()
        except BaseException:
            await channel.close()
            raise
        return channel

    async def handshake(self) -> None:
        """Exchange hellos; raises Disconnected."""
        self._writer.write(self._connection.greeting)
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                while self._connection.state is State.HELLO and await self._fill():
                    pass
        except TimeoutError:
            self.closed_because = "no hello"
        if self._connection.state is not State.UP:
            raise Disconnected(f"{self.name}: {self.closed_because or 'connection closed by peer'}")

    @property
    def dialect(self) -> Dialect:
        """What is spoken here."""
        return self._connection.dialect

    def probe(self, seconds: float) -> None:
        """Ask for a sign of life after so long a silence and give up after the same time again; 0: never."""
        self._probe_s = seconds

    @property
    def is_open(self) -> bool:
        """True until either side has closed."""
        return self._connection.state is State.UP and not self._writer.is_closing()

    def xid(self) -> int:
        """A transaction id not used before."""
        self._next_xid = self._next_xid % 0xFFFFFFFF + 1
        return self._next_xid

    def xids(self, n: int) -> range:
        """`n` transaction ids in a row, not used before."""
        if self._next_xid + n >= 0xFFFFFFFF:
            self._next_xid = 0
        first = self._next_xid + 1
        self._next_xid += n
        return range(first, first + n)

    def send(self, message: Message, xid: int | None = None) -> int:
        """Send a message, a reply with its request's `xid`; the xid."""
        number = self.xid() if xid is None else xid
        self.write(self.dialect.encode(message, number))
        return number

    def write(self, data: bytes) -> None:
        """Send encoded messages."""
        if not self._writer.is_closing():
            self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was sent."""
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def close(self) -> None:
        """Close the stream."""
        await streams.close(self._writer)

    def __aiter__(self) -> AsyncIterator[tuple[Message, int]]:
        """Messages with their xids until the connection ends."""
        return self

    async def __anext__(self) -> tuple[Message, int]:
        """The next message."""
        while not self._received:
            await self.drain()
            if not await self._fill():
                raise StopAsyncIteration
        return self._received.popleft()

    async def _fill(self) -> bool:
        """Take in what has arrived, wait if nothing has; False at the end of the connection."""
        data = await self._read()
        if not data:
            self.closed_because = self.closed_because or "connection closed by peer"
            return False
        for event in self._connection.receive(data):
            match event:
                case Received(message, xid):
                    self._received.append((message, xid))
                case Send(reply):
                    self.write(reply)
                case Failed(reason):
                    self.closed_because = reason
                    return False
        return True

    async def _read(self) -> bytes:
        """Bytes; none at the end, or where a probe went unanswered."""
        for probing in (True, False):
            try:
                async with asyncio.timeout(self._probe_s or None):
                    return await self._reader.read(READ_BYTES)
            except TimeoutError:
                if probing:
                    self.send(m.EchoRequest())
            except OSError as fault:
                self.closed_because = streams.reason(fault)
                return b""
        self.closed_because = f"no response to inactivity probe after {self._probe_s:g} seconds"
        return b""


def _pairs(batch: tuple[Message, ...], xids: range, refusals: dict[int, Refused]) -> Failures:
    return tuple((batch[xids.index(xid)], refusals[xid]) for xid in sorted(refusals))


class OpenFlowClient:
    """A controller's connection to a switch."""

    def __init__(self, remote: str, *, probe_ms: int = 0, tls: streams.Tls | None = None) -> None:
        """Connect to `remote` on entering the context."""
        self.remote = remote
        self._probe_s = probe_ms / 1000
        self._tls = tls
        self._channel: OpenFlowChannel | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._parts: dict[int, list[m.MultipartReply]] = {}
        self._bundles: dict[int, dict[int, Refused]] = {}
        self._bundle_of: dict[int, range] = {}
        self._news: asyncio.Queue[Message | None] = asyncio.Queue()
        self._next_bundle = 0

    async def __aenter__(self) -> Self:
        """Connect; raises StreamFault or Disconnected."""
        self._channel = await OpenFlowChannel.connect(self.remote, self._tls)
        self._channel.probe(self._probe_s)
        self._reading = asyncio.create_task(self._read(self._channel))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        if self._reading:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        if self._channel:
            await self._channel.close()
        self._ended()

    @property
    def connected(self) -> bool:
        """True while the switch is there."""
        return self._channel is not None and self._channel.is_open and not (self._reading and self._reading.done())

    @property
    def closed_because(self) -> str:
        """Why the connection ended."""
        return self._channel.closed_because if self._channel else ""

    def _open(self) -> OpenFlowChannel:
        if self._channel is None or not self.connected:
            raise Disconnected(f"{self.remote}: {self.closed_because or 'not connected'}")
        return self._channel

    def send(self, message: Message) -> int:
        """Send a message nobody waits for; its xid.  Raises Disconnected."""
        return self._open().send(message)

    async def request(self, message: Message) -> Message:
        """The switch's answer; the parts of a long one joined.  Raises Refused, Disconnected."""
        xid = self._open().xid()
        answer = self._expect(xid)
        self._open().send(message, xid)
        return await answer

    async def query(self, kind: str, body: object = None) -> m.MultipartReply:
        """The answer to a multipart request.  Raises Refused, Disconnected."""
        reply = await self.request(m.MultipartRequest(kind, body))
        assert isinstance(reply, m.MultipartReply)
        return reply

    async def barrier(self) -> None:
        """Wait until the switch has done everything sent so far.  Raises Disconnected."""
        await self.request(m.BarrierRequest())

    async def bundle(self, messages: Iterable[Message], flags: int = m.ATOMIC | m.ORDERED) -> Failures:
        """Apply `messages` at one stroke; the messages that the switch could not even read, left out of it.

        Raises BundleFailed where nothing was applied, Disconnected.
        """
        batch = tuple(messages)
        channel = self._open()
        self._next_bundle = number = self._next_bundle % 0xFFFFFFFF + 1
        await self.request(m.BundleControl(number, m.OPEN_REQUEST, flags))
        xids = channel.xids(len(batch))
        refusals = self._bundles[number] = {}
        self._bundle_of[number] = xids
        try:
            await self._write_bundle(channel, number, flags, batch)
            await self.request(m.BundleControl(number, m.COMMIT_REQUEST, flags))
        except Refused as refusal:
            raise BundleFailed(refusal, _pairs(batch, xids, refusals)) from None
        finally:
            del self._bundles[number], self._bundle_of[number]
        return _pairs(batch, xids, refusals)

    async def _write_bundle(
        self, channel: OpenFlowChannel, number: int, flags: int, batch: tuple[Message, ...]
    ) -> None:
        pieces, size = list[bytes](), 0
        for xid, message in zip(self._bundle_of[number], batch, strict=True):
            piece = codec.encode_bundle_add(number, flags, message, xid)
            pieces.append(piece)
            size += len(piece)
            if size >= WRITE_BYTES:
                channel.write(b"".join(pieces))
                await channel.drain()
                pieces, size = [], 0
        channel.write(b"".join(pieces))

    def complain(self) -> None:
        """Raise Refused for the first error among the messages nobody asked for, if there is one."""
        waiting = [self._news.get_nowait() for _ in range(self._news.qsize())]
        for message in waiting:
            if type(message) is m.Error:
                raise Refused(message.type, message.code, message.data)
            self._news.put_nowait(message)

    def __aiter__(self) -> AsyncIterator[Message]:
        """Messages nobody asked for, until the connection ends."""
        return self

    async def __anext__(self) -> Message:
        """The next message."""
        if (message := await self._news.get()) is None:
            self._news.put_nowait(None)
            raise StopAsyncIteration
        return message

    def _expect(self, xid: int) -> asyncio.Future[Message]:
        answer = self._waiting[xid] = asyncio.get_running_loop().create_future()
        return answer

    async def _read(self, channel: OpenFlowChannel) -> None:
        try:
            async for message, xid in channel:
                self._take(message, xid)
        finally:
            self._ended()

    def _take(self, message: Message, xid: int) -> None:
        """Hand a message to whom it concerns."""
        if type(message) is m.Error and self._bundle_failure(message, xid):
            return
        if xid not in self._waiting:
            if type(message) is not m.EchoReply:
                self._news.put_nowait(message)
            return
        answer: Message | Refused = message
        if type(message) is m.MultipartReply:
            parts = self._parts.setdefault(xid, [])
            parts.append(message)
            if message.more:
                return
            del self._parts[xid]
            answer = m.MultipartReply(message.kind, tuple(entry for part in parts for entry in part.entries))
        elif type(message) is m.Error:
            answer = Refused(message.type, message.code, message.data)
        future = self._waiting.pop(xid)
        if future.done():
            return
        if isinstance(answer, Refused):
            future.set_exception(answer)
        else:
            future.set_result(answer)

    def _bundle_failure(self, error: m.Error, xid: int) -> bool:
        """True if the error is about a message of a bundle, which will hear of it."""
        for number, xids in self._bundle_of.items():
            if xid in xids:
                self._bundles[number][xid] = Refused(error.type, error.code, error.data)
                return True
        return False

    def _ended(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Disconnected(f"{self.remote}: {self.closed_because or 'connection closed'}"))
                answer.exception()
        self._waiting.clear()
        self._news.put_nowait(None)


Handler = Callable[[OpenFlowChannel], Awaitable[None]]


class OpenFlowListener:
    """A place where controllers connect to a switch (`punix:PATH`, `ptcp:[PORT][:HOST]`, `pssl:…`)."""

    def __init__(self, remote: str, handler: Handler, *, probe_ms: int = 0, tls: streams.Tls | None = None) -> None:
        """Listen on entering the context; `handler` is called with each connection that shook hands."""
        self.remote = remote
        self.channels: set[OpenFlowChannel] = set()
        self._handler = handler
        self._probe_s = probe_ms / 1000
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen; raises StreamFault."""
        self._server = await streams.listen(streams.Remote.parse(self.remote, PORT), self._serve, self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, close every connection and let its handler end."""
        if self._server:
            self._server.close()
        for channel in tuple(self.channels):
            await channel.close()
        if ending := self._serving - {asyncio.current_task()}:
            await asyncio.wait(ending, timeout=ENDING_S)

    @property
    def port(self) -> int:
        """The TCP port listened at."""
        assert self._server is not None
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = OpenFlowChannel(reader, writer, self.remote, SWITCHES)
        task = asyncio.current_task()
        assert task is not None
        self.channels.add(channel)
        self._serving.add(task)
        try:
            await channel.handshake()
            channel.probe(self._probe_s)
            await self._handler(channel)
        except Disconnected:
            pass
        finally:
            self.channels.discard(channel)
            await channel.close()
            self._serving.discard(task)
