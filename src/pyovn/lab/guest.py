"""A guest: a simulated host plugged into a switch port, living in an event loop.

    guest = Guest(Host(mac), transmit)      switch → guest.deliver(frame);  guest → transmit(frame)
    await guest.ping("10.0.0.2")            Echo(sequence, ttl, time_ms) or None

The host itself is pure (`host`); this adds the clock, timers and waiting.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from pyovn.lab import icmp_words
from pyovn.lab.events import Echoed, Event, Ip, Received, Refused, Unresolved
from pyovn.lab.host import TTL, Frame, Host
from pyovn.lab.tcp import Connection, State
from pyovn.net.errors import OvnError
from pyovn.net.ip import ip_parse, ip_str

PING_SIZE = 56
PROBE_SIZE = 32
FIRST_UDP_PORT = 10000


#: (what a client said, its address and port) → what it is answered
Answer = Callable[[bytes, tuple[Ip, int]], bytes]


class Unreachable(OvnError):
    """What was asked of the network cannot be had."""


class Echo(NamedTuple):
    """An answer to a ping."""

    sequence: int
    ttl: int
    time_ms: float


class Probed(NamedTuple):
    """What came back for a packet sent with a small TTL; `last` where it reached its destination or a dead end."""

    source: str
    time_ms: float
    mark: str
    last: bool


class Guest:
    """One guest; see the module."""

    def __init__(self, host: Host, transmit: Callable[[Frame], None]) -> None:
        self.host = host
        self.name_servers: list[str] = []
        self._transmit = transmit
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[tuple[Callable[[Event], bool], asyncio.Future[Event]]] = []
        self._changed = asyncio.Event()
        self._ping_id = 0
        #: keeps the tasks of served connections alive while they run
        self._servers: set[asyncio.Future[None]] = set()

    def deliver(self, frame: Frame) -> None:
        """Take a frame from the switch."""
        self.send(self.host.receive(frame, self.now()))

    def send(self, frames: list[Frame]) -> None:
        """Transmit frames, then tell whoever waits and set the timer."""
        for frame in frames:
            self.host.counters["sent"] += 1
            self._transmit(frame)
        while self.host.events:
            self._tell(self.host.events.popleft())
        self._changed.set()
        self._arm()

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    @staticmethod
    def now() -> float:
        """The loop's time in seconds."""
        return asyncio.get_running_loop().time()

    # -- what a user of the guest does

    async def ping(
        self, destination: str, *, sequence: int = 1, size: int = PING_SIZE, timeout_s: float = 1.0, ttl: int = TTL
    ) -> Echo | None:
        """Send one echo request and wait for its answer; None where none came.

        Raises NoRoute, Malformed, TooLong, and Unreachable for an ICMP error or a silent neighbour.
        """
        ip = ip_parse(destination)
        self._ping_id = self._ping_id % 0xFFFF + 1
        id_, start = self._ping_id, self.now()

        def concerns_us(event: Event) -> bool:
            match event:
                case Echoed(_, answered, number):
                    return (answered, number) == (id_, sequence)
                case Unresolved(address):
                    return address in (ip, self.host.next_hop(ip))
                case Refused():
                    return id_.to_bytes(2, "big") + sequence.to_bytes(2, "big") in event.quoted
            return False

        answer = self._expect(concerns_us)
        self.send(self.host.ping(ip, id_, sequence, size, start, ttl=ttl))
        event = await self._wait(answer, timeout_s)
        match event:
            case Echoed():
                return Echo(sequence, event.ttl, (self.now() - start) * 1000)
            case Refused():
                words = icmp_words.described(event.source[0], event.type, event.code, event.mtu)
                raise Unreachable(f"From {ip_str(*event.source)} icmp_seq={sequence} {words}")
            case Unresolved():
                own = ip_str(*self.host.source_for(ip))
                raise Unreachable(f"From {own} icmp_seq={sequence} Destination Host Unreachable")
        return None

    async def probe(self, destination: Ip, port: int, ttl: int, timeout_s: float) -> Probed | None:
        """Send a UDP datagram that crosses fewer than `ttl` routers; who sent it back?  Raises NoRoute."""
        own, start = FIRST_UDP_PORT + port, self.now()
        ports = own.to_bytes(2, "big") + port.to_bytes(2, "big")
        answer = self._expect(lambda event: isinstance(event, Refused) and ports in event.quoted)
        self.send(self.host.send(destination, port, bytes(PROBE_SIZE), start, from_port=own, ttl=ttl))
        event = await self._wait(answer, timeout_s)
        if not isinstance(event, Refused):
            return None
        version, on_the_way = event.source[0], event.type == icmp_words.TIME_EXCEEDED[event.source[0]]
        mark = "" if on_the_way else icmp_words.marked(version, event.type, event.code)
        return Probed(ip_str(*event.source), (self.now() - start) * 1000, mark, not on_the_way)

    async def exchange(self, destination: str, port: int, data: bytes, *, timeout_s: float = 1.0) -> bytes | None:
        """Send a UDP datagram from a port of its own and wait for the answer."""
        ip = ip_parse(destination)
        own = FIRST_UDP_PORT + len(self.host.udp_ports)
        self.host.udp_ports.add(own)
        answer = self._expect(lambda event: isinstance(event, Received) and event.port == own)
        self.send(self.host.send(ip, port, data, self.now(), from_port=own))
        event = await self._wait(answer, timeout_s)
        return event.data if isinstance(event, Received) else None

    async def talk(
        self, frames: list[Frame], port: int, concerns: Callable[[bytes], bool], *, timeout_s: float
    ) -> bytes | None:
        """Send frames and wait for the datagram to `port` that answers them."""
        self.host.udp_ports.add(port)
        answer = self._expect(lambda event: isinstance(event, Received) and event.port == port and concerns(event.data))
        self.send(frames)
        event = await self._wait(answer, timeout_s)
        return event.data if isinstance(event, Received) else None

    def echo_udp(self, port: int) -> None:
        """Answer each datagram to `port` with its own data."""
        self.host.udp_ports.add(port)

        def reply(event: Event) -> bool:
            if isinstance(event, Received) and event.port == port:
                frames = self.host.send(event.source, event.source_port, event.data, self.now(), from_port=port)
                asyncio.get_running_loop().call_soon(self.send, frames)
            return False

        self._waiting.append((reply, asyncio.get_running_loop().create_future()))

    def serve_tcp(self, port: int, answer: Answer) -> None:
        """Take connections to `port`; when a peer has finished, send `answer(what it said, who it is)` and close."""

        def accept(connection: Connection) -> None:
            task = asyncio.ensure_future(self._serve(connection, answer))
            self._servers.add(task)
            task.add_done_callback(self._servers.discard)

        self.host.streams.listen(port, accept)

    async def _serve(self, connection: Connection, answer: Answer) -> None:
        await self._until(lambda: connection.peer_finished or connection.reset)
        connection.send(answer(bytes(connection.received), connection.remote))
        connection.close()
        self.send(self.host.flush(self.now()))

    async def request(self, destination: str, port: int, data: bytes, *, timeout_s: float = 5.0) -> bytes:
        """Open a TCP connection, send `data`, finish, and return all that the peer says until it finishes too.

        Raises NoRoute, Malformed, Unreachable.
        """
        connection, frames = self.host.connect(ip_parse(destination), port, self.now())
        connection.send(data)
        connection.close()
        self.send(frames)
        try:
            async with asyncio.timeout(timeout_s):
                await self._until(lambda: connection.state is State.CLOSED or connection.peer_finished)
        except TimeoutError:
            connection.abort()
            self.send(self.host.flush(self.now()))
            raise Unreachable(f"{destination}:{port}: Connection timed out") from None
        if connection.reset and not connection.received:
            raise Unreachable(f"{destination}:{port}: Connection refused")
        return bytes(connection.received)

    # -- waiting

    def _expect(self, concerns: Callable[[Event], bool]) -> asyncio.Future[Event]:
        """A future that the first event that `concerns` it resolves."""
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting.append((concerns, future))
        return future

    async def _wait(self, future: asyncio.Future[Event], timeout_s: float) -> Event | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            return None
        finally:
            self._waiting = [(concerns, other) for concerns, other in self._waiting if other is not future]

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _tell(self, event: Event) -> None:
        for concerns, future in self._waiting:
            if not future.done() and concerns(event):
                future.set_result(event)

    def _arm(self) -> None:
        self.close()
        if (deadline := self.host.deadline) is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self.send(self.host.expire(self.now()))
