"""What is probed: the backends of load balancers, and services of single ports."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.northd.model.balancer import Vip, parse_endpoint
from pyovn.tables.nb import LoadBalancer, LogicalSwitchPortHealthCheck

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


class Mapped(NamedTuple):
    """Where a backend is, and where its probes come from: a value of `ip_port_mappings`."""

    logical_port: str
    src_ip: str


def mappings(row: LoadBalancer) -> dict[str, Mapped]:
    """Backend addresses → where they are; what makes no sense is left out."""
    found: dict[str, Mapped] = {}
    for backend, place in row.ip_port_mappings.items():
        port, _, source = place.partition(":")
        source = source[1:].partition("]")[0] if source.startswith("[") else source.partition(":")[0]
        try:
            address = parse_endpoint(backend if backend.startswith("[") or ":" not in backend else f"[{backend}]")[1]
            found[address] = Mapped(port, parse_endpoint(f"[{source}]" if ":" in source else source)[1])
        except Malformed:
            continue
    return found


def backend_probes(
    vip: Vip, protocol: str, options: Mapping[str, str], places: Mapping[str, Mapped]
) -> Iterator[tuple[Target, Probe]]:
    """The probes of the backends of one virtual address whose place is known."""
    for backend in vip.backends:
        place = places.get(backend.address)
        if place is not None:
            probe = Probe(BALANCER, place.src_ip, tuple(sorted(options.items())))
            yield Target(place.logical_port, backend.address, backend.port, protocol), probe


def port_probe(name: str, row: LogicalSwitchPortHealthCheck) -> tuple[Target, Probe]:
    """The probe of a service of a port."""
    target = Target(name, row.address, row.port, row.protocol)
    return target, Probe(PORT, row.src_ip, tuple(sorted(row.options.items())))
