"""Configuration that northd does not carry out: said by name, once, instead of being passed over in silence.

When a feature is written, its line here goes.
"""

from collections.abc import Iterator

from pyovn.net.uuids import Uuid
from pyovn.tables.nb import LogicalSwitch, LogicalSwitchPort

SWITCH_COLUMNS = {
    "copp": "control plane protection",
}
PORT_COLUMNS = {
    "mirror_rules": "mirrors",
}


def of_switch(row: LogicalSwitch) -> Iterator[tuple[Uuid, str]]:
    """What is configured on a switch and has no effect."""
    for column, what in SWITCH_COLUMNS.items():
        if getattr(row, column):
            yield row.uuid, f"logical switch {row.name}: {what} are not supported and have no effect"


def of_port(row: LogicalSwitchPort) -> Iterator[tuple[Uuid, str]]:
    """What is configured on a port and has no effect."""
    for column, what in PORT_COLUMNS.items():
        if getattr(row, column):
            yield row.uuid, f"logical switch port {row.name}: {what} are not supported and have no effect"
