"""The desk where packet-ins are handed in: services that keep something between packets, and the table of them all.

packet-in ─► dispatch ─► effects ─► carried out here (Hold, Learn) or by the daemon (Send, Continue, Adopt, …)
row changes, time ─► follow, handle ─► effects
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from pyovn.controller.dispatch import SERVICES, Service, answer
from pyovn.controller.effects import Effect, Hold, Learn, Problem, Renew
from pyovn.controller.learning import find_port
from pyovn.controller.paths import (
    ASKS,
    ageing,
    beacon_of,
    delegations,
    paths,
    port_named,
    queriers,
    question,
    services,
    shortest_age,
    snooped,
)
from pyovn.controller.services.ageing import Ageing, Counts
from pyovn.controller.services.beacons import PERIODIC, Beacons
from pyovn.controller.services.bfd import Path, Sessions
from pyovn.controller.services.dns import NameService
from pyovn.controller.services.memory import Fact, Memory
from pyovn.controller.services.multicast import Group, Snooping
from pyovn.controller.services.prefixes import Prefixes
from pyovn.controller.services.probes import Checked, Probing
from pyovn.controller.services.queries import Queries
from pyovn.controller.services.waiting import NextHop, WaitingRoom
from pyovn.incr.engine import Changes, Source
from pyovn.lang.actions.userdata import Opcode
from pyovn.net.errors import Malformed, OvnError
from pyovn.net.ip import ip_str
from pyovn.net.mac import mac_int
from pyovn.net.uuids import Uuid
from pyovn.openflow.messages import PacketIn
from pyovn.ovsdb.model import Row
from pyovn.tables.sb import (
    BFD,
    Chassis,
    DatapathBinding,
    IPMulticast,
    MACBinding,
    PortBinding,
    ServiceMonitor,
    StaticMACBinding,
)

#: Which port a chassisredirect port stands for.
DISTRIBUTED_PORT: Final = "distributed-port"
NEIGHBOURS: Final[tuple[type[MACBinding] | type[StaticMACBinding], ...]] = (MACBinding, StaticMACBinding)
#: What decides which paths are watched from here.
WATCHED: Final = (BFD, PortBinding, DatapathBinding, Chassis)
#: What decides which services are probed from here.
PROBED: Final = (ServiceMonitor, PortBinding, DatapathBinding, Chassis)


class Desk:
    """The services of one chassis."""

    def __init__(self, southbound: Source, chassis: str, uniform: Callable[[float, float], float]) -> None:
        """`chassis` is our name; `uniform` draws a number between two."""
        self._rows, self._chassis = southbound, chassis
        self._memory = Memory(uniform)
        self._waiting = WaitingRoom()
        self._beacons, self._sessions = Beacons(uniform), Sessions(uniform)
        self._probing = Probing(uniform)
        self._snooping = Snooping()
        self._prefixes = Prefixes(uniform)
        #: router ports that ask for prefixes
        self._askers: set[Uuid] = set()
        self._ageing, self._queries = Ageing(), Queries()
        self._problems: list[Problem] = []
        names = NameService(southbound, lambda records: records.sort(key=lambda _: uniform(0.0, 1.0)))
        self._services: Mapping[Opcode, Service] = {**SERVICES, Opcode.DNS_LOOKUP: names.dns_lookup}

    def packet(self, pin: PacketIn, now: float) -> Iterator[Effect]:
        """What follows from a packet that the switch hands over."""
        for effect in self._answer(pin, now):
            match effect:
                case Hold():
                    self._waiting.wait(effect, now)
                    yield from self._waiting.handle(now, self._mac_of)
                case Learn(fact):
                    self._memory.learn(fact, now)
                    yield from self._waiting.handle(now, self._mac_of)
                case _:
                    yield effect

    def _answer(self, pin: PacketIn, now: float) -> Iterator[Effect]:
        """One of the services that need the time, or of the others."""
        services = {
            **self._services,
            Opcode.BFD_MSG: lambda packet, _: self._sessions.packet(packet, now),
            Opcode.HANDLE_SVC_CHECK: lambda packet, _: self._probing.packet(packet, now),
            Opcode.DHCP6_SERVER: lambda packet, _: self._prefixes.packet(packet, now),
            Opcode.IGMP: lambda packet, _: self._snooping.packet(packet, now, snooped(self._rows)),
        }
        return answer(pin, services)

    def follow(self, changes: Changes, now: float) -> None:
        """Take note of rows that have changed."""
        asked = bool(self._askers)
        for uuid, (old, new) in changes.get(PortBinding, {}).items():
            if _says(old, PERIODIC) or _says(new, PERIODIC):
                self._advertise(uuid, new, now)
            if _says(new, ASKS):
                self._askers.add(uuid)
            elif _says(old, ASKS):
                self._askers.discard(uuid)
        if not changes.keys().isdisjoint(WATCHED) and (self._sessions.deadline or self._rows.rows(BFD)):
            self._watch(now)
        if not changes.keys().isdisjoint(PROBED) and (self._probing.deadline or self._rows.rows(ServiceMonitor)):
            self._probe(now)
        if (asked or self._askers) and not changes.keys().isdisjoint(WATCHED):
            self._ask(now)
        if DatapathBinding in changes:
            self._ageing.shortest(shortest_age(self._rows), now)
        if IPMulticast in changes:
            self._snooping.forget(snooped(self._rows))
            self._query(now)

    def _advertise(self, uuid: Uuid, port: Row | None, now: float) -> None:
        try:
            wanted = beacon_of(self._rows, port) if isinstance(port, PortBinding) else None
        except OvnError as fault:
            wanted = None
            self._problems.append(Problem(f"router advertisements of port {uuid}: {fault}"))
        self._beacons.put(uuid, wanted, now)

    def _query(self, now: float) -> None:
        try:
            self._queries.follow(queriers(self._rows), now)
        except OvnError as fault:
            self._problems.append(Problem(f"multicast querier: {fault}"))

    def _ask(self, now: float) -> None:
        try:
            self._prefixes.follow(dict(delegations(self._rows, sorted(self._askers), self._chassis)), now)
        except OvnError as fault:
            self._problems.append(Problem(f"prefix delegation: {fault}"))

    def _watch(self, now: float) -> None:
        wanted: dict[Uuid, Path] = {}
        for uuid, path in paths(self._rows, self._chassis):
            if isinstance(path, Path):
                wanted[uuid] = path
            else:
                self._problems.append(Problem(f"BFD session {uuid}: {path}"))
        self._sessions.follow(wanted, now)

    def _probe(self, now: float) -> None:
        wanted: dict[Uuid, Checked] = {}
        for uuid, checked in services(self._rows, self._chassis):
            if isinstance(checked, Checked):
                wanted[uuid] = checked
            else:
                self._problems.append(Problem(f"service monitor {uuid}: {checked}"))
        self._probing.follow(wanted, now)

    def handle(self, now: float) -> Iterator[Effect]:
        """What follows from new rows and from time that has passed."""
        problems, self._problems = self._problems, []
        yield from problems
        yield from self._beacons.handle(now)
        yield from self._sessions.handle(now)
        yield from self._probing.handle(now)
        yield from self._prefixes.handle(now)
        yield from self._queries.handle(now)
        self._snooping.handle(now)
        if self._waiting:
            yield from self._waiting.handle(now, self._mac_of)

    @property
    def look_due(self) -> float | None:
        """When to ask the switch for its counts."""
        return self._ageing.deadline

    def counted(self, counts: Counts, now: float) -> Iterator[Effect]:
        """What follows from the switch's counts: packets by table (of `COUNTED`) and cookie."""
        found = self._ageing.look(ageing(self._rows), counts, now)
        if found.alive:
            yield Renew(tuple(found.alive))
        for row in found.doubted:
            try:
                asked = question(self._rows, row, self._chassis)
            except Malformed as fault:
                yield Problem(f"MAC_Binding {row}: {fault}")
            else:
                yield from () if asked is None else (asked,)

    def take_facts(self, now: float) -> list[Fact]:
        """What the database should be told now."""
        return self._memory.take(now)

    def members(self) -> dict[Group, tuple[str, frozenset[int]]]:
        """(protocol, ports) of each multicast group with listeners here."""
        return self._snooping.members()

    @property
    def agenda(self) -> tuple[float | None, int]:
        """When there is something to do, and how often who listens has changed: another one is a reason to look."""
        return self.deadline, self._snooping.changes

    @property
    def deadline(self) -> float | None:
        """When there is something to do."""
        timed = (
            self._memory, self._waiting, self._beacons, self._sessions, self._probing, self._snooping, self._prefixes,
            self._queries,
        )  # fmt: skip
        return min((each.deadline for each in timed if each.deadline is not None), default=None)

    def _mac_of(self, hop: NextHop) -> int | None:
        """What is known of a next hop, learned or configured."""
        port = find_port(self._rows, hop.datapath, hop.port)
        if port is not None and port.type == "chassisredirect":
            port = port_named(self._rows, port.options.get(DISTRIBUTED_PORT, ""))
        if port is None:
            return None
        fresh = self._memory.mac_of(hop.datapath, port.tunnel_key, hop.address)
        if fresh is not None:
            return fresh
        name, ip = port.logical_port, ip_str(*hop.address)
        for mac in (row.mac for table in NEIGHBOURS for row in self._rows.where(table, logical_port=name, ip=ip)):
            with suppress(Malformed):
                return mac_int(mac)
        return None


def _says(row: Row | None, option: str) -> bool:
    return isinstance(row, PortBinding) and option in row.options
