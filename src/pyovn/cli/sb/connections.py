"""`*-connection`, with the roles and rights that southbound connections have."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.connections import reads, replace, tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl

command = CommandTable("Connection commands")


@command("get-connection", reads=reads)
def get_connection(ctl: "Ctl") -> None:
    """Print the connections."""
    tell(ctl, _line, "read_only", "role")


def _line(entry: "dict[str, Any]") -> str:
    return f'{"read-only" if entry["read_only"] else "read-write"} role="{entry["role"]}" {entry["target"]}'


@command("del-connection", reads=reads)
def del_connection(ctl: "Ctl") -> None:
    """Delete the connections."""
    replace(ctl, ())


@command("set-connection", "[read-only|read-write] [role=ROLE] TARGET...", options="--inactivity-probe=", reads=reads)
def set_connection(ctl: "Ctl", first: str, *rest: str) -> None:
    """Set the list of connections to TARGETs, each with the rights and role named last before it."""
    replace(ctl, _connections((first, *rest)))


def _connections(words: "tuple[str, ...]") -> "Iterator[dict[str, Any]]":
    read_only, role = False, ""
    for word in words:
        if word in ("read-only", "read-write"):
            read_only = word == "read-only"
        elif word.startswith("role="):
            role = word.removeprefix("role=")
        else:
            yield {"target": word, "read_only": read_only, "role": role}
