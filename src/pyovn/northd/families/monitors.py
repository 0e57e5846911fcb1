"""The families of health checks: what is probed → Service_Monitors, and the answers for the probes' addresses."""

from collections.abc import Collection, Iterator

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model.balancer import Vip, mappings
from pyovn.northd.model.monitor import FAILED, Probe, Target, backend_probes, port_probe
from pyovn.northd.model.port import Port
from pyovn.northd.model.switch import Switch
from pyovn.northd.model.virtual import routers_of
from pyovn.northd.relations import (
    ATTACHED,
    BALANCER,
    FLOWS,
    HEALTH,
    HEALTH_CHECK_OF,
    MONITORS,
    OWNER,
    PROBLEMS,
    ROUTER_PORT,
    SWITCH,
)
from pyovn.northd.rules import RULES
from pyovn.tables.nb import (
    LoadBalancer,
    LoadBalancerHealthCheck,
    LogicalSwitchPort,
    LogicalSwitchPortHealthCheck,
    NBGlobal,
)
from pyovn.tables.sb import ServiceMonitor

Outputs = tuple[object, ...]


@family(over=LoadBalancer, emits=[MONITORS, FLOWS])
def probed_backends(db: Reader, uuid: Uuid) -> Outputs:
    """The probes of a load balancer's backends."""
    row = db.row(LoadBalancer, uuid)
    if row is None or not row.health_check:
        return (), ()
    seen = db.look(BALANCER, uuid)
    assert seen is not None
    view, _ = seen
    places = mappings(row)
    found: dict[Target, Probe] = {}
    for check in sorted(row.health_check):
        if how := db.row(LoadBalancerHealthCheck, check):
            for vip in (vip for vip in view.vips if vip.text == how.vip and view.protocol != "sctp"):
                found.update(backend_probes(vip, view.protocol, how.options, places))
    at = routers_of(db, uuid)
    found = {
        target: probe._replace(src_mac=router_mac(db, at, target, probe))
        for target, probe in found.items()
        if db.find(LogicalSwitchPort, "name", target.logical_port)
    }
    return tuple(found.items()), answers(db, uuid, found)


def router_mac(db: Reader, routers: Collection[Uuid], target: Target, probe: Probe) -> str:
    """The MAC of the port of one of the routers, on the switch of what is probed, that probes come from, if any."""
    if not routers:
        return ""
    for name in db.find(LogicalSwitchPort, "name", target.logical_port):
        for switch in db.look(OWNER, name)[:1]:
            for uuid, _ in db.look(ATTACHED, switch):
                port = db.look(ROUTER_PORT, uuid)
                own = () if port is None or port.router not in routers else port.networks()
                if port is not None and any(each.address == probe.src_ip for _, each in own):
                    return port.mac
    return ""


@family(over=LogicalSwitchPortHealthCheck, emits=[MONITORS, FLOWS, HEALTH, PROBLEMS])
def probed_ports(db: Reader, uuid: Uuid) -> Outputs:
    """The probe of a service of a port, and what came of it."""
    row = db.row(LogicalSwitchPortHealthCheck, uuid)
    ports = [port for each in db.look(HEALTH_CHECK_OF, uuid) if (port := db.row(LogicalSwitchPort, each))]
    if row is None or not ports:
        return (), (), None, ()
    own = {ip for each in Port(ports[0]).addresses for ip in (*each.ip4, *(ip6.address for ip6 in each.ip6))}
    if row.address not in own:
        text = f"logical switch port {ports[0].name}: health check of {row.address}, which it does not have"
        return (), (), None, ((uuid, text),)
    target, probe = port_probe(ports[0].name, row)
    found = [each.status for each in results(db, target)]
    return ((target, probe),), answers(db, uuid, {target: probe}), found[0] if found else None, ()


def answers(db: Reader, uuid: Uuid, probes: dict[Target, Probe]) -> Provenance:
    """The flows that answer for the probes' addresses, on the switches of what is probed."""
    mac = checker(db)
    flows: Provenance = ()
    others = {(target.logical_port, probe.src_ip) for target, probe in probes.items() if not probe.src_mac}
    for name, address in sorted(others):
        for place, switch in places(db, uuid, name):
            flows += RULES.probe.apply(place, switch, address, mac)
    for target, probe in probes.items():
        for place, _ in places(db, uuid, target.logical_port) if probe.src_mac else ():
            flows += RULES.probe_reply.apply(place, target, probe)
    return flows


def places(db: Reader, uuid: Uuid, name: str) -> Iterator[tuple[Place, Switch]]:
    """The switch of a port."""
    for port in db.find(LogicalSwitchPort, "name", name):
        for datapath in db.look(OWNER, port)[:1]:
            if switch := db.look(SWITCH, datapath):
                yield Place(datapath, uuid[:8], switch.spelling), switch


def checker(db: Reader) -> str:
    """The MAC of the health checker."""
    options = [db.column(NBGlobal, each, "options") for each in db.uuids(NBGlobal)]
    return options[0].get("svc_monitor_mac", "") if options else ""


def alive(db: Reader, row: LoadBalancer, vip: Vip, protocol: str) -> Vip:
    """A virtual address whose backends are probed: those that failed, or cannot be probed, are not chosen."""
    checks = (db.row(LoadBalancerHealthCheck, each) for each in row.health_check)
    places = mappings(row)
    if protocol == "sctp" or not any(check is not None and check.vip == vip.text for check in checks):
        return vip
    known = (target for target, _ in backend_probes(vip, protocol, {}, places))
    probed: dict[tuple[str, int | str], Target] = {(target.ip, target.port): target for target in known}
    kept = [each for each in vip.backends if (to := probed.get((each.address, each.port))) and works(db, to)]
    return vip._replace(choice=",".join(f"{each.local}:{each}" if each.local else str(each) for each in kept))


def works(db: Reader, target: Target) -> bool:
    """Is there such a service, and has no probe of it failed?"""
    if not db.find(LogicalSwitchPort, "name", target.logical_port):
        return False
    return not any(row.status in FAILED for row in results(db, target))


def results(db: Reader, target: Target) -> list[ServiceMonitor]:
    """What the probes of a service found."""
    rows = db.where(ServiceMonitor, "logical_port", target.logical_port)
    return [row for row in rows if (row.ip, row.port, row.protocol or "tcp") == target[1:]]


MONITOR_FAMILIES: tuple[Family, ...] = (probed_backends, probed_ports)
