"""Which southbound rows this chassis asks for: those of its local datapaths, and those that could make more local.

clauses of one table are alternatives; True stands for the whole table
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pyovn.controller.datapaths import Datapath
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import Row
from pyovn.ovsdb.txn import clause
from pyovn.tables.sb import (
    DNS,
    FDB,
    ChassisPrivate,
    ChassisTemplateVar,
    ECMPNexthop,
    IPMulticast,
    LogicalFlow,
    MACBinding,
    MulticastGroup,
    PortBinding,
    StaticMACBinding,
)

Clauses = list[Any]
Conditions = dict[type[Row], Clauses | bool]

#: Tables whose rows belong to one datapath, by the column that says so.
BY_DATAPATH: Final[tuple[type[Row], ...]] = (
    MulticastGroup,
    MACBinding,
    StaticMACBinding,
    ECMPNexthop,
    IPMulticast,
)
#: Port types that can lead to other datapaths, or move here, wherever they are.
ROVING_TYPES: Final = ("patch", "external", "chassisredirect", "mirror")
#: Tables that stay small however large the network is.
WHOLE: Final = True


def conditions(
    datapaths: Iterable[Datapath], names: Iterable[str], chassis: str, row: Uuid | None, *, everything: bool
) -> Conditions:
    """What to monitor: `names` are the logical ports that interfaces here ask for, `row` is our Chassis."""
    if everything:
        return dict.fromkeys(
            (*BY_DATAPATH, LogicalFlow, PortBinding, FDB, DNS, ChassisPrivate, ChassisTemplateVar), WHOLE
        )
    local = sorted(datapaths, key=lambda datapath: datapath.uuid)
    by_datapath = [[["datapath", "==", ["uuid", each.uuid]] for each in local]] * len(BY_DATAPATH)
    found: Conditions = dict(zip(BY_DATAPATH, by_datapath, strict=True))
    found[LogicalFlow] = [
        *(clause(LogicalFlow, "logical_datapath", "==", each.uuid) for each in local),
        ["logical_dp_group", "!=", ["set", []]],
    ]
    found[FDB] = [clause(FDB, "dp_key", "==", each.key) for each in local]
    found[DNS] = [clause(DNS, "datapaths", "includes", each.uuid) for each in local]
    found[PortBinding] = list(_ports(local, names, chassis, row))
    found[ChassisPrivate] = [clause(ChassisPrivate, "name", "==", chassis)]
    found[ChassisTemplateVar] = [clause(ChassisTemplateVar, "chassis", "==", chassis)]
    return found


def first_conditions(chassis: str) -> Conditions:
    """What to ask for before anything is known."""
    return conditions((), (), chassis, None, everything=False)


def _ports(datapaths: Iterable[Datapath], names: Iterable[str], chassis: str, row: Uuid | None) -> Iterator[Any]:
    for type_ in ROVING_TYPES:
        yield clause(PortBinding, "type", "==", type_)
    for option in ("l2gateway-chassis", "l3gateway-chassis"):
        yield clause(PortBinding, "options", "includes", {option: chassis})
    yield ["parent_port", "!=", ["set", []]]
    if row is not None:
        for column in ("chassis", "requested_chassis"):
            yield clause(PortBinding, column, "==", row)
        for column in ("additional_chassis", "requested_additional_chassis"):
            yield clause(PortBinding, column, "includes", row)
    for name in sorted(names):
        yield clause(PortBinding, "logical_port", "==", name)
    for datapath in datapaths:
        yield clause(PortBinding, "datapath", "==", datapath.uuid)
