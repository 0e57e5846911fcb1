"""`lsp-hc-*`: health checks of what is behind a switch port."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.numbers import scan_within
from pyovn.cli.nb.lookup import PORT, must_find
from pyovn.net.errors import Malformed
from pyovn.net.uuids import is_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("Logical switch port health checks")

CHECKS = (
    "Logical_Switch_Port name type addresses health_checks",
    "Logical_Switch_Port_Health_Check protocol src_ip port address status",
)
TABLE = "Logical_Switch_Port_Health_Check"
PROTOCOLS = ("icmp", "tcp", "udp")
PORT_NUMBERS = range(65536)


@command("lsp-hc-add", "PORT PROTOCOL SRC_IP [DST_PORT] ADDRESS...", reads=CHECKS)
def lsp_hc_add(ctl: "Ctl", name: str, protocol: str, source: str, first: str, *rest: str) -> None:
    """Add health check monitoring of addresses of PORT."""
    words = (first, *rest)
    port = must_find(ctl.view, PORT, name)
    if port["type"]:
        raise CtlError(f"{port['type']}: Health check monitoring supported only for port with vif type.")
    if protocol not in PROTOCOLS:
        raise CtlError(f"{protocol}: Type must be icmp, tcp, or udp.")
    if not _is_address(source):
        raise CtlError(f"{source}: Not a valid IPv4 or IPv6 address.")
    number, addresses = 0, words
    if protocol != "icmp":
        number, addresses = _destination(words), words[1:]
    if not addresses:
        raise CtlError("No addresses specified for health checking.")
    for address in addresses:
        _add(ctl, port, address, {"protocol": protocol, "src_ip": source, "port": number})


def _is_address(text: str) -> bool:
    from pyovn.net.ip import ip_parse

    try:
        ip_parse(text)
    except Malformed:
        return False
    return True


def _destination(words: tuple[str, ...]) -> int:
    if len(words) < 2:
        raise CtlError("No addresses specified for health checking.")
    number = scan_within(words[0], PORT_NUMBERS)
    if number is None:
        raise CtlError(f"{words[0]}: port must in range 0...65535")
    return number


def _add(ctl: "Ctl", port: "Row", address: str, columns: "dict[str, str | int]") -> None:
    from pyovn.cli.nb.addresses import addresses_of
    from pyovn.net.ip import ip_parse, ip_str

    if not _is_address(address):
        raise CtlError(f"Not a valid IPv4 or IPv6 address {address}.")
    configured = {ip for text in port["addresses"] for _, ip in addresses_of(text)}
    if ip_str(*ip_parse(address)) not in configured:
        raise CtlError(f"Address {address} not configured on port {port['name']}.")
    for check in ctl.view.referred(TABLE, port["health_checks"]):
        if check["address"] == address and all(check[name] == value for name, value in columns.items()):
            raise CtlError(f"Health check with address {address} already exists on port {port['name']}.")
    check = ctl.view.insert(TABLE, address=address, **columns)
    port.add("health_checks", check.uuid)


@command("lsp-hc-del", "PORT [HC_UUID]", reads=CHECKS)
def lsp_hc_del(ctl: "Ctl", name: str, uuid: str | None = None) -> None:
    """Delete a health check, or all, of PORT."""
    port = must_find(ctl.view, PORT, name)
    checks = ctl.view.referred(TABLE, list(port["health_checks"]))
    if uuid is not None:
        if not is_uuid(uuid.lower()):
            raise CtlError(f"{uuid}: Invalid UUID format.")
        checks = [check for check in checks if check.uuid == uuid.lower()]
        if not checks:
            raise CtlError(f"{uuid}: Logical Switch Port Health Check not found.")
    for check in checks:
        port.discard("health_checks", check.uuid)
        check.delete()


@command("lsp-hc-list", "PORT", reads=CHECKS)
def lsp_hc_list(ctl: "Ctl", name: str) -> None:
    """List health checks of PORT."""
    port = must_find(ctl.view, PORT, name)
    checks = ctl.view.referred(TABLE, port["health_checks"])
    checks.sort(key=lambda row: (row["protocol"], row["src_ip"], row["port"], row["address"]))
    columns = ("protocol", "src_ip", "port", "address", "status")
    ctl.tell([check.entry(*columns) | {"logical_port": port["name"]} for check in checks], _lines)


def _lines(checks: "list[dict[str, Any]]") -> "Iterator[str]":
    for check in checks:
        yield "" if check is not checks[0] else f"Logical Switch Port {check['logical_port']}:"
        yield f"  Protocol      :  {check['protocol']}"
        yield f"  Source IP     :  {check['src_ip']}"
        if check["protocol"] != "icmp":
            yield f"  Port          :  {check['port']}"
        yield f"  Address       :  {check['address']}"
        if check["status"]:
            yield f"  Status        :  {check['status']}"
