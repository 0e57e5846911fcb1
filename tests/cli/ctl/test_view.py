import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.cli.ctl.transaction import operations, provisional_uuid, row_name
from pyovn.cli.ctl.view import Row, Schema, View, iteration_order, random_uuid
from pyovn.net.uuids import is_uuid
from tests.support.servers import upstream_schema

SWITCH, PORT = "00000001-0000-4000-8000-000000000001", "00000002-0000-4000-8000-000000000002"
SCHEMA = Schema(upstream_schema("ovn-nb"))


def contents() -> "dict[str, dict[str, dict[str, object]]]":
    return {
        "Logical_Switch": {SWITCH: {"name": "sw0", "ports": ["uuid", PORT], "other_config": ["map", [["a", "1"]]]}},
        "Logical_Switch_Port": {PORT: {"name": "p0", "addresses": ["set", []], "tag": ["set", []], "type": ""}},
    }


@pytest.fixture
def view() -> View:
    return View(SCHEMA, contents())


def switch(view: View) -> Row:
    return view.row("Logical_Switch", SWITCH)


def test_values_have_their_types(view: View) -> None:
    assert switch(view)["ports"] == [PORT]
    assert switch(view)["other_config"] == {"a": "1"}
    assert view.row("Logical_Switch_Port", PORT)["tag"] is None
    assert switch(view)["column of a later version"] is None


def test_nothing_changed_is_no_transaction(view: View) -> None:
    switch(view)["name"] = "sw0"
    switch(view).put("other_config", "a", "1")
    switch(view).add("ports", PORT)
    assert operations(view) == []


def test_members_are_mutated_and_whole_columns_updated(view: View) -> None:
    port = view.insert("Logical_Switch_Port", name="p1")
    switch(view).add("ports", port.uuid)
    switch(view).put("other_config", "a", "2")
    switch(view)["name"] = "sw1"
    where = [["_uuid", "==", ["uuid", SWITCH]]]
    insert, mutate, update = sorted(operations(view), key=lambda edit: str(edit["op"]))
    assert update == {"op": "update", "table": "Logical_Switch", "where": where, "row": {"name": "sw1"}}
    assert mutate["mutations"] == [
        ["ports", "insert", ["named-uuid", row_name(port.uuid)]],
        ["other_config", "delete", ["set", ["a"]]],
        ["other_config", "insert", ["map", [["a", "2"]]]],
    ]
    assert insert == {
        "op": "insert",
        "table": "Logical_Switch_Port",
        "row": {"name": "p1"},
        "uuid-name": row_name(port.uuid),
    }
    assert provisional_uuid(insert["uuid-name"]) == port.uuid


def test_edits_that_undo_each_other_are_none(view: View) -> None:
    port = view.insert("Logical_Switch_Port", name="p1")
    switch(view).add("ports", port.uuid)
    switch(view).discard("ports", port.uuid)
    port.delete()
    switch(view).drop("other_config", "a")
    switch(view).put("other_config", "a", "1")
    assert operations(view) == []


def test_later_commands_see_earlier_edits(view: View) -> None:
    port = view.insert("Logical_Switch_Port", name="p1")
    switch(view).add("ports", port.uuid)
    assert view.first("Logical_Switch_Port", "name", "p1") is port
    assert view.first("Logical_Switch", "ports", port.uuid) is switch(view)
    port["name"] = "p2"
    assert view.first("Logical_Switch_Port", "name", "p1") is None
    assert view.first("Logical_Switch_Port", "name", "p2") is port
    port.delete()
    assert view.first("Logical_Switch_Port", "name", "p2") is None


def test_what_was_verified_is_waited_for(view: View) -> None:
    switch(view).verify("ports")
    switch(view)["name"] = "sw1"
    wait = operations(view)[0]
    assert (wait["op"], wait["timeout"], wait["until"]) == ("wait", 0, "==")
    assert wait["rows"] == [{"ports": ["uuid", PORT]}]


def test_only_root_rows_are_deleted_by_name(view: View) -> None:
    view.row("Logical_Switch_Port", PORT).delete()
    assert operations(view) == []
    switch(view).delete()
    assert [edit["op"] for edit in operations(view)] == ["delete"]


edits = st.lists(st.tuples(st.sampled_from(["put", "drop", "assign"]), st.sampled_from("abc"), st.sampled_from("12")))


@given(edits)
def test_mutations_lead_to_what_the_view_shows(steps: list[tuple[str, str, str]]) -> None:
    row = switch(View(SCHEMA, contents()))
    for step, key, value in steps:
        if step == "put":
            row.put("other_config", key, value)
        elif step == "drop":
            row.drop("other_config", key)
        else:
            row["other_config"] = {key: value}
    result = {"a": "1"}
    for edit in operations_of(row):
        if edit["op"] == "update":
            result = dict(edit["row"]["other_config"][1])
        for _, mutator, argument in edit.get("mutations", ()):
            if mutator == "delete":
                result = {key: value for key, value in result.items() if key not in argument[1]}
            else:
                result = dict(argument[1]) | result
    assert result == row["other_config"]


def operations_of(row: Row) -> "list[dict[str, object]]":
    fresh = View(SCHEMA, contents())
    fresh._tables[row.table.name] = row.table
    return operations(fresh)


@given(st.sets(st.uuids().map(str)))
def test_every_row_comes_once_in_order_of_its_bucket(uuids: set[str]) -> None:
    order = iteration_order(uuids)
    assert sorted(order) == sorted(uuids)
    mask = max((1 << len(uuids).bit_length() - 1) - 1, 3) if len(uuids) > 1 else 0
    buckets = [int(uuid[:8], 16) & mask for uuid in order]
    assert buckets == sorted(buckets)


def test_uuids_are_random_and_version_4() -> None:
    found = {random_uuid() for _ in range(100)}
    assert len(found) == 100
    assert all(is_uuid(uuid) and uuid[14] == "4" and uuid[19] in "89ab" for uuid in found)
