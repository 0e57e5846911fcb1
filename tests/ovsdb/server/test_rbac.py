"""Roles: what restricted clients may write, and what they are told when they may not."""

from typing import Any

import pytest

from tests.ovsdb.server.engine import Client, Engine, delete, insert, mutate, select, update

Json = Any
TEXT = {"type": "string"}
TEXTS = {"type": {"key": "string", "min": 0, "max": "unlimited"}}
PAIRS = {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}
PERMISSIONS = {"key": "string", "value": {"type": "uuid", "refTable": "RBAC_Permission", "refType": "weak"}}
GUARDED = {
    "name": "Guarded",
    "version": "1.0.0",
    "tables": {
        "Own": {"columns": {"owner": TEXT, "free": TEXT, "fixed": TEXT, "ids": PAIRS}},
        "Keyed": {"columns": {"ids": PAIRS, "free": TEXT}},
        "Public": {"columns": {"free": TEXTS, "fixed": TEXT}},
        "Closed": {"columns": {"free": TEXT}},
        "RBAC_Role": {
            "columns": {"name": TEXT, "permissions": {"type": {**PERMISSIONS, "min": 0, "max": "unlimited"}}},
            "indexes": [["name"]],
        },
        "RBAC_Permission": {
            "columns": {"table": TEXT, "authorization": TEXTS, "insert_delete": {"type": "boolean"}, "update": TEXTS}
        },
    },
}


def permission(table: str, authorization: str, *columns: str, insert_delete: bool = True) -> Json:
    row = {"table": table, "authorization": authorization, "insert_delete": insert_delete, "update": ["set", columns]}
    return insert("RBAC_Permission", table, **row)


@pytest.fixture
def engine() -> Engine:
    made = Engine(GUARDED)
    permissions = ["map", [[table, ["named-uuid", table]] for table in ("Own", "Keyed", "Public")]]
    made.client().transact(
        permission("Own", "owner", "free", "ids"),
        permission("Keyed", "ids:owner", "free"),
        permission("Public", "", "free", insert_delete=False),
        insert("RBAC_Role", name="guest", permissions=permissions),
        insert("Own", owner="me", free="a"),
        insert("Own", owner="you", free="b"),
        insert("Keyed", ids=["map", [["owner", "me"]]]),
        insert("Keyed", ids=["map", [["other", "me"]]]),
        insert("Public"),
        insert("Closed"),
    )
    return made


def guest(engine: Engine, name: str | None = "me", role: str = "guest") -> Client:
    client = engine.client()
    client.session.role, client.session.identity = role, name
    return client


@pytest.fixture
def client(engine: Engine) -> Client:
    return guest(engine)


MINE, YOURS = ["owner", "==", "me"], ["owner", "==", "you"]
IDS = ["ids", "includes", ["map", [["owner", "me"]]]]


@pytest.mark.parametrize(
    "operation",
    [
        insert("Own", owner="me", fixed="x"),
        update("Own", {"free": "x"}, MINE),
        update("Own", {"fixed": "x"}, ["owner", "==", "nobody"]),
        update("Own", {}, MINE),
        mutate("Own", [["ids", "insert", ["map", [["a", "b"]]]]], MINE),
        mutate("Closed", []),
        delete("Own", MINE),
        delete("Public", ["fixed", "==", "nothing"]),
        update("Keyed", {"free": "x"}, IDS),
        insert("Keyed", ids=["map", [["owner", "me"]]]),
        update("Public", {"free": "x"}),
        select("Closed"),
        {"op": "wait", "table": "Closed", "where": [], "columns": ["free"], "until": "==", "rows": [{"free": ""}]},
    ],
)
def test_a_role_allows(client: Client, operation: Json) -> None:
    (result,) = client.transact(operation)
    assert "error" not in result


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        (insert("Own", owner="you"), "row insertion into"),
        (insert("Public"), "row insertion into"),
        (insert("Closed"), "row insertion into"),
        (update("Own", {"free": "x"}), "modification of"),
        (update("Own", {"free": "x"}, YOURS), "modification of"),
        (update("Own", {"free": "x", "fixed": "x"}, MINE), "modification of"),
        (update("Own", {"owner": "me"}, MINE), "modification of"),
        (update("Closed", {}, ["free", "==", "nothing"]), "modification of"),
        (update("Keyed", {"free": "x"}), "modification of"),
        (mutate("Own", [["ids", "insert", ["map", [["a", "b"]]]]], YOURS), "mutate operation on"),
        (mutate("Public", [["free", "insert", "x"]]), None),
        (mutate("RBAC_Role", [["permissions", "delete", ["map", []]]]), "mutate operation on"),
        (delete("Own"), "row deletion from"),
        (delete("Public"), "row deletion from"),
        (delete("Closed", ["free", "==", "nothing"]), "row deletion from"),
    ],
)
def test_a_role_forbids(client: Client, operation: Json, what: str | None) -> None:
    (result,) = client.transact(operation)
    if what is None:
        assert "error" not in result
        return
    details = f'RBAC rules for client "me" role "guest" prohibit {what} table "{operation["table"]}".'
    assert result == {"error": "permission error", "details": details}


@pytest.mark.parametrize(("name", "role"), [(None, "guest"), ("me", "stranger")])
def test_who_is_not_known_may_only_read(engine: Engine, name: str | None, role: str) -> None:
    client = guest(engine, name, role)
    (result,) = client.transact(update("Public", {"free": "x"}))
    assert result["error"] == "permission error"
    assert f'client "{name or "(null)"}" role "{role}"' in result["details"]
    assert "rows" in client.transact(select("Public"))[0]


def test_where_there_are_no_roles_a_role_may_only_read() -> None:
    engine = Engine()
    (result,) = guest(engine).transact(insert(name="a"))
    assert result["error"] == "permission error"


def test_only_administrators_convert(client: Client) -> None:
    answer = client.call("convert", "Guarded", GUARDED)
    assert answer["error"] == "permission error"
    assert answer["details"].endswith(
        'prohibit "convert" of database Guarded (only the root role may convert databases)'
    )


def test_a_read_only_client_in_a_role_hears_of_the_role_first(client: Client) -> None:
    client.session.read_only = True
    assert client.transact(update("Closed", {"free": "x"}))[0]["error"] == "permission error"
    assert client.transact(update("Public", {"free": "x"}))[0]["error"] == "not allowed"


def test_a_role_that_changes_holds_at_once(engine: Engine, client: Client) -> None:
    assert "error" in client.transact(insert("Public"))[0]
    engine.client().transact(update("RBAC_Permission", {"insert_delete": True}, ["table", "==", "Public"]))
    assert "uuid" in client.transact(insert("Public"))[0]
