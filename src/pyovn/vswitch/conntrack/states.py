"""Protocol state of a connection: is this packet part of it, and how long will it live.

    TCP     SYN_SENT → ESTABLISHED → CLOSING → FIN_WAIT_2 / TIME_WAIT, each direction for itself; connections may be
            picked up in the middle; segments far outside the window are invalid
    ICMP    FIRST → REPLY                   others   FIRST → MULTIPLE → BIDIR

Window tracking after van Rooij, "Real Stateful TCP Packet Filtering in IP Filter"; time comes in as an argument.
"""

from enum import Enum, auto
from typing import Final, Protocol

from pyovn.vswitch.frame import Shape

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32

#: seconds that a connection in a state lives without a packet
TIMEOUTS: Final[dict[str, float]] = {
    "tcp_opening": 30, "tcp_established": 24 * 3600, "tcp_closing": 15 * 60, "tcp_fin_wait": 45, "tcp_closed": 30,
    "icmp_first": 60, "icmp_reply": 30, "other_first": 60, "other_multiple": 60, "other_bidir": 30,
}  # fmt: skip


class Verdict(Enum):
    """What a packet is to its connection."""

    NEW = auto()  #: nobody answered yet
    PART = auto()  #: belongs to an established connection
    INVALID = auto()
    AGAIN = auto()  #: opens the connection anew; the old one is over


class State(Protocol):
    """The protocol state of one connection."""

    def update(self, frame: bytes, shape: Shape, reply: bool) -> Verdict:
        """Take note of a packet."""

    @property
    def timeout(self) -> float:
        """Seconds the connection may now be silent."""

    @property
    def text(self) -> str:
        """The protocol information of a dump."""


#: TCP states of one direction, in the order connections live through them
CLOSED, LISTEN, SYN_SENT, SYN_RECV, ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, CLOSING, LAST_ACK, FIN_WAIT_2, TIME_WAIT = (
    range(11)
)
TCP_NAMES = (
    "CLOSED", "LISTEN", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING", "LAST_ACK",
    "FIN_WAIT_2", "TIME_WAIT",
)  # fmt: skip
#: how far an acknowledgement may lag behind
MAX_ACK_LAG = 66000
UNKNOWN_SCALE = 14
_WRAP, _HALF = 1 << 32, 1 << 31


def _after(left: int, right: int) -> int:
    """How far sequence number `left` is after `right` (negative: before)."""
    return (left - right + _HALF) % _WRAP - _HALF


class Peer:
    """One end of a TCP connection, as a sender."""

    __slots__ = ("high", "low", "scale", "state", "window")

    def __init__(self) -> None:
        self.state = CLOSED
        self.low: int | None = None  #: next sequence number it will use
        self.high = 0  #: first sequence number its peer will not accept
        self.window = 1  #: the largest window it announced, unscaled
        self.scale: int | None = None  #: of the windows it announces, None: unknown


class TcpState:
    """The state of a TCP connection."""

    __slots__ = ("peers",)

    def __init__(self, frame: bytes, shape: Shape) -> None:
        origin, target = self.peers = (Peer(), Peer())
        origin.state = SYN_SENT
        if not frame[shape.l4 + 13] & SYN:
            # Picked up in the middle: nobody knows what the windows are scaled by.
            origin.scale = target.scale = UNKNOWN_SCALE
        sequence, _, window, length = _segment(frame, shape)
        origin.low, origin.window = (sequence + length) % _WRAP, max(window, 1)
        origin.high = origin.low
        target.high = (_segment(frame, shape)[1] + max(window, 1)) % _WRAP
        if frame[shape.l4 + 13] & SYN:
            origin.scale = _window_scale(frame, shape)

    def update(self, frame: bytes, shape: Shape, reply: bool) -> Verdict:
        """Take note of a segment."""
        sender, receiver = self.peers[reply], self.peers[not reply]
        flags = frame[shape.l4 + 13]
        if not sensible(flags):
            return Verdict.INVALID
        if flags & (SYN | ACK) == SYN and sender.state >= FIN_WAIT_2 and receiver.state >= FIN_WAIT_2:
            return Verdict.AGAIN
        if flags & (SYN | ACK) == SYN and not reply and sender.state == SYN_SENT and receiver.state <= SYN_SENT:
            sequence, _, window, length = _segment(frame, shape)
            sender.low, sender.window, sender.scale = (sequence + length) % _WRAP, window, _window_scale(frame, shape)
            return Verdict.NEW
        if not self._in_window(frame, shape, sender, receiver):
            return Verdict.INVALID
        self._advance(flags, sender, receiver)
        return Verdict.PART

    def _advance(self, flags: int, sender: Peer, receiver: Peer) -> None:
        if sender.state < SYN_SENT:
            sender.state = SYN_SENT
        if flags & FIN and sender.state < CLOSING:
            sender.state = CLOSING
        if flags & ACK:
            if receiver.state == SYN_SENT:
                receiver.state = ESTABLISHED
            elif receiver.state == CLOSING:
                receiver.state = FIN_WAIT_2
        if flags & RST:
            sender.state = receiver.state = TIME_WAIT

    def _in_window(self, frame: bytes, shape: Shape, sender: Peer, receiver: Peer) -> bool:
        """Check the segment against the windows of both peers, and move them."""
        flags = frame[shape.l4 + 13]
        sequence, acknowledged, window, length = _segment(frame, shape)
        end = (sequence + length) % _WRAP
        if sender.low is None:
            sender.low = end
            if flags & SYN:
                sender.scale = _window_scale(frame, shape)
                if sender.scale is None or receiver.scale is None:
                    sender.scale = receiver.scale = 0
            else:
                sender.scale = UNKNOWN_SCALE
                sender.low = sequence
        scale = 0 if flags & SYN else sender.scale or 0
        if not flags & ACK:
            acknowledged = receiver.low if receiver.low is not None else 0
        if sequence == end == 0 and flags & RST and not flags & ACK:
            sequence = end = sender.low  # the RST of a host that knows of no connection
        receiver_window = receiver.window << (receiver.scale or 0)
        lag = _after(receiver.low, acknowledged) if receiver.low is not None else 0
        loose = UNKNOWN_SCALE in (sender.scale, receiver.scale)
        settled = ESTABLISHED <= receiver.state < FIN_WAIT_2 and sender.state < FIN_WAIT_2
        if flags & RST and settled and abs(_after(sequence, sender.low)) > 1:
            return False  # a reset has to be exact (RFC 5961 §3.2), give or take the octet of a SYN or FIN
        if loose or (
            (_after(end, sender.high) <= 0 or sender.state < ESTABLISHED)
            and _after(sequence, sender.low) >= -max(receiver_window, MAX_ACK_LAG)
            and -MAX_ACK_LAG <= lag <= MAX_ACK_LAG << (sender.scale or 0)
        ):
            if window > sender.window:
                sender.window = window
            if _after(end, sender.low) > 0:
                sender.low = end
            edge = (acknowledged + max(window << scale, 1)) % _WRAP
            if receiver.low is None or _after(edge, receiver.high) > 0:
                receiver.high = edge
            return True
        return False

    @property
    def timeout(self) -> float:
        """Seconds the connection may now be silent."""
        low, high = sorted(peer.state for peer in self.peers)
        if low >= FIN_WAIT_2:
            return TIMEOUTS["tcp_closed"]
        if low >= CLOSING:
            return TIMEOUTS["tcp_fin_wait"]
        if low < ESTABLISHED:
            return TIMEOUTS["tcp_opening"]
        return TIMEOUTS["tcp_closing"] if high >= CLOSING else TIMEOUTS["tcp_established"]

    @property
    def text(self) -> str:
        """The protocol information of a dump: the state of the end that is further on, with one name for the end."""
        further = max(peer.state for peer in self.peers)
        return f",protoinfo=(state={TCP_NAMES[TIME_WAIT if further >= FIN_WAIT_2 else further]})"


def _segment(frame: bytes, shape: Shape) -> tuple[int, int, int, int]:
    """Sequence number, acknowledgement, window, and length in sequence space."""
    l3, l4 = shape.l3, shape.l4
    end = (
        l3 + (frame[l3 + 2] << 8 | frame[l3 + 3])
        if shape.net == 0x800
        else l3 + 40 + (frame[l3 + 4] << 8 | frame[l3 + 5])
    )
    flags = frame[l4 + 13]
    payload = end - l4 - (frame[l4 + 12] >> 4) * 4
    return (
        int.from_bytes(frame[l4 + 4 : l4 + 8], "big"),
        int.from_bytes(frame[l4 + 8 : l4 + 12], "big"),
        frame[l4 + 14] << 8 | frame[l4 + 15],
        max(payload, 0) + (1 if flags & SYN else 0) + (1 if flags & FIN else 0),
    )


def _window_scale(frame: bytes, shape: Shape) -> int | None:
    """The window scale option of a SYN; None where it has none."""
    at, end = shape.l4 + 20, shape.l4 + (frame[shape.l4 + 12] >> 4) * 4
    while at + 1 < min(end, len(frame)) and frame[at]:
        if frame[at] == 1:
            at += 1
        elif frame[at] == 3 and at + 2 < len(frame):
            return min(frame[at + 2], 14)
        else:
            at += max(frame[at + 1], 2)
    return None


def sensible(flags: int) -> bool:
    """True if a segment can have these flags."""
    if flags & SYN:
        return not flags & (RST | FIN)
    return bool(flags & ACK) or flags & (RST | FIN | PSH | URG) == RST


def opens_tcp(frame: bytes, shape: Shape) -> bool:
    """True if a segment may be the first that is seen of a connection: a SYN, or one from the middle."""
    flags = frame[shape.l4 + 13]
    return sensible(flags) and flags & (SYN | ACK) != SYN | ACK


class IcmpState:
    """The state of a query and its replies."""

    __slots__ = ("replied",)

    def __init__(self) -> None:
        self.replied = False

    def update(self, frame: bytes, shape: Shape, reply: bool) -> Verdict:
        """Take note of a message."""
        self.replied = self.replied or reply
        return Verdict.PART if self.replied else Verdict.NEW

    @property
    def timeout(self) -> float:
        """Seconds the connection may now be silent."""
        return TIMEOUTS["icmp_reply" if self.replied else "icmp_first"]

    @property
    def text(self) -> str:
        """ICMP has nothing to tell."""
        return ""


class OtherState:
    """The state of a conversation in UDP, SCTP or any other protocol."""

    __slots__ = ("replied", "several")

    def __init__(self) -> None:
        self.replied = self.several = False

    def update(self, frame: bytes, shape: Shape, reply: bool) -> Verdict:
        """Take note of a packet."""
        self.replied = self.replied or reply
        self.several = True
        return Verdict.PART if self.replied else Verdict.NEW

    @property
    def timeout(self) -> float:
        """Seconds the connection may now be silent."""
        return TIMEOUTS["other_bidir" if self.replied else "other_multiple" if self.several else "other_first"]

    @property
    def text(self) -> str:
        """Nothing to tell."""
        return ""
