"""The engine: pure functions over rows, re-run only when something they read has changed.

    rows ──► family: function(db, key) for each row, or for each key of a relation ──► relations ──► later families

A *family* is a function and what it ranges over; a *unit* is the function at one key.  While a unit runs, `db` notes
what it reads — a row, some columns of a row, which rows a table has, which rows have a value in a column, the facts
under a key of a relation — and a change to any of these makes the unit run again.  If its outputs come out equal,
nothing further happens; if not, the relations work out the difference and only units that looked at it run.

Families run in the order in which they are listed, each once: a family may look only at relations that earlier ones
write, which `db` checks.  So a run has no recursion, needs no ordering at run time, and its cost is that of the units
that run.  A unit must be a function of what it reads from `db`; nobody writes change handlers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TypeVar

from pyovn.incr.relation import Facts, Relation
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import Row, columns

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R", bound=Row)

Changes = Mapping[type[Row], Mapping[Uuid, tuple[Row | None, Row | None]]]
Outputs = tuple[Any, ...]
Cell = Any  #: what can be read and can change: a row's UUID, (UUID, column), a table, (table, column, value), …


class Source(Protocol):
    """Where rows come from: a replica of a database, or any collection of tables."""

    def rows(self, cls: type[R], /) -> Mapping[Uuid, R]:
        """The rows of a table."""

    def where(self, cls: type[R], /, **equal: Any) -> tuple[R, ...]:
        """The rows that have these values."""


class Family:
    """A function, what it ranges over, and the relations that its outputs go to, in order."""

    def __init__(
        self,
        function: "Callable[[Reader, Any], Outputs]",
        over: "type[Row] | Relation[Any, Any, Any]",
        emits: Sequence[Relation[Any, Any, Any]],
    ) -> None:
        self.function = function
        self.name = function.__name__
        self.over = over
        self.emits = tuple(emits)

    def __repr__(self) -> str:
        return f"<family {self.name}>"


def family(
    *, over: "type[Row] | Relation[Any, Any, Any]", emits: Sequence[Relation[Any, Any, Any]]
) -> "Callable[[Callable[[Reader, Any], Outputs]], Family]":
    """Makes a family of the decorated function, named after it."""

    def decorate(function: "Callable[[Reader, Any], Outputs]") -> Family:
        return Family(function, over, emits)

    return decorate


class Unit:
    """A function at a key: what the last run read and gave."""

    __slots__ = ("key", "outputs", "reads", "stratum")

    def __init__(self, stratum: "Stratum", key: Any) -> None:
        self.stratum = stratum
        self.key = key
        self.outputs: Outputs = ()
        self.reads: Sequence[Cell] = ()


class Stratum:
    """A family at work in one engine."""

    def __init__(self, place: int, of: Family, facts: Sequence[Facts[Any, Any, Any]]) -> None:
        self.place = place
        self.family = of
        self.name = of.name
        self.function = of.function
        self.facts = tuple(zip(of.emits, facts, strict=True))
        self.units: dict[Any, Unit] = {}
        self.dirty: dict[Any, Cell] = {}  #: key → what changed
        self.ran: dict[Any, Cell] = {}  #: the units of the last run, with what made them run
        self.runs = self.equal = 0


class Statistics(NamedTuple):
    """What a family has done so far."""

    units: int  #: how many there are
    runs: int  #: how often one ran
    equal: int  #: how many of these runs changed nothing


class Reader:
    """The only way for a unit to learn anything: notes what it is asked for."""

    __slots__ = ("_indexed", "_looked", "_noted", "_place", "_relations", "_rows", "_sources", "_watched")

    def __init__(self, sources: Mapping[type[Row], Source], relations: "Mapping[Relation[Any, Any, Any], _Held]"):
        self._sources = sources
        self._relations = relations
        self._rows: dict[type[Row], Mapping[Uuid, Any]] = {}
        self._indexed: dict[type[Row], dict[str, None]] = {}  # columns somebody looked rows up by
        self._watched: dict[type[Row], dict[str, None]] = {}  # columns somebody read by themselves
        self._looked: set[Relation[Any, Any, Any]] = set()  # relations somebody looked at
        self._noted: list[Cell] = []
        self._place = 0

    def row(self, cls: type[R], uuid: Uuid) -> R | None:
        """A row."""
        self._noted.append(uuid)
        row: R | None = self._rows[cls].get(uuid)
        return row

    def column(self, cls: type[Row], uuid: Uuid, column: str) -> Any:
        """One column of a row, or None where there is no such row; other columns may change unnoticed."""
        self._noted.append((uuid, column))
        self._watched.setdefault(cls, {})[column] = None
        row = self._rows[cls].get(uuid)
        return None if row is None else getattr(row, column)

    def uuids(self, cls: type[Row]) -> Iterable[Uuid]:
        """Which rows a table has."""
        self._noted.append(cls)
        return self._rows[cls]

    def table(self, cls: type[R]) -> list[R]:
        """All the rows of a (small) table, in the order of their UUIDs."""
        self._noted.append(cls)
        rows = self._rows[cls]
        self._noted.extend(rows)
        return [rows[uuid] for uuid in sorted(rows)]

    def find(self, cls: type[R], column: str, value: Any) -> list[Uuid]:
        """Which rows have a value in a column; what else is in them may change unnoticed."""
        self._noted.append((cls, column, value))
        self._indexed.setdefault(cls, {})[column] = None
        found = self._sources[cls].where(cls, **{column: value})
        return sorted([row.uuid for row in found]) if len(found) > 1 else [row.uuid for row in found]

    def where(self, cls: type[R], column: str, value: Any) -> list[R]:
        """The rows that have a value in a column, in the order of their UUIDs."""
        uuids = self.find(cls, column, value)
        self._noted.extend(uuids)
        rows = self._rows[cls]
        return [rows[uuid] for uuid in uuids]

    def look(self, relation: Relation[K, V, Any], key: K) -> V:
        """What earlier families say about `key`."""
        held = self._relations[relation]
        if held.place >= self._place:
            raise TypeError(f"{relation} is not complete when family {self._place} looks at it")
        self._noted.append((relation, key))
        self._looked.add(relation)
        value: V = held.facts.get(key)
        return value


class _Held:
    """The facts of a relation, and the place of the last family that writes them."""

    __slots__ = ("facts", "place")

    def __init__(self, facts: Facts[Any, Any, Any], place: int) -> None:
        self.facts = facts
        self.place = place


class Engine:
    """Families over sources of rows.

    `quiet` names columns, by table, that units read with `column` only: changes to nothing else in a row do not run
    those who read the row.  It is for columns that we write ourselves.
    """

    def __init__(
        self,
        families: Sequence[Family],
        sources: Mapping[type[Row], Source],
        quiet: Mapping[type[Row], Sequence[str]] | None = None,
    ) -> None:
        self._sources = sources
        self._loud = {cls: _others(cls, names) for cls, names in (quiet or {}).items()}
        self._relations: dict[Relation[Any, Any, Any], _Held] = {}
        self._readers: dict[Cell, Unit | set[Unit]] = {}
        self.strata: list[Stratum] = []
        self._over: dict[type[Row] | Relation[Any, Any, Any], list[Stratum]] = {}
        self._reader = Reader(sources, self._relations)
        self._clock: Callable[[], float] = lambda: 0.0
        self._took: Callable[[str, float], None] = lambda _name, _seconds: None
        for place, each in enumerate(families):
            self._add(place, each)

    def _add(self, place: int, each: Family) -> None:
        for relation in each.emits:
            held = self._relations.setdefault(relation, _Held(relation.facts(), place))
            held.place = place
        stratum = Stratum(place, each, [self._relations[relation].facts for relation in each.emits])
        self.strata.append(stratum)
        self._over.setdefault(each.over, []).append(stratum)

    def facts(self, relation: Relation[K, V, Any]) -> Facts[K, V, Any]:
        """The facts of a relation, as of the last run."""
        return self._relations[relation].facts

    def run(self, changes: Changes, after: Mapping[Family, Callable[[], Changes]] | None = None) -> None:
        """Bring everything up to date with rows that have changed (and that the sources show already).

        `after` has what to do once a family has run: it may change rows that only later families read.
        """
        self._reader._rows = {cls: source.rows(cls) for cls, source in self._sources.items()}
        for stratum in self.strata:
            stratum.ran = {}
        for cls, rows in changes.items():
            self._table_changed(cls, rows)
        for stratum in self.strata:
            if stratum.dirty:
                began = self._clock()
                self._run(stratum)
                self._took(stratum.name, self._clock() - began)
            if after and stratum.family in after:
                for cls, rows in after[stratum.family]().items():
                    self._table_changed(cls, rows)

    def watch(self, clock: Callable[[], float], took: Callable[[str, float], None]) -> None:
        """Have `took` told by name how many seconds each family that ran has taken, as `clock` counts them."""
        self._clock, self._took = clock, took

    def statistics(self) -> dict[str, Statistics]:
        """How often units ran, by family."""
        return {s.name: Statistics(len(s.units), s.runs, s.equal) for s in self.strata}

    def clear_statistics(self) -> None:
        """Count from zero."""
        for stratum in self.strata:
            stratum.runs = stratum.equal = 0

    def ran(self) -> dict[str, list[Any]]:
        """The keys of the units that the last run ran, by family; families at rest are left out."""
        return {stratum.name: list(stratum.ran) for stratum in self.strata if stratum.ran}

    # -- what changed, and who must run -----------------------------------------------------------------------------

    def _table_changed(self, cls: type[Row], rows: Mapping[Uuid, tuple[Row | None, Row | None]]) -> None:
        readers = self._readers
        watched = tuple(self._reader._watched.get(cls, ()))
        indexed = tuple(self._reader._indexed.get(cls, ()))
        ranging = self._over.get(cls, ())
        if not readers:  # the first fill
            for stratum in ranging:
                stratum.dirty.update(dict.fromkeys(rows, cls))
            return
        membership = False
        loud = self._loud.get(cls)
        for uuid, (old, new) in rows.items():
            if uuid in readers and (loud is None or old is None or new is None or loud(old) != loud(new)):
                self._touch(uuid)
            if watched or indexed:
                self._columns_changed(cls, uuid, old, new, watched, indexed)
            if old is None or new is None:
                membership = True
                for stratum in ranging:
                    if (new is None) == (uuid in stratum.units):
                        stratum.dirty[uuid] = cls
        if membership:
            self._touch(cls)

    def _columns_changed(
        self,
        cls: type[Row],
        uuid: Uuid,
        old: Row | None,
        new: Row | None,
        watched: tuple[str, ...],
        indexed: tuple[str, ...],
    ) -> None:
        for column in watched:
            if old is None or new is None or getattr(old, column) != getattr(new, column):
                self._touch((uuid, column))
        for column in indexed:
            before, after = getattr(old, column, None), getattr(new, column, None)
            if old is None or new is None or before != after:
                if old is not None:
                    self._touch((cls, column, before))
                if new is not None:
                    self._touch((cls, column, after))

    def _touch(self, cell: Cell) -> None:
        """Whoever read `cell` must run again."""
        found = self._readers.get(cell)
        if found is None:
            return
        for unit in found if isinstance(found, set) else (found,):
            unit.stratum.dirty[unit.key] = cell

    # -- running ----------------------------------------------------------------------------------------------------

    def _run(self, stratum: Stratum) -> None:
        """Run the units of a family that must; this loop is what a first fill spends its time in."""
        dirty, stratum.dirty = stratum.dirty, {}
        stratum.ran = dirty
        units, function, reader = stratum.units, stratum.function, self._reader
        over = stratum.family.over
        alive: Any = reader._rows[over] if isinstance(over, type) else self._relations[over].facts
        reader._place = stratum.place
        for key in dirty:
            unit = units.get(key)
            if key not in alive:
                if unit is not None:
                    self._stop(unit)
                continue
            if unit is None:
                unit = units[key] = Unit(stratum, key)
            reads: list[Cell] = []
            reader._noted = reads
            outputs = function(reader, key)
            if reads != unit.reads:
                self._note(unit, reads)
            if outputs == unit.outputs:
                stratum.equal += 1
            else:
                self._replace(unit, outputs)
        stratum.runs += len(dirty)

    def _note(self, unit: Unit, reads: list[Cell]) -> None:
        """Exchange what a unit has read."""
        readers = self._readers
        for cell in unit.reads:
            found = readers.get(cell)
            if found is unit:
                del readers[cell]
            elif isinstance(found, set):
                found.discard(unit)
                if not found:
                    del readers[cell]
        for cell in reads:
            found = readers.get(cell)
            if found is None:
                readers[cell] = unit
            elif isinstance(found, set):
                found.add(unit)
            elif found is not unit:
                readers[cell] = {found, unit}
        unit.reads = reads

    def _replace(self, unit: Unit, outputs: Outputs) -> None:
        """Exchange a unit's outputs, and see to those who looked at what they changed."""
        before = unit.outputs or (None,) * len(outputs)
        unit.outputs = outputs
        readers, looked = self._readers, self._reader._looked
        for (relation, facts), old, new in zip(unit.stratum.facts, before, outputs, strict=True):
            if old is new or (new == () and old is None) or old == new:
                continue
            keys = facts.replace(unit.key, old, new)
            if facts.followed:
                facts.touched.update(dict.fromkeys(keys))
            if relation in looked:
                for key in keys:
                    if (relation, key) in readers:
                        self._touch((relation, key))
            if relation in self._over:
                self._range_changed(relation, facts, keys)

    def _range_changed(
        self, relation: Relation[Any, Any, Any], facts: Facts[Any, Any, Any], keys: Iterable[Any]
    ) -> None:
        """Make units of families over a relation start and stop with its keys."""
        for stratum in self._over[relation]:
            for key in keys:
                if (key in facts) != (key in stratum.units):
                    stratum.dirty[key] = relation

    def _stop(self, unit: Unit) -> None:
        """End a unit whose key is gone."""
        del unit.stratum.units[unit.key]
        self._note(unit, [])
        self._replace(unit, (None,) * len(unit.outputs))

    # -- looking at it from outside ---------------------------------------------------------------------------------

    def explain(self, name: str, key: Any) -> "Explanation | None":
        """What a unit reads, what it gives, and what made it run if it did so in the last run."""
        for stratum in self.strata:
            if stratum.name == name and (unit := stratum.units.get(key)):
                return Explanation(name, key, stratum.ran.get(key), tuple(dict.fromkeys(unit.reads)), unit.outputs)
        return None

    def units(self) -> dict[str, Mapping[Any, Unit]]:
        """All the units, by family and key."""
        return {stratum.name: stratum.units for stratum in self.strata}

    def check(self, units: Iterable[Unit]) -> "list[Discrepancy]":
        """Run units that nothing has made run; where the outputs differ, say so and go on with the new ones.

        That a difference is found at all means that a function read something behind the engine's back.
        """
        found = []
        for unit in units:
            stratum = unit.stratum
            self._reader._place = stratum.place
            reads: list[Cell] = []
            self._reader._noted = reads
            outputs = stratum.function(self._reader, unit.key)
            if outputs != unit.outputs:
                found.append(Discrepancy(stratum.name, unit.key, unit.outputs, outputs))
                self._replace(unit, outputs)
            if reads != unit.reads:
                self._note(unit, reads)
        if found:
            self.run({})
        return found


def _others(cls: type[Row], quiet: Sequence[str]) -> Callable[[Row], Any]:
    """What a row says in all columns but the quiet ones."""
    return attrgetter(*(name for name in columns(cls) if name not in quiet))


class Explanation(NamedTuple):
    """Why a unit is as it is."""

    family: str
    key: Any
    cause: Cell | None  #: the cell that changed; None if the unit was at rest in the last run
    reads: tuple[Cell, ...]
    outputs: Outputs


class Discrepancy(NamedTuple):
    """A unit that should have run and did not."""

    family: str
    key: Any
    stale: Outputs
    fresh: Outputs
