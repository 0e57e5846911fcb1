"""`init`, `show` and `emer-reset`."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.show import Shown, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.call import Ctl

command = CommandTable("Open vSwitch commands")

SHOWN = {
    "Open_vSwitch": Shown("", "manager_options bridges ovs_version"),
    "Bridge": Shown("name", "controller fail_mode datapath_type ports"),
    "Port": Shown("name", "tag trunks interfaces"),
    "Interface": Shown("name", "type options error"),
    "Controller": Shown("target", "is_connected"),
    "Manager": Shown("target", "is_connected"),
}


@command("init")
def init(ctl: "Ctl") -> None:
    """Initialize database, if not yet initialized."""


def _shown(ctl: "Ctl") -> "Iterator[str]":
    for table, shown in SHOWN.items():
        yield from shown.reads(table)


@command("show", options="--filter=", reads=_shown)
def show_(ctl: "Ctl") -> None:
    """Print overview of database contents."""
    show(ctl, SHOWN, "Open_vSwitch", ctl.option("--filter"))


#: what `emer-reset` empties: table → columns
RESET = {
    "Open_vSwitch": ("manager_options", "ssl"),
    "Bridge": ("controller", "fail_mode", "mirrors", "netflow", "sflow", "ipfix", "flood_vlans", "other_config"),
    "Port": ("other_config",),
    "Interface": ("ingress_policing_rate", "ingress_policing_burst"),
}

#: the keys that `emer-reset` leaves alone
KEPT = {("Bridge", "other_config"): "hwaddr"}


def _reset(ctl: "Ctl") -> "Iterator[str]":
    for table, columns in RESET.items():
        yield f"{table} {' '.join(columns)}"


@command("emer-reset", reads=_reset)
def emer_reset(ctl: "Ctl") -> None:
    """Reset configuration to clean state."""
    from pyovn.cli.ctl.values import default

    for table, columns in RESET.items():
        for row in ctl.view.rows(table):
            for column in columns:
                type_ = row.table.type_of(column)
                if type_ is not None:
                    kept = KEPT.get((table, column))
                    row[column] = (
                        default(type_) if kept is None else {k: v for k, v in row[column].items() if k == kept}
                    )
