"""What timed services work on: paths that BFD watches, router ports that advertise or ask for prefixes, switches that
are snooped on, services that are probed.

BFD row, its router port ─► Path, where that port is on this chassis
router port with ipv6_ra_send_periodic, its peer ─► Beacon
Service_Monitor, its port ─► Checked, where that port is on this chassis
router port with ipv6_prefix_delegation, those of its router with ipv6_prefix ─► Request
"""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from pyovn.controller.effects import Send, injected
from pyovn.controller.learning import PREFIX_LIST
from pyovn.controller.services.beacons import Beacon, beacon, check
from pyovn.controller.services.bfd import MS, Path
from pyovn.controller.services.multicast import Limits
from pyovn.controller.services.prefixes import Request
from pyovn.controller.services.probes import Checked
from pyovn.controller.services.queries import Querier
from pyovn.incr.engine import Source
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse, mask4, mask6, parse_network
from pyovn.net.mac import eui64_lla, mac_int
from pyovn.net.uuids import Uuid
from pyovn.packet import arp, nd
from pyovn.packet.dhcp6 import Prefix
from pyovn.tables.sb import (
    BFD,
    FDB,
    Chassis,
    DatapathBinding,
    IPMulticast,
    MACBinding,
    PortBinding,
    ServiceMonitor,
)

#: SB BFD.status of a session that nothing depends on.
UNUSED: Final = "admin_down"
#: Port_Binding.options of a router port that asks for prefixes, and of one that gets one.
ASKS: Final = "ipv6_prefix_delegation"
RECEIVES: Final = "ipv6_prefix"
#: Port_Binding.options of a distributed gateway port: the port that stands for it where it is.
REDIRECT: Final = "chassis-redirect-port"
#: Datapath_Binding.external_ids: seconds.
NEIGHBOUR_AGE: Final = "mac_binding_age_threshold"
STATION_AGE: Final = "fdb_age_threshold"
AGES: Final = (NEIGHBOUR_AGE, STATION_AGE)
LINK_LOCAL: Final = 0xFE80 << 112
#: What IP_Multicast leaves open.
MOST_GROUPS: Final = 2048
IDLE_S: Final = 300
QUERY_S: Final = 150
RESPONSE_S: Final = 1


def port_named(rows: Source, name: str) -> PortBinding | None:
    """A port."""
    return next(iter(rows.where(PortBinding, logical_port=name)), None)


def key_of(rows: Source, datapath: Uuid) -> int:
    """The key of a datapath; 0 where it is not known."""
    row = rows.rows(DatapathBinding).get(datapath)
    return row.tunnel_key if row is not None else 0


def beacon_of(rows: Source, port: PortBinding) -> Beacon | None:
    """What a router port is to advertise; raises OvnError."""
    if not check(port.options):
        return None
    peer = port_named(rows, port.options["peer"])
    return None if peer is None else beacon(port.options, key_of(rows, peer.datapath), peer.tunnel_key)


def paths(rows: Source, chassis: str) -> Iterator[tuple[Uuid, Path | Malformed]]:
    """The paths that this chassis is to watch, or what is wrong with the row."""
    for row in rows.rows(BFD).values():
        port = port_named(rows, row.logical_port)
        if row.status != UNUSED and port is not None and _is_here(rows, port, chassis):
            try:
                yield row.uuid, path_of(rows, row, port)
            except Malformed as fault:
                yield row.uuid, fault


def _is_here(rows: Source, port: PortBinding, chassis: str) -> bool:
    """True where packets of a router port leave from this chassis."""
    redirect = port.options.get(REDIRECT)
    gateway = port_named(rows, redirect) if redirect else port
    own = rows.where(Chassis, name=chassis)
    return gateway is not None and bool(own) and gateway.chassis == own[0].uuid


def path_of(rows: Source, row: BFD, port: PortBinding) -> Path:
    """The path that a row stands for; raises Malformed."""
    version, dst = ip_parse(row.dst_ip)
    words = " ".join(sorted(port.mac)).split()
    mac = _mac(port)
    src = _source(version, dst, mac, words[1:])
    return Path(
        key_of(rows, port.datapath), port.tunnel_key, mac, version, src, dst, row.src_port, row.disc,
        row.min_tx * MS, row.min_rx * MS, max(1, row.detect_mult),
    )  # fmt: skip


def _source(version: int, dst: int, mac: int, networks: list[str]) -> int:
    """Our address towards a neighbour: the one in its network, else the first."""
    if version == 6 and dst >> 118 == LINK_LOCAL >> 118:
        return eui64_lla(mac)
    found = [parse_network(each) for each in networks]
    own = [(address, length) for family, address, length in found if family == version]
    if not own:
        raise Malformed("router port without an address of the BFD session's family")
    mask = mask4 if version == 4 else mask6
    return next((address for address, length in own if not (address ^ dst) & mask(length)), own[0][0])


def services(rows: Source, chassis: str) -> Iterator[tuple[Uuid, Checked | Malformed]]:
    """The services that this chassis is to probe, or what is wrong with the row."""
    own = rows.where(Chassis, name=chassis)
    for row in rows.rows(ServiceMonitor).values():
        port = port_named(rows, row.logical_port)
        if row.remote or port is None or not own or port.chassis != own[0].uuid:
            continue
        try:
            yield row.uuid, service_of(rows, row, port)
        except Malformed as fault:
            yield row.uuid, fault


def service_of(rows: Source, row: ServiceMonitor, port: PortBinding) -> Checked:
    """The service that a row stands for; raises Malformed."""
    version, dst = ip_parse(row.ip)
    family, src = ip_parse(row.src_ip)
    if family != version:
        raise Malformed(f"{row.src_ip} cannot ask {row.ip}: another version of IP")
    return Checked(
        key_of(rows, port.datapath), port.tunnel_key, _mac_with(port, row.ip), mac_int(row.src_mac), version, src, dst,
        row.protocol or "tcp", row.port, _often(row, "interval", 5), _often(row, "timeout", 3),
        _often(row, "success_count", 1), _often(row, "failure_count", 1),
    )  # fmt: skip


def _mac_with(port: PortBinding, ip: str) -> int:
    """The MAC that a port has together with an address, or its first; raises Malformed."""
    entries = [words for entry in sorted(port.mac) if (words := entry.split())]
    with_ip = [words[0] for words in entries if ip in words[1:]]
    return mac_int((with_ip or [words[0] for words in entries] or [""])[0])


def _often(row: ServiceMonitor, option: str, default: int) -> int:
    text = row.options.get(option, "")
    return max(1, int(text)) if text.isdecimal() else default


def delegations(rows: Source, askers: Iterable[Uuid], chassis: str) -> Iterator[tuple[Uuid, Request]]:
    """The prefixes that router ports are to get, through those of the ports `askers` that are on this chassis."""
    for uuid in askers:
        port = rows.rows(PortBinding).get(uuid)
        link = None if port is None else port_named(rows, port.options.get("peer", ""))
        if port is None or link is None or port.options.get(ASKS) != "true" or not _is_here(rows, port, chassis):
            continue
        places = key_of(rows, link.datapath), link.tunnel_key, key_of(rows, port.datapath), port.tunnel_key
        for each in rows.where(PortBinding, datapath=port.datapath):
            if each.options.get(RECEIVES) == "true":
                known = _leased(each.options.get(PREFIX_LIST, ""))
                yield each.uuid, Request(*places, _mac(port), _mac(each), each.tunnel_key, known)


def _mac(port: PortBinding) -> int:
    words = " ".join(sorted(port.mac)).split()
    return mac_int(words[0] if words else "")


def _leased(text: str) -> Prefix | None:
    """The prefix that the database says a port has."""
    try:
        version, address, length = parse_network(text.partition(":")[2])
    except Malformed:
        return None
    return Prefix(address, length, 0, 0) if version == 6 else None


def shortest_age(rows: Source) -> float:
    """The least age, in seconds, at which rows of some datapath are removed; inf where all may get old."""
    ages = (_age(row, key) for row in rows.rows(DatapathBinding).values() for key in AGES)
    return min((age for age in ages if age), default=math.inf)


def ageing(rows: Source) -> Iterator[Uuid]:
    """The neighbours and stations that are removed at some age."""
    for datapath in rows.rows(DatapathBinding).values():
        if _age(datapath, NEIGHBOUR_AGE):
            yield from (row.uuid for row in rows.where(MACBinding, datapath=datapath.uuid))
        if _age(datapath, STATION_AGE):
            yield from (row.uuid for row in rows.where(FDB, dp_key=datapath.tunnel_key))


def _age(datapath: DatapathBinding, key: str) -> int:
    text = datapath.external_ids.get(key, "")
    return int(text) if text.isdecimal() else 0


def question(rows: Source, neighbour: Uuid, chassis: str) -> Send | None:
    """What asks a neighbour whether it is there, as its router port sends it to its switch; None where others do that.

    Raises Malformed.
    """
    row = rows.rows(MACBinding).get(neighbour)
    port = None if row is None else port_named(rows, row.logical_port)
    link = None if port is None else port_named(rows, port.options.get("peer", ""))
    if row is None or port is None or link is None:
        return None
    is_bound = port.type == "l3gateway" or REDIRECT in port.options
    if is_bound and not _is_here(rows, port, chassis):
        return None
    version, target = ip_parse(row.ip)
    mac, networks = _mac(port), " ".join(sorted(port.mac)).split()[1:]
    source = _source(version, target, mac, networks)
    frame = arp.request(mac, source, target) if version == 4 else nd.solicitation(mac, source, target)
    return injected(frame, key_of(rows, link.datapath), link.tunnel_key)


def snooped(rows: Source) -> dict[int, Limits]:
    """The datapaths (keys) whose multicast is snooped on."""
    return {
        key_of(rows, row.datapath): Limits(row.table_size or MOST_GROUPS, float(row.idle_timeout or IDLE_S), row.seq_no)
        for row in rows.rows(IPMulticast).values()
        if row.enabled
    }


def queriers(rows: Source) -> dict[int, Querier]:
    """Who asks for listeners, by the datapath (key) where they do; raises Malformed."""
    return {
        key_of(rows, row.datapath): Querier(
            mac_int(row.eth_src),
            ip_parse(row.ip4_src)[1] if row.ip4_src else 0,
            ip_parse(row.ip6_src)[1] if row.ip6_src else 0,
            row.query_interval or QUERY_S,
            row.query_max_resp or RESPONSE_S,
        )
        for row in rows.rows(IPMulticast).values()
        if row.enabled and row.querier and row.eth_src and (row.ip4_src or row.ip6_src)
    }
