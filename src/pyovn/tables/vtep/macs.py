"""Where addresses are."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from pyovn.ovsdb.model import Strong
    from pyovn.tables.vtep.logical import LogicalSwitch
    from pyovn.tables.vtep.physical import PhysicalLocator, PhysicalLocatorSet


@table("Ucast_Macs_Local")
class UcastMacsLocal(Row):
    """An address behind this device."""

    MAC: str
    logical_switch: Strong[LogicalSwitch]
    locator: Strong[PhysicalLocator]
    ipaddr: str


@table("Ucast_Macs_Remote")
class UcastMacsRemote(Row):
    """An address behind another tunnel end point."""

    MAC: str
    logical_switch: Strong[LogicalSwitch]
    locator: Strong[PhysicalLocator]
    ipaddr: str


@table("Mcast_Macs_Local")
class McastMacsLocal(Row):
    """A multicast address that this device wants packets of."""

    MAC: str
    logical_switch: Strong[LogicalSwitch]
    locator_set: Strong[PhysicalLocatorSet]
    ipaddr: str


@table("Mcast_Macs_Remote")
class McastMacsRemote(Row):
    """Where packets to a multicast address are sent."""

    MAC: str
    logical_switch: Strong[LogicalSwitch]
    locator_set: Strong[PhysicalLocatorSet]
    ipaddr: str
