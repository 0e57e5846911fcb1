"""The rows that a trace reads, as one transaction's answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pyovn.trace.network import COLUMNS, plain

DATABASE = "OVN_Southbound"


def read_tables(
    call: Callable[..., Any], wanted: Mapping[str, Sequence[str]] = COLUMNS
) -> dict[str, list[dict[str, Any]]]:
    """All that a trace reads, in one snapshot; tables and columns an older server lacks are empty."""
    schema = call("get_schema", DATABASE)["tables"]
    selects = []
    for table, columns in wanted.items():
        if table in schema:
            known = [column for column in columns if column == "_uuid" or column in schema[table]["columns"]]
            selects.append({"op": "select", "table": table, "where": [], "columns": known})
    answers = iter(call("transact", DATABASE, *selects))
    return {
        table: list(_rows(next(answers)["rows"], columns)) if table in schema else []
        for table, columns in wanted.items()
    }


#: What a column that the server does not have holds, where that is not an empty set.
_MISSING: dict[str, Callable[[], Any]] = {"tags": dict, "external_ids": dict, "options": dict}


def _rows(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    present = set(rows[0]) if rows else set()
    missing = {column: _MISSING.get(column, tuple)() for column in columns if column not in present}
    for row in rows:
        decoded = {name: plain(value) if type(value) is list else value for name, value in row.items()}
        yield {**missing, **decoded} if missing else decoded
