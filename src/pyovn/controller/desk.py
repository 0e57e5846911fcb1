"""The desk where packet-ins are handed in: services that keep something between packets, and the table of them all.

packet-in ─► dispatch ─► effects ─► carried out here (Hold, Learn) or by the daemon (Send, Continue, Adopt, …)
row changes, time ─► follow, handle ─► effects
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from pyovn.controller.dispatch import SERVICES, Service, answer
from pyovn.controller.effects import Effect, Hold, Learn
from pyovn.controller.learning import find_port
from pyovn.controller.services.dns import NameService
from pyovn.controller.services.memory import Fact, Memory
from pyovn.controller.services.waiting import NextHop, WaitingRoom
from pyovn.incr.engine import Source
from pyovn.lang.actions.userdata import Opcode
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_str
from pyovn.net.mac import mac_int
from pyovn.openflow.messages import PacketIn
from pyovn.tables.sb import MACBinding, PortBinding, StaticMACBinding

#: Which port a chassisredirect port stands for.
DISTRIBUTED_PORT: Final = "distributed-port"
NEIGHBOURS: Final[tuple[type[MACBinding] | type[StaticMACBinding], ...]] = (MACBinding, StaticMACBinding)


class Desk:
    """The services of one chassis."""

    def __init__(self, southbound: Source, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self._rows = southbound
        self._memory = Memory(uniform)
        self._waiting = WaitingRoom()
        names = NameService(southbound, lambda records: records.sort(key=lambda _: uniform(0.0, 1.0)))
        self._services: Mapping[Opcode, Service] = {**SERVICES, Opcode.DNS_LOOKUP: names.dns_lookup}

    def packet(self, pin: PacketIn, now: float) -> Iterator[Effect]:
        """What follows from a packet that the switch hands over."""
        for effect in answer(pin, self._services):
            match effect:
                case Hold():
                    self._waiting.wait(effect, now)
                    yield from self._waiting.handle(now, self._mac_of)
                case Learn(fact):
                    self._memory.learn(fact, now)
                    yield from self._waiting.handle(now, self._mac_of)
                case _:
                    yield effect

    def handle(self, now: float) -> Iterator[Effect]:
        """What follows from new rows and from time that has passed."""
        if self._waiting:
            yield from self._waiting.handle(now, self._mac_of)

    def take_facts(self, now: float) -> list[Fact]:
        """What the database should be told now."""
        return self._memory.take(now)

    @property
    def deadline(self) -> float | None:
        """When there is something to do."""
        times = (self._memory.deadline, self._waiting.deadline)
        return min((each for each in times if each is not None), default=None)

    def _mac_of(self, hop: NextHop) -> int | None:
        """What is known of a next hop, learned or configured."""
        port = find_port(self._rows, hop.datapath, hop.port)
        if port is not None and port.type == "chassisredirect":
            port = self._named(port.options.get(DISTRIBUTED_PORT, ""))
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

    def _named(self, name: str) -> PortBinding | None:
        return next(iter(self._rows.where(PortBinding, logical_port=name)), None)
