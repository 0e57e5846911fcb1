"""Mirrors that the switch carries out: copies of what ports here send and get, to a tunnel or to an interface.

    Mirror m1 (gre, erspan)   Port ovn-m1 to the sink, with the index as key
    Mirror m2 (local)         the interface with external_ids:mirror-id = sink
    from-lport: select_src_port    to-lport: select_dst_port    both: both

Rows that are ours say so: external_ids:ovn-owned.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

from pyovn.controller.edits import Edit, Insert, Put, Take, column_edits
from pyovn.net.uuids import Uuid
from pyovn.tables.vswitch import Bridge, Interface, Mirror, Port

OWNED: Final = "ovn-owned"
OURS: Final = {OWNED: "true"}
MIRROR_ID: Final = "mirror-id"
#: types that end in a tunnel
TUNNELS: Final = ("gre", "erspan")


R = TypeVar("R", Mirror, Port)


class WantedMirror(NamedTuple):
    """A mirror of ports that are here."""

    name: str
    type: str
    filter: str
    sink: str
    number: int
    ports: frozenset[Uuid]  #: Port rows
    end: Uuid | None = None  #: of a local mirror, the Port that copies go to

    @property
    def port_name(self) -> str:
        """The name of the tunnel's port."""
        return f"ovn-{self.name}"

    @property
    def options(self) -> dict[str, str]:
        """The options of the tunnel's interface."""
        more = {"erspan_idx": str(self.number), "erspan_ver": "1"} if self.type == "erspan" else {}
        return {"remote_ip": self.sink, "key": str(self.number), **more}

    def selection(self) -> dict[str, frozenset[Uuid]]:
        """Which ports' packets are copied, by the way they go."""
        nobody: frozenset[Uuid] = frozenset()
        return {
            "select_src_port": nobody if self.filter == "to-lport" else self.ports,
            "select_dst_port": nobody if self.filter == "from-lport" else self.ports,
        }


def mirror_edits(
    bridge: Bridge,
    mirrors: Mapping[Uuid, Mirror],
    ports: Mapping[Uuid, Port],
    interfaces: Mapping[Uuid, Interface],
    wanted: Iterable[WantedMirror],
) -> Iterator[Edit]:
    """What makes a bridge's mirrors, with their tunnels, those wanted; rows of others stay."""
    known = {row.name: row for row in ours(bridge.mirrors, mirrors)}
    tunnels = {row.name: row for row in ours(bridge.ports, ports)}
    for each in sorted(wanted):
        port = tunnels.pop(each.port_name, None) if each.type in TUNNELS else None
        end = each.end
        if each.type in TUNNELS:
            end = port.uuid if port is not None else Uuid(f"new:port:{each.port_name}")
            yield from _tunnel(bridge, each, port, interfaces)
        columns = {"output_port": end, **each.selection()}
        if (row := known.pop(each.name, None)) is not None:
            yield from column_edits(row, columns)
        else:
            id_ = Uuid(f"new:mirror:{each.name}")
            yield Insert(Mirror, {"name": each.name, "external_ids": OURS, **columns}, id_)
            yield Put(bridge, "mirrors", frozenset({id_}))
    for column, surplus in (("mirrors", known), ("ports", tunnels)):
        if surplus:
            yield Take(bridge, column, frozenset(row.uuid for row in surplus.values()))


def _tunnel(
    bridge: Bridge, mirror: WantedMirror, port: Port | None, interfaces: Mapping[Uuid, Interface]
) -> Iterator[Edit]:
    if port is not None:
        for each in port.interfaces:
            if (interface := interfaces.get(each)) is not None:
                yield from column_edits(interface, {"type": mirror.type, "options": mirror.options})
        return
    name = mirror.port_name
    interface_id, port_id = Uuid(f"new:interface:{name}"), Uuid(f"new:port:{name}")
    yield Insert(Interface, {"name": name, "type": mirror.type, "options": mirror.options}, interface_id)
    columns = {"name": name, "interfaces": frozenset({interface_id}), "external_ids": OURS}
    yield Insert(Port, columns, port_id)
    yield Put(bridge, "ports", frozenset({port_id}))


def ours(listed: Iterable[Uuid], rows: Mapping[Uuid, R]) -> Iterator[R]:
    """The rows among those listed that a controller made."""
    found = (row for each in listed if (row := rows.get(each)) is not None)
    return (row for row in found if row.external_ids.get(OWNED) == "true")
