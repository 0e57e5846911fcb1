"""The flows of look-up tables: neighbours and stations that were learned, and load-balancer hairpins.

MAC_Binding, Static_MAC_Binding, FDB ─► physical.neighbours        Load_Balancer ─► physical.balancers
"""

from typing import Final

from pyovn.controller.binding import PORT
from pyovn.controller.datapaths import DATAPATH, DATAPATHS, Datapath
from pyovn.controller.flowtable import FLOWS, Flows, cookie_of
from pyovn.controller.physical import balancers, neighbours
from pyovn.controller.portflows import Problems
from pyovn.controller.view import expanded, global_options
from pyovn.incr.engine import Reader, family
from pyovn.incr.relation import Single
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse
from pyovn.net.mac import mac_int
from pyovn.net.uuids import Uuid
from pyovn.tables.sb import (
    FDB,
    DatapathBinding,
    LoadBalancer,
    MACBinding,
    PortBinding,
    StaticMACBinding,
)

BALANCER_PROBLEMS: Final = Single[Uuid, Problems]("problems of load balancers")


@family(over=MACBinding, emits=[FLOWS])
def learned_neighbour(db: Reader, uuid: Uuid) -> tuple[Flows]:
    """A neighbour of a router that somebody heard of."""
    row = db.row(MACBinding, uuid)
    assert row is not None
    found = _neighbour(db, row)
    if found is None:
        return ((),)
    datapath, key, address, mac = found
    cookie = cookie_of(uuid)
    flows = neighbours.binding_flows(datapath, key, address, mac, priority=neighbours.LEARNED, cookie=cookie)
    return ((*flows, *neighbours.usage_flows(datapath, key, address, mac, cookie)),)


@family(over=StaticMACBinding, emits=[FLOWS])
def static_neighbour(db: Reader, uuid: Uuid) -> tuple[Flows]:
    """A neighbour that somebody configured."""
    row = db.row(StaticMACBinding, uuid)
    assert row is not None
    found = _neighbour(db, row)
    if found is None:
        return ((),)
    datapath, key, address, mac = found
    priority = neighbours.STATIC_OVERRIDING if row.override_dynamic_mac else neighbours.STATIC
    return (tuple(neighbours.binding_flows(datapath, key, address, mac, priority=priority, cookie=cookie_of(uuid))),)


def _neighbour(db: Reader, row: MACBinding | StaticMACBinding) -> tuple[int, int, tuple[int, int], int] | None:
    """(datapath key, port key, address, MAC), or None where that is not local or makes no sense."""
    where = db.look(DATAPATH, row.datapath)
    named = db.look(PORT, row.logical_port)
    if where is None or not named or named[0].datapath != row.datapath:
        return None
    try:
        return where.key, named[0].key, ip_parse(row.ip), mac_int(row.mac)
    except Malformed:
        return None


@family(over=FDB, emits=[FLOWS])
def learned_station(db: Reader, uuid: Uuid) -> tuple[Flows]:
    """A station of a switch that somebody heard of."""
    row = db.row(FDB, uuid)
    assert row is not None
    found = db.find(DatapathBinding, "tunnel_key", row.dp_key)
    where = db.look(DATAPATH, found[0]) if found else None
    if where is None:
        return ((),)
    try:
        mac = mac_int(row.mac)
    except Malformed:
        return ((),)
    beside = bool(where.localnets) and row.port_key not in [each.key for each in where.localnets]
    vif = beside and _is_vif(db, where, row.port_key)
    flows = neighbours.forwarding_flows(where.key, mac, row.port_key, beside_localnet=vif, cookie=cookie_of(uuid))
    return (tuple(flows),)


def _is_vif(db: Reader, where: Datapath, key: int) -> bool:
    learns = any(
        db.column(PortBinding, each.uuid, "options").get("localnet_learn_fdb") == "true" for each in where.localnets
    )
    if not learns:
        return False
    return any(db.column(PortBinding, each, "type") == "" for each in db.find(PortBinding, "tunnel_key", key))


@family(over=LoadBalancer, emits=[FLOWS, BALANCER_PROBLEMS])
def balancer(db: Reader, uuid: Uuid) -> tuple[Flows, Problems]:
    """Hairpin flows of a load balancer on local switches."""
    row = db.row(LoadBalancer, uuid)
    assert row is not None
    on = {
        found.key
        for each in sorted(row.datapaths)
        if (found := db.look(DATAPATH, each)) is not None and found.is_switch
    }
    for group in (row.ls_datapath_group, row.datapath_group):
        if group is not None:
            on.update(found.key for found in db.look(DATAPATHS, group) or () if found.is_switch)
    if not on:
        return (), ()
    problems: list[str] = []
    vips = row.vips
    if row.options.get("template") == "true":
        vips = {expanded(db, virtual): expanded(db, backends) for virtual, backends in vips.items()}
    described = balancers.Balancer(
        cookie_of(uuid),
        row.protocol or "tcp",
        tuple(balancers.vips_of(vips, problems)),
        balancers.snat_addresses(row.options.get("hairpin_snat_ip", "").split()),
        tuple(sorted(on)),
        "reg4" if global_options(db).get("register_consolidation") == "true" else "reg1",
    )
    return tuple(balancers.hairpin_flows(described)), tuple(f"{row.name}: {text}" for text in problems)
