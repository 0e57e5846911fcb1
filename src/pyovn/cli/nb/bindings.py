"""`static-mac-binding-*`: neighbours that a router need not ask for."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.lookup import ROUTER_PORT, ROUTER_PORT_NAMES, must_find
from pyovn.net.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("MAC binding commands")

BINDINGS = ("Static_MAC_Binding logical_port ip mac", ROUTER_PORT_NAMES)


def _address(text: str) -> str:
    from pyovn.net.ip import ip_parse, ip_str

    try:
        return ip_str(*ip_parse(text))
    except Malformed:
        raise CtlError(f"{text}: Not a valid IPv4 or IPv6 address.") from None


def _find(ctl: "Ctl", port: str, ip: str) -> "Row | None":
    found = ctl.view.find("Static_MAC_Binding", "logical_port", port)
    return next((row for row in found if row["ip"] == ip), None)


@command("static-mac-binding-add", "LOGICAL_PORT IP MAC", options="--may-exist", reads=BINDINGS)
def add(ctl: "Ctl", port: str, ip_text: str, mac: str) -> None:
    """Add a static MAC binding."""
    from pyovn.net.mac import mac_int

    must_find(ctl.view, ROUTER_PORT, port)
    ip = _address(ip_text)
    try:
        mac_int(mac)
    except Malformed:
        raise CtlError(f"invalid mac address {mac}.") from None
    row = _find(ctl, port, ip)
    if row is None:
        ctl.view.insert("Static_MAC_Binding", logical_port=port, ip=ip, mac=mac)
    elif ctl.has("--may-exist"):
        row["mac"] = mac
    else:
        raise CtlError(f"{port}, {ip}: a Static_MAC_Binding with this logical_port and ip already exists")


@command("static-mac-binding-del", "LOGICAL_PORT IP", options="--if-exists", reads=BINDINGS)
def delete(ctl: "Ctl", port: str, ip_text: str) -> None:
    """Delete a static MAC binding."""
    must_find(ctl.view, ROUTER_PORT, port)
    ip = _address(ip_text)
    row = _find(ctl, port, ip)
    if row is not None:
        row.delete()
    elif not ctl.has("--if-exists"):
        raise CtlError(f"no matching Static_MAC_Binding with port {port} and ip {ip}")


@command("static-mac-binding-list", reads=BINDINGS)
def list_(ctl: "Ctl") -> None:
    """List all static MAC bindings."""
    rows = sorted(ctl.view.rows("Static_MAC_Binding"), key=lambda row: (row["logical_port"], row["ip"]))
    ctl.tell([row.entry("logical_port", "ip", "mac") for row in rows], _lines)


def _lines(bindings: "list[dict[str, str]]") -> "Iterator[str]":
    if bindings:
        yield f"{'LOGICAL_PORT':<25}{'IP':<25}MAC"
    for binding in bindings:
        yield f"{binding['logical_port']:<25}{binding['ip']:<25}{binding['mac']}"
