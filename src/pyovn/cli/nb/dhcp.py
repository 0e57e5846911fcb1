"""`dhcp-options-*`, and which DHCP options a port has."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.lookup import PORT, must_find
from pyovn.cli.nb.ports import parse_settings, setting_lines
from pyovn.net.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row, View

command = CommandTable("DHCP options commands")


def dhcp_options(view: "View", uuid: str) -> "Row":
    """The row with this UUID; raises `CtlError`."""
    row = view.get("DHCP_Options", uuid.lower())
    if row is None:
        raise CtlError(f"{uuid}: dhcp options UUID not found")
    return row


def version_of(cidr: str) -> int:
    """The IP version of a subnet; 0 for what is none."""
    from pyovn.net.ip import parse_network

    try:
        return parse_network(cidr)[0]
    except Malformed:
        return 0


@command("dhcp-options-create", "CIDR [KEY=VALUE]...", reads=("DHCP_Options",))
def create(ctl: "Ctl", cidr: str, *external_ids: str) -> None:
    """Create a DHCP options row for subnet CIDR, with external ids."""
    if not version_of(cidr):
        raise CtlError(f"Invalid cidr format '{cidr}'")
    ctl.view.insert("DHCP_Options", cidr=cidr, external_ids=parse_settings(external_ids))


@command("dhcp-options-del", "DHCP_OPTIONS_UUID", reads=("DHCP_Options",))
def delete(ctl: "Ctl", uuid: str) -> None:
    """Delete DHCP_OPTIONS_UUID."""
    dhcp_options(ctl.view, uuid).delete()


@command("dhcp-options-list", reads=("DHCP_Options cidr options external_ids",))
def list_(ctl: "Ctl") -> None:
    """Print the UUIDs of all DHCP options."""
    rows = sorted(ctl.view.rows("DHCP_Options"), key=lambda row: row.uuid)
    found = [row.entry("cidr", "options", "external_ids") for row in rows]
    ctl.tell(found, lambda entries: (entry["_uuid"] for entry in entries))


@command("dhcp-options-set-options", "DHCP_OPTIONS_UUID [KEY=VALUE]...", reads=("DHCP_Options options",))
def set_options(ctl: "Ctl", uuid: str, *settings: str) -> None:
    """Set the options of DHCP_OPTIONS_UUID, instead of those it had."""
    dhcp_options(ctl.view, uuid)["options"] = parse_settings(settings)


@command("dhcp-options-get-options", "DHCP_OPTIONS_UUID", reads=("DHCP_Options options",))
def get_options(ctl: "Ctl", uuid: str) -> None:
    """Print the options of DHCP_OPTIONS_UUID."""
    ctl.tell(dhcp_options(ctl.view, uuid)["options"], setting_lines)


def _set(ctl: "Ctl", name: str, uuid: str | None, version: int) -> None:
    port = must_find(ctl.view, PORT, name)
    row = None if uuid is None else dhcp_options(ctl.view, uuid)
    if row is not None and version_of(row["cidr"]) != version:
        raise CtlError(f"DHCP options cidr '{row['cidr']}' is not IPv{version}")
    port[f"dhcpv{version}_options"] = None if row is None else row.uuid


def _get(ctl: "Ctl", name: str, version: int) -> None:
    row = ctl.view.get("DHCP_Options", must_find(ctl.view, PORT, name)[f"dhcpv{version}_options"])
    if row is not None:
        ctl.print(f"{row.uuid} ({row['cidr']})")


V4 = ("Logical_Switch_Port name dhcpv4_options", "DHCP_Options cidr")
V6 = ("Logical_Switch_Port name dhcpv6_options", "DHCP_Options cidr")


@command("lsp-set-dhcpv4-options", "PORT [DHCP_OPTIONS_UUID]", reads=V4)
def lsp_set_dhcpv4_options(ctl: "Ctl", name: str, uuid: str | None = None) -> None:
    """Set the DHCPv4 options of PORT, or have none."""
    _set(ctl, name, uuid, 4)


@command("lsp-get-dhcpv4-options", "PORT", reads=V4)
def lsp_get_dhcpv4_options(ctl: "Ctl", name: str) -> None:
    """Print the DHCPv4 options of PORT."""
    _get(ctl, name, 4)


@command("lsp-set-dhcpv6-options", "PORT [DHCP_OPTIONS_UUID]", reads=V6)
def lsp_set_dhcpv6_options(ctl: "Ctl", name: str, uuid: str | None = None) -> None:
    """Set the DHCPv6 options of PORT, or have none."""
    _set(ctl, name, uuid, 6)


@command("lsp-get-dhcpv6-options", "PORT", reads=V6)
def lsp_get_dhcpv6_options(ctl: "Ctl", name: str) -> None:
    """Print the DHCPv6 options of PORT."""
    _get(ctl, name, 6)
