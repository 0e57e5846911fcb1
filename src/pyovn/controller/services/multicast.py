"""Multicast snooping: the `igmp` action shows us who listens to which group behind which port.

    report, leave, query ─► members, for idle_timeout s ─► IGMP_Group rows of this chassis
                  └───────► goes on through the pipeline, marked so that it is not shown again

A query makes its port one that leads to multicast routers, kept under the address `mrouters`.  An older northd does not
know the mark: what it shows again goes where such messages are of use, or it would be shown for ever.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.controller.effects import Effect, delivered, fields_of, injected
from pyovn.net.ip import ip_str
from pyovn.openflow.messages import PacketIn
from pyovn.packet import ethernet, igmp, ipv4, ipv6

#: Flag bit of reg10: we have put this packet back.
AGAIN: Final = 1 << 22
ROUTERS: Final = "mrouters"
FLOOD, ROUTER_FLOOD = 32768, 32770  #: keys of _MC_flood, for queries, and _MC_mrouter_flood, for answers
LOCAL_GROUPS: Final = (0xE0000000, 0xFFFFFF00)  #: 224.0.0.0/24, always flooded


class Group(NamedTuple):
    """A group on a datapath (key)."""

    datapath: int
    address: str


class Limits(NamedTuple):
    """How much is kept for a datapath, and how long."""

    groups: int
    idle_s: float
    #: how often somebody asked to forget everything (`ovn-sbctl ip-multicast-flush`)
    flushes: int = 0


class Snooping:
    """Who listens to what, as far as this chassis has heard."""

    def __init__(self) -> None:
        #: group → port → (until when, protocol)
        self._members: dict[Group, dict[int, tuple[float, str]]] = {}
        self._flushes: dict[int, int] = {}
        self.changes = 0  #: grows whenever `members` gives something else

    def packet(self, pin: PacketIn, now: float, limits: Mapping[int, Limits]) -> Iterator[Effect]:
        """A message about groups; `limits` are those of the datapaths that are snooped on."""
        fields = fields_of(pin)
        datapath, port = fields.get(layout.DATAPATH, 0), fields.get(layout.INPORT, 0)
        flags = fields.get(layout.FLAGS, 0)
        if flags & AGAIN:
            is_query = igmp.is_query(_message(pin.packet)[1])
            yield delivered(pin.packet, datapath, port, FLOOD if is_query else ROUTER_FLOOD)
            return
        if datapath in limits:
            self._hear(datapath, port, pin.packet, now, limits[datapath])
        if pin.table < layout.EGRESS:
            yield injected(pin.packet, datapath, port, flags | AGAIN)

    def _hear(self, datapath: int, port: int, packet: bytes, now: float, limits: Limits) -> None:
        version, message = _message(packet)
        if igmp.is_query(message):
            self._listen(Group(datapath, ROUTERS), port, now, limits, "")
        for group, listens, protocol in igmp.reports(version, message):
            if version == 4 and group & LOCAL_GROUPS[1] == LOCAL_GROUPS[0]:
                continue
            where = Group(datapath, ip_str(version, group))
            if listens:
                self._listen(where, port, now, limits, protocol)
            else:
                self._leave(where, port)

    def _listen(self, group: Group, port: int, now: float, limits: Limits, protocol: str) -> None:
        if group not in self._members:
            if sum(known.datapath == group.datapath for known in self._members) >= limits.groups:
                return
            self._members[group] = {}
        ports = self._members[group]
        self.changes += port not in ports or ports[port][1] != protocol
        ports[port] = now + limits.idle_s, protocol

    def _leave(self, group: Group, port: int) -> None:
        ports = self._members.get(group, {})
        self.changes += ports.pop(port, None) is not None
        if not ports:
            self._members.pop(group, None)

    def handle(self, now: float) -> None:
        """Forget who has not been heard of for long."""
        for group, ports in list(self._members.items()):
            for port in [port for port, (until, _) in ports.items() if until <= now]:
                self._leave(group, port)

    def forget(self, datapaths: Mapping[int, Limits]) -> None:
        """Forget datapaths other than these, and those of these of which somebody asks that."""
        flushes = {datapath: limits.flushes for datapath, limits in datapaths.items()}
        kept = {each for each, count in flushes.items() if self._flushes.get(each, count) == count}
        for group in [group for group in self._members if group.datapath not in kept]:
            del self._members[group]
            self.changes += 1
        self._flushes = flushes

    def members(self) -> dict[Group, tuple[str, frozenset[int]]]:
        """(protocol, ports) of each group."""
        return {
            group: (max(protocol for _, protocol in ports.values()), frozenset(ports))
            for group, ports in self._members.items()
        }

    @property
    def deadline(self) -> float | None:
        """When somebody is to be forgotten."""
        return min((until for ports in self._members.values() for until, _ in ports.values()), default=None)


def _message(packet: bytes) -> tuple[int, bytes]:
    """(IP version, the IGMP or ICMPv6 message); raises Malformed."""
    frame = ethernet.parse(packet)
    if frame.type == ethernet.IP4:
        return 4, ipv4.parse(frame.payload).payload
    return 6, ipv6.upper(ipv6.parse(frame.payload)).payload
