from collections.abc import Iterable
from typing import Any

import pytest

from pyovn.net.uuids import ZERO, uuid_text
from pyovn.ovsdb.errors import OvsdbError, ProtocolFault
from pyovn.ovsdb.session import (
    Answered,
    Changed,
    Conditions,
    Effect,
    GiveUp,
    Interest,
    Lock,
    Ready,
    SchemaKnown,
    Send,
    Session,
)
from pyovn.tables.nb import NORTHBOUND

COLUMNS = ("name", "model", "connected", "leader", "schema", "cid", "sid", "index")
SERVER_SCHEMA = {
    "name": "_Server",
    "version": "1.2.0",
    "tables": {"Database": {"columns": {name: {"type": "string"} for name in COLUMNS}}},
}
SCHEMA = NORTHBOUND.schema()
OLDER = {**SCHEMA, "tables": {"Logical_Switch": {"columns": {"name": {"type": "string"}}}}}
T1, T2 = uuid_text(1), uuid_text(2)
UNKNOWN = {"error": "unknown method"}


class Play:
    """A conversation with a session: what it asks is collected, and answered by name."""

    def __init__(self, **options: Any) -> None:
        interests = {
            "Logical_Switch": Interest(["name", "ports"]),
            "ACL": Interest(["match"], [["priority", "==", 1]], {"modify": False}),
        }
        self.session = Session("OVN_Northbound", interests, **options)
        self.effects: list[Effect] = []
        self.asked: list[dict[str, Any]] = []

    def do(self, effects: Iterable[Effect]) -> "Play":
        for effect in effects:
            if isinstance(effect, Send):
                self.asked.append(effect.message)
            else:
                self.effects.append(effect)
        return self

    def opened(self) -> "Play":
        self.asked.clear()
        return self.do(self.session.opened())

    def notified(self, method: str, *params: Any) -> "Play":
        return self.do(self.session.received({"id": None, "method": method, "params": list(params)}))

    def answer(self, method: str, result: Any = None, error: Any = None) -> "Play":
        """Answer the oldest request of this method."""
        message = next(each for each in self.asked if each["method"] == method)
        self.asked.remove(message)
        self.last_params = message["params"]
        return self.do(self.session.received({"id": message["id"], "result": result, "error": error}))

    def seen(self) -> list[Effect]:
        seen, self.effects = self.effects, []
        return seen

    def kinds(self) -> list[type[Effect]]:
        return [type(effect) for effect in self.seen()]

    def methods(self) -> list[str]:
        return [message["method"] for message in self.asked]


def database(**columns: Any) -> dict[str, Any]:
    row = {"name": "OVN_Northbound", "model": "standalone", "connected": True, "leader": True, "index": ["set", []]}
    return {"Database": {T1: {"new": row | columns}, T2: {"new": {"name": "_Server"}}}}


def at_schema(**options: Any) -> Play:
    play = Play(**options).opened()
    play.answer("get_schema", SERVER_SCHEMA)
    play.answer("set_db_change_aware", {})
    return play.answer("monitor", database())


def ready(**options: Any) -> Play:
    play = at_schema(**options).answer("get_schema", SCHEMA)
    play.answer("monitor_cond_since", [False, T1, {"Logical_Switch": {T2: {"initial": {"name": "a"}}}}])
    play.seen()
    return play


def test_the_way_to_a_monitored_database() -> None:
    play = at_schema().answer("get_schema", SCHEMA)
    assert play.session.state == "monitor"
    play.answer("monitor_cond_since", [False, T1, {"Logical_Switch": {}}])
    assert play.last_params == [
        "OVN_Northbound",
        ["pyovn", "OVN_Northbound", 1],
        {
            "Logical_Switch": [{"columns": ["name", "ports"]}],
            "ACL": [{"columns": ["match"], "select": {"modify": False}, "where": [["priority", "==", 1]]}],
        },
        ZERO,
    ]
    known, changed, done, settled = play.seen()
    assert isinstance(known, SchemaKnown)
    assert isinstance(changed, Changed)
    assert changed.update.fresh
    assert isinstance(done, Ready)
    assert not done.resumed
    assert isinstance(settled, Conditions)
    assert play.session.is_ready
    assert play.session.last_id == T1


def test_a_server_that_knows_less_is_asked_for_less() -> None:
    play = at_schema().answer("get_schema", OLDER)
    (request,) = play.asked
    assert request["params"][2] == {"Logical_Switch": [{"columns": ["name"]}]}


def test_the_version_of_rows_can_be_monitored_though_no_schema_has_it() -> None:
    play = Play()
    play.session = Session("OVN_Northbound", {"ACL": Interest(["_version"])})
    play.opened().answer("get_schema", error="x").answer("get_schema", SCHEMA)
    assert play.asked[-1]["params"][2] == {"ACL": [{"columns": ["_version"]}]}


def test_servers_without_database_of_their_own_are_taken_as_they_are() -> None:
    play = Play().opened().answer("get_schema", error={"error": "unknown database"})
    play.answer("get_schema", SCHEMA)
    assert play.methods() == ["monitor_cond_since"]
    refusing = Play().opened().answer("get_schema", SERVER_SCHEMA).answer("monitor", error=UNKNOWN)
    assert refusing.session.state == "schema"


def test_an_old_server_is_monitored_the_old_way() -> None:
    play = at_schema().answer("get_schema", SCHEMA).answer("monitor_cond_since", error=UNKNOWN)
    play.answer("monitor_cond", {"ACL": {}})
    assert len(play.last_params) == 3
    play.notified("update2", ["pyovn", "OVN_Northbound", 2], {"ACL": {}})
    assert play.kinds() == [SchemaKnown, Changed, Ready, Conditions, Changed]


def test_the_oldest_server_gets_no_conditions() -> None:
    play = at_schema().answer("get_schema", SCHEMA).answer("monitor_cond_since", error=UNKNOWN)
    play.answer("monitor_cond", error=UNKNOWN).answer("monitor", {"ACL": {}})
    assert "where" not in play.last_params[2]["ACL"][0]
    play.seen()
    play.notified("update", ["pyovn", "OVN_Northbound", 3], {"ACL": {}})
    (changed,) = play.seen()
    assert isinstance(changed, Changed)
    assert not changed.update.is_difference
    assert play.do(play.session.set_condition("ACL", False)).kinds() == [Conditions]


def test_a_server_that_can_not_be_monitored_is_given_up() -> None:
    play = at_schema().answer("get_schema", SCHEMA)
    for method in ("monitor_cond_since", "monitor_cond", "monitor"):
        play.answer(method, error=UNKNOWN)
    assert "refused to monitor OVN_Northbound" in play.effects[-1].reason  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "rows", "reason"),
    [
        ({}, {"Database": {}}, "server does not have OVN_Northbound database"),
        ({}, database(connected=False), "disconnected from its cluster or source"),
        ({"leader_only": True}, database(model="clustered", leader=False), "not cluster leader"),
    ],
)
def test_a_server_that_will_not_do_is_given_up(options: Any, rows: Any, reason: str) -> None:
    play = Play(**options).opened().answer("get_schema", SERVER_SCHEMA).answer("monitor", rows)
    (gave_up,) = play.seen()
    assert isinstance(gave_up, GiveUp)
    assert reason in gave_up.reason


def test_followers_will_do_for_those_who_do_not_insist() -> None:
    play = Play().opened().answer("get_schema", SERVER_SCHEMA)
    play.answer("monitor", database(model="clustered", leader=False, index=5))
    assert play.session.state == "schema"


def test_a_server_whose_database_is_older_than_what_we_saw_is_given_up() -> None:
    play = Play().opened().answer("get_schema", SERVER_SCHEMA)
    play.answer("monitor", database(model="clustered", index=5))
    play.do(play.session.closed()).opened().answer("get_schema", SERVER_SCHEMA)
    play.answer("monitor", database(model="clustered", index=4))
    assert "stale" in play.effects[-1].reason  # type: ignore[attr-defined]


def test_a_server_that_loses_the_leadership_is_given_up() -> None:
    play = ready(leader_only=True)
    change = {"Database": {T1: {"new": database(model="clustered", leader=False)["Database"][T1]["new"]}}}
    assert play.notified("update", ["pyovn", "_Server"], change).kinds() == [GiveUp]
    gone = ready().notified("update", ["pyovn", "_Server"], {"Database": {T1: {"old": {}}}})
    assert gone.kinds() == [GiveUp]


def test_a_database_that_does_not_exist_is_given_up() -> None:
    play = Play().opened().answer("get_schema", error="x").answer("get_schema", error={"error": "unknown database"})
    assert play.kinds() == [GiveUp]


def test_a_reconnected_session_asks_for_what_it_missed() -> None:
    play = ready()
    play.notified("update3", ["pyovn", "OVN_Northbound", 1], T2, {"ACL": {}})
    play.do(play.session.closed()).opened()
    assert not play.session.is_ready
    play.answer("get_schema", SERVER_SCHEMA).answer("monitor", database()).answer("get_schema", SCHEMA)
    play.seen()
    play.answer("monitor_cond_since", [True, T2, {}])
    assert play.last_params[3] == T2
    changed, done, _ = play.seen()
    assert isinstance(changed, Changed)
    assert isinstance(done, Ready)
    assert (changed.update.fresh, done.resumed) == (False, True)


@pytest.mark.parametrize("schema", [OLDER, {**SCHEMA, "version": "9.9.9"}])
def test_with_another_schema_a_reconnected_session_starts_afresh(schema: Any) -> None:
    play = ready()
    play.do(play.session.closed()).opened()
    play.answer("get_schema", SERVER_SCHEMA).answer("monitor", database()).answer("get_schema", schema)
    assert play.asked[-1]["params"][3] == ZERO


def test_a_monitor_that_the_server_ends_is_begun_again() -> None:
    play = ready().notified("monitor_canceled", ["pyovn", "OVN_Northbound", 1])
    play.answer("get_schema", SCHEMA)
    assert play.asked[-1]["params"][1:] == [["pyovn", "OVN_Northbound", 2], play.asked[-1]["params"][2], ZERO]
    late = play.notified("update3", ["pyovn", "OVN_Northbound", 1], T2, {})
    assert late.kinds() == [SchemaKnown]


def test_conditions_change_one_batch_at_a_time() -> None:
    play = ready()
    play.do(play.session.set_condition("ACL", [["priority", "==", 2]]))
    play.do(play.session.set_condition("Logical_Switch", []))
    assert not play.session.conditions_in_force
    play.answer("monitor_cond_change", {})
    assert play.last_params[1:] == [["pyovn", "OVN_Northbound", 1], {"ACL": [{"where": [["priority", "==", 2]]}]}]
    assert play.seen() == []
    play.answer("monitor_cond_change", {})
    assert play.last_params[2] == {"Logical_Switch": [{"where": [False]}]}
    assert play.kinds() == [Conditions]
    assert play.session.conditions_in_force


def test_a_condition_on_a_column_that_the_server_lacks_selects_everything() -> None:
    play = at_schema().answer("get_schema", SCHEMA)
    play.answer("monitor_cond_since", [False, T1, {}])
    play.do(play.session.set_condition("ACL", [["colour", "==", "red"]]))
    assert play.asked[-1]["params"][2] == {"ACL": [{"where": [True]}]}


def test_conditions_set_while_disconnected_are_asked_for_after_what_was_missed() -> None:
    play = ready()
    play.do(play.session.closed()).do(play.session.set_condition("ACL", True)).opened()
    play.answer("get_schema", SERVER_SCHEMA).answer("monitor", database()).answer("get_schema", SCHEMA)
    play.answer("monitor_cond_since", [True, T2, {}])
    assert play.last_params[2]["ACL"][0]["where"] == [["priority", "==", 1]]
    assert play.asked[-1]["params"][2] == {"ACL": [{"where": [True]}]}


def test_cut_off_while_conditions_changed_a_session_starts_afresh_with_the_new_ones() -> None:
    play = ready()
    play.do(play.session.set_condition("ACL", False)).do(play.session.closed()).opened()
    play.answer("get_schema", SERVER_SCHEMA).answer("monitor", database()).answer("get_schema", SCHEMA)
    params = play.asked[-1]["params"]
    assert (params[2]["ACL"][0]["where"], params[3]) == ([False], ZERO)


def test_a_condition_that_the_server_refuses_ends_the_connection() -> None:
    play = ready()
    play.do(play.session.set_condition("ACL", [["priority", "<>", 2]])).answer("monitor_cond_change", error="x")
    assert play.kinds() == [GiveUp]


def test_conditions_on_unmonitored_tables_are_refused() -> None:
    with pytest.raises(OvsdbError, match="NAT is not monitored"):
        list(Play().session.set_condition("NAT", True))


def held(play: Play) -> list[bool]:
    return [effect.held for effect in play.seen() if isinstance(effect, Lock)]


def test_a_lock_comes_and_goes() -> None:
    play = ready(lock="northd")
    assert held(play.answer("lock", {"locked": False})) == []
    assert held(play.notified("locked", "northd")) == [True]
    assert held(play.notified("locked", "another")) == []
    assert held(play.notified("stolen", "northd")) == [False]
    play.notified("locked", "northd")
    assert held(play.do(play.session.closed())) == [True, False]


def test_another_lock_can_be_wanted_or_none() -> None:
    play = ready(lock="one").answer("lock", {"locked": True})
    play.seen()
    assert held(play.do(play.session.set_lock("two"))) == [False]
    assert play.methods() == ["unlock", "lock"]
    play.answer("unlock", {})
    play.do(play.session.set_lock(None))
    play.do(play.session.steal_lock("three")).answer("steal", {"locked": True})
    assert held(play) == [True]
    closed = Play()
    assert closed.do(closed.session.set_lock("x")).do(closed.session.steal_lock("y")).methods() == []


def test_a_lock_that_is_refused_is_a_fault() -> None:
    play = ready(lock="one")
    with pytest.raises(ProtocolFault):
        play.answer("lock", error="no locks here")


def test_the_server_is_answered() -> None:
    play = ready()
    play.do(play.session.received({"id": "e", "method": "echo", "params": [1]}))
    play.do(play.session.received({"id": "f", "method": "dance", "params": []}))
    assert play.asked == [
        {"id": "e", "result": [1], "error": None},
        {"id": "f", "result": None, "error": "unknown method"},
    ]


def test_answers_find_those_who_asked() -> None:
    play = ready()
    id_ = play.session.new_id()
    play.do(play.session.received({"id": id_, "result": {"x": 1}, "error": None}))
    (answer,) = play.seen()
    assert isinstance(answer, Answered)
    assert (answer.id, answer.result, answer.error) == (id_, {"x": 1}, None)
    play.do(play.session.received({"id": id_, "result": {}, "error": None}))
    play.do(play.session.received({"id": ["odd"], "result": {}, "error": None}))
    assert play.seen() == []


def test_notifications_that_are_none_of_ours_are_ignored() -> None:
    assert ready().notified("dance").notified("locked", "x").seen() == []


@pytest.mark.parametrize("params", [[], ["x"], [1, 2], [["pyovn", "OVN_Northbound", 1], {}, {}]])
def test_updates_that_make_no_sense_are_refused(params: list[Any]) -> None:
    with pytest.raises(ProtocolFault):
        ready().notified("update3", *params)


@pytest.mark.parametrize(
    ("before", "method", "result"),
    [
        (lambda: Play().opened(), "get_schema", {"name": "_Server", "version": "1.0.0", "tables": {}}),
        (lambda: Play().opened(), "get_schema", 5),
        (lambda: Play().opened().answer("get_schema", SERVER_SCHEMA), "monitor", {"Database": [1]}),
        (lambda: at_schema().answer("get_schema", SCHEMA), "monitor_cond_since", {}),
        (lambda: at_schema(), "get_schema", {"name": "x"}),
    ],
)
def test_answers_that_make_no_sense_are_refused(before: Any, method: str, result: Any) -> None:
    with pytest.raises(OvsdbError):
        before().answer(method, result)
