"""`show-log`: what happened to a database, from its file.

record 1: 2026-11-21 08:14:14.706 "added by hand"
  table Logical_Switch insert row "sw0" (4a63cb8c):        with -m
    name=sw0                                               with -mm
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pyovn.cli.ctl.values import from_json, value_text
from pyovn.cli.ovsdb.offline import FileFault, contents, standalone
from pyovn.ovsdb.schema import UNLIMITED, ColumnType, Schema, Table
from pyovn.ovsdb.storage.log import Damage, scan

Json = Any
Names = dict[str, str]  #: of rows, by UUID


def lines(name: str, verbosity: int) -> Iterator[str]:
    """The lines of a file's history; raises `FileFault` at a damaged end."""
    schema = None
    names: Names = {}
    for number, record in enumerate(scan(standalone(contents(name), name))):
        if isinstance(record, Damage):
            raise FileFault(f"I/O error: {name}: {record.reason}")
        value = json.loads(record.json)
        if schema is None:
            schema = Schema.parse(value)
            yield f'record {number}: "{schema.name}" schema, version="{schema.version}", cksum="{schema.cksum}"'
            yield ""
            continue
        yield f"record {number}:{_headline(value)}"
        if verbosity:
            yield from _tables(schema, value, names, verbosity)
            yield ""


def _headline(record: Json) -> str:
    """When a transaction happened, and what was said about it."""
    text = ""
    if "_date" in record:
        text += datetime.fromtimestamp(record["_date"] / 1000, UTC).strftime(" %Y-%m-%d %H:%M:%S.%f")[:-3]
    if "_comment" in record:
        text += f' "{record["_comment"]}"'
    return text


def _tables(schema: Schema, record: Json, names: Names, verbosity: int) -> Iterator[str]:
    kind = " diff:" if record.get("_is_diff") else ":"
    for table, rows in record.items():
        if table.startswith("_"):
            continue
        for uuid, row in rows.items():
            name = names.get(uuid, "")
            is_new = uuid not in names
            if row is not None:
                names[uuid] = str(row.get("name", name))
            label = f'"{name or names.get(uuid, "")}" ({uuid[:8]})' if name or names.get(uuid) else uuid[:8]
            yield f"  table {table} insert row {label}:" if is_new else f"  table {table} row {label}{kind}"
            if row is None:
                names.pop(uuid, None)
                yield "    delete row"
            elif verbosity > 1:
                yield from _columns(schema.tables.get(table), row)


def _columns(table: Table | None, row: Json) -> Iterator[str]:
    for name, value in row.items():
        column = None if table is None else table.columns.get(name)
        text = json.dumps(value) if column is None else _text(column.type, value)
        yield f"    {name}={text}"


def _text(type_: ColumnType, value: Json) -> str:
    """A value, or a difference, which may have more members than the column."""
    if type_.max == 1:
        return value_text(type_, from_json(type_, value))
    wide = ColumnType(type_.key, type_.value, 0, UNLIMITED)
    return value_text(wide, from_json(wide, value))
