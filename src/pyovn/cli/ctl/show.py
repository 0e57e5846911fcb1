"""`show`: rows indented under the rows that refer to them.

f8254177-…                          Open_vSwitch, which has no name
    Bridge br0                      a table and a row's name
        fail_mode: secure           a column, unless it is empty
        Port p1                     rows that a column refers to, or (`back`) that refer to the row
"""

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.records import table_name
from pyovn.cli.ctl.values import default, members, value_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from pyovn.cli.ctl.view import Row, Schema, View
    from pyovn.ovsdb.schema import ColumnType

    Filter = dict[str, list[str] | None]

INDENT = 4


class Shown:
    """What is shown of one table's rows."""

    __slots__ = ("back", "columns", "name")

    def __init__(self, name: str, columns: str = "", back: tuple[str, str] | None = None) -> None:
        self.name = name  #: the column with a row's name
        self.columns = columns.split()
        self.back = back  #: a table whose rows refer to these, and by which column

    def reads(self, table: str) -> "Iterator[str]":
        """What must be monitored."""
        yield f"{table} {self.name} {' '.join(self.columns)}"
        if self.back:
            yield " ".join(self.back)


def show(view: "View", shown: "Mapping[str, Shown]", top: str, filters: str | None) -> "Iterator[str]":
    """The lines that show the rows of table `top` and everything beneath."""
    wanted = parse_filter(view.schema, filters) if filters is not None else {}
    for row in view.rows(top):
        yield from _row(view, shown, row, 0, wanted)


def parse_filter(schema: "Schema", text: str) -> "Filter":
    """The texts, one of which a table's rows must contain, of `TABLE(text|text),TABLE(…)`."""
    wanted: Filter = {}
    rest = text
    while rest:
        name, parenthesis, inside = rest.partition("(")
        if not parenthesis or "," in name:
            name, _, rest = rest.partition(",")
            wanted[table_name(schema, name)] = None
            continue
        texts, closing, rest = inside.partition(")")
        if not closing:
            raise CtlError("Malformed filter: missing closing ')'")
        rest = rest.removeprefix(",")
        wanted[table_name(schema, name)] = [each for each in texts.split("|") if each]
    return wanted


def _row(view: "View", shown: "Mapping[str, Shown]", row: "Row", level: int, wanted: "Filter") -> "list[str]":
    table = row.table.name
    what = shown[table]
    lines = [" " * level + _title(row, what)]
    for column in what.columns:
        lines += _column(view, shown, row, column, level + INDENT, wanted)
    if what.back:
        for referrer in view.rows(what.back[0]):
            if referrer[what.back[1]] == row.uuid:
                lines += _row(view, shown, referrer, level + INDENT, wanted)
    texts = wanted.get(table)
    if texts is not None and not any(text in line for text in texts for line in lines):
        return []
    return lines


def _title(row: "Row", what: Shown) -> str:
    if not what.name:
        return row.uuid
    type_ = row.table.type_of(what.name)
    assert type_ is not None
    return f"{row.table.name} {value_text(type_, row[what.name])}"


def _column(
    view: "View", shown: "Mapping[str, Shown]", row: "Row", column: str, level: int, wanted: "Filter"
) -> "Iterator[str]":
    type_ = row.table.type_of(column)
    if type_ is None:
        return
    refers_to = type_.key.ref_table
    if refers_to is not None and refers_to in shown:
        for target in view.referred(refers_to, members(type_, row[column])):
            yield from _row(view, shown, target, level, wanted)
    elif not _is_empty(type_, row[column]):
        yield f"{' ' * level}{column}: {value_text(type_, row[column])}"


def _is_empty(type_: "ColumnType", value: "Any") -> bool:
    return bool(value == default(type_))
