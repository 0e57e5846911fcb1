"""The law of monitors: what a client makes of its updates is what the server shows it, whatever happened between."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.ovsdb.server.conditions import any_of, read_clause
from tests.ovsdb.server.engine import Client, Engine, delete, insert, mutate, named, update

Json = Any
ZERO = "00000000-0000-0000-0000-000000000000"
COLUMNS = ["name", "num", "tags", "map", "level", "kid", "peers", "pair"]
DEFAULTS = {
    "name": "", "num": 0, "tags": ["set", []], "map": ["map", []], "level": ["set", []], "kid": ["set", []],
    "peers": ["set", []], "pair": 0,
}  # fmt: skip

names = st.sampled_from("abcd")
tags = st.lists(st.sampled_from("uvwxyz"), unique=True).map(lambda members: ["set", members])
maps = st.dictionaries(st.sampled_from("klm"), st.sampled_from("12")).map(lambda d: ["map", [*map(list, d.items())]])
by_name = names.map(lambda name: ["name", "==", name])
new_values = st.fixed_dictionaries(
    {},
    optional={
        "num": st.integers(0, 9), "tags": tags, "map": maps, "level": st.sampled_from([1, 5, ["set", []]]),
        "kid": st.just(["set", []]), "pair": st.sampled_from([3, ["set", [0, 3]], ["set", [3, 4]]]),
    },
)  # fmt: skip
operations = st.one_of(
    st.builds(lambda name, num: insert(name=name, num=num), names, st.integers(0, 9)),
    st.builds(lambda row, where: update("Root", row, where), new_values, by_name),
    st.builds(lambda tag, where: mutate("Root", [["tags", "insert", tag]], where), st.sampled_from("uv"), by_name),
    st.builds(lambda where: delete("Root", where), by_name),
    st.builds(lambda num: update("Root", {"num": num}), st.integers(0, 9)),
)
transactions = st.one_of(
    st.lists(operations, min_size=1, max_size=4),
    names.map(lambda name: [insert("Kid", "k", name=name), update("Root", {"kid": named("k")}, ["name", "==", name])]),
    st.just([insert("Root", "r", name="z"), update("Root", {"peers": named("r")}, ["name", "!=", "z"])]),
)
conditions = st.lists(
    st.one_of(
        st.integers(0, 9).map(lambda num: ["num", "==", num]),
        st.integers(0, 9).map(lambda num: ["num", "<", num]),
        st.sampled_from("uv").map(lambda tag: ["tags", "includes", tag]),
        st.just(False),
    ),
    max_size=3,
)
steps = st.lists(
    st.one_of(
        transactions.map(lambda each: ("transact", each)),
        conditions.map(lambda where: ("change", where)),
        st.just(("congest", None)),
        st.just(("relieve", None)),
        st.just(("reconnect", None)),
    ),
    max_size=12,
)


class Watcher:
    """A client with one monitor, and the rows that it believes in, in wire form."""

    def __init__(self, engine: Engine, method: str, where: Json) -> None:
        self._engine = engine
        self.method = method
        self.where = where
        self.rows: dict[str, dict[str, Json]] = {}
        self.returned = False
        self._last_id = ZERO
        self._client: Client
        self.connect()

    def connect(self) -> None:
        self._client = self._engine.client()
        request = {"columns": COLUMNS} if self.method == "monitor" else {"columns": COLUMNS, "where": self.where}
        more = [self._last_id] if self.method == "monitor_cond_since" else []
        result = self._client.call(self.method, "Rich", "m", {"Root": [request]}, *more)
        if self.method == "monitor_cond_since":
            found, self._last_id, result = result
            self.rows = self.rows if found else {}
        else:
            self.rows = {}
        self._apply(result)

    def reconnect(self) -> None:
        """Go away and come back; meanwhile a message may have been lost."""
        self._client.session.close()
        self.returned = True
        self.connect()
        self.returned = False

    def change(self, where: Json) -> None:
        if self.method != "monitor":
            self.where = where
            self._client.request("monitor_cond_change", "m", "m", {"Root": [{"where": where}]})

    def congest(self) -> None:
        self._client.session.congested = True

    def relieve(self) -> None:
        self._client.session.uncongested()

    def read(self) -> None:
        for message in self._client.sent():
            if message.get("method") == "update3":
                self._last_id = message["params"][1]
            if "method" in message:
                self._apply(message["params"][-1])

    def _apply(self, updates: Json) -> None:
        for uuid, news in updates.get("Root", {}).items():
            for kind, row in news.items():
                getattr(self, f"_{kind}")(uuid, row)

    def _new(self, uuid: str, row: Json) -> None:
        self.rows[uuid] = row

    def _old(self, uuid: str, row: Json) -> None:
        believed = self.rows.pop(uuid)
        assert {name: believed[name] for name in row} == row

    def _initial(self, uuid: str, row: Json) -> None:
        self.rows[uuid] = DEFAULTS | row

    def _insert(self, uuid: str, row: Json) -> None:
        assert uuid not in self.rows
        self.rows[uuid] = DEFAULTS | row

    def _delete(self, uuid: str, _row: None) -> None:
        # Who comes back under another condition may hear of the end of rows that it never saw.
        assert uuid in self.rows or self.returned
        self.rows.pop(uuid, None)

    def _modify(self, uuid: str, row: Json) -> None:
        column = self._engine.database.tables["Root"].by_name
        for name, difference in row.items():
            if name in ("level", "kid", "num", "name"):
                self.rows[uuid][name] = difference
            elif name == "map":
                self.rows[uuid][name] = ["map", _pairs(self.rows[uuid][name][1], difference[1])]
            else:
                toggled = _members(self.rows[uuid][name]) ^ _members(difference)
                atoms = sorted(toggled)
                self.rows[uuid][name] = _wire_set(atoms, is_uuid=column[name].type.key.type == "uuid")


def _members(json: Json) -> set[Json]:
    atoms = json[1] if isinstance(json, list) and json[0] == "set" else [json]
    return {atom[1] if isinstance(atom, list) else atom for atom in atoms}


def _wire_set(atoms: list[Json], *, is_uuid: bool) -> Json:
    wired = [["uuid", atom] if is_uuid else atom for atom in atoms]
    return wired[0] if len(wired) == 1 else ["set", wired]


def _pairs(old: Json, difference: Json) -> Json:
    pairs = dict(old)
    for key, value in difference:
        if pairs.get(key) == value:
            del pairs[key]
        else:
            pairs[key] = value
    return [list(pair) for pair in sorted(pairs.items())]


def shown(engine: Engine, where: Json) -> dict[str, dict[str, Json]]:
    """What a monitor should show, looked up directly."""
    table = engine.database.tables["Root"]
    passes = any_of([read_clause(table, clause, None) for clause in where])
    rows = [row for row in table.rows.values() if passes is None or passes(row)]
    columns = [table.by_name[name] for name in COLUMNS]
    plain = engine.client().transact({"op": "select", "table": "Root", "where": [], "columns": ["_uuid", *COLUMNS]})
    by_uuid = {row.pop("_uuid")[1]: row for row in plain[0]["rows"]}
    assert all(column.place for column in columns)
    return {row[0]: by_uuid[row[0]] for row in rows}


@settings(max_examples=150)
@given(steps=steps, where=conditions)
def test_what_a_client_believes_is_what_the_server_shows(steps: Json, where: Json) -> None:
    engine = Engine()
    actor = engine.client()
    actor.transact(insert(name="a", tags=["set", ["u", "v"]]), insert(name="b", num=4, map=["map", [["k", "1"]]]))
    watchers = [
        Watcher(engine, "monitor", []),
        Watcher(engine, "monitor_cond", where),
        Watcher(engine, "monitor_cond_since", where),
    ]
    for kind, argument in [*steps, ("relieve", None)]:
        if kind == "transact":
            actor.transact(*argument)
        for watcher in watchers:
            if kind == "change":
                watcher.change(argument)
            elif kind != "transact":
                getattr(watcher, kind)()
            watcher.read()
    for watcher in watchers:
        assert watcher.rows == shown(engine, watcher.where if watcher.method != "monitor" else []), watcher.method


def test_a_condition_that_is_the_same_again_changes_nothing() -> None:
    engine = Engine()
    watcher = Watcher(engine, "monitor_cond", [])
    for _ in range(2):
        watcher.change([])
    engine.client().transact(insert(name="a"))
    watcher.read()
    assert [row["name"] for row in watcher.rows.values()] == ["a"]
