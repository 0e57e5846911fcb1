"""The families of what belongs to one switch and concerns nothing else: QoS rules and forwarding groups."""

from pyovn.incr.engine import Family, Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.feature import Place
from pyovn.northd.relations import FLOWS, PART_OF, SWITCH
from pyovn.northd.rules import RULES
from pyovn.tables.nb import ForwardingGroup, LogicalSwitch, QoS

Outputs = tuple[object, ...]


@family(over=LogicalSwitch, emits=[PART_OF])
def switch_parts(db: Reader, uuid: Uuid) -> Outputs:
    """The rows that a switch consists of, beside its ports."""
    columns = (db.column(LogicalSwitch, uuid, name) or () for name in ("qos_rules", "forwarding_groups"))
    return (tuple((part, uuid) for column in columns for part in sorted(column)),)


@family(over=QoS, emits=[FLOWS])
def qos_flows(db: Reader, uuid: Uuid) -> Outputs:
    """A QoS rule."""
    row, owners = db.row(QoS, uuid), db.look(PART_OF, uuid)
    switch = db.look(SWITCH, owners[0]) if owners else None
    if row is None or switch is None:
        return ((),)
    return (RULES.qos.apply(Place(owners[0], uuid[:8], switch.spelling), switch, row),)


@family(over=ForwardingGroup, emits=[FLOWS])
def forwarding_flows(db: Reader, uuid: Uuid) -> Outputs:
    """A forwarding group."""
    row, owners = db.row(ForwardingGroup, uuid), db.look(PART_OF, uuid)
    switch = db.look(SWITCH, owners[0]) if owners else None
    if row is None or switch is None:
        return ((),)
    return (RULES.forwarding.apply(Place(owners[0], uuid[:8], switch.spelling), switch, row),)


PART_FAMILIES: tuple[Family, ...] = (qos_flows, forwarding_flows)
