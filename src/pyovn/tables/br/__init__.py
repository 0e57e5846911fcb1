"""The bridge controller's database: logical flows for plain bridges."""

from pyovn.ovsdb.model import Database
from pyovn.tables.br.core import SSL, BRGlobal, Connection
from pyovn.tables.br.flows import Bridge, LogicalFlow

__all__ = ["BRIDGE_CONTROLLER", "SSL", "BRGlobal", "Bridge", "Connection", "LogicalFlow"]

BRIDGE_CONTROLLER = Database(
    "OVN_Bridge_Controller",
    "0.0.1",
    (
        BRGlobal,
        Connection,
        SSL,
        Bridge,
        LogicalFlow,
    ),
    cksum="3991291888 4460",
)
