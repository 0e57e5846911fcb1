"""`init`, `show`, chassis, and which port is bound where."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.show import Shown, show
from pyovn.cli.sb.datapaths import DATAPATHS, find_datapath, known_datapaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("General commands")

SHOWN = {
    "Chassis": Shown("name", "hostname encaps", back=("Port_Binding", "chassis")),
    "Encap": Shown("type", "ip options"),
    "Port_Binding": Shown("logical_port"),
}
CHASSIS = ("Chassis name encaps", "Encap")


@command("init")
def init(ctl: "Ctl") -> None:
    """Initialize the database."""


def _shown(ctl: "Ctl") -> "Iterator[str]":
    for table, shown in SHOWN.items():
        yield from shown.reads(table)


@command("show", options="--filter=", reads=_shown)
def show_(ctl: "Ctl") -> None:
    """Print overview of database contents."""
    show(ctl, SHOWN, "Chassis", ctl.option("--filter"))


@command("chassis-add", "CHASSIS ENCAP-TYPE[,ENCAP-TYPE]... ENCAP-IP", options="--may-exist", reads=CHASSIS)
def chassis_add(ctl: "Ctl", name: str, types: str, ip: str) -> None:
    """Create a new chassis named CHASSIS with ENCAP-TYPE tunnels and ENCAP-IP."""
    if ctl.view.find("Chassis", "name", name):
        if ctl.has("--may-exist"):
            return
        raise CtlError(f"cannot create a chassis named {name} because a chassis named {name} already exists")
    encaps = [
        ctl.view.insert("Encap", type=type_, ip=ip, options={"csum": "true"}, chassis_name=name).uuid
        for type_ in sorted(set(filter(None, types.split(","))))
    ]
    ctl.view.insert("Chassis", name=name, encaps=encaps)


@command("chassis-del", "CHASSIS", options="--if-exists", reads=CHASSIS)
def chassis_del(ctl: "Ctl", name: str) -> None:
    """Delete CHASSIS and all of its encaps."""
    chassis = _chassis(ctl, name)
    if chassis is not None:
        for encap in ctl.view.referred("Encap", chassis["encaps"]):
            encap.delete()
        chassis.delete()


def _chassis(ctl: "Ctl", name: str) -> "Row | None":
    """The chassis of this name; None only where `--if-exists` allows it."""
    chassis = ctl.view.first("Chassis", "name", name)
    if chassis is None and not ctl.has("--if-exists"):
        choices = (row["name"] for row in ctl.view.rows("Chassis"))
        raise CtlError(f"no chassis named {name}", name, choices)
    return chassis


BINDINGS = ("Port_Binding logical_port chassis up", "Chassis name")


@command("lsp-bind", "PORT CHASSIS", options="--may-exist", reads=BINDINGS)
def lsp_bind(ctl: "Ctl", name: str, chassis_name: str) -> None:
    """Bind logical port PORT to CHASSIS."""
    port = _binding(ctl, name)
    chassis = _chassis(ctl, chassis_name)
    if port is None or chassis is None:
        return
    bound = ctl.view.get("Chassis", port["chassis"])
    if bound is not None:
        if ctl.has("--may-exist") and bound is chassis:
            return
        raise CtlError(f"lport ({name}) has already been binded to chassis ({bound['name']})")
    port["chassis"], port["up"] = chassis.uuid, True


@command("lsp-unbind", "PORT", options="--if-exists", reads=BINDINGS)
def lsp_unbind(ctl: "Ctl", name: str) -> None:
    """Reset the port binding of logical port PORT."""
    port = _binding(ctl, name)
    if port is not None:
        port["chassis"], port["up"] = None, None


def _binding(ctl: "Ctl", name: str) -> "Row | None":
    """The binding of this port; None only where `--if-exists` allows it."""
    port = ctl.view.first("Port_Binding", "logical_port", name)
    if port is None and not ctl.has("--if-exists"):
        choices = (row["logical_port"] for row in ctl.view.rows("Port_Binding"))
        raise CtlError(f"no port named {name}", name, choices)
    return port


@command(
    "ip-multicast-flush",
    "[SWITCH]",
    reads=("IP_Multicast datapath seq_no", DATAPATHS),
)
def ip_multicast_flush(ctl: "Ctl", name: str | None = None) -> None:
    """Forget the multicast groups learned on SWITCH, or on all."""
    datapath = None
    if name is not None:
        datapath = find_datapath(ctl.view, name)
        if datapath is None:
            raise CtlError(f"{name} is not a valid datapath", name, known_datapaths(ctl.view))
    for row in ctl.view.rows("IP_Multicast"):
        if datapath is None or row["datapath"] == datapath.uuid:
            row["seq_no"] += 1
