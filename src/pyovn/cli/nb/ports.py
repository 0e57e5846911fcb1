"""`lsp-add`, `lsp-del` and what is set on a switch port."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.numbers import scan_within
from pyovn.cli.nb.lookup import PORT, PORT_NAMES, SWITCH, find_or_not, must_find, tell_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row, View

command = CommandTable("Logical switch port commands")

PORTS = ("Logical_Switch name ports", PORT_NAMES)
STATES = {"enabled": True, "disabled": False}
TYPES = ("", "router", "switch", "localnet", "localport", "l2gateway", "vtep", "external", "virtual", "remote")
TAGS = range(4096)


def switch_of(view: "View", port: "Row") -> "Row":
    """The switch that a port belongs to."""
    found = view.first("Logical_Switch", "ports", port.uuid)
    if found is None:
        raise CtlError(f"logical port {port['name']} is not part of any logical switch")
    return found


def add_port(view: "View", switch: "Row", name: str) -> "Row":
    """A new port on `switch`."""
    port = view.insert("Logical_Switch_Port", name=name)
    switch.add("ports", port.uuid)
    return port


@command(
    "lsp-add",
    "SWITCH PORT [PARENT TAG_REQUEST]",
    options="--may-exist",
    reads=("Logical_Switch name ports", "Logical_Switch_Port name parent_name tag_request"),
)
def lsp_add(ctl: "Ctl", switch_name: str, name: str, parent: str | None = None, tag_text: str | None = None) -> None:
    """Add logical port PORT to SWITCH, nested in port PARENT by TAG_REQUEST if given."""
    switch = must_find(ctl.view, SWITCH, switch_name)
    tag = _tag(parent, tag_text)
    port = ctl.view.first("Logical_Switch_Port", "name", name)
    if port is None:
        port = add_port(ctl.view, switch, name)
        if parent is not None:
            port["parent_name"], port["tag_request"] = parent, tag
    elif not ctl.has("--may-exist"):
        raise CtlError(f"{name}: a port with this name already exists")
    else:
        _check_same(ctl.view, port, switch, parent, tag)


def _tag(parent: str | None, text: str | None) -> int | None:
    if parent is None:
        return None
    if text is None:
        raise CtlError("lsp-add with parent must also specify a tag")
    tag = scan_within(text, TAGS)
    if tag is None:
        raise CtlError(f"{text}: invalid tag (must be in range 0 to 4095)")
    return tag


def _check_same(view: "View", port: "Row", switch: "Row", parent: str | None, tag: int | None) -> None:
    """Raise unless an existing port is what is to be added."""
    name, has_parent, has_tag = port["name"], port["parent_name"], port["tag_request"]
    home = switch_of(view, port)
    problem = ""
    if home is not switch:
        problem = f" but in switch {home['name']}"
    elif parent is None:
        problem = "" if has_parent is None else f" but has parent {has_parent}"
    elif has_parent is None:
        problem = " but has no parent"
    elif has_parent != parent:
        problem = f" with different parent {has_parent}"
    elif has_tag is None:
        problem = " but has no tag_request"
    elif has_tag != tag:
        problem = f" with different tag_request {has_tag}"
    if problem:
        raise CtlError(f"{name}: port already exists{problem}")


@command("lsp-del", "PORT", options="--if-exists", reads=PORTS)
def lsp_del(ctl: "Ctl", name: str) -> None:
    """Delete PORT from its attached switch."""
    port = find_or_not(ctl, PORT, name)
    if port is not None:
        switch_of(ctl.view, port).discard("ports", port.uuid)
        port.delete()


@command("lsp-list", "SWITCH", reads=PORTS)
def lsp_list(ctl: "Ctl", name: str) -> None:
    """Print the names of all logical ports on SWITCH."""
    switch = must_find(ctl.view, SWITCH, name)
    tell_names(ctl, ctl.view.referred("Logical_Switch_Port", switch["ports"]))


@command("lsp-get-ls", "PORT", reads=PORTS)
def lsp_get_ls(ctl: "Ctl", name: str) -> None:
    """Print the logical switch that PORT belongs to."""
    tell_names(ctl, [switch_of(ctl.view, must_find(ctl.view, PORT, name))])


@command("lsp-get-parent", "PORT", reads=("Logical_Switch_Port name parent_name",))
def lsp_get_parent(ctl: "Ctl", name: str) -> None:
    """Print the parent of PORT if set."""
    parent = must_find(ctl.view, PORT, name)["parent_name"]
    if parent is not None:
        ctl.print(parent)


@command("lsp-get-tag", "PORT", reads=("Logical_Switch_Port name tag",))
def lsp_get_tag(ctl: "Ctl", name: str) -> None:
    """Print PORT's tag if set."""
    tag = must_find(ctl.view, PORT, name)["tag"]
    if tag is not None:
        ctl.print(str(tag))


@command(
    "lsp-set-addresses",
    "PORT [ADDRESS]...",
    reads=("Logical_Switch name ports", "Logical_Switch_Port name addresses dynamic_addresses"),
)
def lsp_set_addresses(ctl: "Ctl", name: str, *addresses: str) -> None:
    """Set the addresses of PORT: "MAC [IP]...", "dynamic [IP]...", "unknown" or "router"."""
    from pyovn.cli.nb.addresses import check_address, check_duplicates

    port = must_find(ctl.view, PORT, name)
    switch = switch_of(ctl.view, port)
    for address in addresses:
        check_address(address)
        check_duplicates(ctl.view, switch, port, [address])
    port["addresses"] = list(set(addresses))


@command("lsp-get-addresses", "PORT", reads=("Logical_Switch_Port name addresses",))
def lsp_get_addresses(ctl: "Ctl", name: str) -> None:
    """Print the addresses of PORT."""
    ctl.tell(must_find(ctl.view, PORT, name)["addresses"], iter)


@command("lsp-set-port-security", "PORT [ADDRESS]...", reads=("Logical_Switch_Port name port_security",))
def lsp_set_port_security(ctl: "Ctl", name: str, *addresses: str) -> None:
    """Set the addresses that PORT may send from."""
    must_find(ctl.view, PORT, name)["port_security"] = list(set(addresses))


@command("lsp-get-port-security", "PORT", reads=("Logical_Switch_Port name port_security",))
def lsp_get_port_security(ctl: "Ctl", name: str) -> None:
    """Print the addresses that PORT may send from."""
    ctl.tell(must_find(ctl.view, PORT, name)["port_security"], iter)


@command("lsp-get-up", "PORT", reads=("Logical_Switch_Port name up",))
def lsp_get_up(ctl: "Ctl", name: str) -> None:
    """Print whether PORT is "up" or "down"."""
    ctl.print("up" if must_find(ctl.view, PORT, name)["up"] else "down")


def parse_state(text: str) -> bool:
    """Whether `text` says "enabled"; raises `CtlError`."""
    state = STATES.get(text.lower())
    if state is None:
        raise CtlError(f'{text}: state must be "enabled" or "disabled"')
    return state


@command("lsp-set-enabled", "PORT {enabled | disabled}", reads=("Logical_Switch_Port name enabled",))
def lsp_set_enabled(ctl: "Ctl", name: str, state: str) -> None:
    """Set the administrative state of PORT."""
    port = must_find(ctl.view, PORT, name)
    port["enabled"] = parse_state(state)


@command("lsp-get-enabled", "PORT", reads=("Logical_Switch_Port name enabled",))
def lsp_get_enabled(ctl: "Ctl", name: str) -> None:
    """Print the administrative state of PORT."""
    ctl.print("disabled" if must_find(ctl.view, PORT, name)["enabled"] is False else "enabled")


@command("lsp-set-type", "PORT TYPE [peer=PEER]", reads=("Logical_Switch_Port name type peer",))
def lsp_set_type(ctl: "Ctl", name: str, type_: str, setting: str | None = None) -> None:
    """Set the type of PORT."""
    port = must_find(ctl.view, PORT, name)
    if type_ not in TYPES:
        raise CtlError(f"Logical switch port type '{type_}' is unrecognized. Not setting type.")
    if setting is not None:
        key, equals, peer = setting.partition("=")
        if key != "peer" or not equals:
            raise CtlError(f"Unrecognized argument: {setting}\n")
        if type_ != "switch":
            raise CtlError("Peer can only be set for a logical switch port with type 'switch'.")
        port["peer"] = peer
    port["type"] = type_


@command("lsp-get-type", "PORT", reads=("Logical_Switch_Port name type",))
def lsp_get_type(ctl: "Ctl", name: str) -> None:
    """Print the type of PORT."""
    ctl.print(must_find(ctl.view, PORT, name)["type"])


def parse_settings(words: "tuple[str, ...]") -> dict[str, str]:
    """The map of `KEY=VALUE` words; of several values for a key the least counts, and words without "=" do not."""
    settings: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            settings[key] = min(value, settings.get(key, value))
    return settings


@command("lsp-set-options", "PORT [KEY=VALUE]...", reads=("Logical_Switch_Port name options",))
def lsp_set_options(ctl: "Ctl", name: str, *settings: str) -> None:
    """Set the options of PORT, instead of those it had."""
    must_find(ctl.view, PORT, name)["options"] = parse_settings(settings)


@command("lsp-get-options", "PORT", reads=("Logical_Switch_Port name options",))
def lsp_get_options(ctl: "Ctl", name: str) -> None:
    """Print the options of PORT."""
    ctl.tell(must_find(ctl.view, PORT, name)["options"], setting_lines)


def setting_lines(settings: "dict[str, str]") -> "Iterator[str]":
    """`KEY=VALUE` lines."""
    return (f"{key}={value}" for key, value in settings.items())


@command(
    "lsp-add-router-port",
    "SWITCH PORT LRP_PEER",
    options="--may-exist",
    reads=("Logical_Switch name ports", "Logical_Switch_Port name type options"),
)
def lsp_add_router_port(ctl: "Ctl", switch: str, name: str, peer: str) -> None:
    """Add a port of type router whose router-port is LRP_PEER."""
    _add_typed(ctl, switch, name, ("router", "router", "router-port", peer))


@command(
    "lsp-add-localnet-port",
    "SWITCH PORT NETWORK",
    options="--may-exist",
    reads=("Logical_Switch name ports", "Logical_Switch_Port name type options"),
)
def lsp_add_localnet_port(ctl: "Ctl", switch: str, name: str, network: str) -> None:
    """Add a port of type localnet whose network_name is NETWORK."""
    _add_typed(ctl, switch, name, ("localnet", "unknown", "network_name", network))


def _add_typed(ctl: "Ctl", switch_name: str, name: str, kind: tuple[str, str, str, str]) -> None:
    """Add a port of a type, with an address and one option."""
    type_, address, key, value = kind
    switch = must_find(ctl.view, SWITCH, switch_name)
    port = ctl.view.first("Logical_Switch_Port", "name", name)
    if port is None:
        port = add_port(ctl.view, switch, name)
        port["type"], port["addresses"], port["options"] = type_, [address], {key: value}
        return
    if not ctl.has("--may-exist"):
        raise CtlError(f"{name}: a port with this name already exists")
    home = switch_of(ctl.view, port)
    if home is not switch:
        raise CtlError(f"{name}: a port already exists but in switch {home['name']}")
    if port["type"] != type_:
        raise CtlError(f'{name}: a port already exists but with different type "{port["type"]}"')
    if port["options"].get(key, "") != value:
        raise CtlError(f'{name}: a port already exists but with different {key} "{port["options"].get(key, "")}"')
