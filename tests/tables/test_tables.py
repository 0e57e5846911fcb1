"""Every table class is the table of OVN's and Open vSwitch's own schema files."""

import hashlib
import json
from pathlib import Path

import pytest

from pyovn.ovsdb.model import Database, changed, columns, items, new, table_name, table_schema
from pyovn.ovsdb.schema import UNLIMITED, Schema, Table
from pyovn.tables.br import BRIDGE_CONTROLLER
from pyovn.tables.icnb import IC_NORTHBOUND
from pyovn.tables.icsb import IC_SOUTHBOUND
from pyovn.tables.nb import ACL, NORTHBOUND, LogicalSwitch
from pyovn.tables.sb import SOUTHBOUND, RBACPermission
from pyovn.tables.vswitch import OPEN_VSWITCH, Bridge, Interface
from pyovn.tables.vtep import HARDWARE_VTEP

SCHEMAS = Path(__file__).parents[3] / "shared" / "reference" / "schemas"
#: database, its schema file, and the digest of the schema as our classes give it (which equalled the file's)
DATABASES = [
    pytest.param(NORTHBOUND, "ovn-nb", "6e49620fb7f08a31", id="nb"),
    pytest.param(SOUTHBOUND, "ovn-sb", "6642465ea3cac91d", id="sb"),
    pytest.param(OPEN_VSWITCH, "vswitch", "ddaa17754ddeeab8", id="vswitch"),
    pytest.param(IC_NORTHBOUND, "ovn-ic-nb", "e118df1aa42199c6", id="icnb"),
    pytest.param(IC_SOUTHBOUND, "ovn-ic-sb", "932bb0e474fd262e", id="icsb"),
    pytest.param(BRIDGE_CONTROLLER, "ovn-br", "8a716af574f9f35b", id="br"),
    pytest.param(HARDWARE_VTEP, "vtep", "d6d83e4d1b653e39", id="vtep"),
]


def reference(file: str) -> Schema:
    path = SCHEMAS / f"{file}.ovsschema"
    if not path.exists():
        pytest.skip(f"no reference schemas at {SCHEMAS}")
    return Schema.parse(json.loads(path.read_text()))


def digest_of(schema: Schema) -> str:
    canonical = json.dumps(schema.json(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


@pytest.mark.parametrize(("database", "file", "digest"), DATABASES)
def test_each_class_is_its_table_of_the_reference_schema(database: Database, file: str, digest: str) -> None:
    expected = reference(file)
    assert (database.name, database.version, database.cksum) == (expected.name, expected.version, expected.cksum)
    assert set(database.by_name) == set(expected.tables)
    for cls in database.tables:
        assert Table.parse(table_name(cls), table_schema(cls)) == expected.tables[table_name(cls)]


@pytest.mark.parametrize(("database", "file", "digest"), DATABASES)
def test_the_schema_of_the_classes_has_not_drifted(database: Database, file: str, digest: str) -> None:
    assert digest_of(database.typed_schema()) == digest


@pytest.mark.parametrize(("database", "file", "digest"), DATABASES)
def test_every_class_has_one_line_that_says_what_it_is(database: Database, file: str, digest: str) -> None:
    assert not [cls.__name__ for cls in database.tables if "\n" in (cls.__doc__ or "\n")]


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
