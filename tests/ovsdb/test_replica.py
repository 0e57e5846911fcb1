from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.net.uuids import Uuid, uuid_text
from pyovn.ovsdb.datum import build, writer
from pyovn.ovsdb.errors import OvsdbError, ProtocolFault
from pyovn.ovsdb.model import Row, columns, default_value, items, new
from pyovn.ovsdb.replica import Replica, Update, merge
from pyovn.ovsdb.schema import UNLIMITED, ColumnType, Schema
from pyovn.tables.nb import ACL, LogicalSwitch, LogicalSwitchPort
from pyovn.tables.vswitch import Bridge, Mirror, Port
from tests.support.ovsdb_values import rows

CLASSES = (LogicalSwitchPort, Bridge, Mirror, Port, ACL)
UUIDS = [uuid_text(number) for number in range(1, 5)]
A, B = UUIDS[:2]
Rows = dict[type[Row], dict[Uuid, Any]]


def difference(type_: ColumnType, old: Any, new_: Any) -> Any:
    """What a server sends for a column that went from `old` to `new_`."""
    if type_.value is not None:
        gone = {key: value for key, value in old.items() if key not in new_}
        changed = {key: value for key, value in new_.items() if key not in old or old[key] != value}
        return build(ColumnType(type_.key, type_.value, 0, UNLIMITED), gone | changed)
    if type_.max == 1:
        return build(type_, new_)
    return build(ColumnType(type_.key, None, 0, UNLIMITED), old ^ new_)


def told(form: str, old: Rows, new_: Rows) -> Update:
    """How a server that went from `old` to `new_` tells it."""
    if form == "fresh":
        return Update({cls.__table__: images(table, "initial") for cls, table in new_.items()}, fresh=True)
    if form == "fresh image":
        tables = {cls.__table__: images(table, "new") for cls, table in new_.items()}
        return Update(tables, fresh=True, is_difference=False)
    tables = {cls.__table__: dict(changes(form, cls, old[cls], new_[cls])) for cls in new_}
    return Update(tables, is_difference=form == "difference")


def images(table: dict[Uuid, Any], member: str) -> Any:
    return {uuid: {member: image(row, everything=member == "new")} for uuid, row in table.items()}


def image(row: Any, *, everything: bool) -> Any:
    types = {name: column.type for name, column in columns(type(row)).items()}
    return writer(type(row))({n: v for n, v in items(row) if everything or v != default_value(types[n])})


def changes(form: str, cls: type[Row], old: dict[Uuid, Any], new_: dict[Uuid, Any]) -> Any:
    for uuid in old.keys() | new_.keys():
        before, after = old.get(uuid), new_.get(uuid)
        if before == after:
            continue
        if form == "image":
            yield uuid, {} if after is None else {"new": image(after, everything=True)}
        elif after is None:
            yield uuid, {"delete": None}
        elif before is None:
            yield uuid, {"insert": image(after, everything=False)}
        else:
            pairs = zip(items(before), items(after), strict=True)
            types = columns(cls)
            yield uuid, {"modify": {n: difference(types[n].type, v, w) for (n, v), (_, w) in pairs if v != w}}


@st.composite
def states(draw: st.DrawFn) -> Rows:
    return {
        cls: {uuid: new(cls, uuid, **draw(rows(cls))) for uuid in draw(st.sets(st.sampled_from(UUIDS), max_size=2))}
        for cls in CLASSES
    }


FORMS = st.sampled_from(["difference", "image", "fresh", "fresh image"])


@settings(max_examples=60)
@given(st.lists(st.tuples(FORMS, states()), min_size=1, max_size=4))
def test_after_any_stream_of_updates_the_replica_is_what_the_server_is(stream: list[tuple[str, Rows]]) -> None:
    replica = Replica(CLASSES)
    server: Rows = {cls: {} for cls in CLASSES}
    seen: Rows = {cls: {} for cls in CLASSES}
    total: Any = {}
    for form, state in stream:
        found = replica.apply(told(form, server, state))
        merge(total, found)
        server = state
        for cls, changed in found.items():
            for uuid, (old, now) in changed.items():
                assert seen[cls].get(uuid) == old
                assert old != now
                seen[cls] = {**seen[cls], uuid: now}
        assert {cls: dict(replica.rows(cls)) for cls in CLASSES} == server
        assert {cls: {u: r for u, r in table.items() if r is not None} for cls, table in seen.items()} == server
    for cls in CLASSES:
        assert {u: now for u, (_, now) in total.get(cls, {}).items()} == server[cls]


@settings(max_examples=60)
@given(states(), states(), st.sampled_from([("name",), ("type",), ("name", "tag")]))
def test_looking_rows_up_gives_what_a_search_gives(before: Rows, after: Rows, names: tuple[str, ...]) -> None:
    replica = Replica(CLASSES)
    replica.apply(told("fresh", before, before))
    replica.where(LogicalSwitchPort, **dict.fromkeys(names))
    replica.apply(told("difference", before, after))
    for row in [*before[LogicalSwitchPort].values(), *after[LogicalSwitchPort].values()]:
        wanted = {name: getattr(row, name) for name in names}
        found = replica.where(LogicalSwitchPort, **wanted)
        expected = [r for r in after[LogicalSwitchPort].values() if all(getattr(r, n) == v for n, v in wanted.items())]
        assert sorted(r.uuid for r in found) == sorted(r.uuid for r in expected)


def test_changes_that_cancel_out_are_no_change() -> None:
    replica = Replica([LogicalSwitch])
    total: Any = {}
    for update in ({"insert": {"name": "a"}}, {"modify": {"name": "b"}}, {"delete": None}):
        merge(total, replica.apply(Update({"Logical_Switch": {A: update}})))
    assert total == {}
    assert replica.apply(Update({"Logical_Switch": {A: {"delete": None}}})) == {}


def test_rows_that_did_not_change_stay_the_same_objects_over_a_fresh_update() -> None:
    replica = Replica([LogicalSwitch])
    contents = {A: {"initial": {"name": "a"}}, B: {"initial": {}}}
    replica.apply(Update({"Logical_Switch": contents}, fresh=True))
    before = dict(replica.rows(LogicalSwitch))
    assert replica.apply(Update({"Logical_Switch": contents}, fresh=True)) == {}
    assert all(replica.get(LogicalSwitch, uuid) is row for uuid, row in before.items())


def test_tables_nobody_asked_for_are_ignored() -> None:
    replica = Replica({LogicalSwitch: ["name"]})
    assert replica.apply(Update({"ACL": {A: {"insert": {}}}})) == {}
    assert list(replica.classes) == [LogicalSwitch]


def test_a_table_that_the_server_lacks_is_empty() -> None:
    replica = Replica([LogicalSwitch])
    replica.adopt(Schema("OVN_Northbound", "0.0.1", {}))
    assert replica.apply(Update({}, fresh=True)) == {}
    assert replica.rows(LogicalSwitch) == {}


@pytest.mark.parametrize(
    "rows_json",
    [
        {A: {"modify": {"name": "x"}}},
        {A: None},
        {A: {"insert": {"ports": 5}}},
        {A: {"insert": {"external_ids": ["map", [["a"]]]}}},
        [],
    ],
)
def test_an_update_that_makes_no_sense_is_refused(rows_json: Any) -> None:
    if rows_json == []:
        rows_json = [A]
    with pytest.raises(ProtocolFault):
        Replica([LogicalSwitch]).apply(Update({"Logical_Switch": rows_json}))


def test_rows_cannot_be_looked_up_by_what_cannot_be_a_key() -> None:
    replica = Replica([LogicalSwitch])
    for name in ("external_ids", "colour"):
        with pytest.raises(OvsdbError, match=f"cannot look up rows of Logical_Switch by column {name}"):
            replica.where(LogicalSwitch, **{name: {}})
