"""`pg-*`: port groups."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.nb.lookup import GROUP, PORT, PORT_NAMES, must_find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyovn.cli.ctl.call import Ctl

command = CommandTable("Port group commands")

GROUPS = ("Port_Group name ports", PORT_NAMES)


def _ports(ctl: "Ctl", names: tuple[str, ...]) -> list[str]:
    return list({must_find(ctl.view, PORT, name).uuid for name in names})


@command("pg-add", "PG [PORT]...", reads=GROUPS)
def pg_add(ctl: "Ctl", name: str, *ports: str) -> None:
    """Create port group PG with PORTs."""
    ctl.view.insert("Port_Group", name=name, ports=_ports(ctl, ports))


@command("pg-set-ports", "PG PORT...", reads=GROUPS)
def pg_set_ports(ctl: "Ctl", name: str, first: str, *rest: str) -> None:
    """Set the ports of port group PG."""
    group = must_find(ctl.view, GROUP, name)
    group["ports"] = _ports(ctl, (first, *rest))


@command("pg-get-ports", "PG", reads=GROUPS)
def pg_get_ports(ctl: "Ctl", name: str) -> None:
    """Print the ports of port group PG."""
    group = must_find(ctl.view, GROUP, name)
    ports = ctl.view.referred("Logical_Switch_Port", group["ports"])
    ports.sort(key=lambda port: str(port["name"]))
    ctl.tell([port.entry("name") for port in ports], lambda found: [" ".join(port["name"] for port in found)])


@command("pg-del", "PG", reads=GROUPS)
def pg_del(ctl: "Ctl", name: str) -> None:
    """Delete port group PG."""
    must_find(ctl.view, GROUP, name).delete()
