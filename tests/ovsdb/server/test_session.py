"""Conversations: monitors, locks, waiting transactions, and what is answered to nonsense."""

from typing import Any

import orjson
import pytest

from pyovn.ovsdb.errors import ProtocolFault
from tests.ovsdb.server.engine import Client, Engine, delete, insert, named, select, update
from tests.support.rich_schema import RICH

ZERO = "00000000-0000-0000-0000-000000000000"
A = ["name", "==", "a"]


def pair() -> tuple[Client, Client]:
    """Somebody who acts, and somebody who listens."""
    engine = Engine()
    return engine.client(), engine.client()


def uuid_of(result: Any) -> str:
    return str(result["uuid"][1])


def monitor(client: Client, method: str, request: Any, *more: Any) -> Any:
    return client.call(method, "Rich", "m", {"Root": [request]}, *more)


def test_monitor_tells_old_and_new_values() -> None:
    actor, listener = pair()
    uuid = uuid_of(actor.transact(insert(name="a", num=1))[0])
    assert monitor(listener, "monitor", {"columns": ["name", "num"]}) == {
        "Root": {uuid: {"new": {"name": "a", "num": 1}}}
    }
    actor.transact(update("Root", {"num": 2}, A))
    actor.transact(update("Root", {"any": 2}, A))
    actor.transact(delete("Root"))
    changed, deleted = listener.sent()
    assert changed["method"] == "update"
    assert changed["params"] == ["m", {"Root": {uuid: {"old": {"num": 1}, "new": {"name": "a", "num": 2}}}}]
    assert deleted["params"] == ["m", {"Root": {uuid: {"old": {"name": "a", "num": 2}}}}]


def test_monitor_cond_tells_differences_of_sets_and_maps() -> None:
    actor, listener = pair()
    uuid = uuid_of(actor.transact(insert(name="a", tags=["set", ["x", "y"]], map=["map", [["k", "v"], ["l", "w"]]]))[0])
    initial = monitor(listener, "monitor_cond", {"columns": ["name", "tags", "map", "level"]})
    assert initial["Root"][uuid]["initial"] == {
        "name": "a", "tags": ["set", ["x", "y"]], "map": ["map", [["k", "v"], ["l", "w"]]],
    }  # fmt: skip
    row = {"tags": ["set", ["y", "z"]], "map": ["map", [["k", "new"], ["n", "1"]]], "level": 5}
    actor.transact(update("Root", row, A))
    (update2,) = listener.sent()
    assert update2["method"] == "update2"
    assert update2["params"][1]["Root"][uuid]["modify"] == {
        "tags": ["set", ["x", "z"]], "map": ["map", [["k", "new"], ["l", "w"], ["n", "1"]]], "level": 5,
    }  # fmt: skip


def test_conditions_make_rows_come_and_go() -> None:
    actor, listener = pair()
    uuid = uuid_of(actor.transact(insert(name="a", num=1))[0])
    assert monitor(listener, "monitor_cond", {"columns": ["name", "num"], "where": [["num", ">", 5]]}) == {}
    for num in (6, 7, 2):
        actor.transact(update("Root", {"num": num}))
    news = [message["params"][1]["Root"][uuid] for message in listener.sent()]
    assert news == [{"insert": {"name": "a", "num": 6}}, {"modify": {"num": 7}}, {"delete": None}]


def test_one_of_several_clauses_is_enough_for_a_monitor() -> None:
    actor, listener = pair()
    actor.transact(insert(name="a", num=1), insert(name="b", num=2), insert(name="c", num=3))
    request = {"columns": ["name"], "where": [["name", "==", "a"], ["name", "==", "b"], ["num", ">", 2]]}
    assert len(monitor(listener, "monitor_cond", request)["Root"]) == 3


def test_a_changed_condition_brings_and_takes_rows_before_the_answer() -> None:
    actor, listener = pair()
    a, b = map(uuid_of, actor.transact(insert(name="a", num=1), insert(name="b", num=2)))
    monitor(listener, "monitor_cond_since", {"columns": ["name"], "where": [["num", "==", 1]]}, ZERO)
    assert listener.call("monitor_cond_change", "m", "n", {"Root": [{"where": [["num", "==", 2]]}]}) == {}
    (update3,) = listener.before
    assert update3["method"] == "update3"
    assert update3["params"][0] == "n"
    assert update3["params"][2] == {"Root": {a: {"delete": None}, b: {"insert": {"name": "b"}}}}
    actor.transact(update("Root", {"name": "c"}, ["num", "==", 1]))
    assert listener.sent() == []


def test_monitor_cond_since_tells_only_what_was_missed() -> None:
    engine = Engine()
    actor, listener = engine.client(), engine.client()
    actor.transact(insert(name="a"))
    found, last_id, _ = monitor(listener, "monitor_cond_since", {"columns": ["name", "num"]}, ZERO)
    assert not found
    listener.session.close()
    b = uuid_of(actor.transact(insert(name="b"))[0])
    actor.transact(update("Root", {"num": 3}, ["name", "==", "b"]))
    actor.transact(insert(name="gone"))
    actor.transact(delete("Root", ["name", "==", "gone"]))
    again = engine.client()
    found, newest, missed = monitor(again, "monitor_cond_since", {"columns": ["name", "num"]}, last_id)
    assert (found, missed) == (True, {"Root": {b: {"insert": {"name": "b", "num": 3}}}})
    assert newest != last_id
    found, _, missed = monitor(engine.client(), "monitor_cond_since", {"columns": ["name"]}, newest)
    assert (found, missed) == (True, {})


def test_updates_come_before_the_answer_to_what_caused_them() -> None:
    client = Engine().client()
    monitor(client, "monitor", {"columns": ["name"]})
    client.transact(insert(name="a"))
    assert [message["method"] for message in client.before] == ["update"]


def test_clients_that_ask_the_same_share_one_view() -> None:
    engine = Engine()
    clients = [engine.client() for _ in range(3)]
    for client in clients:
        monitor(client, "monitor_cond", {"columns": ["name"]})
    assert len({id(next(iter(client.session.subscriptions.values())).view) for client in clients}) == 1
    clients[0].session.close()
    engine.client().transact(insert(name="a"))
    assert [len(client.sent()) for client in clients] == [0, 1, 1]


def test_a_congested_client_gets_the_difference_in_one_piece_afterwards() -> None:
    actor, listener = pair()
    a, gone = map(uuid_of, actor.transact(insert(name="a", tags="x"), insert(name="gone")))
    monitor(listener, "monitor_cond", {"columns": ["name", "num", "tags"]})
    listener.session.congested = True
    for number in range(5):
        actor.transact(update("Root", {"num": number, "tags": str(number)}, A))
    new = uuid_of(actor.transact(insert(name="new"))[0])
    actor.transact(delete("Root", ["name", "==", "gone"]))
    actor.transact(insert(name="passing"))
    actor.transact(delete("Root", ["name", "==", "passing"]))
    assert listener.sent() == []
    listener.session.uncongested()
    (message,) = listener.sent()
    assert message["params"][1]["Root"] == {
        a: {"modify": {"num": 4, "tags": ["set", ["4", "x"]]}},
        gone: {"delete": None},
        new: {"insert": {"name": "new"}},
    }


@pytest.mark.parametrize(
    ("params", "error"),
    [
        (["monitor"], "monitor request params must begin with <db-name>"),
        (["monitor", "nope", None, {}], "monitor request specifies unknown database nope"),
        (["monitor", "Rich"], "invalid parameters"),
        (["monitor", "Rich", None, 5], "monitor-requests must be object"),
        (["monitor", "Rich", None, {"Nope": {}}], "no table named Nope"),
        (["monitor", "Rich", None, {"Root": {"columns": ["nope"]}}], "nope is not a valid column name"),
        (
            ["monitor", "Rich", None, {"Root": {"foo": 5}}],
            "Parsing table Root failed: Member 'foo' is present but not allowed here.",
        ),
        (["monitor_cond", "Rich", 1, {"Root": [{"where": [5]}]}], "Parse error in condition."),
        (["monitor_cond_since", "Rich", 1, {}, 5], "last-txn-id must be string"),
        (["monitor_cond_change", 1, 1, {}], "unknown monitor session"),
        (["get_schema", "nope"], "get_schema request specifies unknown database nope"),
        (["lock", "1x"], "lock request params must be <id>"),
        (["unlock", "x"], 'unlock: "unlock" without "lock" or "steal"'),
        (["set_db_change_aware", 5], "set_db_change_aware: true or false parameter expected"),
        (["transact", 5], "transact request params must begin with <db-name>"),
    ],
)  # fmt: skip
def test_requests_that_make_no_sense_are_refused(params: list[Any], error: str) -> None:
    assert Engine().client().call(*params)["details"] == error


def test_unknown_methods_and_monitors_are_refused() -> None:
    client = Engine().client()
    assert client.call("foo") == "unknown method"
    assert client.call("monitor_cancel", "x") == "unknown monitor"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"id": 1},
        {"id": 1, "method": 5, "params": []},
        {"id": 1, "method": "echo"},
        {"id": 1, "method": "echo", "params": {}},
        {"id": 7, "result": 1},
    ],
)
def test_what_is_no_message_ends_the_conversation(message: Any) -> None:
    with pytest.raises(ProtocolFault):
        Engine().client().session.handle(message)


def test_a_lock_goes_to_the_next_in_line() -> None:
    engine = Engine()
    first, second, third = (engine.client() for _ in range(3))
    assert first.call("lock", "l") == {"locked": True}
    assert second.call("lock", "l") == {"locked": False}
    assert first.transact({"op": "assert", "lock": "l"}) == [{}]
    assert second.transact({"op": "assert", "lock": "l"})[0]["error"] == "not owner"
    assert third.call("steal", "l") == {"locked": True}
    assert [message["method"] for message in first.sent()] == ["stolen"]
    third.session.close()
    assert [message["method"] for message in first.sent()] == ["locked"]
    assert first.call("unlock", "l") == {}
    assert [message["method"] for message in second.sent()] == ["locked"]


def waiting(timeout: int | None = None) -> Any:
    wait = {"op": "wait", "table": "Root", "where": [A], "columns": ["name"], "until": "==", "rows": [{"name": "a"}]}
    return wait if timeout is None else {**wait, "timeout": timeout}


def test_a_wait_ends_when_another_client_makes_it_true() -> None:
    actor, waiter = pair()
    id = waiter.request("transact", "Rich", waiting(), insert("Single", x=1))
    actor.transact(insert("Other", must=named("r")), insert("Root", "r", name="b"))
    assert waiter.sent() == []
    actor.transact(insert(name="a"))
    (answer,) = waiter.sent()
    assert answer["id"] == id
    assert answer["result"][0] == {}
    assert len(actor.transact(select("Single"))[0]["rows"]) == 1


def test_a_wait_ends_when_its_time_is_up() -> None:
    engine = Engine()
    waiter = engine.client()
    waiter.request("transact", "Rich", waiting(50))
    assert engine.server.deadline_ms == 50
    engine.server.now_ms = 50
    engine.server.expire()
    (answer,) = waiter.sent()
    assert answer["result"] == [{"error": "timed out", "details": '"wait" timed out after 50 ms'}]
    assert engine.server.deadline_ms is None


def test_a_waiting_transaction_can_be_canceled_and_its_id_is_taken() -> None:
    waiter = Engine().client()
    id = waiter.request("transact", "Rich", waiting())
    waiter.session.handle({"id": id, "method": "transact", "params": ["Rich"]})
    waiter.session.handle({"id": None, "method": "cancel", "params": [id]})
    duplicate, canceled = waiter.sent()
    assert duplicate["error"]["details"] == "transact: duplicate request ID"
    assert (canceled["id"], canceled["error"]) == (id, "canceled")


def test_one_waiting_transaction_may_free_another() -> None:
    engine = Engine()
    actor, first, second = (engine.client() for _ in range(3))
    second.request("transact", "Rich", {**waiting(), "table": "Kid"}, {"op": "comment", "comment": "x"})
    first.request("transact", "Rich", waiting(), insert("Kid", "k", name="a"), insert(name="holder", kid=named("k")))
    actor.transact(insert(name="a"))
    assert len(first.sent()) == len(second.sent()) == 1


def test_the_server_describes_its_databases() -> None:
    engine = Engine()
    client = engine.client()
    assert client.call("list_dbs") == ["Rich", "_Server"]
    rows = client.call(
        "transact", "_Server", select("Database", columns=["name", "model", "connected", "leader", "cid"])
    )
    assert {row["name"]: (row["model"], row["connected"], row["leader"], row["cid"]) for row in rows[0]["rows"]} == {
        name: ("standalone", True, True, ["set", []]) for name in ("Rich", "_Server")
    }
    assert client.call("get_schema", "Rich")["tables"].keys() == {"Root", "Kid", "Other", "Single"}
    assert client.call("get_server_id") == engine.server.id


def test_the_servers_own_database_is_read_only() -> None:
    answer = Engine().client().call("transact", "_Server", delete("Database"))
    assert answer[0]["error"] == "not allowed"
    assert answer[0]["details"] == "delete operation not allowed when database server is in read only mode"


def test_a_removed_database_ends_its_monitors_and_waits() -> None:
    engine = Engine()
    client, waiter = engine.client(), engine.client()
    monitor(client, "monitor", {"columns": ["name"]})
    waiter.request("transact", "Rich", waiting())
    engine.server.remove_database("Rich")
    assert [(message["method"], message["params"]) for message in client.sent()] == [("monitor_canceled", ["m"])]
    assert waiter.sent()[0]["error"] == "canceled"
    assert client.call("list_dbs") == ["_Server"]


def test_any_json_is_echoed() -> None:
    params = [1, 2.5, "ü", None, {"a": [True]}]
    assert orjson.dumps(Engine().client().call("echo", *params)) == orjson.dumps(params)


def changed_schema(**tables: Any) -> Any:
    return {**RICH, "version": "1.3.0", "tables": {**RICH["tables"], **tables}}


def test_a_conversion_keeps_what_both_schemas_have() -> None:
    engine = Engine()
    client = engine.client()
    client.call("set_db_change_aware", True)
    client.transact(insert(name="a", tags="x", kid=named("k")), insert("Kid", "k", name="k"))
    monitor(client, "monitor_cond", {"columns": ["name"]})
    columns = {name: column for name, column in RICH["tables"]["Root"]["columns"].items() if name != "tags"}
    schema = changed_schema(Root={**RICH["tables"]["Root"], "columns": {**columns, "new": {"type": "integer"}}})
    unaware = engine.client()
    assert client.call("convert", "Rich", schema) == {}
    assert [message["method"] for message in client.before] == ["monitor_canceled"]
    assert (unaware.session.ending, client.session.ending) == (True, False)
    assert client.transact(select("Root", columns=["name", "new"])) == [{"rows": [{"name": "a", "new": 0}]}]
    assert client.transact(select("Kid", columns=["name"])) == [{"rows": [{"name": "k"}]}]
    assert client.call("get_schema", "Rich")["version"] == "1.3.0"
    assert client.transact(insert(name="a"))[-1]["error"] == "constraint violation"


def test_a_conversion_is_told_to_those_who_watch_the_server() -> None:
    client = Engine().client()
    client.call("set_db_change_aware", True)
    before = client.call("monitor", "_Server", "s", {"Database": {"columns": ["name", "schema"]}})["Database"]
    assert client.call("convert", "Rich", changed_schema()) == {}
    (update,) = (message["params"][1]["Database"] for message in client.before)
    ((uuid, change),) = update.items()
    assert before[uuid]["new"] == {"name": "Rich", **change["old"]}
    assert '"version":"1.3.0"' in change["new"]["schema"]


def test_a_conversion_that_does_not_fit_changes_nothing() -> None:
    client = Engine().client()
    client.transact(insert(name="a"))
    wrong = changed_schema(Root={"isRoot": True, "columns": {"name": {"type": "integer"}}})
    wrong["tables"] = {"Root": wrong["tables"]["Root"]}
    assert client.call("convert", "Rich", wrong)["details"] == "expected integer"
    assert client.call("convert", "Rich", {**RICH, "name": "Poor"})["error"] == "invalid parameters"
    assert client.call("convert", "Rich", {})["error"] == "syntax error"
    assert client.transact(select("Root", columns=["name"])) == [{"rows": [{"name": "a"}]}]
