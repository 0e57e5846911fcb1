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
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
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


class Node:
    """A row that is shown, and what is shown beneath it."""

    __slots__ = ("children", "columns", "row", "what")

    def __init__(self, row: "Row", what: Shown) -> None:
        self.row = row
        self.what = what
        self.columns: dict[str, list[Node] | None] = {}  #: those that are not empty, with the rows they refer to
        self.children: list[Node] = []  #: rows that refer to this one

    def entry(self) -> "dict[str, Any]":
        """The row as JSON has it."""
        found = self.row.entry(*([self.what.name] if self.what.name else []), *self.what.columns)
        found |= {column: [node.entry() for node in nodes] for column, nodes in self.columns.items() if nodes}
        if self.what.back:
            found[self.what.back[0]] = [node.entry() for node in self.children]
        return found

    def lines(self, level: int = 0) -> "Iterator[str]":
        """The row as it is printed."""
        yield " " * level + self._title()
        level += INDENT
        for column, nodes in self.columns.items():
            if nodes is None:
                yield f"{' ' * level}{column}: {value_text(self._type(column), self.row[column])}"
            for node in nodes or ():
                yield from node.lines(level)
        for node in self.children:
            yield from node.lines(level)

    def _title(self) -> str:
        name = self.what.name
        return f"{self.row.table.name} {value_text(self._type(name), self.row[name])}" if name else self.row.uuid

    def _type(self, column: str) -> "ColumnType":
        found = self.row.table.type_of(column)
        assert found is not None
        return found


def show(ctl: "Ctl", shown: "Mapping[str, Shown]", top: str, filters: str | None) -> None:
    """Say what there is in table `top`, and everything beneath."""
    wanted = parse_filter(ctl.view.schema, filters) if filters is not None else {}
    nodes = Picture(ctl.view, shown, wanted).nodes(ctl.view.rows(top))
    if ctl.as_json:
        ctl.documents.append([node.entry() for node in nodes])
    else:
        ctl.lines += (line for node in nodes for line in node.lines())


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


class Picture:
    """The database as `show` shows it."""

    def __init__(self, view: "View", shown: "Mapping[str, Shown]", wanted: "Filter") -> None:
        self._view = view
        self._shown = shown
        self._wanted = wanted
        self._referrers: dict[str, list[Row]] = {}  #: by the UUID of the row that they refer to
        for table, column in (what.back for what in shown.values() if what.back):
            for row in view.rows(table):
                self._referrers.setdefault(row[column] or "", []).append(row)

    def nodes(self, rows: "Iterable[Row]") -> list[Node]:
        """The rows that pass the filter, with what is beneath them."""
        return [node for node in map(self._node, rows) if _passes(node, self._wanted)]

    def _node(self, row: "Row") -> Node:
        node = Node(row, self._shown[row.table.name])
        for column in node.what.columns:
            type_ = row.table.type_of(column)
            if type_ is None:
                continue
            refers_to = type_.key.ref_table
            if refers_to is not None and refers_to in self._shown:
                targets = self._view.referred(refers_to, members(type_, row[column]))
                node.columns[column] = self.nodes(targets)
            elif not _is_empty(type_, row[column]):
                node.columns[column] = None
        if node.what.back:
            node.children = self.nodes(self._referrers.get(row.uuid, ()))
        return node


def _passes(node: Node, wanted: "Filter") -> bool:
    texts = wanted.get(node.row.table.name)
    return texts is None or any(text in line for text in texts for line in node.lines())


def _is_empty(type_: "ColumnType", value: "Any") -> bool:
    return bool(value == default(type_))
