"""The families of mirrors: Mirror rows, and what mirrored ports have because of those that end at logical ports."""

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Place, Provenance
from pyovn.northd.model.mirror import Copying
from pyovn.northd.model.port import Port
from pyovn.northd.model.switch import Switch
from pyovn.northd.relations import MIRRORS, Binding
from pyovn.northd.rules import RULES
from pyovn.tables.nb import LogicalSwitch, LogicalSwitchPort, Mirror, MirrorRule

#: flows, the ports that stand for the ends, problems
Mirrored = tuple[Provenance, tuple[tuple[str, Binding], ...], tuple[tuple[Uuid, str], ...]]
COLUMNS = ("name", "type", "filter", "sink", "index")
COPY = "mirror"  #: the action of a rule whose packets are copied, and the type of the port that copies go to


@family(over=Mirror, emits=[MIRRORS])
def mirrors(db: Reader, uuid: Uuid) -> tuple[object, ...]:
    """A mirror as the southbound database has it."""
    row = db.row(Mirror, uuid)
    return (None if row is None else {column: getattr(row, column) for column in COLUMNS},)


def mirrored(db: Reader, switch: Switch, port: Port, datapath: Uuid) -> Mirrored:
    """What a port has because of its mirrors that end at logical ports."""
    row = port.row
    flows: Provenance = ()
    stand_ins: list[tuple[str, Binding]] = []
    problems: list[tuple[Uuid, str]] = []
    place = Place(datapath, row.uuid[:8], switch.spelling)
    for each in sorted(row.mirror_rules):
        mirror = db.row(Mirror, each)
        if mirror is None or mirror.type != "lport":
            continue
        if not db.find(LogicalSwitchPort, "name", mirror.sink):
            where = f"logical switch port {row.name}: mirror {mirror.name}"
            problems.append((row.uuid, f"{where}: there is no port '{mirror.sink}' for its copies"))
            continue
        name = f"mp-{db.column(LogicalSwitch, datapath, 'name')}-{mirror.sink}"
        flows += RULES.mirrored.apply(place, port, copying(db, mirror, name))
        stand_ins.append((name, stand_in(datapath, mirror.sink)))
    return flows, tuple(stand_ins), tuple(problems)


def copying(db: Reader, mirror: Mirror, name: str) -> Copying:
    """What a mirror copies to the port of that name."""
    rules = (db.row(MirrorRule, each) for each in sorted(mirror.mirror_rules))
    listed = tuple((rule.priority, rule.match, rule.action == COPY) for rule in rules if rule is not None)
    return Copying(name, mirror.filter != "to-lport", mirror.filter != "from-lport", listed)


def stand_in(switch: Uuid, sink: str) -> Binding:
    """The binding of a port that stands for the one that gets copies."""
    nothing: frozenset[str] = frozenset()
    return Binding(switch, COPY, options={}, mac=nothing, port_security=nothing, external_ids={}, mirror_port=sink)


MIRROR_FAMILIES: tuple[Family, ...] = (mirrors,)
