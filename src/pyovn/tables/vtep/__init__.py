"""The hardware_vtep database: a physical switch that joins logical networks."""

from pyovn.ovsdb.model import Database
from pyovn.tables.vtep.core import Global, Manager
from pyovn.tables.vtep.logical import (
    ACL,
    ACLEntry,
    ArpSourcesLocal,
    ArpSourcesRemote,
    LogicalBindingStats,
    LogicalRouter,
    LogicalSwitch,
)
from pyovn.tables.vtep.macs import McastMacsLocal, McastMacsRemote, UcastMacsLocal, UcastMacsRemote
from pyovn.tables.vtep.physical import PhysicalLocator, PhysicalLocatorSet, PhysicalPort, PhysicalSwitch, Tunnel

__all__ = [
    "ACL",
    "HARDWARE_VTEP",
    "ACLEntry",
    "ArpSourcesLocal",
    "ArpSourcesRemote",
    "Global",
    "LogicalBindingStats",
    "LogicalRouter",
    "LogicalSwitch",
    "Manager",
    "McastMacsLocal",
    "McastMacsRemote",
    "PhysicalLocator",
    "PhysicalLocatorSet",
    "PhysicalPort",
    "PhysicalSwitch",
    "Tunnel",
    "UcastMacsLocal",
    "UcastMacsRemote",
]

HARDWARE_VTEP = Database(
    "hardware_vtep",
    "1.7.0",
    (
        Global,
        Manager,
        PhysicalSwitch,
        PhysicalPort,
        Tunnel,
        PhysicalLocator,
        PhysicalLocatorSet,
        LogicalSwitch,
        LogicalRouter,
        LogicalBindingStats,
        ArpSourcesLocal,
        ArpSourcesRemote,
        ACL,
        ACLEntry,
        UcastMacsLocal,
        UcastMacsRemote,
        McastMacsLocal,
        McastMacsRemote,
    ),
    cksum="353943336 11434",
)
