"""`add-br`, `del-br` and what can be asked of a bridge."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError, Leave
from pyovn.cli.ctl.numbers import scan_integer
from pyovn.cli.vs.model import (
    BRIDGES,
    Bridge,
    add_port,
    bridges,
    check_free,
    delete_port,
    find_bridge,
    ports_of,
    the_bridge,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyovn.cli.ctl.call import Ctl

command = CommandTable("Bridge commands")

VLANS = range(4096)
FAKE_PREFIX = "fake-bridge-"


@command("add-br", "BRIDGE [PARENT VLAN]", options="--may-exist", reads=BRIDGES)
def add_br(ctl: "Ctl", name: str, parent_name: str | None = None, vlan_text: str | None = None) -> None:
    """Create a new bridge named BRIDGE, or a fake one for VLAN of bridge PARENT."""
    vlan = _vlan(name, parent_name, vlan_text)
    if ctl.has("--may-exist") and (found := find_bridge(ctl.view, name)):
        _check_same(found, name, parent_name, vlan)
        return
    check_free(ctl.view, name, f"a bridge named {name}")
    if parent_name is None:
        _add_real(ctl, name)
    else:
        _add_fake(ctl, name, parent_name, vlan)


def _vlan(name: str, parent: str | None, text: str | None) -> int:
    if not name:
        raise CtlError("bridge name must not be empty string")
    if parent is None:
        return 0
    if text is None:
        raise CtlError("'add-br' command takes exactly 1 or 3 arguments")
    vlan = scan_integer(text) or 0
    if vlan not in VLANS:
        raise CtlError("add-br: vlan must be between 0 and 4095")
    return vlan


def _check_same(bridge: Bridge, name: str, parent: str | None, vlan: int) -> None:
    """Raise unless an existing bridge is what is to be created."""
    problem = ""
    if parent is None:
        wanted = f"add-br {name}"
        problem = f"is a VLAN bridge for VLAN {bridge.vlan}" if bridge.is_fake else ""
    else:
        wanted = f"add-br {name} {parent} {vlan}"
        if not bridge.is_fake:
            problem = "is not a VLAN bridge"
        elif bridge.row["name"] != parent:
            problem = f"has the wrong parent {bridge.row['name']}"
        elif bridge.vlan != vlan:
            problem = f"is a VLAN bridge for the wrong VLAN {bridge.vlan}"
    if problem:
        raise CtlError(f'"--may-exist {wanted}" but {name} {problem}')


def _add_real(ctl: "Ctl", name: str) -> None:
    interface = ctl.view.insert("Interface", name=name, type="internal")
    port = ctl.view.insert("Port", name=name, interfaces=[interface.uuid])
    bridge = ctl.view.insert("Bridge", name=name, ports=[port.uuid])
    switch = ctl.view.the("Open_vSwitch")
    assert switch is not None
    switch.add("bridges", bridge.uuid)


def _add_fake(ctl: "Ctl", name: str, parent_name: str, vlan: int) -> None:
    parent = find_bridge(ctl.view, parent_name)
    if parent is None:
        raise CtlError(f"parent bridge {parent_name} does not exist")
    if parent.is_fake:
        raise CtlError("cannot create bridge with fake bridge as parent")
    for other in bridges(ctl.view):
        if other.is_fake and other.row is parent.row and other.vlan == vlan:
            raise CtlError(f"bridge {parent_name} already has a child VLAN bridge {other.name} on VLAN {vlan}")
    port = add_port(ctl.view, parent, name, [ctl.view.insert("Interface", name=name, type="internal")])
    port["tag"], port["fake_bridge"] = vlan, True


@command("del-br", "BRIDGE", options="--if-exists", reads=BRIDGES)
def del_br(ctl: "Ctl", name: str) -> None:
    """Delete BRIDGE and all of its ports."""
    bridge = find_bridge(ctl.view, name) if ctl.has("--if-exists") else the_bridge(ctl.view, name)
    if bridge is None:
        return
    if bridge.port is not None:
        for port in [*ports_of(ctl.view, bridge), bridge.port]:
            delete_port(ctl.view, port)
        return
    for port in ctl.view.referred("Port", bridge.row["ports"]):
        delete_port(ctl.view, port)
    switch = ctl.view.the("Open_vSwitch")
    assert switch is not None
    switch.discard("bridges", bridge.row.uuid)
    bridge.row.delete()


@command("list-br", options="--real --fake", reads=BRIDGES)
def list_br(ctl: "Ctl") -> None:
    """Print the names of all the bridges."""
    real, fake = ctl.has("--real"), ctl.has("--fake")
    shown = [each.name for each in bridges(ctl.view) if real == fake or each.is_fake == fake]
    ctl.tell(sorted(shown), iter)


@command("br-exists", "BRIDGE", reads=BRIDGES)
def br_exists(ctl: "Ctl", name: str) -> None:
    """Exit with status 2 if BRIDGE does not exist."""
    if find_bridge(ctl.view, name) is None:
        raise Leave(2)


@command("br-to-vlan", "BRIDGE", reads=BRIDGES)
def br_to_vlan(ctl: "Ctl", name: str) -> None:
    """Print the VLAN which BRIDGE is on."""
    ctl.print(str(the_bridge(ctl.view, name).vlan))


@command("br-to-parent", "BRIDGE", reads=BRIDGES)
def br_to_parent(ctl: "Ctl", name: str) -> None:
    """Print the parent of BRIDGE."""
    ctl.print(the_bridge(ctl.view, name).row["name"])


EXTERNAL_IDS = (*BRIDGES, "Bridge external_ids", "Port external_ids")


@command("br-set-external-id", "BRIDGE KEY [VALUE]", reads=EXTERNAL_IDS)
def br_set_external_id(ctl: "Ctl", name: str, key: str, value: str | None = None) -> None:
    """Set KEY on BRIDGE to VALUE, or unset it."""
    bridge = the_bridge(ctl.view, name)
    row, key = (bridge.row, key) if bridge.port is None else (bridge.port, FAKE_PREFIX + key)
    if value is None:
        row.drop("external_ids", key)
    else:
        row.put("external_ids", key, value)


@command("br-get-external-id", "BRIDGE [KEY]", reads=EXTERNAL_IDS)
def br_get_external_id(ctl: "Ctl", name: str, key: str | None = None) -> None:
    """Print the value of KEY on BRIDGE, or all keys and values."""
    bridge = the_bridge(ctl.view, name)
    row, prefix = (bridge.row, "") if bridge.port is None else (bridge.port, FAKE_PREFIX)
    found = {each[len(prefix) :]: value for each, value in row["external_ids"].items() if each.startswith(prefix)}
    if key is None:
        ctl.tell(found, lambda ids: (f"{each}={value}" for each, value in ids.items()))
    elif key in found:
        ctl.print(found[key])
