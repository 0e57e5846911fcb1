"""TCP for simulated guests (RFC 9293): handshake, data, retransmission, orderly and abrupt end.

    CLOSED → SYN_SENT → ESTABLISHED → FIN_WAIT → CLOSED          the side that connects
             SYN_RECEIVED ↗         ↘ CLOSE_WAIT → LAST_ACK       the side that is connected to

One unacknowledged segment at a time (stop and wait) keeps it small and still correct on a lossy, reordering network:
segments out of order are dropped and come again.  Sequence numbers start at a counter, not at random: nothing here
faces an adversary.
"""

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum, auto

from pyovn.packet.tcp import ACK, FIN, PSH, RST, SYN, Tcp

RETRANSMISSION_S = 0.3
LONGEST_RETRANSMISSION_S = 5.0
TRIES = 8
SEGMENT = 1360  #: bytes of data, small enough for any tunnel on a 1500-byte network
MODULUS = 1 << 32
FIRST_SEQUENCE = 1000
FIRST_PORT, PORT_COUNT = 32768, 28000

Ip = tuple[int, int]


class State(Enum):
    """Where a connection stands."""

    SYN_SENT = auto()
    SYN_RECEIVED = auto()
    ESTABLISHED = auto()
    FIN_WAIT = auto()
    CLOSE_WAIT = auto()
    LAST_ACK = auto()
    CLOSED = auto()


class Connection:
    """One end of a connection."""

    def __init__(self, local: tuple[Ip, int], remote: tuple[Ip, int], state: State, sequence: int) -> None:
        self.local, self.remote, self.state = local, remote, state
        self.received = bytearray()
        self.peer_finished = self.reset = False
        self.deadline: float | None = None
        self._unsent = bytearray()
        self._largest = SEGMENT
        self._closing = False
        self._next, self._expected = sequence, 0
        self._flight: Tcp | None = None
        self._tries = 0
        self._ready: deque[Tcp] = deque()

    def send(self, data: bytes) -> None:
        """Queue data for the peer."""
        self._unsent += data

    def close(self) -> None:
        """Say that nothing more will be sent, once what is queued is."""
        self._closing = True

    def abort(self) -> None:
        """End the connection at once."""
        if self.state is not State.CLOSED:
            self._ready.append(self._segment(RST | ACK))
            self._finish()

    def open(self, now: float) -> None:
        """Start the handshake."""
        self._launch(self._segment(SYN), now)

    def accept(self, segment: Tcp, now: float) -> None:
        """Answer the peer's first segment."""
        self._expected = (segment.seq + 1) % MODULUS
        self._launch(self._segment(SYN | ACK), now)

    def shrink(self, largest: int, now: float) -> None:
        """Send no more data than this at once: what is in flight did not fit on the way (RFC 1191 §6.4)."""
        self._largest = min(self._largest, max(1, largest))
        if self._flight is not None and len(self._flight.data) > self._largest:
            self._unsent[:0] = self._flight.data[self._largest :]
            self._launch(self._flight._replace(data=self._flight.data[: self._largest]), now)

    def segments(self, now: float) -> Iterator[Tcp]:
        """What is to be sent now."""
        self._advance(now)
        while self._ready:
            yield self._ready.popleft()

    def expire(self, now: float) -> None:
        """Send again what was not acknowledged in time; give up after some tries."""
        if self.deadline is None or self.deadline > now or self._flight is None:
            return
        if self._tries >= TRIES:
            self.reset = True
            self._finish()
            return
        self._ready.append(self._flight._replace(ack=self._expected))
        self._tries += 1
        self.deadline = now + min(RETRANSMISSION_S * 2**self._tries, LONGEST_RETRANSMISSION_S)

    def receive(self, segment: Tcp, now: float) -> None:
        """Take a segment from the peer."""
        if segment.flags & RST:
            self.reset = True
            self._finish()
            return
        if self.state is State.SYN_SENT:
            if not segment.flags & SYN:
                return
            self._expected = (segment.seq + 1) % MODULUS
            self._ready.append(self._segment(ACK))
        if segment.flags & ACK:
            self._acknowledge(segment.ack)
        if segment.length and not segment.flags & SYN:
            self._take(segment)
        elif segment.flags & SYN and self.state is not State.SYN_RECEIVED:
            self._ready.append(self._segment(ACK))

    def _take(self, segment: Tcp) -> None:
        if segment.seq == self._expected and not self.peer_finished:
            self.received += segment.data
            self._expected = (segment.seq + segment.length) % MODULUS
            if segment.flags & FIN:
                self.peer_finished = True
                self.state = AFTER_PEERS_FIN.get(self.state, self.state)
        self._ready.append(self._segment(ACK))
        if self.peer_finished and self.state is State.FIN_WAIT and self._flight is None:
            self._finish()

    def _acknowledge(self, number: int) -> None:
        if self._flight is None or number != (self._flight.seq + self._flight.length) % MODULUS:
            return
        self._next, self._flight, self.deadline, self._tries = number, None, None, 0
        if self.state in (State.SYN_SENT, State.SYN_RECEIVED):
            self.state = State.ESTABLISHED
        elif self.state is State.LAST_ACK or (self.state is State.FIN_WAIT and self.peer_finished):
            self._finish()

    def _advance(self, now: float) -> None:
        """Put the next segment in flight, if the last one arrived."""
        if self._flight is not None or self.state not in (State.ESTABLISHED, State.CLOSE_WAIT):
            return
        if self._unsent:
            data = bytes(self._unsent[: self._largest])
            del self._unsent[: self._largest]
            self._launch(self._segment(PSH | ACK)._replace(data=data), now)
        elif self._closing:
            self.state = State.LAST_ACK if self.state is State.CLOSE_WAIT else State.FIN_WAIT
            self._launch(self._segment(FIN | ACK), now)

    def _launch(self, segment: Tcp, now: float) -> None:
        self._flight, self._tries, self.deadline = segment, 1, now + RETRANSMISSION_S
        self._ready.append(segment)

    def _segment(self, flags: int) -> Tcp:
        return Tcp(self.local[1], self.remote[1], self._sequence, self._expected if flags & ACK else 0, flags)

    @property
    def _sequence(self) -> int:
        """The number of the next byte we would send."""
        flight = self._flight
        return self._next if flight is None else (flight.seq + flight.length) % MODULUS

    def _finish(self) -> None:
        self.state, self.deadline, self._flight = State.CLOSED, None, None


#: What the peer's end of data means in each state; FIN_WAIT ends when our own FIN is acknowledged too.
AFTER_PEERS_FIN = {
    State.SYN_RECEIVED: State.CLOSE_WAIT,
    State.ESTABLISHED: State.CLOSE_WAIT,
}

Key = tuple[tuple[Ip, int], tuple[Ip, int]]


class Endpoint:
    """All TCP connections of one host."""

    def __init__(self) -> None:
        self.connections: dict[Key, Connection] = {}
        self.listeners: dict[int, Callable[[Connection], None]] = {}
        self._refusals: deque[tuple[Ip, Ip, Tcp]] = deque()
        self._opened = 0

    def listen(self, port: int, accept: Callable[[Connection], None]) -> None:
        """Take connections to `port`; `accept` is called with each."""
        self.listeners[port] = accept

    def connect(self, source: Ip, destination: Ip, port: int, now: float) -> Connection:
        """Open a connection from a port of our choice."""
        local = (source, FIRST_PORT + self._opened % PORT_COUNT)
        connection = self._add(local, (destination, port), State.SYN_SENT)
        connection.open(now)
        return connection

    def receive(self, local: Ip, remote: Ip, segment: Tcp, now: float) -> None:
        """Take a segment that came for address `local`."""
        here, there = (local, segment.dst_port), (remote, segment.src_port)
        connection = self.connections.get((here, there))
        if connection is not None and connection.state is not State.CLOSED:
            connection.receive(segment, now)
        elif segment.flags & RST:
            return
        elif segment.flags & SYN and not segment.flags & ACK and segment.dst_port in self.listeners:
            connection = self._add(here, there, State.SYN_RECEIVED)
            connection.accept(segment, now)
            self.listeners[segment.dst_port](connection)
        elif not (connection is not None and segment.flags & FIN and not segment.flags & SYN):
            self._refusals.append((local, remote, refusal(segment)))
        else:
            acknowledgement = Tcp(here[1], there[1], segment.ack, (segment.seq + segment.length) % MODULUS, ACK)
            self._refusals.append((local, remote, acknowledgement))

    def segments(self, now: float) -> Iterator[tuple[Ip, Ip, Tcp]]:
        """(source, destination, segment) to be sent now."""
        while self._refusals:
            yield self._refusals.popleft()
        for connection in list(self.connections.values()):
            for segment in connection.segments(now):
                yield connection.local[0], connection.remote[0], segment

    def shrink(self, remote: Ip, largest: int, now: float) -> None:
        """A path was found to be narrow: send no more data than this at once to `remote`."""
        for connection in self.connections.values():
            if connection.remote[0] == remote:
                connection.shrink(largest, now)

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        times = (connection.deadline for connection in self.connections.values())
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> None:
        """Retransmit what is due."""
        for connection in self.connections.values():
            connection.expire(now)

    def _add(self, local: tuple[Ip, int], remote: tuple[Ip, int], state: State) -> Connection:
        self._opened += 1
        connection = Connection(local, remote, state, FIRST_SEQUENCE * self._opened % MODULUS)
        self.connections[local, remote] = connection
        return connection


def refusal(segment: Tcp) -> Tcp:
    """The reset for a segment that belongs to no connection (RFC 9293 §3.5.2)."""
    if segment.flags & ACK:
        return Tcp(segment.dst_port, segment.src_port, segment.ack, 0, RST)
    return Tcp(segment.dst_port, segment.src_port, 0, (segment.seq + segment.length) % MODULUS, RST | ACK)
