"""Whether a packet can be carried where the logical network sends it: what the tracer takes for granted.

    an ending's way ─ stations ─▶ the logical ports on it that are somewhere ─ obstacles ─▶ sentences

Ports are where a chassis has claimed them; between chassis there are tunnels; a physical network needs a bridge.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from pyovn.trace.endings import Ending, endings
from pyovn.trace.network import COLUMNS, Row, as_set

#: the tables that tell of chassis, with their columns, besides what a trace reads
PHYSICAL: dict[str, tuple[str, ...]] = {
    **COLUMNS,
    "Port_Binding": (*COLUMNS["Port_Binding"], "chassis", "up"),
    "Chassis": ("_uuid", "name", "encaps", "other_config"),
    "Encap": ("_uuid", "type"),
}
GUEST, LOCALNET = ("", "virtual"), "localnet"


class Station(NamedTuple):
    """A logical port on a packet's way that is on some chassis."""

    port: str
    is_last: bool


@dataclass(slots=True)
class Chassis:
    """A chassis."""

    name: str
    tunnels: frozenset[str]
    networks: frozenset[str]  #: the physical networks for which it has bridges


class Presence:
    """Where everything is."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        tunnels = {row["_uuid"]: row["type"] for row in tables["Encap"]}
        self._chassis = {row["_uuid"]: _chassis(row, tunnels) for row in tables["Chassis"]}
        self._ports: dict[str, Row] = {row["logical_port"]: row for row in tables["Port_Binding"]}

    def where(self, port: str) -> Chassis | None:
        """The chassis that has claimed a port."""
        row = self._ports.get(port)
        return None if row is None else self._chassis.get(row["chassis"] or "")

    def obstacles(self, ending: Ending) -> list[str]:
        """What keeps a packet from getting there, although no flow does; or what keeps a question of a router's."""
        if ending.fate == "delivered":
            return list(self._obstacles(ending))
        if ending.fate != "unresolved":
            return []
        asking = endings(ending.node.children, (*ending.path, ending.node))
        found = (text for each in asking if each.fate == "delivered" for text in self._obstacles(each, guests=False))
        return list(dict.fromkeys(found))

    def _obstacles(self, ending: Ending, *, guests: bool = True) -> Iterator[str]:
        here: Chassis | None = None
        for station in stations(ending):
            row = self._ports.get(station.port)
            if row is None:
                continue
            there = self.where(station.port)
            if guests or row["type"] not in GUEST:
                yield from self._missing(station, row, there, here)
            if here is not None and there is not None and not here.tunnels & there.tunnels:
                kinds = " and ".join(f"{each.name} ({', '.join(sorted(each.tunnels))})" for each in (here, there))
                if here is not there:
                    yield f"there is no kind of tunnel that both chassis have: {kinds}"
            if row["type"] not in ("patch", LOCALNET):
                here = there

    def _missing(self, station: Station, row: Row, there: Chassis | None, here: Chassis | None) -> Iterator[str]:
        name, kind = station.port, row["type"]
        if kind in GUEST and there is None:
            yield f'nobody has plugged in "{name}": there is no interface with external_ids:iface-id={name}'
        elif kind in GUEST and station.is_last and row["up"] is False:
            yield f'chassis {there.name if there else ""} has claimed "{name}" and is not ready yet'
        elif kind in ("chassisredirect", "l3gateway", "l2gateway") and there is None:
            yield f'no chassis serves the gateway port "{name}"'
        elif kind == LOCALNET and station.is_last:
            network = row["options"].get("network_name", "")
            if here is not None and network not in here.networks:
                yield (
                    f"chassis {here.name} has no bridge for the physical network {network}"
                    " (external_ids:ovn-bridge-mappings)"
                )


def _chassis(row: Row, tunnels: Mapping[str, str]) -> Chassis:
    pairs = (each.partition(":") for each in row["other_config"].get("ovn-bridge-mappings", "").split(","))
    kinds = frozenset(tunnels[each] for each in as_set(row["encaps"]) if each in tunnels)
    return Chassis(row["name"], kinds, frozenset(network for network, _, bridge in pairs if bridge))


def stations(ending: Ending) -> Iterator[Station]:
    """The ports on a packet's way where it may change chassis, in order, from the first to where it was put out."""
    first = next((node.facts["inport"] for node in ending.path if node.facts.get("inport")), "")
    if first:
        yield Station(first, is_last=False)
    for parent, child in pairwise((*ending.path, ending.node)):
        for sibling in parent.children:
            if sibling is child:
                break
            if "stands_in" in sibling.facts:
                yield Station(sibling.facts["stands_in"], is_last=False)
        if child.kind == "output":
            yield Station(child.facts["port"], is_last=child is ending.node)
