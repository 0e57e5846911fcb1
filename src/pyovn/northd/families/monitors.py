"""The families of health checks: what is probed → Service_Monitors, and the answers for the probes' addresses."""

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model.balancer import Vip, balancer
from pyovn.northd.model.monitor import FAILED, Probe, Target, backend_probes, mappings, port_probe
from pyovn.northd.model.port import Port
from pyovn.northd.relations import (
    BALANCER_IN,
    BALANCER_ON,
    FLOWS,
    HEALTH,
    HEALTH_CHECK_OF,
    MONITORS,
    OWNER,
    PROBLEMS,
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
    if row is None or not row.health_check or not (db.look(BALANCER_ON, uuid) or db.look(BALANCER_IN, uuid)):
        return (), ()
    view, _ = balancer(row)
    places = mappings(row)
    found: dict[Target, Probe] = {}
    for check in sorted(row.health_check):
        if how := db.row(LoadBalancerHealthCheck, check):
            for vip in (vip for vip in view.vips if vip.text == how.vip and view.protocol != "sctp"):
                found.update(backend_probes(vip, view.protocol, how.options, places))
    found = {
        target: probe for target, probe in found.items() if db.find(LogicalSwitchPort, "name", target.logical_port)
    }
    return tuple(found.items()), answers(db, uuid, found)


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
    for name, address in sorted({(target.logical_port, probe.src_ip) for target, probe in probes.items()}):
        for port in db.find(LogicalSwitchPort, "name", name):
            for datapath in db.look(OWNER, port)[:1]:
                if switch := db.look(SWITCH, datapath):
                    place = Place(datapath, uuid[:8], switch.settings.drop)
                    flows += RULES.probe.apply(place, switch, address, mac)
    return flows


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
    probed = {(target.ip, target.port): target for target, _ in backend_probes(vip, protocol, {}, places)}
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
