"""The monitor commands: contents, and each change as it comes.

    monitor             update    {old, new}             initial, insert, delete, old and new
    monitor-cond        update2   {initial, modify, …}   modify shows the difference
    monitor-cond-since  update3   likewise, with the id of the last transaction

After --detach, the control socket takes `exit`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.output import Listing, Shown
from pyovn.cli.ctl.values import from_json
from pyovn.cli.ovsdb.call import write
from pyovn.cli.ovsdb.contents import UUID
from pyovn.cli.ovsdb.files import parse
from pyovn.cli.ovsdb.schemas import fetch
from pyovn.net.uuids import ZERO, is_uuid
from pyovn.ovsdb.schema import ColumnType, Schema, Table

if TYPE_CHECKING:
    from pyovn.cli.ctl.output import Cell
    from pyovn.cli.ovsdb_client import Call

Json = Any
KINDS = ("initial", "insert", "delete", "modify")
NOTHING: "Cell" = (None, Shown(""))


class Watched:
    """One table that is monitored: the types of its columns as they are shown, and the requests."""

    def __init__(self, table: Table, groups: Sequence[str], condition: Json) -> None:
        self.types: dict[str, ColumnType] = {}
        self.requests = [self._request(table, group, condition) for group in groups or [""]]

    def _request(self, table: Table, group: str, condition: Json) -> Json:
        words = group.split(",") if group else []
        select = {word[1:]: False for word in words if word[:1] == "!" and word[1:] in KINDS}
        names = [word for word in words if word[:1] != "!" or word[1:] not in KINDS]
        types = {name: column.type for name, column in sorted(table.columns.items())} | {"_version": UUID}
        chosen = names or list(types)
        for name in chosen:
            if name not in types:
                raise CtlError(f'table "{table.name}" in {{database}} does not have a column named "{name}"')
            if name in self.types:
                raise CtlError(f'column "{name}" mentioned multiple times')
            self.types[name] = types[name]
        request: dict[str, Json] = {"columns": chosen}
        if select:
            request["select"] = {kind: kind not in select for kind in KINDS}
        if condition is not None:
            request["where"] = condition
        return request


class Monitor:
    """A monitor under way."""

    def __init__(self, call: "Call", method: str) -> None:
        self.call = call
        self.method = method
        self.last_id: str = ZERO
        self.watched: dict[str, Watched] = {}

    def choose(self, schema: Schema) -> None:
        """Understand the words of the command line; raises `CtlError`."""
        words = list(self.call.words)
        if self.method == "monitor_cond_since" and len(words) > 1 and is_uuid(words[0]):
            self.last_id = words.pop(0)
        text = words.pop(0) if self.method != "monitor" else ""
        if not words:
            raise CtlError("a table name is missing")
        where = f"{self.call.session.remote}: " if self.method == "monitor" else ""
        tables = sorted(schema.tables) if words == ["ALL"] and "ALL" not in schema.tables else words[:1]
        if unknown := [name for name in tables if name not in schema.tables]:
            raise CtlError(f'{where}{schema.name} does not have a table named "{unknown[0]}"')
        condition = parse(text) if text else None
        if not isinstance(condition, list | None):
            raise CtlError(f"{text}: a condition is an array")
        for name in tables:
            try:
                self.watched[name] = Watched(schema.tables[name], words[1:], condition)
            except CtlError as fault:
                raise CtlError(where + str(fault).replace("{database}", schema.name)) from None

    def start(self) -> None:
        """Ask for the contents and print them."""
        requests = {name: watched.requests for name, watched in self.watched.items()}
        more = [self.last_id] if self.method == "monitor_cond_since" else []
        result = self.call.session.call(self.method, self.call.database, ["pyovn"], requests, *more)
        if self.method == "monitor_cond_since":
            found, last_id, result = result
            write(f"found: {json.dumps(found)}, last_id: {last_id}\n")
        self.show(result, is_initial=True)

    def take(self, method: str, params: Json) -> None:
        """Print what a notification tells; raises `CtlError` where the database has gone."""
        match method, params:
            case "update3", [_, last_id, tables]:
                self.call.between()
                write(f"last_id: {last_id}\n")
                self.call.shown = 0
                self.show(tables)
            case (("update" | "update2"), [_, tables]):
                self.show(tables)
            case "monitor_canceled", _:
                raise CtlError(f"{self.call.session.remote}: {self.call.database} database was removed")

    def show(self, tables: Mapping[str, Json], *, is_initial: bool = False) -> None:
        """Print updates, a listing per table."""
        time = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if "timestamp" in self.call.options else ""
        lines = changes if self.method == "monitor" else differences
        for name in sorted(tables):
            watched = self.watched[name]
            caption = name if len(self.watched) > 1 else ""
            listing = Listing(["row", "action", *watched.types], caption, time)
            for uuid, update in tables[name].items():
                for label, action, row in lines(uuid, update, is_initial):
                    first: list[Cell] = [(None, Shown(word, word)) for word in (label, action)]
                    listing.rows.append(first + cells(watched.types, row))
            if listing.rows:
                self.call.show(listing)


def cells(types: Mapping[str, ColumnType], row: Json) -> "list[Cell]":
    """A row's cells; columns that it does not tell of stay empty."""
    return [(type_, from_json(type_, row[name])) if name in row else NOTHING for name, type_ in types.items()]


def changes(uuid: str, update: Json, is_initial: bool) -> Iterator[tuple[str, str, Json]]:
    """The lines for a row update of RFC 7047: what stands first, the action, the columns."""
    old, new = update.get("old"), update.get("new")
    if is_initial:
        yield uuid, "initial", new
    elif old is None:
        yield uuid, "insert", new
    elif new is None:
        yield uuid, "delete", old
    else:
        yield uuid, "old", old
        yield "", "new", new


def differences(uuid: str, update: Json, _: bool) -> Iterator[tuple[str, str, Json]]:
    """The line for a row update of monitor_cond."""
    for kind in KINDS:
        if kind in update:
            yield uuid, kind, update[kind] or {}
            return


def run(call: "Call", method: str) -> None:
    """Print contents and changes until the connection ends."""
    monitor = Monitor(call, method)
    monitor.choose(fetch(call))
    call.session.call("set_db_change_aware", True)
    call.follow(monitor.start, monitor.take)
