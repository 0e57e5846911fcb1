"""The OpenFlow side of a bridge: a controller's messages in, answers out.

    FlowMod GroupMod MeterMod Bundle…   change the bridge; refusals become errors
    PacketOut Resume                    packets into the datapath
    MultipartRequest                    statistics and descriptions (module `statistics`)
    SetConfig SetAsync SetControllerId  which asynchronous messages the controller wants

One `Session` per connection.  A connection to the management socket hears of asynchronous events only after it set a
`miss_send_len`, as with Open vSwitch.  Barriers are answered at once: everything before them has been done.
"""

from collections.abc import Callable
from typing import Any

from pyovn.openflow import messages as m
from pyovn.openflow.actions import OFPP_CONTROLLER, OFPR_INVALID_TTL, Actions, Group, Meter, walk
from pyovn.openflow.connection import Dialect, OpenFlow15
from pyovn.openflow.fields import FIELDS, FULL
from pyovn.openflow.flows import TABLE_ALL
from pyovn.openflow.match import Match
from pyovn.vswitch import statistics
from pyovn.vswitch.bridge import Bridge, PacketIn, TlvMapping
from pyovn.vswitch.conntrack.table import Connection
from pyovn.vswitch.datapath import Datapath
from pyovn.vswitch.errors import Refused
from pyovn.vswitch.frame import ETH_IP
from pyovn.vswitch.key import PLACES, bits, compiled, get
from pyovn.vswitch.ports import Port
from pyovn.vswitch.tables import FlowMod, Removed

QUOTED = 1024
OPENFLOW_11 = 2
BAD_REQUEST, BAD_TYPE, BAD_EXPERIMENTER, BAD_PORT = 1, 1, 3, 11
BAD_ACTION, BAD_OUT_GROUP = 2, 9
PORT_MOD_FAILED = 7
METER_MOD_FAILED, UNKNOWN_METER = 12, 3
BUNDLE_FAILED, BAD_ID, BUNDLE_EXIST, BUNDLE_CLOSED, MSG_FAILED, BAD_BUNDLE_TYPE = 17, 2, 3, 4, 13, 6
NOT_PERMITTED = (1, 5)

_FLOW_COMMANDS = {
    m.ADD: "add", m.MODIFY: "modify", m.MODIFY_STRICT: "modify_strict", m.DELETE: "delete",
    m.DELETE_STRICT: "delete_strict",
}  # fmt: skip
_GROUP_COMMANDS = {
    m.ADD: "add", m.MODIFY: "modify", m.GROUP_DELETE: "delete", m.INSERT_BUCKET: "insert_bucket",
    m.REMOVE_BUCKET: "remove_bucket", m.GROUP_ADD_OR_MODIFY: "add_or_modify",
}  # fmt: skip
_METER_COMMANDS = {m.ADD: "add", m.MODIFY: "modify", m.METER_DELETE: "delete"}
_CHECKED_KINDS = frozenset(("group", "meter", "clone", "write_actions"))

#: metadata fields of packet-ins
_METADATA_FIELDS = tuple(
    name
    for name in FIELDS
    if name in ("in_port", "metadata", "pkt_mark") or name.startswith(("reg", "tun_", "ct_"))
    if name in PLACES and not name.startswith(("tun_gbp", "tun_erspan", "tun_gtpu"))
)
_METADATA = bits(*_METADATA_FIELDS)

Reply = tuple[m.Message, int]


class Session:
    """One controller's connection to a bridge."""

    def __init__(
        self, datapath: Datapath, bridge: Bridge, *, primary: bool = False, dialect: Dialect | None = None
    ) -> None:
        self.datapath = datapath
        self.bridge = bridge
        self.primary = primary  #: the bridge connected to this controller, not the other way round
        self.dialect = dialect or OpenFlow15()
        self.miss_send_len = 0
        self.controller_id = 0
        self.role = m.ROLE_EQUAL
        self._generation = m.ALL_COOKIES
        self._async: dict[int, int] = {}
        self._bundles: dict[int, list[Reply] | None] = {}
        self._frag_flags = 0

    # ------------------------------------------------------------------ requests

    def handle(self, message: m.Message, xid: int) -> list[Reply]:
        """The answers to `message`."""
        handler = _HANDLERS.get(type(message))
        try:
            if handler is None:
                raise Refused(BAD_REQUEST, BAD_TYPE, type(message).__name__)
            return [(reply, xid) for reply in handler(self, message) or ()]
        except Refused as refused:
            return [(self._error(refused, message, xid), xid)]

    def _features(self, message: m.FeaturesRequest) -> list[m.Message]:
        ports = (statistics.described_port(port) for _, port in sorted(self.bridge.ports.items()))
        return [m.FeaturesReply(self.bridge.datapath_id, ports=tuple(ports))]

    def _get_config(self, message: m.GetConfigRequest) -> list[m.Message]:
        return [m.GetConfigReply(self._frag_flags, self.miss_send_len)]

    def _set_config(self, message: m.SetConfig) -> None:
        self.miss_send_len = message.miss_send_len
        self._frag_flags = message.flags

    def _barrier(self, message: m.BarrierRequest) -> list[m.Message]:
        return [m.BarrierReply()]

    def _echo(self, message: m.EchoRequest) -> list[m.Message]:
        return [m.EchoReply(message.data)]

    def _ignore(self, message: m.Message) -> None:
        """Nothing to do and nothing to say."""

    def _flow_mod(self, message: m.FlowMod) -> None:
        command = _FLOW_COMMANDS[message.command]
        flow = message.flow
        if not command.startswith("delete"):
            self._check(flow.actions)
        mod = FlowMod(command, flow, message.cookie_mask, message.out_port, message.out_group)  # type: ignore[arg-type]
        if command == "add":
            mod = mod._replace(cookie_mask=0)
        elif flow.cookie == m.ALL_COOKIES:
            mod = mod._replace(new_cookie=False)
        old = command.startswith("modify") and self.dialect.version < OPENFLOW_11
        for each in self._modified(mod) if old else (mod,):
            self.bridge.tables.apply(each, self.datapath.now)

    def _modified(self, mod: FlowMod) -> list[FlowMod]:
        """What OpenFlow 1.0 means by changing flows: in all tables, maybe; where there is none, one is added."""
        tables = {rule.table for rule in self.bridge.tables.selected(mod)}
        if not tables and not mod.cookie_mask:
            table = 0 if mod.flow.table == TABLE_ALL else mod.flow.table
            return [mod._replace(command="add", flow=mod.flow._replace(table=table))]
        mod = mod._replace(new_cookie=mod.new_cookie and not mod.cookie_mask)
        return [mod._replace(flow=mod.flow._replace(table=table)) for table in sorted(tables)]

    def _check(self, actions: Actions) -> None:
        """Raise Refused where `actions` name groups or meters that are not there."""
        if not any(action.kind in _CHECKED_KINDS for action in actions):
            return
        for action in walk(actions):
            if isinstance(action, Group) and action.id not in self.bridge.groups.groups:
                raise Refused(BAD_ACTION, BAD_OUT_GROUP, f"no group {action.id}")
            if isinstance(action, Meter) and action.id not in self.bridge.meters.meters:
                raise Refused(METER_MOD_FAILED, UNKNOWN_METER, f"no meter {action.id}")

    def _group_mod(self, message: m.GroupMod) -> None:
        command: Any = _GROUP_COMMANDS[message.command]
        self.bridge.groups.apply(command, message.group, self.datapath.now, message.bucket_id)

    def _meter_mod(self, message: m.MeterMod) -> None:
        command: Any = _METER_COMMANDS[message.command]
        self.bridge.meters.apply(command, message.meter, self.datapath.now)

    def _port_mod(self, message: m.PortMod) -> None:
        port = self.bridge.ports.get(message.number)
        if port is None:
            raise Refused(PORT_MOD_FAILED, 0, f"no port {message.number}")
        port.config = port.config & ~message.mask | message.config & message.mask
        self.datapath.invalidate()
        self.bridge.on_port_status(m.PORT_MODIFY, port)

    def _packet_out(self, message: m.PacketOut) -> None:
        _, metadata = compiled(message.match)
        in_port = get(metadata, "in_port") or OFPP_CONTROLLER
        self._check(message.actions)
        self.datapath.execute(self.bridge, in_port, message.actions, message.packet, metadata)

    def _resume(self, message: m.Resume) -> None:
        _, metadata = compiled(message.match)
        continuation = (message.continuation or b"")[:8]
        if not self.datapath.resume(self.bridge, continuation, message.packet, metadata):
            raise Refused(*NOT_PERMITTED, "stale continuation")

    def _multipart(self, message: m.MultipartRequest) -> list[m.Message]:
        return [m.MultipartReply(message.kind, statistics.entries(self.datapath, self.bridge, message))]

    def _set_role(self, message: m.RoleRequest) -> list[m.Message]:
        if message.role != m.ROLE_NOCHANGE:
            self.role = message.role
            self._generation = message.generation_id
        return [m.RoleReply(self.role, self._generation)]

    def _set_async(self, message: m.SetAsync) -> None:
        self._async.update(message.masks)

    def _get_async(self, message: m.GetAsyncRequest) -> list[m.Message]:
        return [m.GetAsyncReply(tuple((kind, self._mask(kind)) for kind in range(6)))]

    def _set_controller_id(self, message: m.SetControllerId) -> None:
        self.controller_id = message.id

    def _ct_flush_zone(self, message: m.CtFlushZone) -> None:
        self.datapath.conntrack.flush(message.zone)

    def _ct_flush(self, message: m.CtFlush) -> None:
        conntrack = self.datapath.conntrack
        for connection in list(conntrack.connections(self.datapath.now, message.zone)):
            if matches_flush(connection, message):
                conntrack.remove(connection)

    def _tlv_request(self, message: m.TlvTableRequest) -> list[m.Message]:
        return [m.TlvTableReply(tuple(m.TlvMap(*mapping) for mapping in self.bridge.tlv_map))]

    def _tlv_mod(self, message: m.TlvTableMod) -> None:
        self.bridge.tlv_map = changed_tlv_map(self.bridge.tlv_map, message)
        self.datapath.tunnels.forget()
        self.datapath.invalidate()

    def _error(self, refused: Refused, message: m.Message, xid: int) -> m.Error:
        try:
            quoted = self.dialect.encode(message, xid)[:QUOTED]
        except (KeyError, TypeError, ValueError):
            quoted = b""
        return m.Error(refused.type, refused.code, quoted)

    # ------------------------------------------------------------------ bundles

    def _bundle_control(self, message: m.BundleControl) -> list[m.Message]:
        id_ = message.id
        if message.type == m.OPEN_REQUEST:
            if id_ in self._bundles:
                raise Refused(BUNDLE_FAILED, BUNDLE_EXIST, f"bundle {id_} is open")
            self._bundles[id_] = []
        elif id_ not in self._bundles:
            raise Refused(BUNDLE_FAILED, BAD_ID, f"no bundle {id_}")
        elif message.type == m.DISCARD_REQUEST:
            del self._bundles[id_]
        elif message.type not in (m.CLOSE_REQUEST, m.COMMIT_REQUEST):
            raise Refused(BUNDLE_FAILED, BAD_BUNDLE_TYPE, "no request")
        return [message._replace(type=message.type + 1)]

    def _bundle_add(self, message: m.BundleAdd, xid: int) -> None:
        bundle = self._bundles.setdefault(message.id, [])
        if bundle is None:
            raise Refused(BUNDLE_FAILED, BUNDLE_CLOSED, f"bundle {message.id} is closed")
        if type(message.message) not in _BUNDLED:
            raise Refused(BUNDLE_FAILED, 10, "message cannot be in a bundle")
        bundle.append((message.message, xid))

    def _commit(self, message: m.BundleControl, xid: int) -> list[Reply]:
        """Apply a bundle as a whole, or not at all."""
        bundle = self._bundles.pop(message.id, None) or []
        parts = (self.bridge.tables, self.bridge.groups)
        for part in parts:
            part.begin()
        for each, each_xid in bundle:
            try:
                _HANDLERS[type(each)](self, each)
            except Refused as refused:
                for part in parts:
                    part.rollback()
                failed = Refused(BUNDLE_FAILED, MSG_FAILED, "a message of the bundle failed")
                return [(self._error(refused, each, each_xid), each_xid), (self._error(failed, message, xid), xid)]
        for part in parts:
            part.commit()
        return [(message._replace(type=m.COMMIT_REPLY), xid)]

    def receive(self, message: m.Message, xid: int) -> list[Reply]:
        """The answers to `message`, messages of bundles included."""
        try:
            if isinstance(message, m.BundleAdd):
                self._bundle_add(message, xid)
                return []
            if (
                isinstance(message, m.BundleControl)
                and message.type == m.COMMIT_REQUEST
                and message.id in self._bundles
            ):
                return self._commit(message, xid)
        except Refused as refused:
            return [(self._error(refused, message, xid), xid)]
        return self.handle(message, xid)

    # ------------------------------------------------------------------ events

    @property
    def _listens(self) -> bool:
        return self.primary or self.miss_send_len > 0

    def _mask(self, kind: int) -> int:
        return self._async.get(kind, _ASYNC_DEFAULT[kind])

    def _wants(self, master_kind: int, reason: int) -> bool:
        kind = master_kind - 1 if self.role == m.ROLE_SLAVE else master_kind
        return self._listens and bool(self._mask(kind) >> reason & 1)

    def packet_in(self, packet: PacketIn) -> m.PacketIn | None:
        """The message for a packet that goes to the controllers; None if this one does not want it."""
        if packet.controller_id != self.controller_id or not self._wants(m.ASYNC_PACKET_IN_MASTER, packet.reason):
            return None
        return m.PacketIn(
            packet.frame[: packet.max_len], metadata_match(packet.key), packet.reason, packet.table, packet.cookie,
            len(packet.frame), packet.userdata, packet.continuation or None,
        )  # fmt: skip

    def port_status(self, reason: int, port: Port) -> m.PortStatus | None:
        """The message for a port that changed; None if this controller does not want it."""
        if not self._wants(m.ASYNC_PORT_STATUS_MASTER, reason):
            return None
        return m.PortStatus(reason, statistics.described_port(port))

    def flow_removed(self, removed: Removed, now: float) -> m.FlowRemoved | None:
        """The message for a flow that went; None if this controller does not want it."""
        rule, reason = removed
        if not self._wants(m.ASYNC_FLOW_REMOVED_MASTER, reason):
            return None
        return m.FlowRemoved(
            rule.flow._replace(actions=()), reason, statistics.age(rule.created, now), rule.packets, rule.bytes
        )


#: which reasons are told where the controller did not say; expired TTLs are not
_ASYNC_DEFAULT = {
    m.ASYNC_PACKET_IN_SLAVE: 0,
    m.ASYNC_PACKET_IN_MASTER: 0x3F & ~(1 << OFPR_INVALID_TTL),
    m.ASYNC_PORT_STATUS_SLAVE: 0x7,
    m.ASYNC_PORT_STATUS_MASTER: 0x7,
    m.ASYNC_FLOW_REMOVED_SLAVE: 0,
    m.ASYNC_FLOW_REMOVED_MASTER: 0x3F,
}

_BUNDLED = frozenset((m.FlowMod, m.GroupMod, m.PortMod, m.PacketOut))

_HANDLERS: dict[type, Callable[[Session, Any], list[m.Message] | None]] = {
    m.FeaturesRequest: Session._features,
    m.GetConfigRequest: Session._get_config,
    m.SetConfig: Session._set_config,
    m.BarrierRequest: Session._barrier,
    m.EchoRequest: Session._echo,
    m.EchoReply: Session._ignore,
    m.Hello: Session._ignore,
    m.Error: Session._ignore,
    m.FlowMod: Session._flow_mod,
    m.GroupMod: Session._group_mod,
    m.MeterMod: Session._meter_mod,
    m.PortMod: Session._port_mod,
    m.TableMod: Session._ignore,
    m.PacketOut: Session._packet_out,
    m.Resume: Session._resume,
    m.MultipartRequest: Session._multipart,
    m.RoleRequest: Session._set_role,
    m.SetAsync: Session._set_async,
    m.GetAsyncRequest: Session._get_async,
    m.SetControllerId: Session._set_controller_id,
    m.SetPacketInFormat: Session._ignore,
    m.SetFlowFormat: Session._ignore,
    m.FlowModTableId: Session._ignore,
    m.CtFlushZone: Session._ct_flush_zone,
    m.CtFlush: Session._ct_flush,
    m.TlvTableRequest: Session._tlv_request,
    m.TlvTableMod: Session._tlv_mod,
    m.BundleControl: Session._bundle_control,
}


def metadata_match(key: int) -> Match:
    """The metadata fields of a packet-in: those that are not zero."""
    if not key & _METADATA:
        return ()
    terms = []
    for name in _METADATA_FIELDS:
        value = get(key, name)
        if value:
            terms.append((name, value, max(FULL[name], (1 << (value.bit_length() + 7) // 8 * 8) - 1)))
    return tuple(terms)


def changed_tlv_map(mappings: tuple[TlvMapping, ...], message: m.TlvTableMod) -> tuple[TlvMapping, ...]:
    """The option table after `message`; raises Refused."""
    if message.command == m.TLV_CLEAR:
        return ()
    if message.command == m.TLV_DELETE:
        gone = {(wanted.cls, wanted.type) for wanted in message.maps}
        return tuple(mapping for mapping in mappings if (mapping.class_, mapping.type) not in gone)
    for wanted in message.maps:
        if wanted.length % 4 or not 0 < wanted.length <= 124 or wanted.number > 63:
            raise Refused(*NOT_PERMITTED, "bad option length or field number")
        for mapping in mappings:
            if (mapping.class_, mapping.type) == (wanted.cls, wanted.type) or mapping.field == wanted.number:
                raise Refused(*NOT_PERMITTED, "option or field already mapped")
    return mappings + tuple(TlvMapping(*wanted) for wanted in message.maps)


def matches_flush(connection: Connection, wanted: m.CtFlush) -> bool:
    """True if `connection` is among those that a flush is about."""
    if wanted.proto and connection.original.proto != wanted.proto:
        return False
    for has, part in ((connection.mark, wanted.mark), (connection.label, wanted.label)):
        if part is not None and (has ^ part[0]) & part[1]:
            return False
    return all(
        _tuple_matches(has, part)
        for has, part in ((connection.original, wanted.original), (connection.reply, wanted.reply))
    )


def _tuple_matches(has: Any, wanted: m.CtTuple) -> bool:
    mapped = 0xFFFF << 32 if has.net == ETH_IP else 0
    icmp = (has.sport, has.dport >> 8, has.dport & 255) if has.is_icmp else (None, None, None)
    ports = (None, None) if has.is_icmp else (has.sport, has.dport)
    values = (has.src | mapped, has.dst | mapped, *ports, *icmp)
    return all(want is None or want == value for value, want in zip(values, wanted, strict=True))
