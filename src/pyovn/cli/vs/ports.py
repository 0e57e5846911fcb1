"""`add-port`, `del-port`, bonds, and which bridge has what."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.conditions import column_and_key
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.generic import assign
from pyovn.cli.vs.model import (
    BRIDGES,
    Bridge,
    add_port,
    bridge_of,
    check_free,
    delete_port,
    find_bridge,
    find_interface,
    find_port,
    names,
    ports_of,
    the_bridge,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("Port commands (a bond is considered to be a single port)")


def _adding_reads(ctl: "Ctl") -> "Iterator[str]":
    """What is looked up, and the columns of Port that are set."""
    yield from BRIDGES
    for setting in ctl.arguments[2:]:
        if "=" in setting:
            yield f"Port {column_and_key(ctl.view.schema, 'Port', setting)[0].column}"


@command("add-port", "BRIDGE PORT [COLUMN[:KEY]=VALUE]...", options="--may-exist", reads=_adding_reads)
def add_port_(ctl: "Ctl", bridge: str, name: str, *settings: str) -> None:
    """Add network device PORT to BRIDGE."""
    if not name:
        raise CtlError("port name must not be empty string")
    port = _add(ctl, f"add-port {' '.join(ctl.arguments)}", bridge, name, [name])
    if port is not None:
        for setting in settings:
            assign(ctl, port, setting)


@command(
    "add-bond",
    "BRIDGE PORT IFACE IFACE... [COLUMN[:KEY]=VALUE]...",
    options="--may-exist --fake-iface",
    reads=_adding_reads,
)
def add_bond(ctl: "Ctl", bridge: str, name: str, first: str, second: str, *rest: str) -> None:
    """Add bonded PORT to BRIDGE from IFACEs."""
    words = (first, second, *rest)
    count = next((at for at, word in enumerate(words) if "=" in word), len(words))
    interfaces, settings = list(words[:count]), words[count:]
    if len(interfaces) < 2:
        raise CtlError(f"add-bond requires at least 2 interfaces, but only {len(interfaces)} were specified")
    port = _add(ctl, f"add-bond {' '.join(ctl.arguments)}", bridge, name, interfaces)
    if port is not None:
        if ctl.has("--fake-iface"):
            port["bond_fake_iface"] = True
        for setting in settings:
            assign(ctl, port, setting)


def _add(ctl: "Ctl", wanted: str, bridge_name: str, name: str, interfaces: "list[str]") -> "Row | None":
    """The new port; None where it may, and does, exist."""
    port = find_port(ctl.view, name)
    if ctl.has("--may-exist") and port is not None:
        _check_same(ctl, f'"--may-exist {wanted}" but {name}', port, bridge_name, interfaces)
        return None
    check_free(ctl.view, name, f"a port named {name}")
    for interface in interfaces:
        check_free(ctl.view, interface, f"an interface named {interface}")
    bridge = the_bridge(ctl.view, bridge_name)
    return add_port(ctl.view, bridge, name, [ctl.view.insert("Interface", name=each) for each in interfaces])


def _check_same(ctl: "Ctl", complaint: str, port: "Row", bridge: str, interfaces: "list[str]") -> None:
    """Raise unless an existing port is what is to be added."""
    home = bridge_of(ctl.view, port)
    if home is not None and home.name != bridge:
        raise CtlError(f"{complaint} is actually attached to bridge {home.name}")
    has = sorted(row["name"] for row in ctl.view.referred("Interface", port["interfaces"]))
    if has != sorted(interfaces):
        raise CtlError(f"{complaint} actually has interface(s) {', '.join(has)}")


@command("del-port", "[BRIDGE] PORT", options="--if-exists --with-iface", reads=BRIDGES)
def del_port(ctl: "Ctl", first: str, second: str | None = None) -> None:
    """Delete PORT (which may be bonded) from BRIDGE."""
    name = first if second is None else second
    port = find_port(ctl.view, name)
    if port is None and ctl.has("--with-iface") and (found := find_interface(ctl.view, name)):
        port = found[1]
    if port is not None:
        if second is not None:
            _check_home(ctl, the_bridge(ctl.view, first), port, name)
        delete_port(ctl.view, port)
    elif not ctl.has("--if-exists"):
        if find_bridge(ctl.view, name):
            raise CtlError(
                f"cannot delete port {name} because it is the local port for bridge {name}"
                " (deleting this port requires deleting the entire bridge)"
            )
        raise CtlError(f"no port named {name}", name, names(ctl.view, "Port"))


def _check_home(ctl: "Ctl", bridge: Bridge, port: "Row", name: str) -> None:
    """Raise unless `port` is on `bridge`."""
    home = bridge_of(ctl.view, port)
    if home is None or home.name == bridge.name:
        return
    hint = f" (although its child bridge {home.name} does)" if home.is_fake and home.row is bridge.row else ""
    raise CtlError(f"bridge {bridge.name} does not have a port {name}{hint}")


@command("list-ports", "BRIDGE", reads=BRIDGES)
def list_ports(ctl: "Ctl", name: str) -> None:
    """Print the names of all the ports on BRIDGE."""
    ctl.tell(sorted(port["name"] for port in ports_of(ctl.view, the_bridge(ctl.view, name))), iter)


@command("list-ifaces", "BRIDGE", reads=BRIDGES)
def list_ifaces(ctl: "Ctl", name: str) -> None:
    """Print the names of all interfaces on BRIDGE."""
    ctl.tell(sorted(_interface_names(ctl, ports_of(ctl.view, the_bridge(ctl.view, name)))), iter)


def _interface_names(ctl: "Ctl", ports: "Iterable[Row]") -> "Iterator[str]":
    for port in ports:
        for interface in ctl.view.referred("Interface", port["interfaces"]):
            yield interface["name"]


@command("port-to-br", "PORT", reads=BRIDGES)
def port_to_br(ctl: "Ctl", name: str) -> None:
    """Print name of bridge that contains PORT."""
    port = find_port(ctl.view, name)
    bridge = None if port is None else bridge_of(ctl.view, port)
    if bridge is None:
        raise CtlError(f"no port named {name}", name, names(ctl.view, "Port"))
    ctl.print(bridge.name)


@command("iface-to-br", "IFACE", reads=BRIDGES)
def iface_to_br(ctl: "Ctl", name: str) -> None:
    """Print name of bridge that contains IFACE."""
    bridge = bridge_of(ctl.view, _the_interface(ctl, name)[1])
    assert bridge is not None
    ctl.print(bridge.name)


def _the_interface(ctl: "Ctl", name: str) -> "tuple[Row, Row]":
    found = find_interface(ctl.view, name)
    if found is None:
        raise CtlError(f"no interface named {name}", name, names(ctl.view, "Interface"))
    return found


def _the_port(ctl: "Ctl", name: str) -> "Row":
    port = find_port(ctl.view, name)
    if port is None:
        raise CtlError(f"no port named {name}", name, names(ctl.view, "Port"))
    return port


@command("add-bond-iface", "BOND IFACE", options="--may-exist", reads=BRIDGES)
def add_bond_iface(ctl: "Ctl", bond: str, name: str) -> None:
    """Add IFACE to BOND."""
    port = _the_port(ctl, bond)
    found = find_interface(ctl.view, name)
    if ctl.has("--may-exist") and found is not None:
        if found[1] is not port:
            raise CtlError(
                f'"--may-exist add-bond-iface {bond} {name}" but {name} is actually attached to port {found[1]["name"]}'
            )
        return
    check_free(ctl.view, name, f"an interface named {name}")
    port.add("interfaces", ctl.view.insert("Interface", name=name).uuid)


@command("del-bond-iface", "[BOND] IFACE", options="--if-exists", reads=BRIDGES)
def del_bond_iface(ctl: "Ctl", first: str, second: str | None = None) -> None:
    """Remove IFACE from BOND."""
    name = first if second is None else second
    found = find_interface(ctl.view, name)
    if found is None:
        if ctl.has("--if-exists"):
            return
        raise CtlError(f"no interface named {name}", name, names(ctl.view, "Interface"))
    interface, port = found
    if second is not None and _the_port(ctl, first) is not port:
        raise CtlError(f"port {first} does not have an interface {name}")
    if len(port["interfaces"]) == 1:
        raise CtlError(f"cannot delete last interface from port {port['name']}")
    port.discard("interfaces", interface.uuid)
    interface.delete()
