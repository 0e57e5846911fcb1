"""What a view's edits look like as an OVSDB transaction.

wait     columns that were verified are still as seen, or the server says "timed out" and the chain starts anew
insert, update, mutate, delete
comment, and whatever the program adds (such as NB_Global.nb_cfg += 1)
"""

from pyovn.cli.ctl.values import plain_uuid, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.view import Row, Table, View

    Json = Any


def operations(view: "View") -> "list[Json]":
    """The operations that carry the edits out; none if nothing would change."""
    inserted = {row.uuid for table in view.tables() for row in table.edited if row.is_new and not row.is_deleted}

    def reference(uuid: str) -> "Json":
        return ["named-uuid", row_name(uuid)] if uuid in inserted else plain_uuid(uuid)

    edits = [edit for table in view.tables() for edit in _table_edits(table, reference)]
    if not edits:
        return []
    waits = [_wait(row) for table in view.tables() for row in table.touched if row.verified]
    if view.comments:
        edits.append({"op": "comment", "comment": "\n".join(view.comments)})
    return waits + edits


def row_name(uuid: str) -> str:
    """The name that stands for a new row inside its transaction."""
    return "row" + uuid.replace("-", "_")


def provisional_uuid(name: str) -> str:
    """The UUID of the new row that `name` stands for: the inverse of `row_name`."""
    return name[3:].replace("_", "-")


def _table_edits(table: "Table", reference: "Any") -> "Iterator[Json]":
    for row in table.edited:
        if row.is_deleted and not row.is_new:
            if table.schema.is_root:  # the server removes other rows itself when nothing refers to them any more
                yield {"op": "delete", "table": table.name, "where": _itself(row)}
        elif row.is_new and not row.is_deleted:
            yield _insertion(row, reference)
    for row in table.touched:
        if row.values and not (row.is_new or row.is_deleted):
            yield from _changes(row, reference)


def _itself(row: "Row") -> "Json":
    return [["_uuid", "==", plain_uuid(row.uuid)]]


def _insertion(row: "Row", reference: "Any") -> "Json":
    columns = row.table.schema.columns
    values = {
        name: to_json(columns[name].type, value, reference)
        for name, value in row.values.items()
        if value != row.before(name)
    }
    return {"op": "insert", "table": row.table.name, "row": values, "uuid-name": row_name(row.uuid)}


def _changes(row: "Row", reference: "Any") -> "Iterator[Json]":
    """An update for what was assigned and differs, mutations for what was added and removed."""
    columns = row.table.schema.columns
    updated = {
        name: to_json(columns[name].type, row.values[name], reference)
        for name in sorted(row.written)
        if row.values[name] != row.before(name)
    }
    if updated:
        yield {"op": "update", "table": row.table.name, "where": _itself(row), "row": updated}
    mutations = [
        mutation for name in row.values if name not in row.written for mutation in _mutations(row, name, reference)
    ]
    if mutations:
        yield {"op": "mutate", "table": row.table.name, "where": _itself(row), "mutations": mutations}


def _mutations(row: "Row", name: str, reference: "Any") -> "Iterator[Json]":
    type_ = row.table.schema.columns[name].type
    dropped, added = row.drops.get(name), row.adds.get(name)
    if dropped:
        yield [name, "delete", ["set", [_key(type_, key, reference) for key in dropped]]]
    if added:
        value = added if type_.is_map else sorted(added)
        yield [name, "insert", to_json(type_, value, reference)]


def _key(type_: "Any", key: "Any", reference: "Any") -> "Json":
    return reference(key) if type_.key.type == "uuid" else key


def _wait(row: "Row") -> "Json":
    """An operation that fails unless the row is as this chain has seen it."""
    names = sorted(row.verified)
    columns = row.table.schema.columns
    seen = {name: to_json(columns[name].type, row.before(name), plain_uuid) for name in names if name in columns}
    return {
        "op": "wait",
        "table": row.table.name,
        "timeout": 0,
        "where": _itself(row),
        "columns": list(seen),
        "until": "==",
        "rows": [seen],
    }
