"""Tables, columns and rows as users name them.

Tables and columns: any case, `-` for `_`, and abbreviated as long as no other name begins alike.  Rows: by UUID, by
its first digits, or by what the program knows the table's rows by:

    Name("name")                         the value of a column
    Name("external_ids", "neutron:…")    the value of one key of a map
    ONLY                                 "." for the only row of its table
    Via("Bridge", "name", None, "controller")    the row that another row, found so, refers to
"""

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.values import members
from pyovn.net.uuids import is_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pyovn.cli.ctl.view import Row, Schema, View

    RecordIds = Mapping[str, "Sequence[RecordId]"]

FEWEST_DIGITS = 4


class RecordId:
    """One way to name the rows of a table."""

    __slots__ = ("column", "key", "reference", "table")

    def __init__(self, column: str, key: str = "", table: str = "", reference: str = "") -> None:
        self.column = column
        self.key = key
        self.table = table
        self.reference = reference

    @property
    def is_only(self) -> bool:
        """True for tables of one row, which is called `.`."""
        return not self.column

    def reads(self, table: str) -> "Iterable[str]":
        """What must be monitored to look rows of `table` up like this."""
        if self.column:
            yield f"{self.table or table} {self.column} {self.reference}"

    def __str__(self) -> str:
        if self.is_only:
            return 'as "."'
        name = f'"{self.column}:{self.key}"' if self.key else f'"{self.column}"'
        return f'via "{self.reference}" of {self.table} with matching {name}' if self.table else f"by {name}"


ONLY = RecordId("")


def by_name(*columns: str) -> tuple[RecordId, ...]:
    """Record ids by the values of columns, or of keys of maps (`external_ids:name`)."""
    return tuple(RecordId(*column.split(":", 1)) for column in columns)


def via(table: str, reference: str, *columns: str) -> tuple[RecordId, ...]:
    """Record ids by way of a row of another table."""
    return tuple(RecordId(name.column, name.key, table, reference) for name in by_name(*columns))


def table_name(schema: "Schema", name: str) -> str:
    """The table that `name` means; raises `CtlError`."""
    candidates = abbreviated(name, schema.names)
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise CtlError(f'"{name}" matches multiple table names: {", ".join(sorted(candidates))}')
    raise CtlError(f'unknown table "{name}"', name, schema.names)


def column_name(schema: "Schema", table: str, name: str, *, with_uuid: bool = False) -> str:
    """The column of `table` that `name` means; raises `CtlError`."""
    if with_uuid and _plain(name) == "_uuid":
        return "_uuid"
    candidates = abbreviated(name, schema.columns(table))
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        found = ", ".join(sorted(candidates))
        raise CtlError(f'{table} contains more than one column whose name matches "{name}": {found}')
    raise CtlError(f'{table} does not contain a column whose name matches "{name}"', name, schema.columns(table))


def abbreviated(name: str, choices: "Iterable[str]") -> list[str]:
    """The choice that equals `name`, or all that begin with it."""
    plain = _plain(name)
    found = [choice for choice in choices if _plain(choice).startswith(plain)]
    exact = [choice for choice in found if len(choice) == len(name)]
    return exact[:1] or found


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def find_row(view: "View", ids: "RecordIds", table: str, record: str, *, must_exist: bool = True) -> "Row | None":
    """The row that `record` names; raises `CtlError` if there are several, or none and one must exist."""
    row = view.get(table, record.lower()) if is_uuid(record.lower()) else None
    if row is None:
        found = {each.uuid: each for way in ids.get(table, ()) for each in _matches(view, way, table, record)}
        found = found or _by_digits(view, table, record)
        if len(found) > 1:
            raise CtlError(f'multiple rows in {table} match "{record}"')
        row = next(iter(found.values()), None)
    if row is None and must_exist:
        raise CtlError(f'no row "{record}" in table {table}', record, known_names(view, ids, table))
    return row


def known_names(view: "View", ids: "RecordIds", table: str) -> "Iterator[str]":
    """What the rows of a table are called."""
    for way in ids.get(table, ()):
        source = view.table(way.table or table)
        if way.is_only:
            yield "."
        elif source.type_of(way.column) is not None:
            values = (row[way.column] for row in source.rows.values())
            yield from (str(value.get(way.key, "") if way.key else value) for value in values if value)


def _matches(view: "View", way: RecordId, table: str, record: str) -> "Iterable[Row]":
    if way.is_only:
        return view.rows(table) if record == "." else ()
    named = _named(view, way, way.table or table, record)
    if not way.table:
        return named
    type_ = view.table(way.table).type_of(way.reference)
    if type_ is None:
        return ()
    return [target for row in named for target in view.referred(table, members(type_, row[way.reference]))]


def _named(view: "View", way: RecordId, table: str, record: str) -> "Iterable[Row]":
    type_ = view.table(table).type_of(way.column)
    if type_ is None:
        return ()
    if way.key:
        return [row for row in view.find(table, way.column, way.key) if row[way.column][way.key] == record]
    if type_.key.type == "integer":
        return view.find(table, way.column, int(record)) if record.isdecimal() else ()
    return view.find(table, way.column, record)


def _by_digits(view: "View", table: str, record: str) -> "dict[str, Row]":
    digits = record.lower()
    if len(digits) < FEWEST_DIGITS or not set(digits) <= set("0123456789abcdef-"):
        return {}
    return {uuid: row for uuid, row in view.table(table).rows.items() if uuid.startswith(digits)}
