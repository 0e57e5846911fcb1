"""Health checks: services of ports on this chassis are asked whether they are there (Service_Monitor).

    time ────────────────────────┐                ┌─► Send    a probe, as if it came out of the network to the port
    handle_svc_check(packet) ────┴─► Probing ─────┴─► Judge   Service_Monitor.status: online, offline

| protocol | probe        | it is there                    | it is not                          |
|----------|--------------|--------------------------------|------------------------------------|
| tcp      | SYN          | SYN and ACK; answered by RST   | RST, or silence                    |
| udp      | empty        | silence                        | ICMP: no such port                 |
| icmp     | echo request | echo reply                     | silence                            |

A status is told when it was found as often in a row as `success_count` or `failure_count` says.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.controller.effects import Effect, Judge, Send, fields_of
from pyovn.net.uuids import Uuid
from pyovn.openflow.actions import Resubmit, SetField
from pyovn.openflow.fields import FULL
from pyovn.openflow.messages import PacketIn, PacketOut
from pyovn.packet import ethernet, icmp4, icmp6, ipv4, ipv6, tcp, udp

ONLINE, OFFLINE = "online", "offline"
FIRST_PORT, LAST_PORT = 49152, 65535  #: where probes come from (RFC 6335 §6)
TTL: Final = 63
NO_FLAGS: Final = tcp.SYN | tcp.RST | tcp.ACK


class Checked(NamedTuple):
    """A service: where it is, who asks, and how."""

    datapath: int
    port: int
    mac: int
    src_mac: int
    version: int
    src: int
    dst: int
    protocol: str  #: tcp, udp or icmp
    dst_port: int
    interval_s: float = 5.0
    timeout_s: float = 3.0
    successes: int = 1  #: how often in a row before it counts as there
    failures: int = 1  #: how often in a row before it counts as gone


class Watch:
    """A service and what came of the last probes."""

    __slots__ = ("checked", "deadline", "found", "number", "row", "run", "waiting")

    def __init__(self, checked: Checked, now: float) -> None:
        self.checked = checked
        self.deadline = now  #: of the answer while one is waited for, else of the next probe
        self.waiting = False
        self.number = 0  #: source port or echo identifier of the last probe
        self.found: bool | None = None  #: what the last probes found
        self.run = 0  #: how many in a row

    def conclude(self, works: bool, now: float, asked: float) -> str | None:
        """The probe that was sent at `asked` found something; gives the status if it is time to tell it."""
        self.run = self.run + 1 if works is self.found else 1
        self.found = works
        self.waiting = False
        self.deadline = max(now, asked + self.checked.interval_s)
        needed = self.checked.successes if works else self.checked.failures
        return (ONLINE if works else OFFLINE) if self.run == needed else None


class Probing:
    """All services that this chassis watches, by Service_Monitor."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self._uniform = uniform
        self._watches: dict[Uuid, Watch] = {}

    def follow(self, wanted: Mapping[Uuid, Checked], now: float) -> None:
        """Watch exactly these from now on; one that stays the same goes on."""
        for gone in self._watches.keys() - wanted.keys():
            del self._watches[gone]
        for uuid, checked in wanted.items():
            known = self._watches.get(uuid)
            if known is None or known.checked != checked:
                self._watches[uuid] = Watch(checked, now)

    def handle(self, now: float) -> Iterator[Effect]:
        """What is due: probes to send, and answers that did not come."""
        for uuid, watch in self._watches.items():
            if watch.deadline > now:
                continue
            if watch.waiting:
                asked = watch.deadline - watch.checked.timeout_s
                yield from told(uuid, watch.conclude(watch.checked.protocol == "udp", now, asked))
            if watch.deadline <= now:
                watch.number = int(self._uniform(FIRST_PORT, LAST_PORT))
                watch.waiting, watch.deadline = True, now + watch.checked.timeout_s
                yield probe(watch.checked, watch.number)

    def packet(self, pin: PacketIn, now: float) -> Iterator[Effect]:
        """A packet for the health checker (`handle_svc_check`).  Raises Malformed."""
        fields = fields_of(pin)
        place = fields.get(layout.DATAPATH, 0), fields.get(layout.INPORT, 0)
        for uuid, watch in self._watches.items():
            checked = watch.checked
            if not watch.waiting or (checked.datapath, checked.port) != place:
                continue
            verdict = judged(checked, watch.number, pin.packet)
            if verdict is None:
                continue
            if verdict.thanks is not None:
                yield verdict.thanks
            yield from told(uuid, watch.conclude(verdict.works, now, watch.deadline - checked.timeout_s))
            return

    @property
    def deadline(self) -> float | None:
        """When something is due."""
        return min((watch.deadline for watch in self._watches.values()), default=None)


class Verdict(NamedTuple):
    """What an answer says, and what the other side gets for it."""

    works: bool
    thanks: Send | None = None


def told(uuid: Uuid, status: str | None) -> Iterator[Judge]:
    """The status, where there is one to be told."""
    if status is not None:
        yield Judge(uuid, status)


def probe(checked: Checked, number: int) -> Send:
    """The probe; `number` tells it from others."""
    if checked.protocol == "tcp":
        segment = tcp.Tcp(number, checked.dst_port, number, 0, tcp.SYN)
        return message(checked, tcp.PROTO, tcp.build(segment, checked.version, checked.src, checked.dst))
    if checked.protocol == "udp":
        datagram = udp.Udp(number, checked.dst_port, bytes(8))
        return message(checked, udp.PROTO, udp.build(datagram, checked.version, checked.src, checked.dst))
    if checked.version == 4:
        return message(checked, ipv4.ICMP, icmp4.build(icmp4.echo(icmp4.ECHO_REQUEST, number, 1, b"")))
    echo = icmp6.echo(icmp6.ECHO_REQUEST, number, 1, b"")
    return message(checked, icmp6.PROTO, icmp6.build(echo, checked.src, checked.dst))


def message(checked: Checked, proto: int, payload: bytes) -> Send:
    """A packet for the service, in the egress pipeline towards its port."""
    if checked.version == 4:
        packet = ipv4.build(ipv4.Ipv4(checked.src, checked.dst, proto, payload, TTL))
    else:
        packet = ipv6.build(ipv6.Ipv6(checked.src, checked.dst, proto, payload, TTL))
    kind = ethernet.IP4 if checked.version == 4 else ethernet.IP6
    frame = ethernet.build(ethernet.Ethernet(checked.mac, checked.src_mac, kind, packet))
    steps = (
        SetField(layout.DATAPATH, checked.datapath, FULL[layout.DATAPATH]),
        SetField(layout.OUTPORT, checked.port, FULL[layout.OUTPORT]),
        Resubmit(layout.LOCAL_OUTPUT),
    )
    return Send(PacketOut(frame, steps))


def judged(checked: Checked, number: int, frame: bytes) -> Verdict | None:
    """What a packet says about the service; None where it is about something else.  Raises Malformed."""
    version, src, dst, proto, payload = addressed(frame)
    if (version, dst) != (checked.version, checked.src):
        return None
    if proto == (ipv4.ICMP if version == 4 else icmp6.PROTO):
        return icmp_verdict(checked, number, src, payload)
    if proto != tcp.PROTO or checked.protocol != "tcp" or src != checked.dst:
        return None
    segment = tcp.parse(payload)
    if (segment.src_port, segment.dst_port) != (checked.dst_port, number):
        return None
    flags = segment.flags & NO_FLAGS
    if flags == tcp.SYN | tcp.ACK and segment.ack == number + 1:
        reset = tcp.Tcp(number, checked.dst_port, segment.ack, 0, tcp.RST)
        return Verdict(True, message(checked, proto, tcp.build(reset, version, checked.src, checked.dst)))
    return Verdict(False) if flags & tcp.RST else None


def icmp_verdict(checked: Checked, number: int, src: int, payload: bytes) -> Verdict | None:
    """What an ICMP message says: an echo reply, or that there is no such port."""
    four = checked.version == 4
    found = icmp4.parse(payload) if four else icmp6.parse(payload, 0, 0, verify=False)
    if checked.protocol == "icmp":
        reply = icmp4.ECHO_REPLY if four else icmp6.ECHO_REPLY
        mine = found.type == reply and found.rest >> 16 == number and src == checked.dst
        return Verdict(True) if mine else None
    unreachable = (icmp4.UNREACHABLE, icmp4.PORT) if four else (icmp6.UNREACHABLE, icmp6.PORT)
    if checked.protocol != "udp" or (found.type, found.code) != unreachable:
        return None
    about = found.data[(found.data[0] & 15) * 4 if four and found.data else ipv6.HEADER :]
    ports = number.to_bytes(2, "big") + checked.dst_port.to_bytes(2, "big")
    return Verdict(False) if about[:4] == ports else None


def addressed(frame: bytes) -> tuple[int, int, int, int, bytes]:
    """(version, source, destination, protocol, payload) of a packet; raises Malformed."""
    ether = ethernet.parse(frame)
    if ether.type == ethernet.IP6:
        six = ipv6.parse(ether.payload)
        upper = ipv6.upper(six)
        return 6, six.src, six.dst, upper.proto, upper.payload
    four = ipv4.parse(ether.payload)
    return 4, four.src, four.dst, four.proto, four.payload
