"""The pipeline: what the flow tables make of one packet.

    key ─▶ table 0 ─▶ flow ─▶ actions ─▶ resubmit ─▶ …        the key changes as actions write to it
             │                   │
             ▼                   ▼
       bits consulted        datapath operations               together: a cache entry for all packets like this one

`own` are the bits of the key that the pipeline wrote itself: looking at them says nothing about the packet.  `base` is
the frame as the operations so far have made it; what differs is written just before the packet leaves.
Limits are Open vSwitch's: resubmit depth 64, 4096 resubmits in all.  Facts: ovs-actions(7).
"""

from collections.abc import Callable
from typing import Any

from pyovn.net.ip import ip4_str, ip6_str
from pyovn.openflow.actions import (
    LEARN_SEND_FLOW_REM,
    LEARN_WRITE_RESULT,
    OFPP_ALL,
    OFPP_CONTROLLER,
    OFPP_FLOOD,
    OFPP_IN_PORT,
    OFPP_NONE,
    OFPP_NORMAL,
    OFPP_TABLE,
    OFPR_ACTION,
    OFPR_INVALID_TTL,
    Action,
    Actions,
    Bundle,
    CheckPktLarger,
    ClearActions,
    Clone,
    Controller,
    Ct,
    DecTtl,
    DeleteField,
    Group,
    Learn,
    Meter,
    Move,
    Multipath,
    Output,
    OutputReg,
    Pop,
    PopQueue,
    Push,
    PushVlan,
    Resubmit,
    Sample,
    SetField,
    SetQueue,
    Subfield,
    WriteActions,
    WriteMetadata,
)
from pyovn.openflow.fields import FIELDS
from pyovn.openflow.flows import GROUP_ANY, SEND_FLOW_REM, Bucket, Flow
from pyovn.openflow.match import canonical
from pyovn.openflow.match_text import format_match
from pyovn.vswitch import ops
from pyovn.vswitch.action_sets import ordered, set_slot
from pyovn.vswitch.bridge import Bridge
from pyovn.vswitch.conntrack.nat import Nat
from pyovn.vswitch.conntrack.table import CtAction
from pyovn.vswitch.frame import ETH_VLAN
from pyovn.vswitch.groups import Group as GroupState
from pyovn.vswitch.groups import rendezvous
from pyovn.vswitch.hashing import HASHED, SYMMETRIC_L4, symmetric
from pyovn.vswitch.key import (
    CT,
    FIVE_TUPLE,
    FRAME,
    PIPELINE,
    PLACES,
    SLOTS,
    TUN_METADATA_BITS,
    TUN_METADATA_FIELDS,
    TUNNEL,
    VLAN,
    bits,
    get,
    place,
    put,
)
from pyovn.vswitch.normal import flood_ports, normal
from pyovn.vswitch.ports import CONFIG_DOWN, CONFIG_NO_FWD, CONFIG_NO_RECV, Port
from pyovn.vswitch.prerequisites import NEEDS
from pyovn.vswitch.tables import Rule
from pyovn.vswitch.translation import Frozen, Lookup, Scene, Stop, Translation, learn

MAX_DEPTH, MAX_RESUBMITS = 64, 4096
INDENT = 4
TABLE_SELF = 255

_TCI = PLACES["vlan_tci"][0]
_PRESENT = 0x1000 << _TCI
_PRESENT2 = 0x1000 << PLACES["vlan2_tci"][0]
_OUTER = bits("vlan_tci", "vlan_tpid")
_TAG_BITS = 32
_IP_TYPES = (0x0800, 0x86DD)
#: the slots of the key that are written to frames, VLAN tags apart
_FRAME_SLOTS = tuple(bits(name) for name, _ in SLOTS if bits(name) & FRAME & ~VLAN)
_TUN_METADATA = tuple(
    ((1 << TUN_METADATA_BITS) - 1) << PLACES[f"tun_metadata{n}"][0] for n in range(TUN_METADATA_FIELDS)
)


class Translator:
    """One packet on its way through the pipeline."""

    __slots__ = (
        "action_set", "base", "bridge", "column", "committed", "cookie", "depth", "exiting", "freezing", "in_port",
        "key", "out", "own", "queue", "resubmits", "scene", "size", "stack", "table", "tail", "unrolled",
    )  # fmt: skip

    def __init__(self, scene: Scene, bridge: Bridge, key: int, size: int) -> None:
        self.scene = scene
        self.bridge = bridge
        self.key = self.base = key
        self.own = PIPELINE
        self.committed = 0
        self.size = size  #: of the frame as received
        self.in_port = get(key, "in_port")
        self.stack: list[int] = []
        self.table = -1  #: of the flow whose actions are being done
        self.cookie = 0
        self.depth = 0
        self.column = INDENT  #: where the trace writes actions
        self.tail = True  #: the action at hand is the last of its list
        self.resubmits = 0
        self.exiting = False
        self.freezing: tuple[Controller, int, int] | None = None  #: (pausing action, table, cookie)
        self.unrolled: list[tuple[Actions, int, int]] = []
        self.action_set: tuple[Action, ...] = ()
        self.queue = 0
        self.out = Translation()

    # ------------------------------------------------------------------ entry points

    def run(self, table: int = 0) -> Translation:
        """Translate a packet that was just received."""
        return self._guarded(lambda: self._received(table))

    def resume(self, frozen: Frozen) -> Translation:
        """Translate a packet whose pipeline was at rest."""
        self.own |= frozen.own
        self.stack = list(frozen.stack)
        self.action_set = frozen.action_set
        return self._guarded(lambda: self._thawed(frozen))

    def act(self, actions: Actions) -> Translation:
        """Translate a packet that a controller sent out with `actions`."""
        return self._guarded(lambda: self._boundary(lambda: self._do(actions)))

    def _guarded(self, body: Callable[[], None]) -> Translation:
        try:
            body()
        except (Stop, RecursionError) as stop:
            self.out.operations.clear()
            self.out.error = str(stop)
            self.say(f">> {stop}")
        self.out.key = self.key
        return self.out

    def _received(self, table: int) -> None:
        port = self.bridge.ports.get(self.in_port)
        if port is not None and port.config & CONFIG_NO_RECV:
            return
        self._boundary(lambda: self._enter(table))

    def _enter(self, table: int) -> None:
        self._look_up(table, None)

    def _thawed(self, frozen: Frozen) -> None:
        def body() -> None:
            if frozen.table is not None:
                self._look_up(frozen.table, None)
            for actions, table, cookie in frozen.rest:
                if self.exiting:
                    break
                self.table, self.cookie = table, cookie
                self._do(actions)

        self._boundary(body)

    def _boundary(self, body: Callable[[], None]) -> None:
        """Run `body`; a pause inside it, its action set and `exit` end with it."""
        body()
        if self.freezing is not None:
            self._finish_pause()
        elif self.action_set:
            self._run_action_set()
        self.exiting = False

    # ------------------------------------------------------------------ tables and action lists

    def _look_up(self, table_id: int, in_port: int | None) -> None:
        """Search a table and do what the flow says, then come back."""
        saved = self.table, self.cookie, self.column, self.depth
        self._do(self._found(table_id, in_port))
        self.table, self.cookie, self.column, self.depth = saved

    def _found(self, table_id: int, in_port: int | None) -> Actions:
        """The actions of the flow that a table has for the packet."""
        if table_id <= self.table:
            self.depth += 1  # only going back can go round in circles
            if self.depth >= MAX_DEPTH:
                raise Stop(f"over max translation depth {MAX_DEPTH}")
        tables = self.bridge.tables.tables
        if table_id >= len(tables):
            return ()
        table = tables[table_id]
        key = self.key if in_port is None else put(self.key, "in_port", in_port)
        rule, consulted = table.rules.lookup(key)
        self.out.consulted |= consulted & ~self.own
        self.out.lookups.append(Lookup(table, key, self.own, rule.priority if rule else -1))
        self.out.credits.append(table)
        if self.scene.report is not None:
            # The look-up of a last action takes the place of its caller, any other one stands beneath it.
            column = self.column - INDENT if self.tail else self.column
            self.scene.report(column, f"{table_id:2}. {describe_rule(rule)}")
            self.column += 0 if self.tail else 2 * INDENT
            if rule is None or not rule.actions:
                self.say("drop")
        if rule is None:
            return ()
        self.out.credits.append(rule)
        self.table, self.cookie = table_id, rule.cookie
        return rule.actions

    def _do(self, actions: Actions) -> None:
        # A resubmit at the end of a list is a jump, not a call: pipelines are long and Python's stack is not.
        more: Actions | None = actions
        while more is not None:
            more = self._do_list(more)

    def _do_list(self, actions: Actions) -> Actions | None:
        """Do one list; gives the list to go on with, if the last action leads to one."""
        for index, action in enumerate(actions):
            self.tail = index + 1 == len(actions)
            if self.scene.report is not None:
                self.scene.report(self.column, self.scene.describe(action))
            if self.tail and isinstance(action, Resubmit) and not action.ct:
                return self._resubmitted(action)
            if _HANDLERS[action.kind](self, action) or self.exiting:
                return None
            if self.freezing is not None:
                if index + 1 < len(actions):
                    self.unrolled.append((actions[index + 1 :], self.table, self.cookie))
                return None
        return None

    def _resubmitted(self, action: Resubmit) -> Actions:
        """The actions that a resubmit leads to."""
        self.resubmits += 1
        if self.resubmits > MAX_RESUBMITS:
            raise Stop(f"over {MAX_RESUBMITS} resubmit actions")
        table = self.table if action.table == TABLE_SELF else action.table
        return self._found(table, self.in_port if action.in_port == OFPP_IN_PORT else action.in_port)

    def _resubmit(self, action: Resubmit) -> None:
        saved = self.table, self.cookie, self.column, self.depth
        plain = self.key
        if action.ct:
            self.key = self._by_original_tuple()
        swapped = self.key
        actions = self._resubmitted(action)
        self.key = plain
        if action.ct:
            self.out.lookups[-1] = self.out.lookups[-1]._replace(key=swapped, own=self.own | FIVE_TUPLE)
        self._do(actions)
        self.table, self.cookie, self.column, self.depth = saved

    def _by_original_tuple(self) -> int:
        """The key with conntrack's original tuple in place of addresses and ports."""
        key = self.key
        pairs = {
            "ip_src": "ct_nw_src", "ip_dst": "ct_nw_dst", "ipv6_src": "ct_ipv6_src", "ipv6_dst": "ct_ipv6_dst",
            "tp_src": "ct_tp_src", "tp_dst": "ct_tp_dst", "ip_proto": "ct_nw_proto",
        }  # fmt: skip
        self.consult(bits(*pairs.values(), "eth_type"))
        for plain, original in pairs.items():
            key = put(key, plain, get(key, original))
        return key

    # ------------------------------------------------------------------ the key

    def consult(self, mask: int) -> None:
        """Note that bits of the key were looked at."""
        self.out.consulted |= mask & ~self.own

    def overwrite(self, value: int, mask: int) -> None:
        """Write bits of the key."""
        self.key = self.key & ~mask | value & mask
        self.own |= mask

    def read(self, subfield: Subfield) -> int:
        """The value of a subfield."""
        name, low, width = subfield
        offset = PLACES[name][0] + low
        mask = (1 << width) - 1
        self.consult(mask << offset)
        return self.key >> offset & mask

    def write(self, subfield: Subfield, value: int) -> None:
        """Set a subfield, unless the packet has no such field."""
        name, low, width = subfield
        if self._has(name):
            offset = PLACES[name][0] + low
            mask = (1 << width) - 1
            self.overwrite((value & mask) << offset, mask << offset)
            self._written(name)

    def _has(self, name: str) -> bool:
        """True if the packet has the headers that field `name` is a part of."""
        need = FIELDS[name].prerequisite
        if not need or need == "ct":
            return True
        if need == "vlan":
            return bool(self.key & _PRESENT)
        for alternative in NEEDS[need]:
            mask, value = alternative
            if self.key & mask == value:
                self.consult(mask)
                return True
        for mask, _ in NEEDS[need]:
            self.consult(mask)
        return False

    def _written(self, name: str) -> None:
        if name == "in_port":
            self.in_port = _widened(get(self.key, "in_port"))
            self.key = put(self.key, "in_port", self.in_port)
        elif name in ("vlan_tci", "vlan_vid"):
            if name == "vlan_vid" and not self.key & _PRESENT:
                self.overwrite(_PRESENT, _PRESENT)
            if self.key & _PRESENT and not get(self.key, "vlan_tpid"):
                self.overwrite(place("vlan_tpid", ETH_VLAN), bits("vlan_tpid"))
            elif not self.key & _PRESENT:
                self.overwrite(0, _OUTER)

    # ------------------------------------------------------------------ making the frame what the key says

    def commit(self) -> None:
        """Append the operations that bring the frame up to date."""
        dirty = (self.own | self.committed) & FRAME
        if not dirty:
            return
        reverted = self.committed & ~self.own & FRAME
        self.consult(reverted)
        known = self.out.consulted | self.committed
        needed = dirty & ((self.key ^ self.base) | ~known) & ~VLAN
        mask = 0
        if needed:
            for slot in _FRAME_SLOTS:
                if needed & slot:
                    mask |= dirty & slot
        self._set(mask)
        if dirty & VLAN:
            self._commit_vlan()

    def _set(self, mask: int) -> None:
        if mask:
            self.out.operations.append(ops.SetBits(self.key & mask, mask))
            self.base = self.base & ~mask | self.key & mask
            self.committed |= mask

    def _commit_vlan(self) -> None:
        wanted, has = _tags(self.key), _tags(self.base)
        while len(has) > len(wanted):
            has.pop()
            self.out.operations.append(ops.PopVlan())
            self.base = self.base & ~VLAN | (self.base & VLAN) >> _TAG_BITS & _OUTER
        if has:
            # Only the outermost tag can be rewritten in place, and only that one ever differs.
            self._retag(wanted[len(has) - 1], has[-1], in_front=len(has) == len(wanted))
        for tag in wanted[len(has) :]:
            self.out.operations.append(ops.PushVlan(tag >> 16, tag & 0xFFFF))
            self.base = self.base & ~VLAN | (self.base & _OUTER) << _TAG_BITS | tag << _TCI
        self.committed |= VLAN

    def _retag(self, wanted: int, has: int, *, in_front: bool) -> None:
        """Rewrite the outer tag where it differs, or where bits were written that nobody knows from the packet."""
        known = (self.out.consulted | self.committed) >> _TCI
        own = self.own >> _TCI & 0xFFFFEFFF if in_front else 0
        differs = wanted ^ has
        mask = 0xFFFF0000 if differs >> 16 else 0
        if (differs | own & ~known) & 0xEFFF:
            mask |= (own | differs) & 0xEFFF
        if mask:
            self.out.operations.append(ops.SetBits((wanted & mask) << _TCI, mask << _TCI))
            self.base = self.base & ~(mask << _TCI) | (wanted & mask) << _TCI

    # ------------------------------------------------------------------ outputs

    def output(self, number: int, max_len: int = 0) -> None:
        """Send the packet to a port, reserved ones included."""
        if number == OFPP_IN_PORT:
            self.emit(self.in_port, max_len)
        elif number == OFPP_NORMAL:
            normal(self)
        elif number in (OFPP_FLOOD, OFPP_ALL):
            for port in flood_ports(self.bridge, all_ports=number == OFPP_ALL):
                if port.ofport != self.in_port:
                    self.emit(port.ofport, max_len)
        elif number == OFPP_CONTROLLER:
            self.punt(Controller(max_len or 0xFFFF, reason=OFPR_ACTION))
        elif number == OFPP_TABLE:
            self._look_up(0, None)
        elif number == OFPP_NONE:
            return
        elif number == self.in_port:
            self.say(" >> skipping output to input port")
        else:
            self.emit(number, max_len)

    def emit(self, number: int, max_len: int = 0) -> None:
        """Send the packet to a port that is no reserved one."""
        port = self.bridge.ports.get(number)
        if port is None:
            self.say(" >> Nonexistent output port")
            return
        if port.config & (CONFIG_DOWN | CONFIG_NO_FWD):
            self.say(" >> port is down or does not forward")
            return
        if port.kind == "patch":
            self._cross(port)
            return
        self.commit()
        if port.kind == "tunnel":
            self._encapsulate(port)
        else:
            self.out.operations.append(ops.Out(port, max_len))

    def _encapsulate(self, port: Port) -> None:
        config = port.tunnel
        assert config is not None
        self.consult(bits("tun_id", "tun_src", "tun_dst") if None in (config.out_key, config.remote) else 0)
        remote = self._tunnel_address("dst") if config.remote is None else config.remote
        local = self._tunnel_address("src") if config.local is None else config.local
        key = get(self.key, "tun_id") if config.out_key is None else config.out_key
        tos = config.tos
        if tos is None:
            self.consult(bits("ip_tos"))
            tos = get(self.key, "ip_tos")
        if not remote:
            self.say(" >> no remote address for tunnel")
            return
        options = self._options() if config.kind == "geneve" else b""
        if self.scene.report is not None:
            self.say(f" -> output to {'Geneve' if config.kind == 'geneve' else 'VXLAN'} tunnel")
        self.out.operations.append(ops.Encap(port, key & 0xFFFFFF, remote, local, tos, config.ttl, options))

    def _tunnel_address(self, end: str) -> str:
        value = get(self.key, f"tun_{end}")
        if value:
            return ip4_str(value)
        self.consult(bits(f"tun_ipv6_{end}"))
        value = get(self.key, f"tun_ipv6_{end}")
        return ip6_str(value) if value else ""

    def _options(self) -> bytes:
        """The Geneve options the packet is to carry, as bytes of the wire."""
        wire = b""
        for mapping in self.bridge.tlv_map:
            slot = _TUN_METADATA[mapping.field]
            if self.own & slot or self.key & slot:
                self.consult(slot)
                value = get(self.key, f"tun_metadata{mapping.field}") & ((1 << mapping.length * 8) - 1)
                header = mapping.class_ << 16 | mapping.type << 8 | mapping.length // 4
                wire += header.to_bytes(4, "big") + value.to_bytes(mapping.length, "big")
        return wire

    def _cross(self, port: Port) -> None:
        """Go on in the bridge at the other end of a patch port."""
        bridge = self.scene.bridges.get(port.peer[0]) if port.peer else None
        peer = bridge.port_named(port.peer[1]) if bridge and port.peer else None
        if bridge is None or peer is None:
            self.say(" >> Nonexistent patch port peer")
            return
        if self.depth >= MAX_DEPTH:
            raise Stop(f"over max translation depth {MAX_DEPTH}")
        self.out.credits.append((port, peer))
        saved = self._state(), self.bridge, self.in_port, self.table, self.cookie
        self.bridge, self.in_port, self.stack, self.action_set = bridge, peer.ofport, [], ()
        self.key = self.key & FRAME | place("in_port", peer.ofport)
        self.own |= PIPELINE | CT | TUNNEL
        if self.scene.report is not None:
            self.say(f'bridge("{bridge.name}")')
            self.say("-" * (len(bridge.name) + 10))
        column, self.column, self.tail = self.column, self.column + INDENT, True
        self.table = -1
        self.depth += 1
        if not peer.config & CONFIG_NO_RECV:
            self._boundary(lambda: self._enter(0))
        self.column = column
        state, self.bridge, self.in_port, self.table, self.cookie = saved
        self._restore(state)

    def _state(self) -> tuple[int, int, list[int], tuple[Action, ...], int]:
        return self.key, self.own, list(self.stack), self.action_set, self.depth

    def _restore(self, state: tuple[int, int, list[int], tuple[Action, ...], int]) -> None:
        self.key, self.own, self.stack, self.action_set, self.depth = state
        self.in_port = get(self.key, "in_port")

    # ------------------------------------------------------------------ controllers

    def punt(self, action: Controller, continuation: bytes = b"") -> None:
        """Send the packet to the controllers."""
        self.commit()
        self.out.operations.append(
            ops.Punt(
                self.bridge, action.reason, max(self.table, 0), self.cookie, self.key & (PIPELINE | TUNNEL | CT),
                self.own & (TUNNEL | CT), action.max_len, action.userdata, action.controller_id, action.meter_id,
                continuation,
            )
        )  # fmt: skip

    def _controller(self, action: Controller) -> None:
        if action.pause:
            self.freezing = (action, self.table, self.cookie)
        else:
            self.punt(action)

    def _finish_pause(self) -> None:
        assert self.freezing is not None
        action, self.table, self.cookie = self.freezing
        self.freezing = None
        rest, self.unrolled = tuple(self.unrolled), []
        self.commit()
        frozen = Frozen(self.bridge.name, None, 0, self.own & TUNNEL, tuple(self.stack), rest, self.action_set)
        self.action_set = ()
        self.punt(action, self.scene.pause(frozen))

    # ------------------------------------------------------------------ conntrack

    def _ct(self, action: Ct) -> None:
        self.commit()
        zone = action.zone if isinstance(action.zone, int) else self.read(action.zone)
        mark, label = self._ct_writes(action)
        nat = None
        if action.nat is not None:
            nat = Nat(*action.nat[:6])
        recirc = None
        if action.table is not None:
            recirc = self.scene.freeze(
                Frozen(
                    self.bridge.name, action.table, self.key & (PIPELINE | self.own & TUNNEL), self.own & TUNNEL,
                    tuple(self.stack), (), self.action_set,
                )
            )  # fmt: skip
            self.say(
                " -> A clone of the packet is forked to recirculate. "
                f"The forked pipeline will be resumed at table {action.table}."
            )
        track = CtAction(zone & 0xFFFF, action.commit, action.force, mark, label, nat, action.alg)
        self.out.operations.append(ops.Track(track, recirc))
        self._ct_clear(action)
        self.say(" -> Sets the packet to an untracked state, and clears all the conntrack fields.")

    def _ct_writes(self, action: Ct) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """(value, mask) of what the nested actions write to the connection's mark and label."""
        before = self.key, self.own
        written = 0
        for nested in action.exec:
            self.own &= ~CT
            _HANDLERS[nested.kind](self, nested)
            written |= self.own & CT
        found = []
        for name in ("ct_mark", "ct_label"):
            offset, width = PLACES[name]
            mask = written >> offset & (1 << width) - 1
            found.append((self.key >> offset & mask, mask) if mask else None)
        self.key, self.own = before
        return found[0], found[1]

    def _ct_clear(self, action: Action) -> None:
        self.key &= ~CT
        self.own |= CT

    # ------------------------------------------------------------------ the smaller actions

    def _set_field(self, action: SetField) -> None:
        offset = PLACES[action.field][0]
        if action.field == "in_port" and action.mask == 0xFFFF:
            self.in_port = _widened(action.value)
            self.key = put(self.key, "in_port", self.in_port)
        elif self._has(action.field):
            self.overwrite(action.value << offset, action.mask << offset)
            self._written(action.field)

    def _move(self, action: Move) -> None:
        if self._has(action.src) and self._has(action.dst):
            value = self.read((action.src, action.src_ofs, action.bits))
            self.write((action.dst, action.dst_ofs, action.bits), value)

    def _push(self, action: Push) -> None:
        self.stack.append(self.read((action.field, action.ofs, action.bits)))

    def _pop(self, action: Pop) -> None:
        if not self.stack:
            self.say(" >> stack underflow")
            return
        value = self.stack.pop()
        if action.field == "in_port":
            self.in_port = _widened(value) if action.bits == 16 else value
            self.key = put(self.key, "in_port", self.in_port)
        else:
            self.write((action.field, action.ofs, action.bits), value)

    def _push_vlan(self, action: PushVlan) -> None:
        offset = PLACES["vlan_tci"][0]
        outer = self.key & _OUTER
        tci = 0
        if self.key & _PRESENT:
            self.consult(_OUTER)
            tci = outer >> offset & 0xEFFF
        inner = outer << _TAG_BITS
        self.overwrite(inner | (action.ethertype << 16 | tci | 0x1000) << offset, VLAN)

    def _pop_vlan(self, action: Action) -> None:
        if self.key & _PRESENT:
            self.overwrite((self.key & VLAN) >> _TAG_BITS & _OUTER, VLAN)

    def _dec_ttl(self, action: DecTtl) -> bool:
        if get(self.key, "eth_type") not in _IP_TYPES:
            return False
        ttl = self.read(("ip_ttl", 0, 8))
        if ttl > 1:
            self.write(("ip_ttl", 0, 8), ttl - 1)
            return False
        for controller in action.controllers:
            self.punt(Controller(0xFFFF, controller_id=controller, reason=OFPR_INVALID_TTL))
        return True

    def _clone(self, action: Clone) -> None:
        self._apart(lambda: self._do(action.actions))

    def _apart(self, body: Callable[[], None]) -> None:
        """Run `body` and take back what it did to the packet."""
        state, queue = self._state(), self.queue
        base, committed = self.base, self.committed
        start = len(self.out.operations)
        self._boundary(body)
        done = self.out.operations[start:]
        if any(isinstance(op, ops.Track) and op.recirc is None and op.action.nat for op in done) or any(
            isinstance(op, ops.Metered) for op in done
        ):
            # What cannot be undone by writing the fields back happens to a real copy.
            self.out.operations[start:] = [ops.Cloned(tuple(done))]
            self.base, self.committed = base, committed
        self._restore(state)
        self.queue = queue

    def _group(self, action: Group) -> None:
        self.out.groups.add((self.bridge.name, action.id))
        group = self.bridge.groups.groups.get(action.id)
        if group is None:
            self.say(" >> output to nonexistent group")
            return
        if self.depth >= MAX_DEPTH:
            raise Stop(f"over max translation depth {MAX_DEPTH}")
        self.out.credits.append(group)
        for index in self._chosen(group):
            state = group.buckets[index]
            self.out.credits.append(state)
            if group.definition.type != "all":
                self.say(f" -> using bucket {index}")
            self.say(f"bucket {index}")
            self._bucket(state.definition)

    def _bucket(self, bucket: Bucket) -> None:
        """A bucket is an action set that is executed at once, on a copy."""
        self.depth += 1
        self.column += 2 * INDENT
        self._apart(lambda: self._do(ordered(bucket.actions)))
        self.column -= 2 * INDENT
        self.depth -= 1

    def _chosen(self, group: GroupState) -> list[int]:
        buckets = group.definition.buckets
        kind = group.definition.type
        if kind in ("all", "indirect"):
            return list(range(len(buckets)))
        live = [index for index, bucket in enumerate(buckets) if self._bucket_live(bucket)]
        if kind == "ff" or not live:
            return live[:1]
        hashed = group.hashed
        self.consult(hashed)
        salt = group.definition.selection_method_param
        picked = symmetric(self.key) if salt >> 32 == SYMMETRIC_L4 and hashed == FIVE_TUPLE else self.key & hashed
        winner = rendezvous(picked, salt, ((buckets[i].id & 0xFFFFFFFF, buckets[i].weight) for i in live))
        return [] if winner is None else [live[winner]]

    def _bucket_live(self, bucket: Bucket) -> bool:
        if bucket.watch_port not in (OFPP_NONE, OFPP_CONTROLLER):
            port = self.bridge.ports.get(bucket.watch_port)
            return port is not None and port.live
        if bucket.watch_group != GROUP_ANY:
            group = self.bridge.groups.groups.get(bucket.watch_group)
            return group is not None and any(self._bucket_live(inner) for inner in group.definition.buckets)
        return True

    def _bundle(self, action: Bundle) -> None:
        live = [number for number in action.ports if (port := self.bridge.ports.get(number)) and port.live]
        if action.algorithm == "active_backup":
            chosen = live[0] if live else OFPP_NONE
        else:
            self.consult(HASHED.get(action.hash_fields, FIVE_TUPLE))
            hashed = self.key & HASHED.get(action.hash_fields, FIVE_TUPLE)
            winner = rendezvous(hashed, action.basis, ((number, 1) for number in live))
            chosen = OFPP_NONE if winner is None else live[winner]
        if action.dst is not None:
            self.write(action.dst, chosen)
        elif chosen != OFPP_NONE:
            self.output(chosen)

    def _multipath(self, action: Multipath) -> None:
        covered = HASHED.get(action.hash_fields, FIVE_TUPLE)
        self.consult(covered)
        link = rendezvous(self.key & covered, action.basis, ((index, 1) for index in range(action.n_links)))
        self.write(action.dst, link or 0)

    def _check_length(self, action: CheckPktLarger) -> None:
        self.commit()
        grown = self._length() - self.size
        self.out.lengths.add(action.length - grown)
        self.write((action.field, action.bit, 1), int(self._length() > action.length))

    def _length(self) -> int:
        """How long the frame now is."""
        pushed = sum(isinstance(op, ops.PushVlan) for op in self.out.operations)
        popped = sum(isinstance(op, ops.PopVlan) for op in self.out.operations)
        return self.size + 4 * (pushed - popped)

    def _meter(self, action: Meter) -> None:
        self.out.operations.append(ops.Metered(self.bridge, action.id))

    def _sample(self, action: Sample) -> None:
        self.out.operations.append(ops.Sampled(self.bridge))

    def _set_queue(self, action: SetQueue) -> None:
        self.queue = action.id
        self.overwrite(place("skb_priority", action.id), bits("skb_priority"))

    def _pop_queue(self, action: PopQueue) -> None:
        self.queue = 0
        self.overwrite(0, bits("skb_priority"))

    def _exit(self, action: Action) -> None:
        self.exiting = True

    def _delete_field(self, action: DeleteField) -> None:
        slot = bits(action.field)
        self.overwrite(0, slot)
        self.own &= ~slot

    def _write_metadata(self, action: WriteMetadata) -> None:
        offset = PLACES["metadata"][0]
        self.overwrite(action.value << offset, action.mask << offset)

    def _write_actions(self, action: WriteActions) -> None:
        kinds = {set_slot(new) for new in action.actions}
        kept = tuple(old for old in self.action_set if set_slot(old) not in kinds)
        self.action_set = kept + action.actions

    def _clear_actions(self, action: ClearActions) -> None:
        self.action_set = ()

    def _run_action_set(self) -> None:
        actions, self.action_set = ordered(self.action_set), ()
        self._do(actions)

    def _learn(self, action: Learn) -> None:
        flow = self._learned(action)
        operation = ops.Learnt(self.bridge, flow, action.limit)
        self.out.operations.append(operation)
        done = learn(operation, self.scene.now) if self.scene.effects else True
        if action.flags & LEARN_WRITE_RESULT and action.result is not None:
            self.write((*action.result, 1), int(done))

    def _learned(self, action: Learn) -> Flow:
        """The flow that `action` makes of the packet as it is."""
        matches: dict[str, tuple[int, int]] = {}
        actions: list[Action] = []
        for spec in action.specs:
            value = spec.value if spec.src is None else self.read((*spec.src, spec.bits))
            if spec.use == "output":
                actions.append(Output(_widened(value) if spec.bits <= 16 else value))
                continue
            assert spec.dst is not None
            name, low = spec.dst
            mask = (1 << spec.bits) - 1 << low
            if spec.use == "match":
                old_value, old_mask = matches.get(name, (0, 0))
                matches[name] = (old_value | value << low, old_mask | mask)
            else:
                actions.append(SetField(name, value << low, mask))
        flags = SEND_FLOW_REM if action.flags & LEARN_SEND_FLOW_REM else 0
        return Flow(
            action.table, action.priority, canonical((name, *term) for name, term in matches.items()), tuple(actions),
            action.cookie, action.idle_timeout, action.hard_timeout, flags,
        )  # fmt: skip

    def _unsupported(self, action: Action) -> None:
        self.say(f" >> {action.kind} is not supported")
        self.exiting = True

    def learn_address(self, vlan: int, mac: int) -> None:
        """Note that `mac` sits on the packet's port."""
        self.out.normal.add(self.bridge.name)
        if self.in_port in self.bridge.ports:
            self.out.learned.append((self.bridge, vlan, mac, self.in_port))
            if self.scene.effects:
                self.bridge.fdb.learn(vlan, mac, self.in_port, self.scene.now)

    def say(self, line: str) -> None:
        """Tell the trace."""
        if self.scene.report is not None:
            self.scene.report(self.column, line)


def _widened(port: int) -> int:
    """A 16-bit OpenFlow 1.0 port number as a 32-bit one."""
    return port | 0xFFFF0000 if 0xFF00 <= port <= 0xFFFF else port


def _tags(key: int) -> list[int]:
    """The VLAN tags of a key as tpid << 16 | tci, innermost first."""
    offset, offset2 = PLACES["vlan_tci"][0], PLACES["vlan2_tci"][0]
    found = [key >> offset2 & 0xFFFFFFFF] if key & _PRESENT2 else []
    return [*found, key >> offset & 0xFFFFFFFF] if key & _PRESENT else found


def describe_rule(rule: Rule | None) -> str:
    """The outcome of a look-up as the trace shows it."""
    if rule is None:
        return "No match."
    shown = format_match(rule.match)
    cookie = f", cookie {rule.cookie:#x}" if rule.cookie else ""
    return f"{shown + ', ' if shown else ''}priority {rule.priority}{cookie}"


def _nothing(translator: Translator, action: Action) -> None:
    """For actions that do nothing while a packet passes."""


#: kind -> handler; a true result ends the action list
_HANDLERS: dict[str, Callable[[Translator, Any], bool | None]] = {
    "output": lambda t, a: t.output(a.port, a.max_len),
    "output_reg": lambda t, a: t.output(_port_in(t, a), a.max_len),
    "output_trunc": lambda t, a: t.output(a.port, a.max_len),
    "resubmit": Translator._resubmit,
    "goto_table": lambda t, a: t._look_up(a.table, None),
    "set_field": Translator._set_field,
    "move": Translator._move,
    "push": Translator._push,
    "pop": Translator._pop,
    "push_vlan": Translator._push_vlan,
    "pop_vlan": Translator._pop_vlan,
    "dec_ttl": Translator._dec_ttl,
    "group": Translator._group,
    "meter": Translator._meter,
    "set_queue": Translator._set_queue,
    "pop_queue": Translator._pop_queue,
    "controller": Translator._controller,
    "ct": Translator._ct,
    "ct_clear": Translator._ct_clear,
    "nat": _nothing,
    "conjunction": _nothing,
    "note": _nothing,
    "learn": Translator._learn,
    "clone": Translator._clone,
    "check_pkt_larger": Translator._check_length,
    "bundle": Translator._bundle,
    "multipath": Translator._multipath,
    "sample": Translator._sample,
    "fin_timeout": _nothing,
    "exit": Translator._exit,
    "delete_field": Translator._delete_field,
    "write_metadata": Translator._write_metadata,
    "write_actions": Translator._write_actions,
    "clear_actions": Translator._clear_actions,
    "push_mpls": Translator._unsupported,
    "pop_mpls": Translator._unsupported,
    "dec_mpls_ttl": Translator._unsupported,
    "set_mpls_ttl": Translator._unsupported,
    "unknown": Translator._unsupported,
}


def _port_in(translator: Translator, action: OutputReg) -> int:
    value = translator.read((action.field, action.ofs, action.bits))
    return _widened(value) if action.bits <= 16 else value
