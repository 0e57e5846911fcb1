"""The Open_vSwitch database: bridges and ports of one host."""

from pyovn.ovsdb.model import Database
from pyovn.tables.vswitch.bridge import AutoAttach, Bridge, Controller, FlowTable, Interface, Port
from pyovn.tables.vswitch.core import SSL, CTTimeoutPolicy, CTZone, Datapath, Manager, OpenvSwitch
from pyovn.tables.vswitch.traffic import IPFIX, FlowSampleCollectorSet, Mirror, NetFlow, QoS, Queue, SFlow

__all__ = [
    "IPFIX",
    "OPEN_VSWITCH",
    "SSL",
    "AutoAttach",
    "Bridge",
    "CTTimeoutPolicy",
    "CTZone",
    "Controller",
    "Datapath",
    "FlowSampleCollectorSet",
    "FlowTable",
    "Interface",
    "Manager",
    "Mirror",
    "NetFlow",
    "OpenvSwitch",
    "Port",
    "QoS",
    "Queue",
    "SFlow",
]

OPEN_VSWITCH = Database(
    "Open_vSwitch",
    "8.8.0",
    (
        OpenvSwitch,
        Manager,
        SSL,
        Datapath,
        CTZone,
        CTTimeoutPolicy,
        Bridge,
        Port,
        Interface,
        Controller,
        FlowTable,
        AutoAttach,
        QoS,
        Queue,
        Mirror,
        NetFlow,
        SFlow,
        IPFIX,
        FlowSampleCollectorSet,
    ),
    cksum="2823623553 27869",
)
