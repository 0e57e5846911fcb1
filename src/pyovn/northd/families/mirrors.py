"""The families of mirrors: Mirror rows, and what mirrored ports have because of those that end at logical ports."""

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.model.mirror import Copying
from pyovn.northd.relations import MIRRORS, Binding
from pyovn.tables.nb import LogicalSwitch, LogicalSwitchPort, Mirror, MirrorRule

COLUMNS = ("name", "type", "filter", "sink", "index")
COPY = "mirror"  #: the action of a rule whose packets are copied, and the type of the port that copies go to


@family(over=Mirror, emits=[MIRRORS])
def mirrors(db: Reader, uuid: Uuid) -> tuple[object, ...]:
    """A mirror as the southbound database has it."""
    row = db.row(Mirror, uuid)
    return (None if row is None else {column: getattr(row, column) for column in COLUMNS},)


def copyings(
    db: Reader, row: LogicalSwitchPort, switch: Uuid
) -> tuple[list[Copying], list[tuple[str, Binding]], list[tuple[Uuid, str]]]:
    """The mirrors of a port that end at logical ports, the ports that stand for those, and what is wrong."""
    found: list[Copying] = []
    stand_ins: list[tuple[str, Binding]] = []
    problems: list[tuple[Uuid, str]] = []
    for each in sorted(row.mirror_rules):
        mirror = db.row(Mirror, each)
        if mirror is None or mirror.type != "lport":
            continue
        if not db.find(LogicalSwitchPort, "name", mirror.sink):
            where = f"logical switch port {row.name}: mirror {mirror.name}"
            problems.append((row.uuid, f"{where}: there is no port '{mirror.sink}' for its copies"))
            continue
        name = f"mp-{db.column(LogicalSwitch, switch, 'name')}-{mirror.sink}"
        rules = (db.row(MirrorRule, rule) for rule in sorted(mirror.mirror_rules))
        listed = tuple((rule.priority, rule.match, rule.action == COPY) for rule in rules if rule is not None)
        both = mirror.filter == "both"
        found.append(Copying(name, both or mirror.filter == "from-lport", both or mirror.filter == "to-lport", listed))
        stand_ins.append((name, stand_in(switch, mirror.sink)))
    return found, stand_ins, problems


def stand_in(switch: Uuid, sink: str) -> Binding:
    """The binding of a port that stands for the one that gets copies."""
    nothing: frozenset[str] = frozenset()
    return Binding(
        datapath=switch,
        type=COPY,
        options={},
        mac=nothing,
        port_security=nothing,
        external_ids={},
        parent_port=None,
        tag=None,
        requested_key=None,
        requested_chassis=None,
        requested_additional_chassis=frozenset(),
        ha_chassis_group=None,
        mirrors=frozenset(),
        mirror_port=sink,
    )


MIRROR_FAMILIES: tuple[Family, ...] = (mirrors,)
