"""A client's copy of a database: typed rows, brought up to date by the server's updates.

    update ──apply──► rows (snapshots) ──► changes: class → UUID → (old row or None, new row or None)

Rows are never changed in place, so a row somebody holds stays what it was.  `where` finds rows by the values of
columns through an index that is built at the first question and kept up from then on.
"""

from pyovn.ovsdb.datum import RowReader
from pyovn.ovsdb.errors import OvsdbError, ProtocolFault
from pyovn.ovsdb.model import columns, table_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, TypeVar

    from pyovn.net.uuids import Uuid
    from pyovn.ovsdb.model import Row
    from pyovn.ovsdb.schema import Schema

    R = TypeVar("R", bound=Row)
    Json = Any
    Change = tuple[Any, Any]
    Changes = dict[type[Row], dict[Uuid, Change]]
    Interests = Mapping[type[Row], Sequence[str] | None]
else:
    Changes = dict


class Update:
    """What a server said about the contents of tables.

    `tables` is the protocol's JSON: table name → UUID → row update.  `is_difference` tells `update2`/`update3` from
    the `update` of RFC 7047.  A `fresh` update is the whole contents: rows it does not mention are gone.
    """

    __slots__ = ("fresh", "is_difference", "tables")

    def __init__(self, tables: "Mapping[str, Json]", *, is_difference: bool = True, fresh: bool = False) -> None:
        self.tables = tables
        self.is_difference = is_difference
        self.fresh = fresh


class Replica:
    """The rows of the tables that a client is interested in."""

    def __init__(self, tables: "Interests | Iterable[type[Row]]") -> None:
        wanted: Interests = tables if isinstance(tables, dict) else dict.fromkeys(tables)
        self._wanted = wanted
        self._rows: dict[type[Row], dict[Uuid, Any]] = {cls: {} for cls in wanted}
        self._by_name = {table_name(cls): cls for cls in wanted}
        self._readers: dict[type[Row], RowReader] = {}
        self._schema: Schema | None = None
        self._indexes: dict[type[Row], dict[tuple[str, ...], _Index]] = {cls: {} for cls in wanted}

    def adopt(self, schema: "Schema") -> None:
        """Read rows as a server with this schema writes them."""
        self._schema = schema
        self._readers = {}

    @property
    def classes(self) -> "Iterable[type[Row]]":
        """The classes of the tables that are replicated."""
        return self._rows.keys()

    def rows(self, cls: "type[R]", /) -> "Mapping[Uuid, R]":
        """All rows of a table by UUID; a live view."""
        return self._rows[cls]

    def cells(self) -> int:
        """How many values of columns are held."""
        return sum(
            len(self._rows[cls]) * len(columns(cls) if names is None else names) for cls, names in self._wanted.items()
        )

    def get(self, cls: "type[R]", uuid: "str | None") -> "R | None":
        """The row of `cls` with this UUID, if there is one."""
        row: R | None = self._rows[cls].get(uuid)  # type: ignore[call-overload]
        return row

    def where(self, cls: "type[R]", /, **equal: "Any") -> "tuple[R, ...]":
        """The rows whose columns have these values, by way of an index."""
        names = tuple(equal)
        index = self._indexes[cls].get(names)
        if index is None:
            index = self._indexes[cls][names] = _Index(cls, names, self._rows[cls])
        return index.find(tuple(equal.values()))

    def apply(self, update: Update) -> "Changes":
        """Take in an update; gives the rows that are now different."""
        changes: Changes = {}
        try:
            for name, cls in self._by_name.items():
                table_update = update.tables.get(name, {})
                if table_update or update.fresh:
                    changed = self._apply_table(cls, table_update, update)
                    if changed:
                        changes[cls] = changed
                        self._reindex(cls, changed)
        except (TypeError, LookupError, AttributeError, ValueError) as fault:
            raise ProtocolFault(f"server sent an update that makes no sense: {fault!r}") from fault
        return changes

    def _apply_table(self, cls: "type[Row]", table_update: "Json", update: Update) -> "dict[Uuid, Change]":
        if update.fresh:
            return self._replace(cls, table_update, "new" if not update.is_difference else "initial")
        return (self._apply_differences if update.is_difference else self._apply_images)(cls, table_update)

    def _replace(self, cls: "type[Row]", table_update: "Json", member: str) -> "dict[Uuid, Change]":
        """Make the table what the update says, and nothing else."""
        old_rows, rows = self._rows[cls], {}
        if table_update:  # many tables are empty
            read = self._reader(cls).read
            rows = {uuid: read(uuid, row[member]) for uuid, row in table_update.items()}
        self._rows[cls] = rows
        if not old_rows:
            return {uuid: (None, row) for uuid, row in rows.items()}
        gone: dict[Uuid, Change] = {uuid: (row, None) for uuid, row in old_rows.items() if uuid not in rows}
        for uuid, row in rows.items():
            old = old_rows.get(uuid)
            if old is not None and old == row:
                rows[uuid] = old
            else:
                gone[uuid] = (old, row)
        return gone

    def _apply_differences(self, cls: "type[Row]", table_update: "Json") -> "dict[Uuid, Change]":
        """`update2` and `update3`: each row is inserted, modified by a difference, or deleted."""
        rows, reader = self._rows[cls], self._reader(cls)
        changed: dict[Uuid, Change] = {}
        for uuid, row_update in table_update.items():
            old = rows.get(uuid)
            if "modify" in row_update:
                if old is None:
                    raise ProtocolFault(f"{table_name(cls)} {uuid} was modified, but is not known")
                new = reader.patch(old, row_update["modify"])
            elif "insert" in row_update:
                new = reader.read(uuid, row_update["insert"])
            elif "initial" in row_update:
                new = reader.read(uuid, row_update["initial"])
            else:
                new = None
            _note(rows, changed, uuid, old, new)
        return changed

    def _apply_images(self, cls: "type[Row]", table_update: "Json") -> "dict[Uuid, Change]":
        """`update`: each row comes as it is now, or without a `new` when it is gone."""
        rows, read = self._rows[cls], self._reader(cls).read
        changed: dict[Uuid, Change] = {}
        for uuid, row_update in table_update.items():
            image = row_update.get("new")
            _note(rows, changed, uuid, rows.get(uuid), None if image is None else read(uuid, image))
        return changed

    def _reader(self, cls: "type[Row]") -> RowReader:
        """What makes rows of `cls`, made when the first ones come."""
        reader = self._readers.get(cls)
        if reader is None:
            server = None if self._schema is None else self._schema.tables.get(table_name(cls))
            reader = self._readers[cls] = RowReader(cls, server, self._wanted[cls])
        return reader

    def _reindex(self, cls: "type[Row]", changed: "dict[Uuid, Change]") -> None:
        for index in self._indexes[cls].values():
            for old, new in changed.values():
                index.change(old, new)


def _note(
    rows: "dict[Uuid, Any]", changed: "dict[Uuid, Change]", uuid: "Uuid", old: "Row | None", new: "Row | None"
) -> None:
    """Put `new` in the place of `old`, and say so if that makes a difference."""
    if new is None:
        rows.pop(uuid, None)
    else:
        rows[uuid] = new
    if old is not new and old != new:
        changed[uuid] = (old, new)


class _Index:
    """The rows of a table by the values of some columns."""

    def __init__(self, cls: "type[Row]", names: "tuple[str, ...]", rows: "Mapping[Uuid, Row]") -> None:
        known = columns(cls)
        for name in names:
            if name not in known or known[name].type.is_map:
                raise OvsdbError(f"cannot look up rows of {table_name(cls)} by column {name}")
        self._key = _key_of(names)
        self._found: dict[tuple[Any, ...], dict[Uuid, Any]] = {}
        for row in rows.values():
            self._found.setdefault(self._key(row), {})[row.uuid] = row

    def find(self, key: "tuple[Any, ...]") -> "tuple[Any, ...]":
        found = self._found.get(key)
        return tuple(found.values()) if found else ()

    def change(self, old: "Row | None", new: "Row | None") -> None:
        if old is not None:
            key = self._key(old)
            rows = self._found[key]
            del rows[old.uuid]
            if not rows:
                del self._found[key]
        if new is not None:
            self._found.setdefault(self._key(new), {})[new.uuid] = new


def _key_of(names: "tuple[str, ...]") -> "Callable[[Row], tuple[Any, ...]]":
    return lambda row: tuple([getattr(row, name) for name in names])


def merge(earlier: "Changes", later: "Changes") -> None:
    """Add `later` to `earlier`, so that each row leads from its first old state to its last new one."""
    for cls, changed in later.items():
        known = earlier.setdefault(cls, {})
        for uuid, (old, new) in changed.items():
            before = known.pop(uuid)[0] if uuid in known else old
            if before is not new and before != new:
                known[uuid] = (before, new)
        if not known:
            del earlier[cls]
