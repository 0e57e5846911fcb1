"""Service_Monitor: what is probed, by whom; the chassis writes down the result, and what is about a port goes back."""

from collections.abc import Mapping
from typing import Any

from pyovn.incr.engine import Source
from pyovn.incr.relation import Facts
from pyovn.net.uuids import Uuid
from pyovn.northd.model.monitor import Probe, Target
from pyovn.northd.sync.rows import RowSync, TableChanges
from pyovn.ovsdb.txn import Txn
from pyovn.tables.nb import LogicalSwitchPortHealthCheck
from pyovn.tables.sb import Chassis, PortBinding, ServiceMonitor


class MonitorSync(RowSync[Target, ServiceMonitor]):
    """The probes, by what is probed."""

    cls = ServiceMonitor

    def __init__(self, wanted: Facts[Target, Probe | None, Any], southbound: Source) -> None:
        super().__init__()
        self.facts = wanted
        self.southbound = southbound
        self.mac = ""

    def key(self, row: ServiceMonitor) -> Target | None:
        """What a row is about."""
        return Target(row.logical_port, row.ip, row.port, row.protocol or "tcp")

    def expect(self, mac: str) -> None:
        """The address that probes come from."""
        if mac != self.mac:
            self.mac = mac
            self.touch_all()

    def moved(self, changes: TableChanges) -> None:
        """Ports have changed; those that are probed may be on another chassis."""
        if self.rows:
            names = {row.logical_port for pair in changes.values() for row in pair if row is not None}
            self.touch([key for key in self.rows if key.logical_port in names])

    def wanted(self, key: Target) -> Mapping[str, Any] | None:
        """The columns of a row."""
        probe = self.facts.get(key)
        if probe is None:
            return None
        return {
            **key._asdict(),
            "type": probe.type,
            "src_ip": probe.src_ip,
            "src_mac": probe.src_mac or self.mac,
            "options": dict(probe.options),
            "chassis_name": self._chassis(key.logical_port),
        }

    def _chassis(self, name: str) -> str:
        """The name of the chassis that a port is on."""
        bound = [row.chassis for row in self.southbound.where(PortBinding, logical_port=name) if row.chassis]
        row = self.southbound.rows(Chassis).get(bound[0]) if bound else None
        return "" if row is None else row.name


def health_of_ports(northbound: Source, health: Facts[Uuid, str | None, Any], txn: Txn) -> None:
    """Write down at the health checks of ports what their probes found."""
    checks = northbound.rows(LogicalSwitchPortHealthCheck)
    for uuid in health.take():
        check, status = checks.get(uuid), health.get(uuid)
        if check is not None and check.status != status:
            txn.update(check, status=status)
