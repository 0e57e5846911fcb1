"""What is probed: the backends of load balancers, and services of single ports."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pyovn.northd.model.balancer import Mapped, Vip
from pyovn.tables.nb import LogicalSwitchPortHealthCheck

BALANCER, PORT = "load-balancer", "logical-switch-port"  #: Service_Monitor.type
FAILED = frozenset(("offline", "error"))  #: Service_Monitor.status


class Target(NamedTuple):
    """A service that is probed; there is one Service_Monitor for each."""

    logical_port: str
    ip: str
    port: int
    protocol: str


class Probe(NamedTuple):
    """How it is probed: what a Service_Monitor is to say beside that."""

    type: str
    src_ip: str
    options: tuple[tuple[str, str], ...]
    src_mac: str = ""  #: of the router port whose address that is; none: the health checker's own


def backend_probes(
    vip: Vip, protocol: str, options: Mapping[str, str], places: Mapping[str, Mapped]
) -> Iterator[tuple[Target, Probe]]:
    """The probes of the backends of one virtual address whose place is known."""
    for backend in vip.backends:
        place = places.get(backend.address)
        if place is not None and place.src_ip and isinstance(backend.port, int):
            probe = Probe(BALANCER, place.src_ip, tuple(sorted(options.items())))
            yield Target(place.logical_port, backend.address, backend.port, protocol), probe


def port_probe(name: str, row: LogicalSwitchPortHealthCheck) -> tuple[Target, Probe]:
    """The probe of a service of a port."""
    target = Target(name, row.address, row.port, row.protocol)
    return target, Probe(PORT, row.src_ip, tuple(sorted(row.options.items())))
