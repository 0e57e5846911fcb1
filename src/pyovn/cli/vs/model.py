"""Bridges, ports and interfaces as `ovs-vsctl` sees them.

A fake bridge is one VLAN of a real bridge under a name of its own: a port with `fake_bridge` and a tag.  The ports of
that VLAN count as the fake bridge's, not as its parent's.
"""

from pyovn.cli.ctl.errors import CtlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.view import Row, View

BRIDGES = ("Open_vSwitch bridges", "Bridge name ports", "Port name interfaces tag fake_bridge", "Interface name")


class Bridge:
    """A bridge; `port` is what makes a fake one, and `row` its parent's."""

    __slots__ = ("name", "port", "row", "vlan")

    def __init__(self, name: str, row: "Row", port: "Row | None" = None) -> None:
        self.name = name
        self.row = row
        self.port = port
        self.vlan: int = 0 if port is None else port["tag"]

    @property
    def is_fake(self) -> bool:
        """True for one VLAN of another bridge."""
        return self.port is not None


def is_fake_bridge(port: "Row") -> bool:
    """True for a port that stands for a fake bridge."""
    return bool(port["fake_bridge"]) and port["tag"] is not None


def bridges(view: "View") -> list[Bridge]:
    """All bridges, real and fake."""
    found = []
    for row in view.rows("Bridge"):
        found.append(Bridge(row["name"], row))
        ports = view.referred("Port", row["ports"])
        found += [Bridge(port["name"], row, port) for port in ports if is_fake_bridge(port)]
    return found


def find_bridge(view: "View", name: str) -> Bridge | None:
    """The bridge of this name, if there is one."""
    row = view.first("Bridge", "name", name)
    if row is not None:
        return Bridge(name, row)
    port = view.first("Port", "name", name)
    if port is None or not is_fake_bridge(port):
        return None
    parent = view.first("Bridge", "ports", port.uuid)
    return None if parent is None else Bridge(name, parent, port)


def names(view: "View", table: str) -> "Iterator[str]":
    """What the rows of a table are called."""
    return (row["name"] for row in view.table(table).rows.values())


def the_bridge(view: "View", name: str) -> Bridge:
    """The bridge of this name; raises `CtlError` if there is none."""
    bridge = find_bridge(view, name)
    if bridge is None:
        raise CtlError(f"no bridge named {name}", name, names(view, "Bridge"))
    return bridge


def real_bridge(view: "View", name: str) -> Bridge:
    """The real bridge of this name; raises `CtlError` if there is none."""
    bridge = the_bridge(view, name)
    if bridge.is_fake:
        raise CtlError(f"{name} is a fake bridge")
    return bridge


def ports_of(view: "View", bridge: Bridge) -> "list[Row]":
    """The ports that a bridge shows: not its local port, nor those of fake bridges on it."""
    rows = view.referred("Port", bridge.row["ports"])
    vlans = {row["tag"] for row in rows if is_fake_bridge(row)}
    plain = [row for row in rows if not is_fake_bridge(row) and row["name"] != bridge.row["name"]]
    if bridge.is_fake:
        return [row for row in plain if row["tag"] == bridge.vlan]
    return [row for row in plain if row["tag"] is None or row["tag"] not in vlans]


def bridge_of(view: "View", port: "Row") -> Bridge | None:
    """The bridge that shows `port`; None for local ports."""
    row = view.first("Bridge", "ports", port.uuid)
    if row is None or row["name"] == port["name"] or is_fake_bridge(port):
        return None
    for fake in view.referred("Port", row["ports"]):
        if is_fake_bridge(fake) and fake["tag"] == port["tag"]:
            return Bridge(fake["name"], row, fake)
    return Bridge(row["name"], row)


def find_port(view: "View", name: str) -> "Row | None":
    """The port of this name, if some bridge shows it."""
    port = view.first("Port", "name", name)
    return port if port is not None and bridge_of(view, port) else None


def find_interface(view: "View", name: str) -> "tuple[Row, Row] | None":
    """The interface of this name and its port, if some bridge shows it."""
    interface = view.first("Interface", "name", name)
    port = None if interface is None else view.first("Port", "interfaces", interface.uuid)
    if interface is None or port is None or bridge_of(view, port) is None:
        return None
    return interface, port


def check_free(view: "View", name: str, what: str) -> None:
    """Raise if `name`, of what is to be created, is taken."""
    if find_bridge(view, name):
        raise CtlError(f"cannot create {what} because a bridge named {name} already exists")
    port = find_port(view, name)
    if port is not None:
        where = bridge_of(view, port)
        raise CtlError(
            f"cannot create {what} because a port named {name} already exists on bridge {where.name if where else ''}"
        )
    found = find_interface(view, name)
    if found is not None:
        where = bridge_of(view, found[1])
        raise CtlError(
            f"cannot create {what} because an interface named {name} already exists on bridge"
            f" {where.name if where else ''}"
        )


def add_port(view: "View", bridge: Bridge, name: str, interfaces: "list[Row]") -> "Row":
    """A new port on `bridge`."""
    port = view.insert("Port", name=name, interfaces=[row.uuid for row in interfaces])
    if bridge.is_fake:
        port["tag"] = bridge.vlan
    bridge.row.add("ports", port.uuid)
    return port


def delete_port(view: "View", port: "Row") -> None:
    """Delete a port and its interfaces."""
    bridge = view.first("Bridge", "ports", port.uuid)
    if bridge is not None:
        bridge.discard("ports", port.uuid)
    for interface in view.referred("Interface", port["interfaces"]):
        interface.delete()
    port.delete()
