"""Random transactions have the same results and leave the same rows behind in our server and in C's."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.ovsdb.server.text import json_text
from tests.support.rich_schema import RICH
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process

pytestmark = pytest.mark.interop

Json = Any
# UUIDs are those of one table each: where two tables share one, the C server takes one row's for the other's.
UUIDS = {
    table: [f"{digit * 8}-0000-4000-8000-{number:012}" for digit in "1234"]
    for number, table in enumerate(RICH["tables"])
}
NAMES = st.sampled_from(["a", "b", "c", "d"])
SYMBOLS = ["x", "y", "z"]
MOST = 2**63 - 1


def _uuids(table: str) -> st.SearchStrategy[Json]:
    names = [f"{table.lower()}_{symbol}" for symbol in SYMBOLS]
    return st.one_of(
        st.sampled_from(UUIDS[table]).map(lambda uuid: ["uuid", uuid]),
        st.sampled_from(names).map(lambda name: ["named-uuid", name]),
    )


integers = st.one_of(st.integers(-3, 12), st.sampled_from([100, 101, MOST, -MOST - 1, 3.0, 2.5, "1", True]))
reals = st.sampled_from([0, 1, -1.5, 2.5, 2.75, 0.125, -2, "x"])
strings = st.sampled_from(["", "a", "bb", "red", "green", "too long", "é", "a b", 5])
ATOMS = {
    "string": strings,
    "integer": integers,
    "real": reals,
    "boolean": st.sampled_from([True, False, 1]),
    # No named ones: a name that no insertion has stands for a random UUID, which a column without a target keeps.
    "uuid": st.sampled_from(UUIDS["Root"]).map(lambda uuid: ["uuid", uuid]),
}
COLUMNS = {table: spec["columns"] for table, spec in RICH["tables"].items()}


def _set(atom: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(atom, st.lists(atom, max_size=4).map(lambda atoms: ["set", atoms]))


def _value(type_: Json) -> st.SearchStrategy[Json]:
    spec = type_ if isinstance(type_, dict) else {"key": type_}
    key = _atom(spec["key"])
    if "value" not in spec:
        return _set(key)
    pairs = st.lists(st.tuples(key, _atom(spec["value"])).map(list), max_size=3)
    return pairs.map(lambda members: ["map", members])


def _atom(base: Json) -> st.SearchStrategy[Json]:
    if isinstance(base, dict) and "refTable" in base:
        return _uuids(base["refTable"])
    return ATOMS[base if isinstance(base, str) else base["type"]]


VALUES = {(table, name): _value(spec["type"]) for table, columns in COLUMNS.items() for name, spec in columns.items()}
tables = st.sampled_from(["Root", "Root", "Root", "Kid", "Kid", "Other", "Single"])


@st.composite
def rows(draw: st.DrawFn, table: str, *, complete: bool = False) -> Json:
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS[table])), max_size=3, unique=True))
    row = {name: draw(VALUES[table, name]) for name in names}
    if complete and table == "Root":
        row = {"color": "red", "name": draw(NAMES)} | row
    if complete and table == "Other":
        row = {"must": draw(_uuids("Root"))} | row
    return row


@st.composite
def clauses(draw: st.DrawFn, table: str) -> Json:
    if draw(st.booleans()):
        return ["_uuid", draw(st.sampled_from(["==", "==", "!="])), draw(_uuids(table))]
    name = draw(st.sampled_from(sorted(COLUMNS[table])))
    function = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "includes", "excludes"]))
    return [name, function, draw(VALUES[table, name])]


@st.composite
def mutations(draw: st.DrawFn, table: str) -> Json:
    name = draw(st.sampled_from(sorted(COLUMNS[table])))
    mutator = draw(st.sampled_from(["+=", "-=", "*=", "/=", "%=", "insert", "delete", "insert", "delete"]))
    if mutator in ("insert", "delete"):
        return [name, mutator, draw(VALUES[table, name])]
    return [name, mutator, draw(st.sampled_from([0, 1, 2, -3, 7, 0.5]))]


@st.composite
def operations(draw: st.DrawFn) -> Json:
    table = draw(tables)
    kind = draw(st.sampled_from(["insert"] * 4 + ["update", "mutate", "delete", "select", "wait"]))
    if kind == "insert":
        name = draw(st.sampled_from([None, *SYMBOLS]))
        named = {"uuid-name": f"{table.lower()}_{name}"} if name else {}
        chosen = {"uuid": draw(st.sampled_from(UUIDS[table]))}
        return {"op": kind, "table": table, "row": draw(rows(table, complete=True)), **named, **chosen}
    where = draw(st.lists(clauses(table), max_size=2))
    operation = {"op": kind, "table": table, "where": where}
    if kind == "update":
        operation["row"] = draw(rows(table))
    elif kind == "mutate":
        operation["mutations"] = draw(st.lists(mutations(table), max_size=3))
    elif kind in ("select", "wait"):
        operation["columns"] = draw(st.lists(st.sampled_from([*sorted(COLUMNS[table]), "_uuid"]), max_size=2))
    if kind == "wait":
        operation |= {"timeout": 0, "until": draw(st.sampled_from(["==", "!="]))}
        operation["rows"] = draw(st.lists(rows(table), max_size=2))
    return operation


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[RunningServer, RunningServer]]:
    with server_process(RICH) as ours, c_server_process(RICH) as theirs:
        yield ours, theirs


def contents(rpc: Rpc) -> Json:
    """All rows of all tables, in an order of their own."""
    selects = [
        {"op": "select", "table": table, "where": [], "columns": ["_uuid", *sorted(COLUMNS[table])]}
        for table in sorted(COLUMNS)
    ]
    return [sorted(result["rows"], key=lambda row: row["_uuid"]) for result in rpc.transact("Rich", *selects)]


def clear(rpc: Rpc) -> None:
    deletions = [{"op": "delete", "table": table, "where": []} for table in ("Root", "Other", "Single")]
    assert all("count" in result for result in rpc.transact("Rich", *deletions))


_RANDOM = re.compile(r"[0-9a-f]{8}-(?!0000-4000-8000)[0-9a-f]{4}-[0-9a-f-]{22}")


def comparable(results: Json) -> Json:
    """Results without what may differ: the order of rows, and which of several faults is named."""
    return [_comparable(result) for result in results]


def _comparable(result: Json) -> Json:
    if not isinstance(result, dict):
        return result
    if "rows" in result:
        return {"rows": sorted(_RANDOM.sub("random", json_text(row)) for row in result["rows"])}
    if result.get("error") == "constraint violation":
        return {**result, "details": re.sub(r"identical values.*|\d+ weak reference.* row \S+", "…", result["details"])}
    if result.get("error") == "referential integrity violation":
        return {"error": result["error"]}
    return result


def _has_rivals(operation: Json) -> bool:
    """True where the C server, which reads columns in the order of their hashes, may name another fault than we."""
    return any(len(operation.get(member, ())) > 1 for member in ("row", "rows")) or operation["op"] == "wait"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(transactions=st.lists(st.lists(operations(), min_size=1, max_size=5), min_size=1, max_size=6))
def test_transactions_have_the_same_outcome(
    servers: tuple[RunningServer, RunningServer], transactions: list[list[Json]]
) -> None:
    ours, theirs = servers
    with ours.rpc() as mine, theirs.rpc() as other:
        clear(mine)
        clear(other)
        for transaction in transactions:
            found, expected = mine.transact("Rich", *transaction), other.transact("Rich", *transaction)
            assert len(found) == len(expected), (found, expected)
            for operation, one, two in zip([*transaction, None], comparable(found), comparable(expected), strict=False):
                if operation is not None and _has_rivals(operation) and one and two and "error" in one:
                    assert "error" in two, (operation, one, two)
                    continue
                assert one == two, operation
            assert contents(mine) == contents(other)
