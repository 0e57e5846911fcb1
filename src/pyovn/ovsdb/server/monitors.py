"""Monitors: what clients asked to be told about, and changes put into that form.

    monitor                                  → update    {"old": …, "new": …}                   format 1
    monitor_cond                             → update2   initial, insert, modify, delete        format 2
    monitor_cond_since                       → update3   the same, and the transaction's id     format 3

Clients that ask the same share one `View`, which turns a commit into bytes once, however many are listening.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from pyovn.ovsdb.server.columns import CompiledColumn
from pyovn.ovsdb.server.conditions import Clause, Predicate, any_of, read_clause
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.server.errors import syntax_error
from pyovn.ovsdb.server.integrity import Change, Changes
from pyovn.ovsdb.server.tables import Row, TableStore

Json = Any
METHODS = {1: "update", 2: "update2", 3: "update3"}
_EVENTS = ("initial", "insert", "delete", "modify")
_REQUEST_MEMBERS: dict[str, type] = {"columns": list, "select": dict}


class _Plan(NamedTuple):
    """A column as the loops below need it."""

    name: str
    place: int
    write: Any
    default: Any
    column: CompiledColumn


class TableView:
    """What a monitor shows of one table."""

    __slots__ = ("_columns", "_events", "clauses", "passes", "table")

    def __init__(self, table: TableStore, requests: list[tuple[tuple[CompiledColumn, ...], frozenset[str]]]) -> None:
        self.table = table
        self.clauses: list[Clause | bool] = []
        self.passes: Predicate | None = None
        self._events = frozenset().union(*(events for _, events in requests)) if requests else frozenset()
        self._columns = {
            event: tuple(_plan(column) for columns, events in requests if event in events for column in columns)
            for event in _EVENTS
        }

    def restrict(self, clauses: list[Clause | bool]) -> None:
        """Show only rows for which one of the clauses holds."""
        self.clauses = clauses
        self.passes = any_of(clauses)

    def under(self, clauses: list[Clause | bool]) -> "TableView":
        """The same view under another condition."""
        other = object.__new__(TableView)
        other.table, other._events, other._columns = self.table, self._events, self._columns
        other.restrict(clauses)
        return other

    def initial(self, format: int) -> dict[str, Json]:
        """The rows there are."""
        if "initial" not in self._events:
            return {}
        columns = self._columns["initial"]
        every: Iterable[Row] = self.table.rows.values()
        rows = every if self.passes is None else filter(self.passes, every)
        if format == 1:
            return {row[0]: {"new": _whole(columns, row)} for row in rows}
        return {row[0]: {"initial": _without_defaults(columns, row)} for row in rows}

    def updates(self, format: int, changes: dict[str, Change], before: Predicate | None) -> dict[str, Json]:
        """What changed, for a client that so far saw the rows for which `before` holds."""
        after = self.passes
        render = self._render_1 if format == 1 else self._render_2
        found = {}
        for uuid, (old, new) in changes.items():
            if old is not None and before is not None and not before(old):
                old = None
            if new is not None and after is not None and not after(new):
                new = None
            if old is not new and (update := render(old, new)) is not None:
                found[uuid] = update
        return found

    def _render_1(self, old: Row | None, new: Row | None) -> Json:
        if old is None:
            return {"new": _whole(self._columns["insert"], new)} if "insert" in self._events else None
        if new is None:
            return {"old": _whole(self._columns["delete"], old)} if "delete" in self._events else None
        changed = [plan for plan in self._columns["modify"] if old[plan.place] != new[plan.place]]
        return {"old": _whole(changed, old), "new": _whole(self._columns["modify"], new)} if changed else None

    def _render_2(self, old: Row | None, new: Row | None) -> Json:
        if old is None:
            return {"insert": _without_defaults(self._columns["insert"], new)} if "insert" in self._events else None
        if new is None:
            return {"delete": None} if "delete" in self._events else None
        modified = {
            plan.name: plan.column.write_difference(plan.column.difference(old[plan.place], new[plan.place]))
            for plan in self._columns["modify"]
            if old[plan.place] != new[plan.place]
        }
        # `_version` alone is no news: it differs whenever another column does, perhaps one that is not shown.
        return {"modify": modified} if modified else None


class View:
    """What a monitor shows of a database, in one of the formats."""

    __slots__ = ("asked", "conditions", "database", "format", "key", "subscriptions", "tables")

    def __init__(
        self,
        database: Database,
        format: int,
        tables: dict[str, TableView],
        asked: bytes,
        conditions: dict[str, bytes] | None = None,
    ) -> None:
        self.database = database
        self.format = format
        self.tables = tables
        self.asked = asked  #: the request that began it
        self.conditions = conditions or {}  #: by table, the last one that replaced that of the request
        self.key = (format, asked, frozenset(self.conditions.items()))  #: equal for views that show the same
        self.subscriptions: list[Any] = []

    def initial(self) -> bytes:
        """All rows, as JSON."""
        shown = {name: view.initial(self.format) for name, view in self.tables.items()}
        return orjson.dumps({name: rows for name, rows in shown.items() if rows})

    def updates(self, changes: Changes, before: "View | None" = None) -> bytes | None:
        """The news in `changes`, as JSON, for a client that so far looked through `before`; None if there are none."""
        earlier = (before or self).tables
        news = {}
        for name, rows in changes.items():
            view = self.tables.get(name)
            if view is not None and (updates := view.updates(self.format, rows, earlier[name].passes)):
                news[name] = updates
        return orjson.dumps(news) if news else None

    def differences(self, before: "View") -> Changes:
        """Rows that may appear or disappear when a client goes from `before` to this view."""
        return {
            name: {uuid: (row, row) for uuid, row in view.table.rows.items()}
            for name, view in self.tables.items()
            if view.clauses != before.tables[name].clauses
        }


def read_view(database: Database, format: int, json: Json) -> View:
    """The view that `<monitor-requests>` ask for; raises `Refused`."""
    if not isinstance(json, dict):
        raise syntax_error("monitor-requests must be object", json)
    tables = {}
    for name, requests in json.items():
        table = database.tables.get(name)
        if table is None:
            raise syntax_error(f"no table named {name}")
        tables[name] = _table_view(table, requests, conditional=format > 1)
    return View(database, format, tables, orjson.dumps(json, option=orjson.OPT_SORT_KEYS))


def read_changed_view(view: View, json: Json) -> View:
    """`view` under the conditions of a monitor_cond_change; raises `Refused`."""
    if not isinstance(json, dict):
        raise syntax_error("monitor-cond-change-requests must be object", json)
    tables, conditions = dict(view.tables), dict(view.conditions)
    for name, requests in json.items():
        if name not in view.database.tables:
            raise syntax_error(f"no table named {name}")
        if name not in tables:
            raise syntax_error(f"no table named {name} in monitor session")
        if not isinstance(requests, list):
            raise syntax_error(f"table {name} no monitor-cond-change JSON array")
        if requests:
            where = [_changed_condition(view.database.tables[name], request) for request in requests]
            tables[name] = tables[name].under([clause for clauses in where for clause in clauses] if all(where) else [])
            conditions[name] = orjson.dumps(requests, option=orjson.OPT_SORT_KEYS)
    return View(view.database, view.format, tables, view.asked, conditions)


def _changed_condition(table: TableStore, request: Json) -> list[Clause | bool]:
    members = _members(request, {"where": list, "columns": list}, f"table {table.name}")
    if "columns" in members:
        raise syntax_error("changing columns is unsupported", request)
    return [read_clause(table, clause, None) for clause in members.get("where", ())]


def _table_view(table: TableStore, json: Json, *, conditional: bool) -> TableView:
    requests = json if isinstance(json, list) else [json]
    seen: set[str] = set()
    read = []
    clauses: list[Clause | bool] = []
    unconditional = not requests
    for request in requests:
        allowed = {**_REQUEST_MEMBERS, "where": list} if conditional else _REQUEST_MEMBERS
        members = _members(request, allowed, f"table {table.name}")
        columns = _shown_columns(table, members)
        for column in columns:
            if column.name in seen:
                raise syntax_error("column name mentioned more than once", members.get("columns", []))
            seen.add(column.name)
        read.append((columns, _events(table, members.get("select", {}))))
        where = [read_clause(table, clause, None) for clause in members.get("where", ())]
        clauses += where
        unconditional |= not where
    view = TableView(table, read)
    view.restrict([] if unconditional else clauses)
    return view


def _shown_columns(table: TableStore, members: dict[str, Json]) -> tuple[CompiledColumn, ...]:
    if "columns" in members:
        return table.column_set(members["columns"])
    return tuple(column for name, column in table.by_name.items() if name != "_uuid")


def _events(table: TableStore, select: dict[str, Json]) -> frozenset[str]:
    chosen = _members(select, dict.fromkeys(_EVENTS, bool), f"table {table.name} select")
    return frozenset(event for event in _EVENTS if chosen.get(event, True))


def _members(json: Json, allowed: dict[str, type], what: str) -> dict[str, Json]:
    if not isinstance(json, dict):
        raise syntax_error(f"Parsing {what} failed: Object expected.")
    for name, value in json.items():
        if name not in allowed:
            raise syntax_error(f"Parsing {what} failed: Member '{name}' is present but not allowed here.", json)
        if value.__class__ is not allowed[name]:
            raise syntax_error(f"Parsing {what} failed: Type mismatch for member '{name}'.", json)
    return json


def _plan(column: CompiledColumn) -> _Plan:
    return _Plan(column.name, column.place, column.write, column.default, column)


def _whole(columns: Iterable[_Plan], row: Row | None) -> Json:
    assert row is not None
    return {name: row[place] if write is None else write(row[place]) for name, place, write, _, _ in columns}


def _without_defaults(columns: Iterable[_Plan], row: Row | None) -> Json:
    assert row is not None
    return {
        name: value if write is None else write(value)
        for name, place, write, default, _ in columns
        if (value := row[place]) != default
    }


class Initials:
    """The initial contents of views, kept for the next client that asks the same until they change.

    Bounded in bytes: many monitors, each a little different, must not each keep a copy of the database.
    """

    MOST_BYTES = 2**27

    def __init__(self) -> None:
        self._kept: dict[View, bytes] = {}
        self._size = 0

    def of(self, view: View) -> bytes:
        """What a view shows now."""
        text = self._kept.get(view)
        if text is None:
            text = view.initial()
            if len(text) <= self.MOST_BYTES:
                self._kept[view] = text
                self._size += len(text)
                while self._size > self.MOST_BYTES:
                    self.forget(next(iter(self._kept)))
        return text

    def forget(self, view: View) -> None:
        """Note that the rows that a view shows have changed, or that nobody looks any more."""
        text = self._kept.pop(view, None)
        if text is not None:
            self._size -= len(text)

    def __len__(self) -> int:
        return len(self._kept)
