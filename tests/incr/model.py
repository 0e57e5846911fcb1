"""A small network to compute over: switches own ports, ports have colours, colours are switched on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from pyovn.incr.engine import Engine, Family, Reader, family
from pyovn.incr.relation import Bag, Single
from pyovn.incr.snapshot import Snapshot
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import Database, Row, table


@table("Switch")
class Switch(Row):
    name: str
    ports: frozenset[Uuid]
    options: Mapping[str, str]


@table("Port")
class Port(Row):
    name: str
    colour: str
    up: bool


DATABASE = Database("Test", "1.0.0", (Switch, Port))

OWNER: Bag[Uuid, Uuid] = Bag("owner")
COLOURS: Bag[Uuid, str] = Bag("colours")
VIEW: Single[Uuid, tuple[str, tuple[str, ...]]] = Single("view")
LINES: Bag[str, Uuid] = Bag("lines")
PALETTE: Single[str, int] = Single("palette")
TWINS: Single[Uuid, int] = Single("twins")


@family(over=Switch, emits=[OWNER])
def owners(db: Reader, uuid: Uuid) -> tuple[object, ...]:
    row = db.row(Switch, uuid)
    assert row is not None
    return (tuple((port, uuid) for port in row.ports),)


@family(over=Port, emits=[COLOURS])
def colours(db: Reader, uuid: Uuid) -> tuple[object, ...]:
    colour = db.column(Port, uuid, "colour")
    return (tuple((switch, colour) for switch in db.look(OWNER, uuid)),)


@family(over=Switch, emits=[VIEW])
def views(db: Reader, uuid: Uuid) -> tuple[object, ...]:
    return ((db.column(Switch, uuid, "name"), db.look(COLOURS, uuid)),)


@family(over=Port, emits=[LINES])
def lines(db: Reader, uuid: Uuid) -> tuple[object, ...]:
    row = db.row(Port, uuid)
    assert row is not None
    shown = [f"{row.name} {row.up} {db.look(VIEW, switch)}" for switch in db.look(OWNER, uuid)]
    return (tuple((line, uuid) for line in shown),)


@family(over=LINES, emits=[PALETTE])
def palette(db: Reader, line: str) -> tuple[object, ...]:
    return (len(db.look(LINES, line)),)


@family(over=Port, emits=[TWINS])
def twins(db: Reader, uuid: Uuid) -> tuple[object, ...]:
    name = db.column(Port, uuid, "name")
    return (sum(row.up for row in db.where(Port, "name", name)),)


FAMILIES: tuple[Family, ...] = (owners, colours, views, lines, palette, twins)
RELATIONS = (OWNER, COLOURS, VIEW, LINES, PALETTE, TWINS)


def engine(rows: Snapshot) -> Engine:
    return Engine(FAMILIES, {Switch: rows, Port: rows})


def result(of: Engine) -> dict[str, dict[object, object]]:
    found: dict[str, dict[object, object]] = {}
    for relation in RELATIONS:
        facts = of.facts(relation)
        found[relation.name] = {key: facts.get(key) for key in facts}
    return found


def runs(of: Engine) -> Counter[str]:
    return Counter({name: len(keys) for name, keys in of.ran().items()})
