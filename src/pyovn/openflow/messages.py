"""The messages of OpenFlow 1.5 and Nicira's extensions, as values.

    controller                                switch
    Hello, FeaturesRequest, SetConfig    →
    FlowMod, GroupMod, MeterMod, Bundle… →    ← Error
    BarrierRequest                       →    ← BarrierReply
    MultipartRequest("flow", …)          →    ← MultipartReply("flow", entries)
    PacketOut, Resume                    →    ← PacketIn, PortStatus, FlowRemoved

`codec.encode(message, xid)` and `codec.decode(data)` turn them into bytes and back.
"""

from typing import Any, NamedTuple

from pyovn.openflow.actions import OFPP_ANY, OFPP_CONTROLLER, OFPR_ACTION, Actions
from pyovn.openflow.flows import DEFAULT_PRIORITY, GROUP_ANY, TABLE_ALL, Flow, GroupDef, MeterDef
from pyovn.openflow.match import Match
from pyovn.openflow.statistics import (
    ALL_COOKIES as ALL_COOKIES,
)
from pyovn.openflow.statistics import (
    Aggregate as Aggregate,
)
from pyovn.openflow.statistics import (
    FlowQuery as FlowQuery,
)
from pyovn.openflow.statistics import (
    GroupFeatures as GroupFeatures,
)
from pyovn.openflow.statistics import (
    GroupStats as GroupStats,
)
from pyovn.openflow.statistics import (
    MeterFeatures as MeterFeatures,
)
from pyovn.openflow.statistics import (
    MeterStats as MeterStats,
)
from pyovn.openflow.statistics import (
    PortStats as PortStats,
)
from pyovn.openflow.statistics import (
    QueueId as QueueId,
)
from pyovn.openflow.statistics import (
    QueueStats as QueueStats,
)
from pyovn.openflow.statistics import (
    SwitchDesc as SwitchDesc,
)
from pyovn.openflow.statistics import (
    TableFeatures as TableFeatures,
)
from pyovn.openflow.statistics import (
    TableStats as TableStats,
)

VERSION = 0x06
NO_BUFFER = 0xFFFFFFFF

# FlowMod.command
ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)
# GroupMod.command; ADD, MODIFY as above
GROUP_DELETE, INSERT_BUCKET, REMOVE_BUCKET, GROUP_ADD_OR_MODIFY = 2, 3, 5, 0x8000
BUCKET_FIRST, BUCKET_LAST, BUCKET_ALL = 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF
# MeterMod.command; ADD, MODIFY as above
METER_DELETE = 2
# BundleControl.type
OPEN_REQUEST, OPEN_REPLY, CLOSE_REQUEST, CLOSE_REPLY, COMMIT_REQUEST, COMMIT_REPLY, DISCARD_REQUEST, DISCARD_REPLY = (
    range(8)
)
# BundleControl.flags
ATOMIC, ORDERED = 1, 2
# PortStatus.reason
PORT_ADD, PORT_DELETE, PORT_MODIFY = range(3)
# Port.config and Port.state
PORT_DOWN, NO_RECV, NO_FWD, NO_PACKET_IN = 1, 4, 32, 64
LINK_DOWN, BLOCKED, LIVE = 1, 2, 4
# FlowRemoved.reason
IDLE_TIMEOUT, HARD_TIMEOUT, REMOVED_BY_DELETE, REMOVED_BY_GROUP, REMOVED_BY_METER, EVICTION = range(6)
# Role
ROLE_NOCHANGE, ROLE_EQUAL, ROLE_MASTER, ROLE_SLAVE = range(4)
# SetPacketInFormat.format
STANDARD_FORMAT, NXT_PACKET_IN_FORMAT, NXT_PACKET_IN2_FORMAT = range(3)
# TlvTableMod.command
TLV_ADD, TLV_DELETE, TLV_CLEAR = range(3)
# FeaturesReply.capabilities
FLOW_STATS, TABLE_STATS, PORT_STATS, GROUP_STATS, IP_REASM, QUEUE_STATS = 1, 2, 4, 8, 32, 64
PORT_BLOCKED, BUNDLES, FLOW_MONITORING = 256, 512, 1024
# SetAsync property types: the controller's role decides which of a pair counts
ASYNC_PACKET_IN_SLAVE, ASYNC_PACKET_IN_MASTER, ASYNC_PORT_STATUS_SLAVE, ASYNC_PORT_STATUS_MASTER = range(4)
ASYNC_FLOW_REMOVED_SLAVE, ASYNC_FLOW_REMOVED_MASTER = 4, 5


class Hello(NamedTuple):
    """First message of both sides."""

    #: one bit per version: bit 6 is OpenFlow 1.5
    versions: int = 1 << VERSION
    #: version in the header of the message
    version: int = VERSION


class Error(NamedTuple):
    """The peer could not do what a message asked."""

    type: int
    code: int
    #: at least the first 64 bytes of the message
    data: bytes = b""


class EchoRequest(NamedTuple):
    """Are you there?"""

    data: bytes = b""


class EchoReply(NamedTuple):
    """I am."""

    data: bytes = b""


class FeaturesRequest(NamedTuple):
    """Ask what the switch is."""


class FeaturesReply(NamedTuple):
    """What the switch is."""

    datapath_id: int
    n_buffers: int = 0
    n_tables: int = 254
    auxiliary_id: int = 0
    capabilities: int = FLOW_STATS | TABLE_STATS | PORT_STATS | GROUP_STATS | QUEUE_STATS | BUNDLES
    #: told in OpenFlow 1.0 only
    ports: "tuple[Port, ...]" = ()


class GetConfigRequest(NamedTuple):
    """Ask for flags and miss_send_len."""


class GetConfigReply(NamedTuple):
    """The switch's flags and miss_send_len."""

    flags: int = 0
    miss_send_len: int = 0


class SetConfig(NamedTuple):
    """Set flags (0 normal, 1 drop, 2 reassemble fragments) and miss_send_len."""

    flags: int = 0
    miss_send_len: int = 0


class PacketIn(NamedTuple):
    """A packet for the controller (NXT_PACKET_IN2; OpenFlow's own packet-in decodes to this too)."""

    packet: bytes
    #: metadata fields of the packet: in_port, registers, tunnel, conntrack …
    match: Match = ()
    reason: int = OFPR_ACTION
    table: int = 0
    #: of the flow that sent it; None: no flow did
    cookie: int | None = None
    #: length before truncation
    total_len: int | None = None
    userdata: bytes = b""
    #: opaque; `Resume` gives it back.  None: the packet was not paused
    continuation: bytes | None = None
    buffer_id: int | None = None


class Resume(NamedTuple):
    """Go on with a paused packet (NXT_RESUME); fields as in the `PacketIn`."""

    packet: bytes
    #: the metadata fields to go on with
    match: Match = ()
    reason: int = OFPR_ACTION
    table: int = 0
    cookie: int | None = None
    total_len: int | None = None
    userdata: bytes = b""
    continuation: bytes | None = None
    buffer_id: int | None = None


class FlowRemoved(NamedTuple):
    """A flow with SEND_FLOW_REM is gone."""

    flow: Flow
    #: IDLE_TIMEOUT …
    reason: int
    duration: float = 0.0
    packets: int = 0
    bytes: int = 0


class Port(NamedTuple):
    """A port of the switch."""

    number: int
    mac: int
    name: str
    #: PORT_DOWN …
    config: int = 0
    #: LINK_DOWN …
    state: int = LIVE
    #: Ethernet features and speeds in kb/s
    current: int = 0
    advertised: int = 0
    supported: int = 0
    peer: int = 0
    speed: int = 0
    max_speed: int = 0


class PortStatus(NamedTuple):
    """A port came, went or changed."""

    #: PORT_ADD …
    reason: int
    port: Port


class PortMod(NamedTuple):
    """Change a port's configuration."""

    number: int
    mac: int
    config: int
    mask: int
    advertise: int | None = None


class TableMod(NamedTuple):
    """Change a table's configuration (accepted, of no effect)."""

    table: int
    config: int = 0


class PacketOut(NamedTuple):
    """Run actions on a packet."""

    packet: bytes
    actions: Actions
    #: in_port and, in OpenFlow 1.5, more metadata
    match: Match = (("in_port", OFPP_CONTROLLER, 0xFFFFFFFF),)
    buffer_id: int = NO_BUFFER


class FlowMod(NamedTuple):
    """Add, change or delete flows."""

    #: ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT
    command: int
    flow: Flow
    #: restricts MODIFY and DELETE to flows whose cookie agrees with `flow.cookie` under this mask
    cookie_mask: int = 0
    #: restricts DELETE to flows that output to this port or group
    out_port: int = OFPP_ANY
    out_group: int = GROUP_ANY
    buffer_id: int = NO_BUFFER


class GroupMod(NamedTuple):
    """Add, change or delete groups."""

    command: int
    group: GroupDef
    #: where INSERT_BUCKET inserts, what REMOVE_BUCKET removes
    bucket_id: int = BUCKET_ALL


class MeterMod(NamedTuple):
    """Add, change or delete meters."""

    command: int
    meter: MeterDef


class BarrierRequest(NamedTuple):
    """Finish everything before this."""


class BarrierReply(NamedTuple):
    """Everything before your request is finished."""


class RoleRequest(NamedTuple):
    """Ask for a role."""

    role: int = ROLE_NOCHANGE
    generation_id: int = ALL_COOKIES
    short_id: int = 0xFFFFFFFF


class RoleReply(NamedTuple):
    """The role you have."""

    role: int
    generation_id: int = ALL_COOKIES
    short_id: int = 0xFFFFFFFF


class GetAsyncRequest(NamedTuple):
    """Ask which asynchronous messages come."""


class GetAsyncReply(NamedTuple):
    """Which asynchronous messages come."""

    #: (property type, bits of reasons)
    masks: tuple[tuple[int, int], ...] = ()


class SetAsync(NamedTuple):
    """Choose which asynchronous messages come."""

    #: (property type, bits of reasons)
    masks: tuple[tuple[int, int], ...] = ()


class BundleControl(NamedTuple):
    """Open, close, commit or discard a bundle, and the answers to these."""

    id: int
    #: OPEN_REQUEST …
    type: int
    flags: int = ATOMIC | ORDERED


class BundleAdd(NamedTuple):
    """Put a message into a bundle."""

    id: int
    message: "Message"
    flags: int = ATOMIC | ORDERED


class SetControllerId(NamedTuple):
    """NXT_SET_CONTROLLER_ID: which `controller(id=…)` this connection is."""

    id: int


class SetPacketInFormat(NamedTuple):
    """NXT_SET_PACKET_IN_FORMAT: how packet-ins are to look."""

    format: int


class SetFlowFormat(NamedTuple):
    """NXT_SET_FLOW_FORMAT: which matches a controller of OpenFlow 1.0 understands (both kinds are always read)."""

    format: int


class FlowModTableId(NamedTuple):
    """NXT_FLOW_MOD_TABLE_ID: whether flow-mods of OpenFlow 1.0 say which table they are about."""

    enabled: bool


class TlvMap(NamedTuple):
    """A Geneve option and the field it appears in."""

    #: option class
    cls: int
    #: option type
    type: int
    #: bytes of option data
    length: int
    #: N of tun_metadataN
    number: int


class TlvTableMod(NamedTuple):
    """NXT_TLV_TABLE_MOD: change the option table."""

    #: TLV_ADD, TLV_DELETE, TLV_CLEAR
    command: int
    maps: tuple[TlvMap, ...] = ()


class TlvTableRequest(NamedTuple):
    """NXT_TLV_TABLE_REQUEST: ask for the option table."""


class TlvTableReply(NamedTuple):
    """NXT_TLV_TABLE_REPLY: the option table."""

    maps: tuple[TlvMap, ...] = ()
    max_space: int = 256
    max_fields: int = 64


class CtFlushZone(NamedTuple):
    """NXT_CT_FLUSH_ZONE: forget the connections of a zone."""

    zone: int


class CtTuple(NamedTuple):
    """One direction of a connection, as far as it is to be matched; addresses are IPv6 or IPv4-mapped."""

    src: int | None = None
    dst: int | None = None
    src_port: int | None = None
    dst_port: int | None = None
    icmp_id: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None


class CtFlush(NamedTuple):
    """NXT_CT_FLUSH: forget connections that match."""

    zone: int | None = None
    #: 0: any
    proto: int = 0
    original: CtTuple = CtTuple()
    reply: CtTuple = CtTuple()
    #: (value, mask)
    mark: tuple[int, int] | None = None
    #: (value, mask)
    label: tuple[int, int] | None = None


class Experimenter(NamedTuple):
    """A vendor's message that this table does not know."""

    vendor: int
    type: int
    data: bytes


class Opaque(NamedTuple):
    """A message of a type that this table does not know."""

    type: int
    data: bytes


class MultipartRequest(NamedTuple):
    """Ask for statistics or descriptions."""

    #: "desc" "flow" "aggregate" "table" "port_stats" "queue_stats" "group_stats" "group_desc" "group_features"
    #: "meter_stats" "meter_desc" "meter_features" "table_features" "port_desc" "table_desc"
    kind: str
    #: "flow", "aggregate": FlowQuery; "queue_stats": QueueId; one port, group or meter: its number; else None (all)
    body: Any = None


class MultipartReply(NamedTuple):
    """Statistics or descriptions; `codec.encode` splits a long reply, a decoded one is one part."""

    kind: str
    #: FlowStats, SwitchDesc, Aggregate, TableStats, PortStats, QueueStats, GroupStats, GroupDef, GroupFeatures,
    #: MeterStats, MeterDef, MeterFeatures, TableFeatures, Port
    entries: tuple[Any, ...] = ()
    #: more parts follow
    more: bool = False


Message = (
    Hello
    | Error
    | EchoRequest
    | EchoReply
    | FeaturesRequest
    | FeaturesReply
    | GetConfigRequest
    | GetConfigReply
    | SetConfig
    | PacketIn
    | Resume
    | FlowRemoved
    | PortStatus
    | PortMod
    | TableMod
    | PacketOut
    | FlowMod
    | GroupMod
    | MeterMod
    | BarrierRequest
    | BarrierReply
    | RoleRequest
    | RoleReply
    | GetAsyncRequest
    | GetAsyncReply
    | SetAsync
    | BundleControl
    | BundleAdd
    | SetControllerId
    | SetPacketInFormat
    | SetFlowFormat
    | FlowModTableId
    | TlvTableMod
    | TlvTableRequest
    | TlvTableReply
    | CtFlushZone
    | CtFlush
    | MultipartRequest
    | MultipartReply
    | Experimenter
    | Opaque
)


def add_flow(flow: Flow) -> FlowMod:
    """Add a flow, or replace the one with its table, priority and match."""
    return FlowMod(ADD, flow)


def delete_flow(flow: Flow) -> FlowMod:
    """Delete exactly this flow, whatever it does."""
    return FlowMod(DELETE_STRICT, flow._replace(actions=(), idle_timeout=0, hard_timeout=0, flags=0))


def delete_all_flows(table: int = TABLE_ALL) -> FlowMod:
    """Delete the flows of one table or of all."""
    return FlowMod(DELETE, Flow(table, DEFAULT_PRIORITY, (), ()))
