"""`*-connection`: where the database server listens and connects to."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.numbers import scan_integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from pyovn.cli.ctl.call import Ctl

command = CommandTable("Connection commands")

STREAMS = ("tcp:", "unix:", "ssl:", "ptcp:", "punix:", "pssl:")


def _holder(ctl: "Ctl") -> str:
    """The column that holds the connections, in the table of one row."""
    return "manager_options" if ctl.program.only == "Open_vSwitch" else "connections"


def _table(ctl: "Ctl") -> str:
    return "Manager" if ctl.program.only == "Open_vSwitch" else "Connection"


def reads(ctl: "Ctl") -> "Iterable[str]":
    """The connections, and what holds them."""
    yield f"{ctl.program.only} {_holder(ctl)}"
    yield f"{_table(ctl)} target read_only role inactivity_probe"


def replace(ctl: "Ctl", connections: "Iterable[dict[str, Any]]") -> None:
    """Have these connections instead of those there were."""
    holder = ctl.view.the(ctl.program.only)
    assert holder is not None
    holder.verify(_holder(ctl))
    for row in ctl.view.rows(_table(ctl)):
        row.delete()
    probe = ctl.option("--inactivity-probe")
    uuids = []
    for columns in connections:
        if not columns["target"].startswith(STREAMS):
            text = f'target type "{columns["target"]}" is possibly erroneous'
            ctl.program.warn(ctl.program.name.partition("-")[2], text)
        row = ctl.view.insert(_table(ctl), **columns)
        if probe is not None:
            row["inactivity_probe"] = scan_integer(probe) or 0
        uuids.append(row.uuid)
    holder[_holder(ctl)] = uuids


@command("get-connection", reads=reads)
def get_connection(ctl: "Ctl") -> None:
    """Print the connections."""
    tell(ctl, lambda entry: entry["target"])


def tell(ctl: "Ctl", line: "Callable[[dict[str, Any]], str]", *columns: str) -> None:
    """Say what connections there are, sorted by the line that each makes."""
    entries = [row.entry("target", "inactivity_probe", *columns) for row in ctl.view.rows(_table(ctl))]
    ctl.tell(sorted(entries, key=line), lambda found: map(line, found))


@command("del-connection", reads=reads)
def del_connection(ctl: "Ctl") -> None:
    """Delete the connections."""
    replace(ctl, ())


@command("set-connection", "TARGET...", options="--inactivity-probe=", reads=reads)
def set_connection(ctl: "Ctl", first: str, *rest: str) -> None:
    """Set the list of connections to TARGETs."""
    replace(ctl, ({"target": target} for target in (first, *rest)))
