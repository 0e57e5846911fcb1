import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.net.uuids import Uuid, uuid_text
from pyovn.ovsdb.datum import RowReader, apply_difference, build, check, parse, writer
from pyovn.ovsdb.errors import ValueFault
from pyovn.ovsdb.model import Row, columns, new, typed_table
from pyovn.ovsdb.schema import UNLIMITED, BaseType, Column, ColumnType, Table
from pyovn.tables.nb import NORTHBOUND, LogicalSwitchPort
from pyovn.tables.sb import SOUTHBOUND, DatapathBinding, LogicalFlow
from pyovn.tables.vswitch import OPEN_VSWITCH
from tests.support.ovsdb_values import atoms, rows, values

CLASSES = [cls for each in (NORTHBOUND, SOUTHBOUND, OPEN_VSWITCH) for cls in each.tables]
INTEGERS = ColumnType(BaseType("integer"), min=0, max=UNLIMITED)
STRING_MAP = ColumnType(BaseType("string"), BaseType("string"), 0, UNLIMITED)
REAL = ColumnType(BaseType("real"))
U = uuid_text(7)


def base_types() -> st.SearchStrategy[BaseType]:
    return st.sampled_from([*map(BaseType, ("integer", "real", "boolean", "string", "uuid"))]) | st.builds(
        BaseType, st.just("integer"), low=st.just(-5), high=st.just(5)
    )


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[ColumnType, Any]:
    value = draw(st.none() | base_types())
    low, high = draw(st.sampled_from([(1, 1), (0, 1), (0, UNLIMITED), (1, UNLIMITED), (0, 4)]))
    type_ = ColumnType(draw(base_types()), value, low, high)
    return type_, draw(values(type_))


@given(typed_values())
def test_parsing_what_was_built_gives_the_value_again(typed: tuple[ColumnType, Any]) -> None:
    type_, value = typed
    assert parse(type_, json.loads(json.dumps(build(type_, value)))) == value


@given(st.data(), st.sampled_from(CLASSES))
def test_reading_a_row_that_was_written_gives_the_row_again(data: st.DataObject, cls: type[Row]) -> None:
    given_columns = data.draw(rows(cls))
    wire = json.loads(json.dumps(writer(cls)(given_columns)))
    assert RowReader(cls).read(Uuid(U), wire) == new(cls, U, **given_columns)


def difference(type_: ColumnType, old: Any, new_: Any) -> Any:
    """What a server sends for a column that went from `old` to `new_`."""
    if type_.value is not None:
        gone = {key: value for key, value in old.items() if key not in new_}
        return ["map", [list(pair) for pair in (gone | dict(new_.items() - old.items())).items()]]
    if type_.max == 1:
        return build(type_, new_)
    return build(ColumnType(type_.key, None, 0, UNLIMITED), old ^ new_)


@given(st.data(), st.sampled_from(["string", "integer"]), st.sampled_from([(1, 1), (0, 1), (0, UNLIMITED)]))
def test_a_difference_leads_from_the_old_value_to_the_new(data: st.DataObject, atom: str, size: Any) -> None:
    value = data.draw(st.sampled_from([None, BaseType("string")]))
    type_ = ColumnType(BaseType(atom), value, 0 if value else size[0], UNLIMITED if value else size[1])
    old, new_ = data.draw(values(type_)), data.draw(values(type_))
    assert apply_difference(type_, old, difference(type_, old, new_)) == new_


@pytest.mark.parametrize(
    ("type_", "wire", "text"),
    [
        (INTEGERS, ["set", [1, 1]], "ovsdb error: set contains duplicate"),
        (INTEGERS, "x", "syntax error: expected integer"),
        (INTEGERS, ["set", ["x"]], "syntax error: expected integer"),
        (STRING_MAP, ["map", [["a"]]], "syntax error: expected 2-element array"),
        (STRING_MAP, "x", 'syntax error: expected ["map", <array>]'),
        (STRING_MAP, ["map", [["a", "b"], ["a", "c"]]], "ovsdb error: map contains duplicate key"),
        (REAL, ["set", []], "syntax error: set must have exactly one member but 0 are present"),
        (ColumnType(BaseType("string"), min=0), ["set", ["a", "b"]], "set must have 0 to 1 members but 2 are present"),
        (ColumnType(BaseType("string"), min=1, max=UNLIMITED), ["set", []], "must have 1 or more members but 0"),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(type_: ColumnType, wire: Any, text: str) -> None:
    with pytest.raises(ValueFault) as refused:
        parse(type_, wire)
    assert text in str(refused.value)


@given(st.data())
def test_checking_accepts_every_value_of_a_type(data: st.DataObject) -> None:
    type_ = columns(LogicalSwitchPort)["tag_request"].type
    check(type_, data.draw(values(type_)))
    with pytest.raises(ValueFault, match="not in the valid range"):
        check(type_, data.draw(atoms(BaseType("integer", low=4096))))


def test_named_uuids_are_resolved_by_the_caller() -> None:
    type_ = ColumnType(BaseType("uuid"), min=0, max=UNLIMITED)
    names = {"a": Uuid(U)}
    assert parse(type_, ["set", [["named-uuid", "a"], ["uuid", uuid_text(8)]]], names.__getitem__) == {U, uuid_text(8)}
    assert parse(type_, ["named-uuid", "a"]) == {"a"}


def test_a_lone_atom_is_a_set_of_one() -> None:
    assert parse(INTEGERS, 5) == {5}
    assert RowReader(LogicalSwitchPort).read(Uuid(U), {"addresses": "unknown"}).addresses == {"unknown"}


def test_a_set_of_one_is_a_single_value_too() -> None:
    read = RowReader(LogicalFlow).read
    assert read(Uuid(U), {"controller_meter": ["set", ["m"]]}).controller_meter == "m"
    assert read(Uuid(U), {"logical_datapath": ["set", [["uuid", U]]]}).logical_datapath == U
    assert read(Uuid(U), {"logical_datapath": ["set", []]}).logical_datapath is None


def older(cls: type[Row], **types: ColumnType | None) -> Table:
    """The table of `cls` with other types for some columns, or without them."""
    table = typed_table(cls)
    changed = {name: Column(name, type_) for name, type_ in types.items() if type_ is not None}
    kept = {name: column for name, column in table.columns.items() if name not in types}
    return Table(table.name, kept | changed, is_root=table.is_root)


def test_columns_that_the_server_lacks_take_defaults() -> None:
    reader = RowReader(DatapathBinding, older(DatapathBinding, nb_uuid=None, type=None))
    assert "nb_uuid" not in reader.columns
    row = reader.read(Uuid(U), {"tunnel_key": 7, "unheard_of": 1, "nb_uuid": ["uuid", U]})
    assert (row.tunnel_key, row.nb_uuid) == (7, None)
    assert reader.patch(row, {"tunnel_key": 8, "unheard_of": 2}).tunnel_key == 8


@pytest.mark.parametrize(
    ("theirs", "wire", "value"),
    [
        (ColumnType(BaseType("string"), min=0, max=UNLIMITED), ["set", ["m"]], "m"),
        (ColumnType(BaseType("string"), min=0, max=UNLIMITED), ["set", []], None),
        (ColumnType(BaseType("string")), "m", "m"),
        (ColumnType(BaseType("integer")), 5, None),
        (STRING_MAP, ["map", [["a", "b"]]], None),
    ],
)
def test_columns_of_another_shape_on_the_server_are_converted(theirs: ColumnType, wire: Any, value: Any) -> None:
    reader = RowReader(LogicalFlow, older(LogicalFlow, controller_meter=theirs))
    row = reader.read(Uuid(U), {"controller_meter": wire})
    assert row.controller_meter == value
    assert reader.patch(row, {"priority": 5}).controller_meter == value


def test_differences_of_columns_of_another_shape_are_converted() -> None:
    several = ColumnType(BaseType("string"), min=0, max=UNLIMITED)
    reader = RowReader(LogicalFlow, older(LogicalFlow, controller_meter=several))
    row = reader.read(Uuid(U), {"controller_meter": ["set", ["m"]]})
    assert reader.patch(row, {"controller_meter": ["set", ["m", "n"]]}).controller_meter == "n"
    one = RowReader(LogicalSwitchPort, older(LogicalSwitchPort, addresses=ColumnType(BaseType("string"))))
    port = one.read(Uuid(U), {"addresses": "a"})
    assert one.patch(port, {"addresses": "b"}).addresses == {"b"}


def test_columns_that_are_not_wanted_keep_their_defaults() -> None:
    reader = RowReader(LogicalFlow, wanted=["match"])
    assert reader.read(Uuid(U), {"match": "ip4", "actions": "next;"}) == new(LogicalFlow, U, match="ip4")


def test_writing_a_column_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueFault, match="No column colour in table Logical_Flow"):
        writer(LogicalFlow)({"colour": "red"})
