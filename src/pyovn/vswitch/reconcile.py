"""The switch brought in line with its database: bridges and ports made, changed and taken away.

    wanted bridges ─▶ Reconciler.apply ─▶ datapath           devices are opened and closed by the caller's functions
                              └─────────▶ outcomes           per interface: OpenFlow number or error

OpenFlow numbers: the one asked for if it is free, else the one the port had, else the lowest free one.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pyovn.net.errors import OvnError
from pyovn.net.uuids import Uuid
from pyovn.openflow.actions import OFPP_LOCAL, OFPP_NORMAL, Output
from pyovn.openflow.flows import Flow
from pyovn.vswitch.bridge import Bridge
from pyovn.vswitch.datapath import Datapath
from pyovn.vswitch.errors import NoDevice
from pyovn.vswitch.ports import Nic, Port
from pyovn.vswitch.tables import DELETE
from pyovn.vswitch.wanted import (
    INTERFACE_TYPES,
    TUNNEL_PORTS,
    WantedBridge,
    WantedPort,
    own_mac,
    tunnel_config,
)

#: the OpenFlow 1.0 number of the port that is the bridge, as the database shows it
LOCAL_IN_DATABASE = 65534
FIRST_LOCAL_NUMBER = 100
PORT_ADD, PORT_DELETE, PORT_MODIFY = range(3)

OpenNic = Callable[[WantedPort], Nic]


class Outcome(NamedTuple):
    """What became of one interface."""

    bridge: str
    port: Port | None
    error: str | None = None


class Reconciler:
    """Keeps a datapath as its database wants it."""

    def __init__(self, datapath: Datapath, open_nic: OpenNic) -> None:
        self.datapath = datapath
        self.open_nic = open_nic
        self.outcomes: dict[Uuid, Outcome] = {}
        self._devices: dict[tuple[str, str], tuple[object, ...]] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def apply(self, bridges: Iterable[WantedBridge]) -> dict[Uuid, Outcome]:
        """Bring the datapath in line; gives what became of every interface."""
        asked = {bridge.name: bridge for bridge in bridges}
        for name in [name for name in self.datapath.bridges if name not in asked]:
            self._remove_bridge(self.datapath.bridges[name])
        self.outcomes = {}
        for bridge in asked.values():
            self._bridge(bridge)
        for row, outcome in self.outcomes.items():
            port = outcome.port
            if port is not None and port.peer is not None and not port.peer[0]:
                self.outcomes[row] = outcome._replace(error=f"No usable peer '{port.peer[1]}' exists.")
        return self.outcomes

    def _remove_bridge(self, bridge: Bridge) -> None:
        for port in list(bridge.ports.values()):
            self._remove_port(bridge, port)
        self.datapath.remove_bridge(bridge.name)

    def _bridge(self, asked: WantedBridge) -> None:
        bridge = self.datapath.bridges.get(asked.name)
        fresh = bridge is None
        if bridge is None:
            bridge = self.datapath.bridges[asked.name] = Bridge(asked.name, asked.datapath_id)
        bridge.datapath_id = asked.datapath_id
        bridge.fdb.aging_s = asked.fdb_aging_s
        if fresh or bridge.fail_mode != asked.fail_mode:
            bridge.fail_mode = asked.fail_mode
            self._start_flows(bridge, alone=asked.fail_mode == "standalone" and not asked.controllers)
        names = {port.name for port in asked.ports}
        for port in [port for port in bridge.ports.values() if port.name not in names]:
            self._remove_port(bridge, port)
        for port_asked in sorted(asked.ports, key=lambda port: (port.name != asked.name, port.request is None)):
            self._port(bridge, asked, port_asked)

    def _start_flows(self, bridge: Bridge, *, alone: bool) -> None:
        """A bridge that fends for itself is a plain switch; one that waits for a controller drops everything."""
        for rule in list(bridge.tables):
            bridge.tables.remove(rule, DELETE)
        if alone:
            bridge.tables.add(Flow(0, 0, (), (Output(OFPP_NORMAL),)), self.datapath.now)

    def _port(self, bridge: Bridge, asked: WantedBridge, port_asked: WantedPort) -> None:
        port = bridge.port_named(port_asked.name)
        if port is not None and self._devices.get((bridge.name, port.name)) != port_asked.device:
            self._remove_port(bridge, port)
            port = None
        if (
            port is not None
            and port_asked.request not in (None, port.ofport)
            and port_asked.request not in bridge.ports
        ):
            self._remove_port(bridge, port)
            port = None
        if port is None:
            try:
                port = self._add_port(bridge, asked, port_asked)
            except OvnError as fault:
                self.outcomes[port_asked.row] = Outcome(bridge.name, None, str(fault))
                return
        if port.vlans != port_asked.vlans:
            port.vlans = port_asked.vlans
            bridge.fdb.flush(port.ofport)
            self.datapath.invalidate()
        bfd = None if self.datapath.keeps_still else port_asked.bfd
        self.datapath.monitors.follow(port, bfd, self.datapath.now)
        self.outcomes[port_asked.row] = Outcome(bridge.name, port)

    def _add_port(self, bridge: Bridge, asked: WantedBridge, port_asked: WantedPort) -> Port:
        local = port_asked.name == bridge.name
        if port_asked.type not in INTERFACE_TYPES:
            raise NoDevice(
                f"could not open network device {port_asked.name} (Address family not supported by protocol)"
            )
        ofport = OFPP_LOCAL if local else self._number(bridge, port_asked)
        kind = "patch" if port_asked.type == "patch" else "tunnel" if port_asked.type in TUNNEL_PORTS else "nic"
        port = Port(port_asked.name, ofport, self._datapath_number(local), kind)  # type: ignore[arg-type]
        port.since = self.datapath.now
        port.mac = port_asked.mac or (asked.mac if local else own_mac(port_asked.row))
        options = dict(port_asked.options)
        if kind == "tunnel":
            self._plug_tunnel(bridge, port, port_asked.type, options)
        elif kind == "patch":
            if not options.get("peer"):
                raise NoDevice("patch type requires valid 'peer' argument")
            port.peer = ("", options["peer"])
        else:
            nic = self.open_nic(port_asked._replace(mac=port.mac))
            port.nic, port.mac, port.up = nic, nic.mac or port.mac, nic.up
            nic.on_receive = self.datapath.entrance(bridge, port)
        bridge.ports[ofport] = port
        self._numbers[bridge.name, port.name] = ofport
        self._devices[bridge.name, port.name] = port_asked.device
        self.datapath.invalidate()
        self._peers_changed()
        bridge.on_port_status(PORT_ADD, port)
        return port

    def _plug_tunnel(self, bridge: Bridge, port: Port, type_: str, options: dict[str, str]) -> None:
        port.tunnel = tunnel_config(type_, options)
        other = self.datapath.tunnels.taken(port.tunnel)
        if other is not None:
            raise NoDevice(f"could not add network device {port.name}: {other.name} has the same end points and key")
        self.datapath.tunnels.add(bridge, port)

    def _number(self, bridge: Bridge, asked: WantedPort) -> int:
        """A free OpenFlow number."""
        taken = bridge.ports
        kept = self._numbers.get((bridge.name, asked.name))
        for number in (asked.request, kept, asked.before):
            if number is not None and 0 < number < 0xFF00 and number not in taken:
                break
        else:
            reserved = {number for (name, _), number in self._numbers.items() if name == bridge.name}
            number = next(number for number in range(1, 0xFF00) if number not in taken and number not in reserved)
        return number

    def _datapath_number(self, local: bool) -> int:
        """A free number in the datapath, which all bridges share."""
        taken = {port.number for bridge in self.datapath.bridges.values() for port in bridge.ports.values()}
        start = FIRST_LOCAL_NUMBER if local else 1
        return next(number for number in range(start, 1 << 16) if number not in taken)

    def _remove_port(self, bridge: Bridge, port: Port) -> None:
        del bridge.ports[port.ofport]
        self.datapath.monitors.forget(port)
        self._devices.pop((bridge.name, port.name), None)
        if port.nic is not None:
            port.nic.on_receive = None
            port.nic.close()
        if port.kind == "tunnel":
            self.datapath.tunnels.remove(port)
        bridge.fdb.flush(port.ofport)
        self.datapath.invalidate()
        self._peers_changed()
        bridge.on_port_status(PORT_DELETE, port)

    def _bridge_of(self, name: str) -> Bridge | None:
        """The bridge that has a port called `name`."""
        return next((bridge for bridge in self.datapath.bridges.values() if bridge.port_named(name)), None)

    def _peers_changed(self) -> None:
        """Patch ports know their peers by name only; find them again."""
        for bridge in self.datapath.bridges.values():
            for port in bridge.ports.values():
                if port.peer is not None:
                    other = self._bridge_of(port.peer[1])
                    port.peer = (other.name if other else "", port.peer[1])

    def refresh_links(self) -> bool:
        """Look again which devices have a carrier; true where something changed."""
        changed = False
        for bridge in self.datapath.bridges.values():
            for port in bridge.ports.values():
                if port.nic is not None and port.nic.up != port.up:
                    port.up = port.nic.up
                    self.datapath.invalidate()
                    bridge.on_port_status(PORT_MODIFY, port)
                    changed = True
        return changed
