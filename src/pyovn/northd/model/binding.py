"""What the southbound database says about a logical switch port: its Port_Binding, and the groups it floods with."""

from pyovn.incr.engine import Reader
from pyovn.net.uuids import Uuid
from pyovn.northd.model.options import number
from pyovn.northd.model.port import Port
from pyovn.northd.model.switch import Switch
from pyovn.northd.relations import FLOOD, FLOOD_L2, ROUTER_FLOOD, STATIC, TAGS, UNKNOWN, Binding, Group
from pyovn.tables.nb import HAChassisGroup, LogicalSwitchPort
from pyovn.tables.sb import Chassis

#: types of northbound ports that have another name for the controller
PATCH = frozenset(("router", "switch"))
KNOWN_TYPES = frozenset(
    ("", "router", "localnet", "localport", "l2gateway", "vtep", "external", "virtual", "remote", "switch")
)
NOTHING: frozenset[Uuid] = frozenset()


def binding(db: Reader, switch: Switch, port: Port, datapath: Uuid) -> tuple[Binding, tuple[tuple[Uuid, str], ...]]:
    """The binding of a port, and what is wrong with it."""
    row = port.row
    problems: list[tuple[Uuid, str]] = []
    chassis, additional = None, NOTHING
    options = row.options
    group = None
    if row.ha_chassis_group is not None and row.type == "external":
        group = db.row(HAChassisGroup, row.ha_chassis_group)
    if row.type not in KNOWN_TYPES:
        problems.append((row.uuid, f"Unknown port type '{row.type}' set on logical switch port '{row.name}'."))
    if options or row.type in PATCH or switch.passes_vlans:
        options = binding_options(switch, port)
        chassis, additional = requested_chassis(db, port)
    external_ids = row.external_ids
    if external_ids:
        name = external_ids.get("neutron:port_name")
        external_ids = external_ids if not name else {**external_ids, "name": name}
    bound = Binding(
        datapath=datapath,
        type="patch" if row.type in PATCH else row.type if row.type in KNOWN_TYPES else "",
        options=options,
        mac=row.addresses,
        port_security=row.port_security,
        external_ids=external_ids,
        parent_port=row.parent_name or None,
        tag=tag(db, row),
        requested_key=number(row.options.get("requested-tnl-key")) if options else None,
        requested_chassis=chassis,
        requested_additional_chassis=additional,
        ha_chassis_group=None if group is None else group.name,
        mirrors=row.mirror_rules,
    )
    return bound, tuple(problems)


def tag(db: Reader, row: LogicalSwitchPort) -> int | None:
    """The VLAN of a port's traffic: what is asked for, or what was chosen."""
    if row.tag_request == 0 and row.parent_name:
        return db.look(TAGS, row.name)
    return row.tag_request or db.column(LogicalSwitchPort, row.uuid, "tag")


def binding_options(switch: Switch, port: Port) -> dict[str, str]:
    """The options a port has for the controller."""
    row = port.row
    if row.type == "router":
        return {"peer": row.options["router-port"]} if "router-port" in row.options else {}
    options = dict(row.options)
    if row.type == "switch" and row.peer:
        options["peer"] = row.peer
    if port.queue is not None:
        options["qdisc_queue_id"] = str(port.queue)
        if switch.physical_network:
            options["qos_physical_network"] = switch.physical_network
    if switch.passes_vlans:
        options["vlan-passthru"] = "true"
    return options


def requested_chassis(db: Reader, port: Port) -> tuple[Uuid | None, frozenset[Uuid]]:
    """The chassis that `options:requested-chassis` names: the first of them that there is, and the others."""
    wanted = port.options.get("requested-chassis")
    if not wanted:
        return None, NOTHING
    found = [uuid for name in wanted.split(",") if (uuid := chassis_named(db, name))]
    return (found[0], frozenset(found[1:])) if found else (None, NOTHING)


def chassis_named(db: Reader, name: str) -> Uuid | None:
    """The chassis with a name, or else a host name."""
    found = db.find(Chassis, "name", name) or db.find(Chassis, "hostname", name)
    return found[0] if found else None


def groups(port: Port, datapath: Uuid) -> tuple[tuple[tuple[Uuid, Group], str], ...]:
    """The multicast groups of the switch that the port is in."""
    shape, name = port.shape, port.row.name
    if not receives_multicast(port.row):
        return ()
    found = [((datapath, FLOOD), name)]
    if shape.type != "router":
        found.append(((datapath, FLOOD_L2), name))
    if shape.unknown:
        found.append(((datapath, UNKNOWN), name))
    if shape.options and port.options.get("mcast_flood") == "true":
        found.append(((datapath, STATIC), name))
    if shape.options and port.options.get("mcast_flood_reports") == "true":
        found.append(((datapath, ROUTER_FLOOD), name))
    return tuple(found)


def receives_multicast(row: LogicalSwitchPort) -> bool:
    """May the port get packets that are for everybody?"""
    return row.enabled is not False and (not row.options or row.options.get("receive_multicast") != "false")
