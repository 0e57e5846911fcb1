import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.incr.engine import Engine, Reader, family
from pyovn.incr.snapshot import Snapshot
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import changed
from tests.incr.model import (
    COLOURS,
    FAMILIES,
    LINES,
    VIEW,
    Port,
    Switch,
    colours,
    engine,
    result,
    runs,
    views,
)


def uuid(kind: str, number: int) -> Uuid:
    return Uuid(f"{kind}{number:07}-0000-0000-0000-000000000000")


def port(number: int, colour: str = "red", up: bool = False, name: str = "") -> Port:
    return Port(uuid=uuid("a", number), name=name or f"p{number}", colour=colour, up=up)


def switch(number: int, *ports: int, name: str = "") -> Switch:
    members = frozenset(uuid("a", each) for each in ports)
    return Switch(uuid=uuid("b", number), name=name or f"s{number}", ports=members)


def network() -> tuple[Snapshot, Engine]:
    rows = Snapshot([switch(1, 1, 2), switch(2, 3), port(1), port(2, "blue"), port(3)])
    running = engine(rows)
    running.run(rows.changes())
    return rows, running


def test_a_first_run_runs_every_unit_once() -> None:
    _, running = network()
    assert runs(running) == {"owners": 2, "colours": 3, "views": 2, "lines": 3, "palette": 3, "twins": 3}
    assert running.facts(VIEW).get(uuid("b", 1)) == ("s1", ("blue", "red"))


def test_nothing_runs_when_nothing_changed() -> None:
    _, running = network()
    running.run({})
    assert runs(running) == {}


def test_only_units_that_read_the_column_run() -> None:
    rows, running = network()
    running.run(rows.put(port(1, up=True)))
    assert set(running.ran()) == {"lines", "palette", "twins"}
    assert running.ran()["lines"] == [uuid("a", 1)]


def test_an_equal_result_stops_the_run() -> None:
    rows, running = network()
    running.run(rows.put(port(4)))
    running.run(rows.put(switch(1, 1, 2, 4)))
    assert "views" not in running.ran(), "the switch has a red port already"
    assert running.ran()["lines"] == [uuid("a", 4)]


def test_a_changed_fact_runs_its_readers() -> None:
    rows, running = network()
    running.run(rows.put(port(1, "green")))
    assert running.ran()["views"] == [uuid("b", 1)]
    assert sorted(running.ran()["lines"]) == [uuid("a", 1), uuid("a", 2)]


def test_rows_that_come_to_match_a_query_run_its_readers() -> None:
    rows, running = network()
    running.run(rows.put(port(3, name="p1")))
    assert sorted(running.ran()["twins"]) == [uuid("a", 1), uuid("a", 3)]


def test_a_deleted_row_takes_its_facts_with_it() -> None:
    rows, running = network()
    running.run(rows.drop(port(2)))
    assert running.facts(COLOURS).get(uuid("b", 1)) == ("red",)
    assert len(list(running.facts(LINES))) == 2


def test_looking_ahead_is_an_error() -> None:
    rows = Snapshot([switch(1)])
    with pytest.raises(TypeError, match="not complete"):
        Engine([views, colours], {Switch: rows, Port: rows}).run(rows.changes())


def test_touched_keys_are_handed_on_once() -> None:
    rows, running = network()
    facts = running.facts(VIEW)
    assert set(facts.take()) == {uuid("b", 1), uuid("b", 2)}
    running.run(rows.put(switch(2, 3, name="other")))
    assert list(facts.take()) == [uuid("b", 2)]
    assert list(facts.take()) == []


def test_an_explanation_names_the_cell_that_changed() -> None:
    rows, running = network()
    running.run(rows.put(port(1, "green")))
    explanation = running.explain("views", uuid("b", 1))
    assert explanation is not None
    assert explanation.cause == (COLOURS, uuid("b", 1))
    assert explanation.reads == ((uuid("b", 1), "name"), (COLOURS, uuid("b", 1)))
    at_rest = running.explain("views", uuid("b", 2))
    assert at_rest is not None
    assert at_rest.cause is None
    assert running.explain("views", uuid("b", 3)) is None


def test_statistics_count_runs_and_equal_runs() -> None:
    rows, running = network()
    running.clear_statistics()
    running.run(rows.put(switch(1, 1, 2)))
    assert running.statistics()["owners"] == (2, 1, 1)
    assert running.statistics()["lines"] == (3, 0, 0)


def test_quiet_columns_run_only_those_who_ask_for_them() -> None:
    rows = Snapshot([port(1), switch(1, 1)])
    running = Engine(FAMILIES, {Switch: rows, Port: rows}, {Port: ("colour",)})
    running.run(rows.changes())
    running.run(rows.put(port(1, "blue")))
    assert "twins" not in running.ran(), "it reads the row, but not this column"
    assert running.ran()["colours"] == [uuid("a", 1)]
    running.run(rows.put(port(1, "blue", up=True)))
    assert running.ran()["twins"] == [uuid("a", 1)]


def test_the_check_finds_and_heals_a_unit_that_read_behind_our_back() -> None:
    rows = Snapshot([switch(1)])
    hidden = ["before"]

    @family(over=Switch, emits=[VIEW])
    def secretive(db: Reader, key: Uuid) -> tuple[object, ...]:
        return ((hidden[0], ()),)

    running = Engine([secretive], {Switch: rows})
    running.run(rows.changes())
    units = running.units()["secretive"].values()
    assert running.check(units) == []
    hidden[0] = "after"
    (discrepancy,) = running.check(units)
    assert (discrepancy.stale, discrepancy.fresh) == ((("before", ()),), (("after", ()),))
    assert running.facts(VIEW).get(uuid("b", 1)) == ("after", ())


small = st.integers(1, 4)
ports = st.builds(port, small, st.sampled_from(["red", "blue"]), st.booleans(), st.sampled_from(["", "p1", "x"]))
switches = st.builds(
    lambda number, members, name: switch(number, *members, name=name),
    small,
    st.frozensets(small),
    st.sampled_from(["", "s1"]),
)
edits = st.lists(st.lists(st.tuples(st.sampled_from(["put", "drop"]), ports | switches), max_size=4), max_size=8)


@given(edits)
def test_incremental_is_from_scratch(history: list[list[tuple[str, Port | Switch]]]) -> None:
    rows = Snapshot()
    running = engine(rows)
    running.run({})
    for step in history:
        before = {cls: dict(rows.rows(cls)) for cls in (Switch, Port)}
        for verb, row in step:
            if verb == "put":
                rows.put(row)
            elif row.uuid in rows.rows(type(row)):
                rows.drop(row)
        after = {cls: rows.rows(cls) for cls in (Switch, Port)}
        changes = {
            cls: {
                key: (before[cls].get(key), after[cls].get(key))
                for key in before[cls].keys() | after[cls].keys()
                if before[cls].get(key) != after[cls].get(key)
            }
            for cls in (Switch, Port)
        }
        running.run(changes)
        fresh = engine(rows)
        fresh.run(rows.changes())
        assert result(running) == result(fresh)
        touched = {key for table in changes.values() for key in table}
        assert set(running.ran().get("owners", ())) <= touched, "owners read nothing but their own rows"
        assert all(runs(running)[name] <= runs(fresh)[name] + len(touched) for name in ("colours", "views", "twins"))
        assert running.check([unit for units in running.units().values() for unit in units.values()]) == []


@given(ports, ports)
def test_a_changed_copy_of_a_row_is_what_the_engine_sees(old: Port, new: Port) -> None:
    rows = Snapshot([old, switch(1, int(old.uuid[1:8]))])
    running = engine(rows)
    running.run(rows.changes())
    running.run(rows.put(changed(new, uuid=old.uuid)))
    fresh = engine(rows)
    fresh.run(rows.changes())
    assert result(running) == result(fresh)
