"""The interconnection southbound database: what availability zones tell each other."""

from pyovn.ovsdb.model import Database
from pyovn.tables.icsb.core import SSL, Connection, ICSBGlobal
from pyovn.tables.icsb.transit import DatapathBinding, PortBinding, Route, ServiceMonitor
from pyovn.tables.icsb.zone import AvailabilityZone, Encap, Gateway

__all__ = [
    "IC_SOUTHBOUND",
    "SSL",
    "AvailabilityZone",
    "Connection",
    "DatapathBinding",
    "Encap",
    "Gateway",
    "ICSBGlobal",
    "PortBinding",
    "Route",
    "ServiceMonitor",
]

IC_SOUTHBOUND = Database(
    "OVN_IC_Southbound",
    "2.4.0",
    (
        ICSBGlobal,
        Connection,
        SSL,
        AvailabilityZone,
        Gateway,
        Encap,
        DatapathBinding,
        PortBinding,
        Route,
        ServiceMonitor,
    ),
    cksum="859073048 9662",
)
