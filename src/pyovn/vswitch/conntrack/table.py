"""The connection table: what `ct` does to a packet.

    packet ─▶ tuple ─▶ look-up in its zone ─▶ state bits, mark, label, original tuple ─▶ commit? ─▶ NAT? ─▶ packet

    known, answered            est            in reply direction also rpl
    known, not answered yet    new            ICMP error about a known connection    rel
    unknown                    new            malformed, impossible, out of window   inv

A zone is a table of its own.  Fragments: the ports of a first fragment are remembered for the ones that follow; a
fragment that overtakes its first one is invalid (Open vSwitch would wait and reassemble).
Time comes in as an argument, in seconds.  Facts: ovs-actions(7) `ct`, ovs-fields(7) `ct_state`.
"""

from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from pyovn.vswitch.conntrack.nat import Nat, reply_tuple, rewritten
from pyovn.vswitch.conntrack.states import IcmpState, OtherState, State, TcpState, Verdict, opens_tcp
from pyovn.vswitch.conntrack.tuples import (
    ICMP6_QUERIES,
    ICMP_QUERIES,
    Tracked,
    Tuple,
    sums_right,
    tracked,
)
from pyovn.vswitch.frame import ETH_IP, ICMP, ICMPV6, SCTP, TCP, UDP, extract
from pyovn.vswitch.key import CT, PLACES, get

# ct_state bits
NEW, EST, REL, RPL, INV, TRK, SNAT, DNAT = (1 << bit for bit in range(8))

NAT_RANDOM = 16
#: a first fragment's ports are remembered for so many seconds
FRAGMENT_LIFE = 15.0
#: Nat.flags of the openflow package: persistent, hash, random
MAX_CONNECTIONS = 3_000_000

_STATE, _ZONE, _MARK, _LABEL = (PLACES[name][0] for name in ("ct_state", "ct_zone", "ct_mark", "ct_label"))
_PROTO = PLACES["ct_nw_proto"][0]
_SRC4, _DST4, _SRC6, _DST6 = (PLACES[name][0] for name in ("ct_nw_src", "ct_nw_dst", "ct_ipv6_src", "ct_ipv6_dst"))
_TPSRC, _TPDST = PLACES["ct_tp_src"][0], PLACES["ct_tp_dst"][0]

Key = tuple[int, Tuple]


class CtAction(NamedTuple):
    """One `ct` of the datapath."""

    zone: int = 0
    commit: bool = False
    force: bool = False
    mark: tuple[int, int] | None = None  #: (value, mask)
    label: tuple[int, int] | None = None
    nat: Nat | None = None
    alg: int = 0


class Connection:
    """A committed connection."""

    __slots__ = ("expires", "helper", "label", "mark", "original", "parent", "reply", "state", "translated", "zone")

    def __init__(self, zone: int, original: Tuple, reply: Tuple, state: State) -> None:
        self.zone = zone
        self.original = original
        self.reply = reply
        self.translated = reply != original.reversed()
        self.state = state
        self.mark = self.label = 0
        self.helper = 0
        self.parent: Connection | None = None
        self.expires = 0.0


class Expectation(NamedTuple):
    """A connection that an application protocol announced."""

    parent: Connection
    expires: float


class Conntrack:
    """All connections of a datapath."""

    def __init__(self) -> None:
        self._connections: dict[Key, tuple[Connection, bool]] = {}
        self._fragments: dict[tuple[int, ...], tuple[int, int, float]] = {}
        self._expected: dict[tuple[int, Tuple], Expectation] = {}
        self._sizes: Counter[int] = Counter()
        self._salt = 0
        #: most connections of a zone; the limit of zones that have none of their own
        self.limits: dict[int, int] = {}
        self.default_limit: int | None = None
        self._due: deque[Connection] = deque()

    def __len__(self) -> int:
        return sum(self._sizes.values())

    # The order here is that of one packet's life; `process` is on the path of every tracked packet.

    def process(self, frame: bytes, meta: int, action: CtAction, now: float) -> tuple[bytes, int]:
        """`frame` and `meta` (the key's metadata) after conntrack saw the packet."""
        key, shape = extract(frame)
        before = get(meta, "ct_state")
        packet = tracked(frame, shape, get(key, "ip_frag"))
        if packet is not None and packet.fragment is not None:
            packet = self._joined(packet, action.zone, now)
        if packet is None or (not before and not sums_right(frame, shape)):
            return frame, self._told(meta, action.zone, TRK | INV, None, None)
        again = bool(before & TRK) and get(meta, "ct_zone") == action.zone
        found, reply = self._look_up_again(action.zone, packet.of, now, again=again)
        if found is not None and action.commit and action.force and reply:
            self.remove(found)
            found = None
        state = TRK
        if packet.quoted is not None:
            state |= INV if found is None else REL
        elif found is None:
            state |= NEW if self._may_open(frame, packet) else INV
        elif again:
            state = before
        else:
            found, state = self._update(found, frame, packet, reply, now)
        if found is not None and reply and not state & INV:
            state |= RPL
        if state & NEW and found is None:
            state |= self._announced(action.zone, packet.of, now)
            if action.commit:
                found = self._committed(packet, frame, action, now)
                if found is None:
                    state = state & ~NEW | INV
        elif found is not None and found.parent is not None:
            state |= REL
        return self._finish(frame, meta, packet, action, found, reply, state, now)

    def _finish(
        self, frame: bytes, meta: int, packet: Tracked, action: CtAction, found: Connection | None, reply: bool,
        state: int, now: float,
    ) -> tuple[bytes, int]:  # fmt: skip
        if found is not None and not state & INV:
            if action.commit:
                _mark(found, action)
            if found.helper:
                self._listen(frame, packet, found, now)
            if action.nat is not None and found.translated:
                frame, bits = _translated(frame, packet, found, reply)
                state |= bits
        return frame, self._told(meta, action.zone, state, found, packet.of)

    def look_up(self, zone: int, tuple_: Tuple, now: float) -> tuple[Connection | None, bool]:
        """The connection a tuple belongs to, and whether it is its reply direction."""
        entry = self._connections.get((zone, tuple_))
        if entry is None:
            return None, False
        if entry[0].expires <= now:
            self.remove(entry[0])
            return None, False
        return entry

    def _look_up_again(self, zone: int, tuple_: Tuple, now: float, *, again: bool) -> tuple[Connection | None, bool]:
        """Like `look_up`, for a packet that may have been here before."""
        found, reply = self.look_up(zone, tuple_, now)
        if found is None and again:
            # Translated by this zone a moment ago: it looks like the reverse of what the other side will send.
            found, forward = self.look_up(zone, tuple_.reversed(), now)
            reply = found is not None and not forward
        return found, reply

    def _joined(self, packet: Tracked, zone: int, now: float) -> Tracked | None:
        """A fragment with the ports of its datagram; None where these have not been seen."""
        assert packet.fragment is not None
        identity = (zone, *packet.fragment)
        if not packet.later:
            self._fragments[identity] = (packet.of.sport, packet.of.dport, now + FRAGMENT_LIFE)
            return packet
        sport, dport, until = self._fragments.get(identity, (0, 0, -1.0))
        if until < now:
            return None
        return packet._replace(of=packet.of._replace(sport=sport, dport=dport))

    def _may_open(self, frame: bytes, packet: Tracked) -> bool:
        if packet.later:
            return True
        tuple_ = packet.of
        if tuple_.proto == TCP:
            return opens_tcp(frame, packet.shape)
        if tuple_.is_icmp:
            return tuple_.dport >> 8 in (ICMP_QUERIES if tuple_.net == ETH_IP else ICMP6_QUERIES)
        return True

    def _update(
        self, found: Connection, frame: bytes, packet: Tracked, reply: bool, now: float
    ) -> tuple[Connection | None, int]:
        if packet.later:
            return found, TRK | EST
        verdict = found.state.update(frame, packet.shape, reply)
        if verdict is Verdict.INVALID:
            return found, TRK | INV
        if verdict is Verdict.AGAIN:
            self.remove(found)
            return None, TRK | NEW
        found.expires = now + found.state.timeout
        return found, TRK | (NEW if verdict is Verdict.NEW else EST)

    def _committed(self, packet: Tracked, frame: bytes, action: CtAction, now: float) -> Connection | None:
        """A new connection for `packet`; None where the zone is full or no tuple is free."""
        zone, original = action.zone, packet.of
        limit = self.limits.get(zone, self.default_limit)
        if packet.later or (limit and self._sizes[zone] >= limit) or len(self._connections) >= 2 * MAX_CONNECTIONS:
            return None
        reply: Tuple | None = original.reversed()
        if action.nat is not None and action.nat.direction is not None:
            if action.nat.flags & NAT_RANDOM:
                self._salt += 1
            reply = reply_tuple(original, action.nat, lambda wanted: self._taken(zone, wanted, now), self._salt)
            if reply is None:
                return None
        elif self._taken(zone, original.reversed(), now):
            return None
        assert reply is not None
        connection = Connection(zone, original, reply, _state(frame, packet))
        connection.helper = action.alg
        connection.expires = now + connection.state.timeout
        announced = self._expected.pop((zone, original._replace(sport=0)), None)
        if announced is not None:
            connection.parent = announced.parent
            connection.mark, connection.label = announced.parent.mark, announced.parent.label
        self._connections[zone, original] = (connection, False)
        self._connections[zone, reply] = (connection, True)
        self._sizes[zone] += 1
        return connection

    def _taken(self, zone: int, tuple_: Tuple, now: float) -> bool:
        return self.look_up(zone, tuple_, now)[0] is not None

    def _announced(self, zone: int, tuple_: Tuple, now: float) -> int:
        announced = self._expected.get((zone, tuple_._replace(sport=0)))
        return REL if announced is not None and announced.expires > now else 0

    def _listen(self, frame: bytes, packet: Tracked, found: Connection, now: float) -> None:
        """Take note of the connections that the payload of a helped protocol announces."""
        for expected in announced(frame, packet, found.helper):
            self._expected[found.zone, expected] = Expectation(found, now + 60)

    def _told(self, meta: int, zone: int, state: int, found: Connection | None, tuple_: Tuple | None) -> int:
        """`meta` with conntrack's fields."""
        told = meta & ~CT | state << _STATE | zone << _ZONE
        if state & INV:
            return told
        original = tuple_
        if found is not None:
            told |= found.mark << _MARK | found.label << _LABEL
            original = found.parent.original if found.parent is not None else found.original
        if original is not None:
            net, proto, src, dst, sport, dport = original
            if original.is_icmp:
                sport, dport = dport >> 8, dport & 0xFF
            told |= proto << _PROTO | sport << _TPSRC | dport << _TPDST
            told |= src << _SRC4 | dst << _DST4 if net == ETH_IP else src << _SRC6 | dst << _DST6
        return told

    def remove(self, connection: Connection) -> None:
        """Forget `connection`."""
        zone = connection.zone
        if self._connections.pop((zone, connection.original), None) is not None:
            self._sizes[zone] -= 1
        self._connections.pop((zone, connection.reply), None)

    def connections(self, now: float, zone: int | None = None) -> Iterator[Connection]:
        """The live connections, oldest first."""
        for (in_zone, _), (connection, reply) in self._connections.items():
            if not reply and connection.expires > now and zone in (None, in_zone):
                yield connection

    def flush(self, zone: int | None = None, tuple_: Tuple | None = None) -> int:
        """Forget the connections of a zone, or of one tuple (either direction), or all; gives how many."""
        chosen = {
            id(connection): connection
            for (in_zone, has), (connection, _) in self._connections.items()
            if zone in (None, in_zone) and tuple_ in (None, has)
        }
        for connection in chosen.values():
            self.remove(connection)
        return len(chosen)

    def mark_as(self, connection: Connection, action: CtAction) -> None:
        """Write mark and label of `action` into `connection`."""
        _mark(connection, action)

    def sweep(self, now: float) -> None:
        """Forget what is over."""
        for connection in [entry[0] for entry in self._connections.values() if entry[0].expires <= now]:
            self.remove(connection)
        self._fragments = {key: value for key, value in self._fragments.items() if value[2] > now}
        self._expected = {key: value for key, value in self._expected.items() if value.expires > now}


def _mark(connection: Connection, action: CtAction) -> None:
    if action.mark is not None:
        value, mask = action.mark
        connection.mark = connection.mark & ~mask | value & mask
    if action.label is not None:
        value, mask = action.label
        connection.label = connection.label & ~mask | value & mask


def _state(frame: bytes, packet: Tracked) -> State:
    if packet.of.proto == TCP:
        return TcpState(frame, packet.shape)
    return IcmpState() if packet.of.is_icmp else OtherState()


def _translated(frame: bytes, packet: Tracked, found: Connection, reply: bool) -> tuple[bytes, int]:
    """`frame` as the other side is to see it, and the ct_state bits that say what was done."""
    target = (found.original if reply else found.reply).reversed()
    state = SNAT if target.src != packet.of.src or (not packet.of.is_icmp and target.sport != packet.of.sport) else 0
    if target.dst != packet.of.dst or (not packet.of.is_icmp and target.dport != packet.of.dport):
        state |= DNAT
    return rewritten(frame, packet, target), state


def announced(frame: bytes, packet: Tracked, helper: int) -> Iterator[Tuple]:
    """The connections (source port 0: any) that a packet of a TFTP or FTP control connection announces."""
    net, proto, src, dst, sport, _ = packet.of
    at = packet.shape.l4
    if helper == 69 and proto == UDP and len(frame) >= at + 10 and frame[at + 8 : at + 10] in (b"\0\1", b"\0\2"):
        yield Tuple(net, proto, dst, src, 0, sport)
    elif helper == 21 and proto == TCP:
        payload = frame[at + (frame[at + 12] >> 4) * 4 :]
        for port in _ftp_ports(payload):
            yield Tuple(net, proto, dst, src, 0, port)


def _ftp_ports(payload: bytes) -> Iterator[int]:
    """The port of a PORT, EPRT, 227 or 229 line (RFC 959, RFC 2428)."""
    line = payload.split(b"\r\n", 1)[0].decode("latin-1")
    if line.startswith(("PORT ", "227 ")):
        digits = "".join(character if character.isdigit() else " " for character in line[4:]).split()[-6:]
        if len(digits) == 6 and all(int(digit) < 256 for digit in digits):
            yield int(digits[4]) << 8 | int(digits[5])
    elif line.startswith(("EPRT ", "229 ")):
        port = line.rstrip(")|").rsplit("|", 1)[-1]
        if port.isdigit() and int(port) < 65536:
            yield int(port)


_NAMES = {TCP: "tcp", UDP: "udp", SCTP: "sctp", ICMP: "icmp", ICMPV6: "icmpv6"}


def name_of(proto: int) -> str:
    """The name of a protocol in dumps."""
    return _NAMES.get(proto, str(proto))
