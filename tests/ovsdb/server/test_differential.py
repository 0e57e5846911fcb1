"""Random transactions have the same results and leave the same rows behind in our server and in C's."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.ovsdb.server.text import json_text
from tests.support.rich_schema import RICH
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process, upstream_schema

pytestmark = pytest.mark.interop
EXAMPLES = 100

Json = Any
Strategy = st.SearchStrategy[Any]
SYMBOLS = ["x", "y", "z"]
MOST = 2**63 - 1

ATOMS: dict[str, Strategy] = {
    "string": st.sampled_from(["", "a", "bb", "red", "green", "too long", "é", "a b", 5]),
    "integer": st.one_of(st.integers(-3, 12), st.sampled_from([100, 101, MOST, -MOST - 1, 3.0, 2.5, "1", True])),
    "real": st.sampled_from([0, 1, -1.5, 2.5, 2.75, 0.125, -2, "x"]),
    "boolean": st.sampled_from([True, False, 1]),
    # No named ones: a name that no insertion has stands for a random UUID, which a column without a target keeps.
    "uuid": st.sampled_from(["11111111-0000-4000-8000-000000000000"]).map(lambda uuid: ["uuid", uuid]),
}


class Maker:
    """Draws operations on the tables of a schema."""

    def __init__(self, schema: Json) -> None:
        self.columns = {table: spec["columns"] for table, spec in schema["tables"].items()}
        # UUIDs are those of one table each: where two tables share one, the C server takes one row's for the other's.
        self.uuids = {
            table: [f"{digit * 8}-0000-4000-8000-{number:012}" for digit in "1234"]
            for number, table in enumerate(self.columns)
        }
        self.values = {
            (table, name): self._value(spec["type"])
            for table, columns in self.columns.items()
            for name, spec in columns.items()
        }
        self.needed = {table: dict(self._needed(columns)) for table, columns in self.columns.items()}

    def references(self, table: str) -> Strategy:
        names = [f"{table.lower()}_{symbol}" for symbol in SYMBOLS]
        return st.one_of(
            st.sampled_from(self.uuids[table]).map(lambda uuid: ["uuid", uuid]),
            st.sampled_from(names).map(lambda name: ["named-uuid", name]),
        )

    def _value(self, type_: Json) -> Strategy:
        spec = type_ if isinstance(type_, dict) else {"key": type_}
        key = self._atom(spec["key"])
        if "value" not in spec:
            return st.one_of(key, st.lists(key, max_size=4).map(lambda atoms: ["set", atoms]))
        pairs = st.lists(st.tuples(key, self._atom(spec["value"])).map(list), max_size=3)
        return pairs.map(lambda members: ["map", members])

    def _atom(self, base: Json) -> Strategy:
        if isinstance(base, str):
            return ATOMS[base]
        if "refTable" in base:
            return self.references(base["refTable"])
        if "enum" in base:
            return st.one_of(st.sampled_from(base["enum"][1]), ATOMS[base["type"]])
        return ATOMS[base["type"]]

    def _needed(self, columns: Json) -> Iterator[tuple[str, Strategy]]:
        """What an insertion must set: enumerations, and references to one row at least."""
        for name, spec in columns.items():
            type_ = spec["type"]
            if isinstance(type_, dict) and type_.get("min", 1) and isinstance(type_["key"], dict):
                if "enum" in type_["key"]:
                    yield name, st.sampled_from(type_["key"]["enum"][1])
                elif "refTable" in type_["key"]:
                    yield name, self.references(type_["key"]["refTable"])
            elif name == "name":
                yield name, st.sampled_from("abcd")


@st.composite
def rows(draw: st.DrawFn, make: Maker, table: str, *, complete: bool = False) -> Json:
    names = draw(st.lists(st.sampled_from(sorted(make.columns[table])), max_size=3, unique=True))
    row = {name: draw(make.values[table, name]) for name in names}
    if complete:
        row = {name: draw(value) for name, value in make.needed[table].items()} | row
    return row


@st.composite
def clauses(draw: st.DrawFn, make: Maker, table: str) -> Json:
    if draw(st.booleans()):
        return ["_uuid", draw(st.sampled_from(["==", "==", "!="])), draw(make.references(table))]
    name = draw(st.sampled_from(sorted(make.columns[table])))
    function = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "includes", "excludes"]))
    return [name, function, draw(make.values[table, name])]


@st.composite
def mutations(draw: st.DrawFn, make: Maker, table: str) -> Json:
    name = draw(st.sampled_from(sorted(make.columns[table])))
    mutator = draw(st.sampled_from(["+=", "-=", "*=", "/=", "%=", "insert", "delete", "insert", "delete"]))
    if mutator in ("insert", "delete"):
        return [name, mutator, draw(make.values[table, name])]
    return [name, mutator, draw(st.sampled_from([0, 1, 2, -3, 7, 0.5]))]


@st.composite
def operations(draw: st.DrawFn, make: Maker, tables: list[str]) -> Json:
    table = draw(st.sampled_from(tables))
    kind = draw(st.sampled_from(["insert"] * 4 + ["update", "mutate", "delete", "select", "wait"]))
    if kind == "insert":
        name = draw(st.sampled_from([None, *SYMBOLS]))
        named = {"uuid-name": f"{table.lower()}_{name}"} if name else {}
        chosen = {"uuid": draw(st.sampled_from(make.uuids[table]))}
        return {"op": kind, "table": table, "row": draw(rows(make, table, complete=True)), **named, **chosen}
    where = draw(st.lists(clauses(make, table), max_size=2))
    operation = {"op": kind, "table": table, "where": where}
    if kind == "update":
        operation["row"] = draw(rows(make, table))
    elif kind == "mutate":
        operation["mutations"] = draw(st.lists(mutations(make, table), max_size=3))
    elif kind in ("select", "wait"):
        operation["columns"] = draw(st.lists(st.sampled_from([*sorted(make.columns[table]), "_uuid"]), max_size=2))
    if kind == "wait":
        operation |= {"timeout": 0, "until": draw(st.sampled_from(["==", "!="]))}
        operation["rows"] = draw(st.lists(rows(make, table), max_size=2))
    return operation


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[RunningServer, RunningServer]]:
    schemas = [each.schema for each in DATABASES]
    with server_process(*schemas) as ours, c_server_process(*schemas) as theirs:
        yield ours, theirs


def contents(rpc: Rpc, database: "Database") -> Json:
    """All rows of all tables, in an order of their own."""
    columns = database.make.columns
    selects = [
        {"op": "select", "table": table, "where": [], "columns": ["_uuid", *sorted(columns[table])]}
        for table in sorted(columns)
    ]
    return [sorted(result["rows"], key=lambda row: row["_uuid"]) for result in rpc.transact(database.name, *selects)]


def clear(rpc: Rpc, database: "Database") -> None:
    deletions = [{"op": "delete", "table": table, "where": []} for table in database.make.columns]
    assert all("count" in result for result in rpc.transact(database.name, *deletions))


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


class Database:
    """A schema to try, and the tables of it that are tried."""

    def __init__(self, schema: Json, tables: list[str], at_once: int) -> None:
        self.schema = schema
        self.name: str = schema["name"]
        self.make = Maker(schema)
        some = operations(self.make, tables)
        self.transactions = st.lists(st.lists(some, min_size=1, max_size=5), min_size=1, max_size=at_once)


NORTHBOUND = """
    Logical_Switch Logical_Switch_Port ACL Port_Group Load_Balancer QoS NB_Global Meter Meter_Band Logical_Router
    Logical_Router_Port NAT HA_Chassis_Group HA_Chassis
""".split()
SOUTHBOUND = """
    Chassis Encap Datapath_Binding Port_Binding Logical_Flow Logical_DP_Group MAC_Binding Multicast_Group SB_Global
    Address_Set Chassis_Private FDB Gateway_Chassis
""".split()
DATABASES = [
    Database(RICH, ["Root", "Root", "Root", "Kid", "Kid", "Other", "Single"], 6),
    Database(upstream_schema("ovn-nb"), NORTHBOUND, 5),
    Database(upstream_schema("ovn-sb"), SOUTHBOUND, 5),
]


@pytest.mark.parametrize("database", DATABASES, ids=lambda database: database.name)
def test_transactions_have_the_same_outcome(servers: tuple[RunningServer, RunningServer], database: Database) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(transactions=database.transactions)
    def check(transactions: list[list[Json]]) -> None:
        with servers[0].rpc() as mine, servers[1].rpc() as other:
            clear(mine, database)
            clear(other, database)
            for transaction in transactions:
                agree(
                    transaction, mine.transact(database.name, *transaction), other.transact(database.name, *transaction)
                )
                assert contents(mine, database) == contents(other, database)

    check()


def agree(transaction: list[Json], found: Json, expected: Json) -> None:
    """Hold two lists of results against each other."""
    assert len(found) == len(expected), (found, expected)
    for operation, one, two in zip([*transaction, None], comparable(found), comparable(expected), strict=False):
        if operation is not None and _has_rivals(operation) and one and two and "error" in one:
            assert "error" in two, (operation, one, two)
        else:
            assert one == two, operation
