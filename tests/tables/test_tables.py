"""Every table class is the table of OVN's and Open vSwitch's own schema files."""

import hashlib
import json
from pathlib import Path

import pytest

from pyovn.ovsdb.model import Database, table_name, table_schema
from pyovn.ovsdb.schema import Schema, Table
from pyovn.tables.br import BRIDGE_CONTROLLER
from pyovn.tables.icnb import IC_NORTHBOUND
from pyovn.tables.icsb import IC_SOUTHBOUND
from pyovn.tables.nb import NORTHBOUND
from pyovn.tables.sb import SOUTHBOUND
from pyovn.tables.vswitch import OPEN_VSWITCH
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
