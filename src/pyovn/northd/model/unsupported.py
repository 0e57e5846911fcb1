"""Configuration that northd does not carry out: said by name, once, instead of being passed over in silence.

When a feature is written, its line here goes.
"""

from collections.abc import Iterator

from pyovn.net.uuids import Uuid
from pyovn.tables.nb import LogicalSwitch

EVPN = "dynamic-routing-vni"  #: option of switches


def of_switch(row: LogicalSwitch) -> Iterator[tuple[Uuid, str]]:
    """What is configured on a switch and has no effect."""
    if EVPN in row.other_config:
        yield row.uuid, _said(f"logical switch {row.name}", f"EVPN (other_config:{EVPN})")


def _said(where: str, what: str) -> str:
    return f"{where}: {what} is not supported and has no effect"
