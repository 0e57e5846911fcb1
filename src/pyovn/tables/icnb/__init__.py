"""The interconnection northbound database: networks that span availability zones."""

from pyovn.ovsdb.model import Database
from pyovn.tables.icnb.core import SSL, Connection, ICNBGlobal
from pyovn.tables.icnb.transit import TransitRouter, TransitRouterPort, TransitSwitch

__all__ = ["IC_NORTHBOUND", "SSL", "Connection", "ICNBGlobal", "TransitRouter", "TransitRouterPort", "TransitSwitch"]

IC_NORTHBOUND = Database(
    "OVN_IC_Northbound",
    "1.3.0",
    (
        ICNBGlobal,
        Connection,
        SSL,
        TransitSwitch,
        TransitRouter,
        TransitRouterPort,
    ),
    cksum="1918565391 5082",
)
