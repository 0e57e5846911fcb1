from typing import Any

import pytest

from pyovn.ovsdb.errors import SchemaFault
from pyovn.ovsdb.schema import UNLIMITED, BaseType, Column, ColumnType, Schema, Table
from pyovn.tables.nb import NORTHBOUND
from pyovn.tables.sb import SOUTHBOUND
from pyovn.tables.vswitch import OPEN_VSWITCH


@pytest.mark.parametrize("database", [NORTHBOUND, SOUTHBOUND, OPEN_VSWITCH])
def test_parsing_what_was_written_gives_the_schema_again(database: Any) -> None:
    schema = database.typed_schema()
    assert Schema.parse(schema.json()) == schema


def test_defaults_are_left_out() -> None:
    verbose = {
        "columns": {
            "a": {"type": {"key": {"type": "string"}, "min": 1, "max": 1}, "mutable": True, "ephemeral": False},
            "b": {"type": {"key": {"type": "uuid", "refTable": "T", "refType": "strong"}, "min": 0, "max": 1}},
            "c": {"type": {"key": {"type": "integer", "enum": ["set", [3, 1]]}, "max": "unlimited"}},
        },
        "isRoot": False,
        "maxRows": UNLIMITED,
    }
    assert Table.parse("T", verbose).json() == {
        "columns": {
            "a": {"type": "string"},
            "b": {"type": {"key": {"type": "uuid", "refTable": "T"}, "min": 0}},
            "c": {"type": {"key": {"type": "integer", "enum": ["set", [1, 3]]}, "max": "unlimited"}},
        }
    }


@pytest.mark.parametrize(
    "json",
    [
        {"type": "string", "minLength": 2, "maxLength": 3},
        {"type": "real", "minReal": 0.5},
        {"type": "uuid", "refTable": "T", "refType": "weak"},
        {"type": "uuid", "enum": ["uuid", "00000000-0000-0000-0000-000000000001"]},
        {"type": "string", "enum": "drop"},
        "boolean",
    ],
)
def test_every_constraint_survives(json: Any) -> None:
    assert BaseType.parse(json).json() == json


def test_the_shape_of_a_type_is_known() -> None:
    string = BaseType("string")
    assert ColumnType(string).is_scalar
    assert ColumnType(string, min=0).is_optional
    assert ColumnType(string, min=0, max=UNLIMITED).is_set
    assert ColumnType(string, string, 0, UNLIMITED).is_map
    assert BaseType("uuid", ref_table="T").is_strong
    assert BaseType("uuid", ref_table="T", ref_type="weak").is_weak


def test_a_schema_without_roots_has_only_roots() -> None:
    column = Column("a", ColumnType(BaseType("string")))
    plain, root = Table("T", {"a": column}), Table("R", {"a": column}, is_root=True)
    assert Schema("s", "1.0.0", {"T": plain}).is_root("T")
    assert not Schema("s", "1.0.0", {"T": plain, "R": root}).is_root("T")


def of(table: Any) -> dict[str, Any]:
    return {"name": "d", "version": "1.0.0", "tables": {"T": table}}


def column(type_: Any, **more: Any) -> dict[str, Any]:
    return of({"columns": {"a": {"type": type_, **more}}})


@pytest.mark.parametrize(
    ("json", "text"),
    [
        ([], "expected a JSON object"),
        ({"name": "d", "version": "1.0.0"}, "Required 'tables' member is missing"),
        ({**of({}), "colour": "red"}, "Member 'colour' is present but not allowed here"),
        ({"name": 7, "version": "1.0.0", "tables": {}}, "Type mismatch for member 'name'"),
        ({"name": "a-b", "version": "1.0.0", "tables": {}}, '"a-b" is not a valid database name'),
        (of({"columns": {}}), "must have at least one column"),
        (of({"columns": {"_a": {"type": "string"}}}), 'names beginning with "_" are reserved'),
        (of({"columns": {"1a": {"type": "string"}}}), "not a valid column name"),
        (of({"columns": {"a": {"type": "string"}}, "maxRows": 0}), "maxRows must be at least 1"),
        (of({"columns": {"a": {"type": "string"}}, "indexes": [["b"]]}), 'index on undefined column "b"'),
        (of({"columns": {"a": {"type": "string"}}, "indexes": [[]]}), "must be an array of column names"),
        (
            of({"columns": {"a": {"type": "string", "ephemeral": True}}, "indexes": [["a"]]}),
            "cannot be part of an index",
        ),
        (column("text"), '"text" is not an atomic-type'),
        (column({"key": "string", "min": 2}), "0 <= min <= 1 <= max"),
        (column({"key": "string", "max": "many"}), "0 <= min <= 1 <= max"),
        (column({"key": {"type": "integer", "minInteger": 5, "maxInteger": 1}}), "minimum 5 above maximum 1"),
        (column({"key": {"type": "uuid", "refTable": "T", "refType": "firm"}}), 'refType must be "strong" or "weak"'),
        (column({"key": {"type": "uuid", "refTable": "U"}}), "refers to undefined table U"),
        (column({"key": {"type": "string", "refTable": "T"}}), "Member 'refTable' is present but not allowed"),
        (column({"key": {"type": "string", "enum": ["set", []]}}), "non-empty set of atoms"),
        (column({"key": {"type": "string", "enum": ["set", ["a", 1]]}}), "non-empty set of atoms"),
        (column("string", mutable=1), "Type mismatch for member 'mutable'"),
    ],
)
def test_a_schema_that_makes_no_sense_is_refused(json: Any, text: str) -> None:
    with pytest.raises(SchemaFault) as refused:
        Schema.parse(json)
    assert text in str(refused.value)


def test_values_are_compared_and_shown_by_their_parts() -> None:
    assert BaseType("string") != ColumnType(BaseType("string"))
    assert "type='string'" in repr(BaseType("string"))
