"""Commands that read and write what is in a database: dump, transact, query."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.output import Listing
from pyovn.cli.ctl.values import from_json, members
from pyovn.cli.ovsdb.call import write_json
from pyovn.cli.ovsdb.files import is_query, parse
from pyovn.cli.ovsdb.schemas import fetch
from pyovn.cli.ovsdb.server import reach
from pyovn.ovsdb.schema import BaseType, ColumnType, Table

if TYPE_CHECKING:
    from pyovn.cli.ctl.output import Cell
    from pyovn.cli.ovsdb_client import Call

Json = Any
UUID = ColumnType(BaseType("uuid"))


def dump(call: "Call") -> None:
    """Print the contents of tables."""
    tables = fetch(call).tables
    names = call.words[:1] or sorted(tables)
    chosen = []
    for name in names:
        if name not in tables:
            raise CtlError(f'No table "{name}" found.')
        chosen.append((tables[name], columns(tables[name], call.words[1:])))
    operations = [{"op": "select", "table": table.name, "where": [], "columns": list(types)} for table, types in chosen]
    results = call.session.call("transact", call.database, *operations)
    for (table, types), result in zip(chosen, results, strict=False):
        if "error" in result:
            raise CtlError(f"transact returned error: {result}")
        listing = Listing(list(types), f"{table.name} table")
        rows: list[list[Cell]] = [
            [(type_, from_json(type_, row[name])) for name, type_ in types.items()] for row in result["rows"]
        ]
        listing.rows += sorted(rows, key=lambda row: ranks(listing.headings, row))
        call.show(listing)


def columns(table: Table, names: Sequence[str]) -> dict[str, ColumnType]:
    """The types of the named columns, of all if none is named, in the order of their names; raises `CtlError`."""
    types = {"_uuid": UUID} | {name: column.type for name, column in table.columns.items()}
    for name in names:
        if name not in (*types, "_version"):
            raise CtlError(f'Table "{table.name}" has no column {name}.')
    return {name: types.get(name, UUID) for name in sorted(names or types)}


def ranks(headings: Sequence[str], row: "Sequence[Cell]") -> list[tuple[int, Any, Any]]:
    """What sorts a row among others: its columns in their order, its own UUID last."""
    cells = sorted(zip(headings, row, strict=True), key=lambda pair: pair[0] == "_uuid")
    return [rank(*cell) for _, cell in cells]


def rank(type_: "ColumnType | None", value: Any) -> tuple[int, Any, Any]:
    """What sorts a cell among others: how many members, which, and for maps their values."""
    assert type_ is not None
    keys = members(type_, value)
    return len(keys), keys, list(value.values()) if type_.is_map else []


def transact(call: "Call") -> None:
    """Run a transaction and print its results."""
    write_json(_transact(call, []), call.options)


def query(call: "Call") -> None:
    """Run a transaction that is given up at its end, and print its results."""
    results = _transact(call, [{"op": "abort"}])
    if results and results[-1] and results[-1].get("error") == "aborted":
        results.pop()
    write_json(results, call.options)


def _transact(call: "Call", more: Sequence[Json]) -> list[Json]:
    params = parse(call.words[0])
    if not is_query(params):
        raise CtlError("not a valid OVSDB query")
    session = reach(call.server, call.options, params[0])
    results: list[Json] = session.call("transact", *params, *more)
    return results
