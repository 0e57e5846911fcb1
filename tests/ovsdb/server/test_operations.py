"""Single operations: what they answer, and in which words they refuse."""

from typing import Any

import pytest

from tests.ovsdb.server.engine import Engine, delete, insert, mutate, named, select, update

A = ["name", "==", "a"]
UUID = "11111111-2222-3333-4444-555555555555"


def outcome(*operations: Any) -> Any:
    """The last result of operations on a database with one row, named "a"."""
    client = Engine().client()
    client.transact(insert(**ROW))
    return client.transact(*operations)[-1]


ROW = {"name": "a", "num": 10, "any": 7, "nums": ["set", [1, 2]], "map": ["map", [["k", "v"]]], "tags": "t"}


@pytest.mark.parametrize(
    ("row", "details"),
    [
        ({"num": 101}, "101 is not in the valid range 0 to 100 (inclusive)"),
        ({"ratio": 2.75}, "2.75 is not in the valid range -1.5 to 2.5 (inclusive)"),
        ({"color": "pink"}, "pink is not one of the allowed values ([blue, green, red])"),
        ({"color": ""}, '"" is not one of the allowed values ([blue, green, red])'),
        ({"short": "a"}, '"a" length 1 is less than minimum allowed length 2'),
        ({"short": "abcdef"}, '"abcdef" length 6 is greater than maximum allowed length 5'),
        ({"imap": ["map", [[11, 1]]]}, "11 is greater than maximum allowed value 10"),
        ({"imap": ["map", [[1, -1]]]}, "-1 is less than minimum allowed value 0"),
        ({"level": 3}, "3 is not one of the allowed values ([1, 2, 5])"),
    ],
)
def test_a_value_out_of_its_bounds_is_a_constraint_violation(row: Any, details: str) -> None:
    assert outcome(insert(**row)) == {"error": "constraint violation", "details": details}


@pytest.mark.parametrize(
    ("row", "syntax", "details"),
    [
        ({"num": "x"}, '"x"', "expected integer"),
        ({"num": 1.5}, "1.5", "expected integer"),
        ({"any": 2**63}, "9.22337203685478e+18", "expected integer"),
        ({"flag": 1}, "1", "expected boolean"),
        ({"id": "x"}, '"x"', 'expected ["uuid", <string>]'),
        ({"id": ["uuid", "x"]}, '["uuid","x"]', '"x" is not a valid UUID'),
        ({"kid": ["named-uuid", "0"]}, '["named-uuid","0"]', "named-uuid string is not a valid <id>"),
        ({"num": ["set", []]}, '["set",[]]', "set must have exactly one member but 0 are present"),
        ({"nums": ["set", [1, 2, 3, 4]]}, '["set",[1,2,3,4]]', "set must have 0 to 3 members but 4 are present"),
        ({"tags": ["set"]}, '["set"]', 'expected ["set", <array>]'),
        ({"map": ["map", [["a"]]]}, '["a"]', "expected 2-element array"),
        ({"map": "x"}, '"x"', 'expected ["map", <array>]'),
    ],
)
def test_a_value_of_another_type_is_a_syntax_error(row: Any, syntax: str, details: str) -> None:
    assert outcome(insert(**row)) == {"error": "syntax error", "syntax": syntax, "details": details}


@pytest.mark.parametrize(
    ("row", "details"),
    [
        ({"tags": ["set", ["a", "a"]]}, "set contains duplicate"),
        ({"map": ["map", [["a", "b"], ["a", "c"]]]}, "map contains duplicate key"),
    ],
)
def test_duplicates_are_refused(row: Any, details: str) -> None:
    assert outcome(insert(**row)) == {"error": "ovsdb error", "details": details}


@pytest.mark.parametrize(
    ("operation", "details"),
    [
        ({"op": "foo"}, 'No operation "foo"'),
        ({"nop": 1}, "Required 'op' member is missing."),
        ({"op": 5}, "Type mismatch for member 'op'."),
        ({"op": "insert"}, "Required 'table' member is missing."),
        ({"op": "insert", "table": "Nope", "row": {}}, "No table named Nope."),
        ({"op": "insert", "table": "Root"}, "Required 'row' member is missing."),
        ({"op": "insert", "table": "Root", "row": 5}, "Type mismatch for member 'row'."),
        ({"op": "abort", "x": 1}, "Member 'x' is present but not allowed here."),
        (
            {"op": "insert", "table": "Root", "row": {}, "x": 1, "y": 2},
            "Member 'y' and 1 other member are present but not allowed here.",
        ),
        ({"op": "commit", "durable": 5}, "Type mismatch for member 'durable'."),
        ({"op": "assert", "lock": "1x"}, "Type mismatch for member 'lock'."),
    ],
)
def test_an_operation_that_cannot_be_read_says_which_member_is_wrong(operation: Any, details: str) -> None:
    answer = outcome(operation)
    assert answer["error"] == "syntax error"
    assert answer["details"] == f"Parsing ovsdb operation 1 of 1 failed: {details}"


def test_what_follows_a_failed_operation_is_not_carried_out() -> None:
    client = Engine().client()
    results = client.transact(insert(name="a"), {"op": "abort"}, insert(name="b"))
    assert results[1:] == [{"error": "aborted", "details": "aborted by request"}, None]
    assert client.transact(select("Root")) == [{"rows": []}]


@pytest.mark.parametrize(
    ("mutation", "column", "value"),
    [
        (["num", "+=", 5], "num", 15),
        (["any", "/=", -2], "any", -3),
        (["any", "%=", -4], "any", 3),
        (["nums", "+=", 1], "nums", ["set", [2, 3]]),
        (["nums", "insert", ["set", [2, 9]]], "nums", ["set", [1, 2, 9]]),
        (["nums", "delete", ["set", [1, 5]]], "nums", 2),
        (["tags", "insert", "a"], "tags", ["set", ["a", "t"]]),
        (["map", "insert", ["map", [["k", "new"], ["l", "w"]]]], "map", ["map", [["k", "v"], ["l", "w"]]]),
        (["map", "delete", "k"], "map", ["map", []]),
        (["map", "delete", ["map", [["k", "other"]]]], "map", ["map", [["k", "v"]]]),
    ],
)
def test_mutations(mutation: Any, column: str, value: Any) -> None:
    result = outcome(mutate("Root", [mutation], A), select("Root", A, columns=[column]))
    assert result == {"rows": [{column: value}]}


@pytest.mark.parametrize(
    ("mutation", "error", "details"),
    [
        (["num", "/=", 0], "domain error", "Division by zero."),
        (["any", "*=", 2**62], "range error", 'Result of "*=" operation is out of range.'),
        (["num", "+=", 99], "constraint violation", "109 is not in the valid range 0 to 100 (inclusive)"),
        (["nums", "*=", 0], "constraint violation", 'Result of "*=" operation contains duplicates.'),
        (["nums", "insert", ["set", [3, 4]]], "constraint violation",
         "Attempted to store 4 elements in set of up to 3 integers."),
        (["num", "+", 1], "unknown mutator", "No mutator named +."),
        (["frozen", "insert", "a"], "constraint violation", "Cannot mutate immutable column frozen in table Root."),
        (["name", "+=", "a"], "syntax error",
         'Type mismatch: "+=" operator may not be applied to column name of type string.'),
    ],
)  # fmt: skip
def test_mutations_that_are_refused(mutation: Any, error: str, details: str) -> None:
    answer = outcome(mutate("Root", [mutation], A))
    assert (answer["error"], answer["details"]) == (error, details)


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        (["num", "==", 10], 1),
        (["num", "<", 10], 0),
        (["num", ">=", 10], 1),
        (["nums", "includes", 1], 1),
        (["nums", "includes", ["set", [1, 3]]], 0),
        (["nums", "excludes", ["set", [3, 4, 5, 6, 7]]], 1),
        (["map", "includes", ["map", [["k", "v"]]]], 1),
        (["map", "excludes", ["map", [["k", "v"]]]], 0),
        (["level", "!=", ["set", []]], 0),
        (["level", "<", 5], 0),
        (True, 1),
        (False, 0),
    ],
)
def test_conditions(clause: Any, found: int) -> None:
    assert len(outcome(select("Root", clause))["rows"]) == found


def test_an_index_and_a_uuid_find_uncommitted_rows_too() -> None:
    client = Engine().client()
    results = client.transact(
        insert("Root", "x", name="a"), select("Root", A, columns=["name"]),
        update("Root", {"name": "b"}, ["_uuid", "==", named("x")]), select("Root", A), select("Root", columns=["name"]),
    )  # fmt: skip
    assert results[1:] == [{"rows": [{"name": "a"}]}, {"count": 1}, {"rows": []}, {"rows": [{"name": "b"}]}]


def test_a_row_may_be_inserted_under_a_uuid_of_ones_choice_but_once() -> None:
    operation = {**insert(), "uuid": UUID.upper()}
    client = Engine().client()
    assert client.transact(operation) == [{"uuid": ["uuid", UUID]}]
    assert client.transact(operation)[0]["error"] == "duplicate uuid"
    assert client.transact({**insert(), "uuid": "x"})[0]["details"] == "bad uuid"


def test_a_name_may_be_given_to_one_row_only() -> None:
    assert outcome(insert("Root", "x", name="b"), insert("Root", "x", name="c"))["error"] == "duplicate uuid-name"


def test_immutable_columns_stay() -> None:
    answer = outcome(update("Root", {"frozen": "b"}, A))
    assert answer["details"] == "Cannot update immutable column frozen in table Root."


def test_counts_tell_how_many_rows_were_found() -> None:
    assert outcome(update("Root", {"num": 10}, A)) == {"count": 1}
    assert outcome(delete("Root", ["name", "==", "b"])) == {"count": 0}


def test_a_wait_that_may_not_wait_fails_at_once() -> None:
    wait = {"op": "wait", "table": "Root", "where": [A], "columns": ["name"], "until": "!=", "rows": [{"name": "a"}]}
    assert outcome({**wait, "timeout": 0}) == {"error": "timed out", "details": '"where" clause test failed'}
    assert outcome({**wait, "until": "=="}) == {}
