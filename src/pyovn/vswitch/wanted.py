"""What an Open_vSwitch database asks of the switch, as values.

    Bridge, Port, Interface, Controller rows  →  WantedBridge(ports=(WantedPort…))

Reads Bridge.{name, ports, controller, fail_mode, other_config}, Port.{interfaces, tag, trunks, vlan_mode},
Interface.{name, type, options, ofport, ofport_request, mac, bfd}, Open_vSwitch.other_config:flow-restore-wait.
Facts: ovs-vswitchd.conf.db(5).
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.mac import mac_int
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.replica import Replica
from pyovn.tables.vswitch import Bridge, Controller, Interface, OpenvSwitch, Port
from pyovn.vswitch.bfd import Config, config
from pyovn.vswitch.ports import TunnelConfig, VlanMode, Vlans
from pyovn.vswitch.tunnels import GENEVE_PORT, VXLAN_PORT

RESTORING = "flow-restore-wait"
TUNNEL_PORTS = {"geneve": GENEVE_PORT, "vxlan": VXLAN_PORT}
INTERFACE_TYPES = frozenset(("", "system", "internal", "tap", "patch", "dummy", *TUNNEL_PORTS))


class WantedPort(NamedTuple):
    """One port of a bridge."""

    name: str
    row: Uuid  #: of the interface
    type: str
    options: tuple[tuple[str, str], ...]
    vlans: Vlans
    request: int | None  #: OpenFlow number asked for
    before: int | None  #: OpenFlow number it had
    mac: int | None
    bfd: Config | None = None

    @property
    def device(self) -> tuple[object, ...]:
        """What the port is made of; a change means a new port."""
        return self.name, self.row, self.type, self.options


class WantedController(NamedTuple):
    """One controller of a bridge."""

    row: Uuid
    target: str
    probe_ms: int


class WantedBridge(NamedTuple):
    """One bridge."""

    name: str
    row: Uuid
    mac: int
    datapath_id: int
    fail_mode: Literal["standalone", "secure"]
    ports: tuple[WantedPort, ...]
    controllers: tuple[WantedController, ...]
    fdb_aging_s: float


def waits_for_flows(replica: Replica) -> bool:
    """Whether a switch that starts is to keep still until its controller has given it its flows."""
    return any(row.other_config.get(RESTORING) == "true" for row in replica.rows(OpenvSwitch).values())


def wanted(replica: Replica) -> tuple[WantedBridge, ...]:
    """All bridges, by name."""
    return tuple(_bridge(replica, row) for row in sorted(replica.rows(Bridge).values(), key=lambda row: row.name))


def _bridge(replica: Replica, row: Bridge) -> WantedBridge:
    config = row.other_config
    mac = _mac(config.get("hwaddr", "")) or own_mac(row.uuid)
    given = config.get("datapath-id", "")
    datapath_id = int(given.removeprefix("0x"), 16) if _is_hex(given.removeprefix("0x")) else mac
    rows = sorted((replica.get(Port, id_) for id_ in row.ports), key=lambda port: port.name if port else "")
    ports = (_port(replica, port) for port in rows if port is not None)
    controllers = (replica.get(Controller, id_) for id_ in sorted(row.controller))
    return WantedBridge(
        row.name,
        row.uuid,
        mac,
        datapath_id,
        row.fail_mode or "standalone",
        tuple(port for port in ports if port is not None),
        tuple(WantedController(each.uuid, each.target, _probe_ms(each)) for each in controllers if each is not None),
        _number(config.get("mac-aging-time", ""), 300),
    )


def _probe_ms(row: Controller) -> int:
    return 5000 if row.inactivity_probe is None else row.inactivity_probe


def _port(replica: Replica, row: Port) -> WantedPort | None:
    """The port that the first interface of a Port row makes."""
    interfaces = sorted(
        (found for id_ in row.interfaces if (found := replica.get(Interface, id_))), key=lambda each: each.name
    )
    if not interfaces:
        return None
    interface = interfaces[0]
    mode: VlanMode = _MODES.get(row.vlan_mode or "", "access" if row.tag is not None and not row.trunks else "trunk")
    if row.vlan_mode is None and row.tag is not None and row.trunks:
        mode = "native-tagged"
    return WantedPort(
        interface.name,
        interface.uuid,
        interface.type,
        tuple(sorted(interface.options.items())),
        Vlans(mode, row.tag or 0, row.trunks),
        interface.ofport_request,
        interface.ofport,
        _mac(interface.mac or ""),
        config(interface.bfd),
    )


_MODES: dict[str, VlanMode] = {
    "trunk": "trunk", "access": "access", "native-tagged": "native-tagged", "native-untagged": "native-untagged",
}  # fmt: skip


def tunnel_config(type_: str, options: Mapping[str, str]) -> TunnelConfig:
    """The tunnel that an interface describes; raises Malformed."""
    if not options.get("remote_ip"):
        raise Malformed(f"{type_} type requires valid 'remote_ip' argument")
    key = options.get("key")
    out_key, in_key = (options.get(name, key) for name in ("out_key", "in_key"))
    tos = options.get("tos", "0")
    return TunnelConfig(
        "vxlan" if type_ == "vxlan" else "geneve",
        _flow_or(options["remote_ip"]),
        _flow_or(options.get("local_ip", "")),
        None if out_key == "flow" else _number(out_key or "0", 0),
        None if in_key == "flow" else _number(in_key or "0", 0),
        _number(options.get("dst_port", ""), TUNNEL_PORTS[type_]),
        options.get("csum") == "true",
        None if tos == "inherit" else _number(tos, 0),
        _number(options.get("ttl", ""), 64),
        options.get("df_default", "true") != "false",
        in_key != "flow",
    )


def _flow_or(text: str) -> str | None:
    return None if text == "flow" else text


def _number(text: str, default: int) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return default


def _is_hex(text: str) -> bool:
    return bool(text) and all(digit in "0123456789abcdefABCDEF" for digit in text)


def _mac(text: str) -> int | None:
    try:
        return mac_int(text) if text else None
    except Malformed:
        return None


def own_mac(row: Uuid) -> int:
    """A locally administered address for the device that a row describes."""
    return int(row.replace("-", "")[:12], 16) & ~(1 << 40) | 1 << 41
