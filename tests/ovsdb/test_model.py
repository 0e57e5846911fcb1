from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Annotated, Literal

import pytest

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.errors import SchemaFault
from pyovn.ovsdb.model import (
    Between,
    Database,
    Ephemeral,
    Immutable,
    MaxLength,
    Row,
    Size,
    changed,
    columns,
    database,
    default_value,
    defaults,
    items,
    new,
    table,
    table_schema,
)
from pyovn.ovsdb.schema import UNLIMITED, BaseType, ColumnType
from pyovn.tables.nb import ACL, LogicalSwitch
from pyovn.tables.sb import RBACPermission
from pyovn.tables.vswitch import Bridge, Interface


@table("Many_Kinds", root=False, max_rows=3, indexes=[("a", "b")])
class ManyKinds(Row):
    """A column of every kind."""

    a: str
    b: int
    c: float
    d: bool
    e: Uuid
    f: Literal["y", "x"]
    g: Annotated[int, Between(0, 9)] | None
    h: Annotated[str, MaxLength(5)]
    i: Strong[ManyKinds] | None  # type: ignore[name-defined]  # noqa: F821
    j: frozenset[Weak[ManyKinds]]  # type: ignore[name-defined]  # noqa: F821
    k: Annotated[frozenset[Literal["x"]], Size(1, 4)]
    l: Mapping[Annotated[int, Between(None, 5)], Weak[ManyKinds]]  # type: ignore[name-defined]  # noqa: E741, F821
    m: Annotated[Mapping[str, str], Size(0, 2), Ephemeral]
    n: Annotated[str | None, Ephemeral, Immutable]


@table("Odd")
class Odd(Row):
    """A class whose annotations the tests set."""

    a: str


KINDS = Database("kinds", "1.0.0", (ManyKinds, Odd))


def test_annotations_are_the_schema() -> None:
    itself = {"type": "uuid", "refTable": "Many_Kinds"}
    weak = {**itself, "refType": "weak"}
    assert table_schema(ManyKinds) == {
        "columns": {
            "a": {"type": "string"},
            "b": {"type": "integer"},
            "c": {"type": "real"},
            "d": {"type": "boolean"},
            "e": {"type": "uuid"},
            "f": {"type": {"key": {"type": "string", "enum": ["set", ["x", "y"]]}}},
            "g": {"type": {"key": {"type": "integer", "minInteger": 0, "maxInteger": 9}, "min": 0}},
            "h": {"type": {"key": {"type": "string", "maxLength": 5}}},
            "i": {"type": {"key": itself, "min": 0}},
            "j": {"type": {"key": weak, "min": 0, "max": "unlimited"}},
            "k": {"type": {"key": {"type": "string", "enum": "x"}, "max": 4}},
            "l": {"type": {"key": {"type": "integer", "maxInteger": 5}, "value": weak, "min": 0, "max": "unlimited"}},
            "m": {"type": {"key": "string", "value": "string", "min": 0, "max": 2}, "ephemeral": True},
            "n": {"type": {"key": "string", "min": 0}, "ephemeral": True, "mutable": False},
        },
        "indexes": [["a", "b"]],
        "maxRows": 3,
    }


def test_a_database_knows_its_tables() -> None:
    assert database(ManyKinds) is KINDS
    assert KINDS.by_name["Many_Kinds"] is ManyKinds
    assert repr(KINDS) == "<Database kinds 1.0.0>"


@pytest.mark.parametrize("annotation", ["list[str]", "Mapping", "Annotated[frozenset[str], MaxLength(5)]"])
def test_annotations_that_mean_nothing_are_refused(annotation: str) -> None:
    Odd.__annotations__["a"] = annotation
    with pytest.raises(SchemaFault, match="^Odd.a: .* is not the type of a column"):
        columns(Odd)


def test_annotations_have_to_be_text() -> None:
    Odd.__annotations__["a"] = str
    with pytest.raises(SchemaFault, match="test_model lacks `from __future__ import annotations`"):
        columns(Odd)


def test_defaults_are_the_servers() -> None:
    nothing = "00000000-0000-0000-0000-000000000000"
    assert list(defaults(ManyKinds).values())[:7] == ["", 0, 0.0, False, nothing, "", None]
    assert defaults(ManyKinds)["k"] == {""}
    assert default_value(ColumnType(BaseType("integer"), BaseType("string"), 1, 1)) == {0: ""}


def test_rows_can_be_pickled() -> None:
    row = LogicalSwitch(uuid="u", name="a")
    assert pickle.loads(pickle.dumps(row)) == row


def test_a_row_takes_the_defaults_of_its_schema() -> None:
    acl = ACL(match="ip4", tier=2)
    assert (acl.match, acl.tier, acl.priority, acl.action, acl.name, acl.log) == ("ip4", 2, 0, "", None, False)
    assert (acl.options, new(LogicalSwitch).ports) == ({}, frozenset())


def test_rows_are_compared_by_value_and_hashed_by_uuid() -> None:
    one, same, other = (LogicalSwitch(uuid="u", name=name) for name in ("a", "a", "b"))
    assert one == same
    assert one != other
    assert hash(one) == hash(other)
    assert one != ACL(uuid="u")


def test_a_row_cannot_be_changed_but_has_changed_copies() -> None:
    switch = LogicalSwitch(uuid="u", name="a")
    with pytest.raises(AttributeError):
        switch.name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        switch.nickname = "b"  # type: ignore[attr-defined]
    assert changed(switch, name="b") == LogicalSwitch(uuid="u", name="b")


def test_a_column_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="Logical_Switch has no column nickname"):
        new(LogicalSwitch, nickname="x")


def test_a_row_shows_what_is_not_default() -> None:
    assert repr(LogicalSwitch(uuid="u", name="a")) == "LogicalSwitch(uuid='u', name='a')"
    assert dict(items(LogicalSwitch(uuid="u", name="a")))["name"] == "a"


def test_columns_may_be_called_like_words_of_our_own() -> None:
    assert RBACPermission(table="Chassis").table == "Chassis"


def test_flags_of_columns_are_part_of_their_annotation() -> None:
    assert not columns(Bridge)["name"].mutable
    assert columns(Interface)["statistics"].ephemeral
    assert columns(Bridge)["flood_vlans"].type.max == 4096
    assert columns(Bridge)["ports"].type.max == UNLIMITED
