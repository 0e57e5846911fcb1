"""Answers to OpenFlow's multipart requests: what a bridge holds and what it counted."""

from collections.abc import Callable, Iterable
from typing import Any

from pyovn.openflow import messages as m
from pyovn.openflow.actions import OFPP_ANY
from pyovn.openflow.flows import GROUP_ALL, GROUP_ANY, METER_ALL, Flow, FlowStats
from pyovn.vswitch.bridge import Bridge
from pyovn.vswitch.datapath import Datapath
from pyovn.vswitch.errors import Refused
from pyovn.vswitch.groups import Group
from pyovn.vswitch.meters import MAX_BANDS, MAX_METERS, Meter
from pyovn.vswitch.ports import Port
from pyovn.vswitch.tables import FlowMod, Rule

BAD_MULTIPART = (1, 2)
VERSION = "3.7.0"
#: band type "drop" as OpenFlow numbers it
BAND_DROP = 1 << 1
EVERY_GROUP_TYPE = 0xF


def entries(datapath: Datapath, bridge: Bridge, request: m.MultipartRequest) -> tuple[Any, ...]:
    """The entries of the reply; raises Refused."""
    source = _SOURCES.get(request.kind)
    if source is None:
        raise Refused(*BAD_MULTIPART, f"no statistics of kind {request.kind}")
    return tuple(source(datapath, bridge, request.body))


def age(created: float, now: float) -> float:
    """Seconds since `created`, to the millisecond: as fine as Open vSwitch counts, so as fine as its tools print."""
    return round(max(0.0, now - created), 3)


def described_port(port: Port) -> m.Port:
    """A port as OpenFlow describes it."""
    return m.Port(port.ofport, port.mac, port.name, port.config, port.state)


def _desc(datapath: Datapath, bridge: Bridge, body: Any) -> Iterable[Any]:
    yield m.SwitchDesc("pyovn", "pyovn vswitch", VERSION, "None", bridge.name)


def _rules(datapath: Datapath, bridge: Bridge, query: m.FlowQuery) -> list[Rule]:
    datapath.credit_all()
    flow = Flow(query.table, 0, query.match, (), query.cookie)
    return bridge.tables.selected(FlowMod("delete", flow, query.cookie_mask, query.out_port, query.out_group))


def _flows(datapath: Datapath, bridge: Bridge, query: m.FlowQuery) -> Iterable[Any]:
    now = datapath.now
    for rule in _rules(datapath, bridge, query):
        idle, hard = int(now - rule.used), int(now - rule.modified)
        yield FlowStats(rule.flow, rule.packets, rule.bytes, age(rule.created, now), idle, hard)


def _aggregate(datapath: Datapath, bridge: Bridge, query: m.FlowQuery) -> Iterable[Any]:
    rules = _rules(datapath, bridge, query)
    yield m.Aggregate(sum(rule.packets for rule in rules), sum(rule.bytes for rule in rules), len(rules))


def _tables(datapath: Datapath, bridge: Bridge, body: Any) -> Iterable[Any]:
    datapath.credit_all()
    for table in bridge.tables.tables[:-1]:
        yield m.TableStats(table.id, len(table.rules), table.lookups, table.matched)


def _table_features(datapath: Datapath, bridge: Bridge, body: Any) -> Iterable[Any]:
    for table in bridge.tables.tables[:-1]:
        yield m.TableFeatures(table.id, f"table{table.id}")


def _chosen_ports(bridge: Bridge, number: int | None) -> list[Port]:
    if number in (None, OFPP_ANY):
        return [port for _, port in sorted(bridge.ports.items())]
    if number not in bridge.ports:
        raise Refused(1, 11, f"no port {number}")
    return [bridge.ports[number]]


def _port_stats(datapath: Datapath, bridge: Bridge, number: int | None) -> Iterable[Any]:
    datapath.credit_all()
    for port in _chosen_ports(bridge, number):
        yield m.PortStats(
            port.ofport, max(0.0, datapath.now - port.since), port.rx_packets, port.tx_packets, port.rx_bytes,
            port.tx_bytes, port.rx_dropped, port.tx_dropped, port.rx_errors, 0,
        )  # fmt: skip


def _port_desc(datapath: Datapath, bridge: Bridge, number: int | None) -> Iterable[Any]:
    return (described_port(port) for port in _chosen_ports(bridge, number))


def _chosen_groups(bridge: Bridge, number: int | None) -> list[Group]:
    if number in (None, GROUP_ALL, GROUP_ANY):
        return [group for _, group in sorted(bridge.groups.groups.items())]
    return [bridge.groups.groups[number]] if number in bridge.groups.groups else []


def _group_desc(datapath: Datapath, bridge: Bridge, number: int | None) -> Iterable[Any]:
    return (group.definition for group in _chosen_groups(bridge, number))


def _group_stats(datapath: Datapath, bridge: Bridge, number: int | None) -> Iterable[Any]:
    datapath.credit_all()
    for group in _chosen_groups(bridge, number):
        id_ = group.definition.id
        buckets = tuple((bucket.packets, bucket.bytes) for bucket in group.buckets)
        users = sum(rule.uses_group(id_) for rule in bridge.tables)
        yield m.GroupStats(id_, users, group.packets, group.bytes, age(group.created, datapath.now), buckets)


def _group_features(datapath: Datapath, bridge: Bridge, body: Any) -> Iterable[Any]:
    yield m.GroupFeatures()


def _chosen_meters(bridge: Bridge, number: int | None) -> list[Meter]:
    if number in (None, METER_ALL):
        return [meter for _, meter in sorted(bridge.meters.meters.items())]
    return [bridge.meters.meters[number]] if number in bridge.meters.meters else []


def _meter_desc(datapath: Datapath, bridge: Bridge, number: int | None) -> Iterable[Any]:
    return (meter.definition for meter in _chosen_meters(bridge, number))


def _meter_stats(datapath: Datapath, bridge: Bridge, number: int | None) -> Iterable[Any]:
    for meter in _chosen_meters(bridge, number):
        bands = tuple((band.packets, band.bytes) for band in meter.bands)
        duration = age(meter.created, datapath.now)
        yield m.MeterStats(meter.definition.id, 0, meter.packets, meter.bytes, duration, bands)


def _meter_features(datapath: Datapath, bridge: Bridge, body: Any) -> Iterable[Any]:
    yield m.MeterFeatures(max_meter=MAX_METERS, max_bands=MAX_BANDS)


def _nothing(datapath: Datapath, bridge: Bridge, body: Any) -> Iterable[Any]:
    return ()


_SOURCES: dict[str, Callable[[Datapath, Bridge, Any], Iterable[Any]]] = {
    "desc": _desc,
    "flow": _flows,
    "aggregate": _aggregate,
    "table": _tables,
    "table_features": _table_features,
    "table_desc": _nothing,
    "port_stats": _port_stats,
    "port_desc": _port_desc,
    "queue_stats": _nothing,
    "group_stats": _group_stats,
    "group_desc": _group_desc,
    "group_features": _group_features,
    "meter_stats": _meter_stats,
    "meter_desc": _meter_desc,
    "meter_features": _meter_features,
}
