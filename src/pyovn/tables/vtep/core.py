"""The device as a whole, and its managers."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated

    from pyovn.ovsdb.model import Between, Ephemeral, Strong
    from pyovn.tables.vtep.physical import PhysicalSwitch


@table("Global", max_rows=1)
class Global(Row):
    """The device: its switches and managers."""

    managers: frozenset[Strong[Manager]]
    switches: frozenset[Strong[PhysicalSwitch]]
    other_config: Mapping[str, str]


@table("Manager", root=False, indexes=[("target",)])
class Manager(Row):
    """A database client that the device connects to, or an address it listens on."""

    target: str
    max_backoff: Annotated[int, Between(1000, None)] | None  #: milliseconds
    inactivity_probe: int | None  #: milliseconds, 0 for none
    other_config: Mapping[str, str]
    is_connected: Annotated[bool, Ephemeral]
    status: Annotated[Mapping[str, str], Ephemeral]
