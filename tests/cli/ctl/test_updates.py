"""A view that lives through edits and updates is the view that one would make now."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyovn.cli.ctl.updates import patched
from pyovn.cli.ctl.values import from_json
from pyovn.cli.ctl.view import Schema, View
from tests.support.servers import upstream_schema

SCHEMA = Schema(upstream_schema("ovn-nb"))
TABLE = "Logical_Switch_Port"
UUIDS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(4)]
#: columns of every kind: a string, an optional one, a set, a map
COLUMNS = {
    "name": st.sampled_from(["a", "b", "c"]),
    "parent_name": st.sampled_from([["set", []], "a", "b"]),
    "addresses": st.lists(st.sampled_from("abcd"), unique=True).map(lambda atoms: ["set", atoms]),
    "options": st.dictionaries(st.sampled_from("kl"), st.sampled_from("vw")).map(
        lambda pairs: ["map", [[*pair] for pair in pairs.items()]]
    ),
}
rows = st.fixed_dictionaries(COLUMNS)
states = st.dictionaries(st.sampled_from(UUIDS), rows)


def difference(column: str, old: Any, new: Any) -> Any:
    """What ovsdb-server(7) says that version 2 of updates tells of a change."""
    if column == "addresses":
        return ["set", sorted(set(old[1]) ^ set(new[1]))]
    if column == "options":
        was, now = dict(old[1]), dict(new[1])
        gone = {key: value for key, value in was.items() if key not in now}
        return ["map", [[k, v] for k, v in {**{k: v for k, v in now.items() if was.get(k) != v}, **gone}.items()]]
    return new


def update(before: dict[str, Any], after: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """The update that tells of the change, of version 1 if it tells whole rows."""
    changes: dict[str, Any] = {}
    for uuid in before.keys() | after.keys():
        old, new = before.get(uuid), after.get(uuid)
        if old == new:
            continue
        if whole or old is None or new is None:
            changes[uuid] = {"new" if whole else "insert": new} if new else {"old": old} if whole else {"delete": None}
        else:
            columns = [column for column in COLUMNS if old[column] != new[column]]
            changes[uuid] = {"modify": {each: difference(each, old[each], new[each]) for each in columns}}
    return {TABLE: copy.deepcopy(changes)}


def said(view: View) -> Any:
    """All that a command can find out."""
    table = view.table(TABLE)
    values = {uuid: {column: table.rows[uuid][column] for column in COLUMNS} for uuid in sorted(table.rows)}
    found = {
        (column, member): sorted(row.uuid for row in view.find(TABLE, column, member))
        for column in COLUMNS
        for member in "abcdkl"
    }
    return values, found


def edit(view: View, choices: Any) -> None:
    """What a chain of commands may do."""
    view.insert(TABLE, name="new", addresses=["a"])
    for row in [*view.table(TABLE).rows.values()]:
        match choices(st.integers(0, 5)):
            case 0:
                row["name"], row["addresses"] = "b", ["c", "d"]
            case 1:
                row.add("addresses", "a")
                row.discard("addresses", "b")
            case 2:
                row.put("options", "k", "other")
                row.drop("options", "l")
            case 3:
                row.add("addresses", "d")
                row.delete()
            case 4:
                row.verify("name")


@given(states, st.lists(st.tuples(states, st.booleans()), max_size=4), st.data())
def test_a_view_stays_the_one_that_would_be_made_anew(first: Any, then: Any, data: Any) -> None:
    view = View(SCHEMA, {})
    if data.draw(st.booleans()):
        said(view)
    view.take({TABLE: {uuid: {"initial": copy.deepcopy(row)} for uuid, row in first.items()}})
    for state, whole in then:
        edit(view, data.draw)
        if data.draw(st.booleans()):
            said(view)
        view.forget()
        view.take(update(first, state, whole=whole))
        first = state
        if data.draw(st.booleans()):
            assert said(view) == said(View(SCHEMA, {TABLE: copy.deepcopy(state)}))
    assert said(view) == said(View(SCHEMA, {TABLE: copy.deepcopy(first)}))


@given(rows, rows)
def test_json_patched_with_a_difference_is_the_new_json(old: Any, new: Any) -> None:
    for column in COLUMNS:
        type_ = SCHEMA[TABLE].columns[column].type
        result = patched(type_, old[column], difference(column, old[column], new[column]))
        assert from_json(type_, result) == from_json(type_, new[column])


def test_columns_that_an_update_leaves_out_have_their_defaults() -> None:
    view = View(SCHEMA, {})
    view.take({TABLE: {UUIDS[0]: {"initial": {"name": "a"}}}})
    row = view.row(TABLE, UUIDS[0])
    assert (row["addresses"], row["options"], row["parent_name"], row["type"]) == ([], {}, None, "")
