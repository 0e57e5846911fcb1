"""What the controller knows that no database says, in the shape of tables so that the engine sees it change.

Host        who we are and what the switch can do       one row
Zone        the conntrack zone of a user                row UUID = user
Installed   a port whose flows the switch confirmed     row UUID = "<logical port> installed"
Ready       all flows are in force                      one row, once they are
"""

from __future__ import annotations

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import TYPE_CHECKING, Database, Row, table
from pyovn.ovsdb.model import new as new_row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    R = TypeVar("R", bound=Row)
    Changes = dict[type[Row], dict[Uuid, tuple[Row | None, Row | None]]]


@table("Host")
class Host(Row):
    """This chassis, as far as configuration does not say."""

    chassis: str
    hostname: str
    option_field: int  #: number of the `tun_metadata` field that holds the Geneve option; -1 until known
    bridge_mac: str  #: for an integration bridge that must be made
    started_ms: int
    is_stranded: bool  #: the switch was there and is gone
    features: frozenset[str]  #: of the switch, as Chassis.other_config names them


@table("Zone")
class Zone(Row):
    """A conntrack zone in use."""

    number: int


@table("Installed")
class Installed(Row):
    """A logical port whose flows are in force."""

    since_ms: int


@table("Ready")
class Ready(Row):
    """The switch has had all flows."""

    since_ms: int


LOCAL = Database("Controller", "1", (Host, Zone, Installed, Ready))
HOST = "host"


def installed_id(port: str) -> Uuid:
    """The UUID of a port's Installed row; a zone may be named after the port too."""
    return Uuid(f"{port} installed")


class LocalRows:
    """The rows of those tables, and what changed since the engine last looked."""

    def __init__(self) -> None:
        self._rows: dict[type[Row], dict[Any, Any]] = {cls: {} for cls in LOCAL.tables}
        self._changes: Changes = {}

    def rows(self, cls: type[R], /) -> Mapping[Uuid, R]:
        """The rows of a table."""
        return self._rows[cls]

    def where(self, cls: type[R], /, **equal: Any) -> tuple[R, ...]:
        """The rows that have these values."""
        rows = self._rows[cls].values()
        return tuple(row for row in rows if all(getattr(row, name) == value for name, value in equal.items()))

    def put(self, cls: type[Row], key: str, **values: Any) -> None:
        """A row as it should be."""
        row = new_row(cls, key, **values)
        if self._rows[cls].get(key) != row:
            self._change(cls, key, row)

    def drop(self, cls: type[Row], key: str) -> None:
        """A row gone."""
        if key in self._rows[cls]:
            self._change(cls, key, None)

    def take(self) -> Changes:
        """The changes since the last call."""
        changes, self._changes = self._changes, {}
        return changes

    def _change(self, cls: type[Row], key: str, row: Row | None) -> None:
        rows: dict[Any, Any] = self._rows[cls]
        changed = self._changes.setdefault(cls, {})
        uuid: Any = key
        first = changed[uuid][0] if uuid in changed else rows.get(key)
        changed[uuid] = (first, row)
        if row is None:
            del rows[key]
        else:
            rows[key] = row
