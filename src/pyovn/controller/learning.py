"""What services learned, as southbound rows.

Learned   → FDB (dp_key, mac): port_key          Neighbour → MAC_Binding (logical_port, ip): mac
Activate  → Port_Binding.options:additional-chassis-activated
Adopt     → Port_Binding (virtual): chassis, virtual_parent
Record    → Controller_Event
Judge     → BFD.status, Service_Monitor.status
Delegated → Port_Binding.options:ipv6_ra_pd_list
Renew     → MAC_Binding.timestamp, FDB.timestamp
members   → IGMP_Group rows of this chassis
"""

from collections.abc import Iterator, Mapping
from typing import Final

from pyovn.controller.edits import Delete, Edit, Insert, Put, column_edits, map_edits
from pyovn.controller.effects import Activate, Adopt, Delegated, Judge, Learned, Neighbour, Record, Renew
from pyovn.controller.services.multicast import Group
from pyovn.incr.engine import Source
from pyovn.net.ip import ip_str
from pyovn.net.mac import mac_str
from pyovn.net.uuids import Uuid
from pyovn.tables.sb import (
    BFD,
    FDB,
    Chassis,
    ControllerEvent,
    DatapathBinding,
    IGMPGroup,
    MACBinding,
    PortBinding,
    ServiceMonitor,
)

ACTIVATED: Final = "additional-chassis-activated"
PREFIX_LIST: Final = "ipv6_ra_pd_list"


def learned_edits(rows: Source, fact: Learned | Neighbour, now_ms: int) -> Iterator[Edit]:
    """What makes the database know a fact; nothing where it does already."""
    if isinstance(fact, Learned):
        yield from _station(rows, fact, now_ms)
    else:
        yield from _neighbour(rows, fact, now_ms)


def _station(rows: Source, fact: Learned, now_ms: int) -> Iterator[Edit]:
    mac = mac_str(fact.mac)
    known = rows.where(FDB, mac=mac, dp_key=fact.datapath)
    if known:
        yield from column_edits(known[0], {"port_key": fact.port})
    else:
        columns = {"mac": mac, "dp_key": fact.datapath, "port_key": fact.port, "timestamp": now_ms}
        yield Insert(FDB, columns)


def _neighbour(rows: Source, fact: Neighbour, now_ms: int) -> Iterator[Edit]:
    port = find_port(rows, fact.datapath, fact.port)
    if port is None:
        return
    ip, mac = ip_str(*fact.address), mac_str(fact.mac)
    known = rows.where(MACBinding, logical_port=port.logical_port, ip=ip)
    if not known:
        columns = {"logical_port": port.logical_port, "ip": ip, "mac": mac, "datapath": port.datapath}
        yield Insert(MACBinding, {**columns, "timestamp": now_ms})
    elif known[0].mac != mac:
        yield from column_edits(known[0], {"mac": mac, "timestamp": now_ms})


def activation_edits(rows: Source, shown_up: Activate, chassis: str) -> Iterator[Edit]:
    """What tells everybody that a migrating port is active on this chassis."""
    port = find_port(rows, shown_up.datapath, shown_up.port)
    if port is None:
        return
    names = [name for name in port.options.get(ACTIVATED, "").split(",") if name]
    if chassis not in names:
        yield Put(port, "options", {ACTIVATED: ",".join((*names, chassis))})


def adoption_edits(rows: Source, shown_up: Adopt, chassis: Uuid) -> Iterator[Edit]:
    """What binds a virtual port to this chassis; nothing unless its parent is here."""
    virtual = find_port(rows, shown_up.datapath, shown_up.virtual)
    parent = find_port(rows, shown_up.datapath, shown_up.parent)
    if virtual is not None and parent is not None and virtual.type == "virtual" and parent.chassis == chassis:
        yield from column_edits(virtual, {"chassis": chassis, "virtual_parent": parent.logical_port})


def event_edits(rows: Source, recorded: Record, chassis: Uuid) -> Iterator[Edit]:
    """What tells the cloud management system; nothing while it has not taken note of the same event."""
    details = dict(recorded.details)
    known = [row for row in rows.rows(ControllerEvent).values() if row.chassis == chassis]
    if any(row.event_type == recorded.event and row.event_info == details for row in known):
        return
    number = max((row.seq_num for row in known), default=0) + 1
    columns = {"event_type": recorded.event, "event_info": details, "chassis": chassis, "seq_num": number}
    yield Insert(ControllerEvent, columns)


def status_edits(rows: Source, judged: Judge) -> Iterator[Edit]:
    """What tells northd whether a next hop, or a service, is there."""
    session, service = rows.rows(BFD).get(judged.session), rows.rows(ServiceMonitor).get(judged.session)
    for row in (session, service):
        if row is not None:
            yield from column_edits(row, {"status": judged.status})


def delegation_edits(rows: Source, delegated: Delegated) -> Iterator[Edit]:
    """What tells northd which prefix a router port has."""
    row = rows.rows(PortBinding).get(delegated.port)
    if row is not None:
        yield from map_edits(row, "options", {PREFIX_LIST: delegated.lease or None})


def renewal_edits(rows: Source, renewed: Renew, now_ms: int) -> Iterator[Edit]:
    """What tells northd that rows are still right."""
    for uuid in renewed.rows:
        row = rows.rows(MACBinding).get(uuid) or rows.rows(FDB).get(uuid)
        if row is not None:
            yield from column_edits(row, {"timestamp": now_ms})


def member_edits(rows: Source, members: Mapping[Group, tuple[str, frozenset[int]]], chassis: Chassis) -> Iterator[Edit]:
    """What makes this chassis' IGMP_Group rows say who listens to what."""
    known = {(row.address, str(row.datapath)): row for row in rows.where(IGMPGroup, chassis=chassis.uuid)}
    for (datapath, address), (protocol, keys) in members.items():
        bound = [port for key in keys if (port := find_port(rows, datapath, key)) is not None]
        if not bound:
            continue
        row, ports = known.pop((address, str(bound[0].datapath)), None), frozenset(port.uuid for port in bound)
        if row is not None:
            yield from column_edits(row, {"protocol": protocol, "ports": ports})
        else:
            place = {"address": address, "datapath": bound[0].datapath, "chassis": chassis.uuid}
            named = {"protocol": protocol, "ports": ports, "chassis_name": chassis.name}
            yield Insert(IGMPGroup, {**place, **named})
    yield from map(Delete, known.values())


def find_port(rows: Source, datapath: int, key: int) -> PortBinding | None:
    """The port with this key on the datapath with that key."""
    for found in rows.where(DatapathBinding, tunnel_key=datapath):
        for port in rows.where(PortBinding, datapath=found.uuid, tunnel_key=key):
            return port
    return None
