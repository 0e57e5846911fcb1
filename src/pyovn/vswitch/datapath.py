"""The datapath: frames in, frames out, and a cache that makes all but the first packet of a kind cheap.

    frame ─▶ its first bytes as one integer ─▶ & mask ─▶ dict ─▶ entry ─▶ run its operations
                                               (a few masks per input port)    │ none matches
                                                                               ▼
                                                     translate with the flow tables, keep the outcome as an entry

An entry is valid for every frame that agrees in the bits the translation consulted, and in the bits that decide where
headers lie.  A flow that is added, changed or removed throws out the entries whose look-ups it could have answered;
everything else that translations depend on (ports, tunnel options) throws out all.  What entries count is credited to
flows when somebody asks.

One packet at a time: a frame that arrives while another is being handled waits its turn.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pyovn.openflow.actions import Actions
from pyovn.openflow.flows import METER_CONTROLLER
from pyovn.vswitch import ops
from pyovn.vswitch.bfd import Monitors
from pyovn.vswitch.bridge import Bridge, PacketIn
from pyovn.vswitch.conntrack.table import Conntrack
from pyovn.vswitch.frame import HEAD, Patch, Shape, extract, patched, plan, popped_vlan, project, pushed_vlan
from pyovn.vswitch.groups import BucketState, Group
from pyovn.vswitch.key import CT, FRAME, PIPELINE, TUNNEL, bits, place
from pyovn.vswitch.ports import Port, Underlay
from pyovn.vswitch.tables import Rule, Table
from pyovn.vswitch.translate import Translator
from pyovn.vswitch.translation import Frozen, Scene, Translation, learn
from pyovn.vswitch.tunnels import Tunnels

#: entries of the cache; when it is full everything is thrown out
MAX_ENTRIES = 65536
#: a paused packet that was not resumed is forgotten when so many more are waiting
MAX_PAUSED = 4096
#: recirculations of one packet
MAX_RECIRCULATIONS = 32
#: so many changed flows at once throw out everything instead of being compared with every entry
MANY_CHANGES = 64
IDLE_S = 10.0

_METADATA = CT | TUNNEL
_NO_PACKET = ~FRAME & ~_METADATA
_CONJ_ID = bits("conj_id")
_from = int.from_bytes

Step = Callable[[bytes, int], bytes | None]


class Entry:
    """One line of the cache."""

    __slots__ = (
        "bytes",
        "credited",
        "credited_bytes",
        "end",
        "key",
        "packets",
        "shape",
        "steps",
        "translation",
        "used",
    )

    def __init__(self, translation: Translation, key: int, shape: Shape, steps: tuple[Step, ...], now: float) -> None:
        self.translation = translation
        self.key = key  #: of the packet it was made for
        self.shape = shape
        self.steps = steps
        self.end = shape.end  #: shortest frame the entry is good for
        self.packets = self.bytes = self.credited = self.credited_bytes = 0
        self.used = now


class Subtable(NamedTuple):
    """The entries that were made by looking at the same bits."""

    mask: int  #: over the frame's first bytes as a little-endian integer
    meta: int  #: over conntrack and tunnel fields
    lengths: tuple[int, ...]
    entries: dict[Any, Entry]


class Bucket:
    """The cache of one place where packets enter the pipeline: a port, or a frozen state."""

    __slots__ = ("bridge", "frozen", "head", "ofport", "subtables")

    def __init__(self, bridge: Bridge, ofport: int, frozen: Frozen | None) -> None:
        self.bridge = bridge
        self.ofport = ofport
        self.frozen = frozen
        self.head = 14  #: how many bytes of a frame the masks cover
        self.subtables: list[Subtable] = []


class Datapath:
    """All bridges of a switch, and the packets that pass through them."""

    def __init__(
        self,
        underlay: Underlay | None = None,
        clock: Callable[[], float] | None = None,
        uniform: Callable[[float, float], float] = lambda low, high: high,
    ) -> None:
        """`uniform` draws a number between two."""
        self.clock = clock  #: asked for the time of every packet; None: `now` is set from outside
        self.bridges: dict[str, Bridge] = {}
        self.conntrack = Conntrack()
        self.tunnels = Tunnels(underlay, self._arrived)
        self.monitors = Monitors(self.send, uniform)
        self.monitors.on_liveness = self.invalidate
        self.now = 0.0
        self.keeps_still = False  #: frames are dropped, because the flows are not there yet
        self.hits = self.misses = self.lost = 0
        self._buckets: dict[tuple[str, int], Bucket] = {}
        self._frozen: dict[Frozen, int] = {}
        self._recirculations: dict[int, Bucket] = {}
        self._paused: dict[bytes, Frozen] = {}
        self._next_id = 0
        self._entries = 0
        self._everything_stale = False
        self._fdb_seen: dict[str, int] = {}
        self._busy = False
        self._depth = 0
        self._waiting: deque[tuple[Bucket, Port | None, bytes, int]] = deque()

    # ------------------------------------------------------------------ frames in

    def receive(self, bridge: Bridge, port: Port, frame: bytes, meta: int = 0) -> None:
        """Handle a frame that came in at `port`."""
        if port.monitor is not None and port.monitor(frame, meta, self.tick()):
            return
        bucket = self._buckets.get((bridge.name, port.ofport))
        if bucket is None:
            bucket = self._buckets[bridge.name, port.ofport] = Bucket(bridge, port.ofport, None)
        self.enter(bucket, port, frame, meta)

    def entrance(self, bridge: Bridge, port: Port) -> Callable[[bytes], None]:
        """`receive` for one port, made ready."""

        def receive(frame: bytes) -> None:
            self.receive(bridge, port, frame)

        return receive

    def enter(self, bucket: Bucket, port: Port | None, frame: bytes, meta: int) -> None:
        """Handle a frame, or let it wait if one is being handled."""
        if self.keeps_still:
            return
        if self._busy:
            self._waiting.append((bucket, port, frame, meta))
            return
        self.tick()
        self._busy = True
        try:
            self._handle(bucket, port, frame, meta)
            while self._waiting:
                self._handle(*self._waiting.popleft())
        finally:
            self._busy = False

    def tick(self) -> float:
        """The time, which from now on is `now`."""
        if self.clock is not None:
            self.now = self.clock()
        return self.now

    # The hottest function of the switch: no calls but the look-up and the operations themselves.

    def _handle(self, bucket: Bucket, port: Port | None, frame: bytes, meta: int) -> None:
        if self._stale():
            self.revalidate()
        size = len(frame)
        if port is not None:
            port.rx_packets += 1
            port.rx_bytes += size
        head = _from(frame[: bucket.head], "little")
        for mask, meta_mask, lengths, entries in bucket.subtables:
            key: Any = head & mask
            if meta_mask:
                key = (key, meta & meta_mask)
            if lengths:
                key = (key, *[size > length for length in lengths])
            entry = entries.get(key)
            if entry is not None and size >= entry.end:
                entry.packets += 1
                entry.bytes += size
                entry.used = self.now
                self.hits += 1
                for step in entry.steps:
                    result = step(frame, meta)
                    if result is None:
                        return
                    frame = result
                return
        self._missed(bucket, frame, meta)

    def _stale(self) -> bool:
        if self._everything_stale:
            return True
        for bridge in self.bridges.values():
            if (
                bridge.tables.changes
                or bridge.groups.changes
                or bridge.fdb.generation != self._fdb_seen.get(bridge.name)
            ):
                return True
        return False

    def _missed(self, bucket: Bucket, frame: bytes, meta: int) -> None:
        self.misses += 1
        plain, shape = extract(frame)
        translation = self.translate(bucket, plain | meta, len(frame))
        entry = Entry(translation, plain | meta, shape, self.compiled(translation.operations, shape), self.now)
        entry.packets, entry.bytes = 1, len(frame)
        if shape.whole and shape.end <= HEAD:
            self._keep(bucket, entry, frame, meta)
            run(entry.steps, frame, meta)
        else:
            run(entry.steps, frame, meta)
            self.credit(entry)

    def translate(self, bucket: Bucket, key: int, size: int, scene: Scene | None = None) -> Translation:
        """Run the pipeline from the place of `bucket` on."""
        scene = scene or self.scene()
        if bucket.frozen is None:
            return Translator(scene, bucket.bridge, key | place("in_port", bucket.ofport), size).run()
        frozen = bucket.frozen
        translator = Translator(scene, bucket.bridge, key & ~frozen.own | frozen.key, size)
        return translator.resume(frozen)

    def scene(self) -> Scene:
        """What translations for real packets take place in."""
        return Scene(self.bridges, self._freeze, self._pause, self.now)

    def _keep(self, bucket: Bucket, entry: Entry, frame: bytes, meta: int) -> None:
        """Put `entry` into the cache."""
        if self._entries >= MAX_ENTRIES:
            self.flush()
        translation = entry.translation
        mask = project(translation.consulted, entry.shape)
        meta_mask = translation.consulted & _METADATA
        lengths = tuple(sorted(translation.lengths))
        bucket.head = max(bucket.head, entry.shape.end, 18)
        key: Any = _from(frame[:HEAD], "little") & mask
        if meta_mask:
            key = (key, meta & meta_mask)
        if lengths:
            key = (key, *[len(frame) > length for length in lengths])
        for subtable in bucket.subtables:
            if subtable.mask == mask and subtable.meta == meta_mask and subtable.lengths == lengths:
                break
        else:
            subtable = Subtable(mask, meta_mask, lengths, {})
            bucket.subtables.append(subtable)
        old = subtable.entries.get(key)
        if old is not None:
            self.credit(old)
        else:
            self._entries += 1
        subtable.entries[key] = entry

    # ------------------------------------------------------------------ operations made ready to run

    def compiled(self, operations: Iterable[ops.Op], shape: Shape) -> tuple[Step, ...]:
        """`operations` as functions for frames of `shape`; each gives the frame as it goes on, None to end."""
        steps = []
        for operation in operations:
            if isinstance(operation, ops.PushVlan):
                shape = shape.moved(4)._replace(tagged=True)
            steps.append(_COMPILERS[type(operation)](self, operation, shape))
            if isinstance(operation, ops.PopVlan):
                inner = any(isinstance(other, ops.PushVlan) for other in operations)
                shape = shape.moved(-4)._replace(tagged=inner and shape.l3 > 18)
        return tuple(steps)

    def _compile_out(self, operation: ops.Out, shape: Shape) -> Step:
        port, max_len = operation.port, operation.max_len
        nic = port.nic
        if nic is None:

            def count(frame: bytes, meta: int) -> bytes:
                port.tx_packets += 1
                port.tx_bytes += len(frame)
                return frame

            return count
        transmit = nic.transmit
        if max_len:

            def cut(frame: bytes, meta: int) -> bytes:
                port.tx_packets += 1
                port.tx_bytes += min(len(frame), max_len)
                transmit(frame[:max_len])
                return frame

            return cut

        def out(frame: bytes, meta: int) -> bytes:
            port.tx_packets += 1
            port.tx_bytes += len(frame)
            transmit(frame)
            return frame

        return out

    def _compile_encap(self, operation: ops.Encap, shape: Shape) -> Step:
        return self.tunnels.sender(operation, shape)

    def _compile_set(self, operation: ops.SetBits, shape: Shape) -> Step:
        how = plan(operation.value, operation.mask, shape)
        link = _link_only(how)
        if link is not None:
            return lambda frame, meta: link + frame[12:]
        return lambda frame, meta: patched(frame, how)

    def _compile_push(self, operation: ops.PushVlan, shape: Shape) -> Step:
        tpid, tci = operation
        return lambda frame, meta: pushed_vlan(frame, tpid, tci)

    def _compile_pop(self, operation: ops.PopVlan, shape: Shape) -> Step:
        return lambda frame, meta: popped_vlan(frame)

    def _compile_track(self, operation: ops.Track, shape: Shape) -> Step:
        action, recirc = operation
        process = self.conntrack.process

        def track(frame: bytes, meta: int) -> bytes:
            changed, told = process(frame, meta, action, self.now)
            if recirc is not None:
                self._recirculate(recirc, changed, told)
            return changed

        return track

    def _compile_punt(self, operation: ops.Punt, shape: Shape) -> Step:
        bridge = operation.bridge

        def punt(frame: bytes, meta: int) -> bytes:
            meter = METER_CONTROLLER if operation.meter is None else operation.meter
            if bridge.meters.passes(meter, len(frame), self.now):
                key = operation.key | meta & ~operation.known
                bridge.on_packet_in(
                    PacketIn(
                        bridge.name, frame, operation.reason, operation.table, operation.cookie, key,
                        operation.max_len, operation.userdata, operation.controller_id, operation.continuation,
                    )
                )  # fmt: skip
            return frame

        return punt

    def _compile_meter(self, operation: ops.Metered, shape: Shape) -> Step:
        bridge, id_ = operation
        return lambda frame, meta: frame if bridge.meters.passes(id_, len(frame), self.now) else None

    def _compile_clone(self, operation: ops.Cloned, shape: Shape) -> Step:
        steps = self.compiled(operation.ops, shape)

        def clone(frame: bytes, meta: int) -> bytes:
            run(steps, frame, meta)
            return frame

        return clone

    def _compile_learn(self, operation: ops.Learnt, shape: Shape) -> Step:
        def refresh(frame: bytes, meta: int) -> bytes:
            learn(operation, self.now)
            return frame

        return refresh

    def _compile_sample(self, operation: ops.Sampled, shape: Shape) -> Step:
        def sample(frame: bytes, meta: int) -> bytes:
            operation.bridge.samples += 1
            return frame

        return sample

    # ------------------------------------------------------------------ pipelines at rest

    def _freeze(self, frozen: Frozen) -> int:
        id_ = self._frozen.get(frozen)
        if id_ is None:
            self._next_id += 1
            id_ = self._frozen[frozen] = self._next_id
            self._recirculations[id_] = Bucket(self.bridges[frozen.bridge], 0, frozen)
        return id_

    def _recirculate(self, id_: int, frame: bytes, meta: int) -> None:
        bucket = self._recirculations.get(id_)
        if bucket is None or self._depth >= MAX_RECIRCULATIONS:
            self.lost += 1
            return
        self._depth += 1
        try:
            self._handle(bucket, None, frame, meta)
        finally:
            self._depth -= 1

    def bucket_of(self, recirculation: int) -> Bucket:
        """The place where packets of a recirculation id go on."""
        return self._recirculations[recirculation]

    def _pause(self, frozen: Frozen) -> bytes:
        self._next_id += 1
        id_ = self._next_id.to_bytes(8, "big")
        self._paused[id_] = frozen
        if len(self._paused) > MAX_PAUSED:
            del self._paused[next(iter(self._paused))]
        return id_

    def resume(self, bridge: Bridge, continuation: bytes, frame: bytes, metadata: int) -> bool:
        """Let a paused packet go on, as `frame` with `metadata` (key bits); False if nobody remembers it."""
        frozen = self._paused.get(continuation)
        if frozen is None or frozen.bridge not in self.bridges:
            return False
        plain, shape = extract(frame)
        key = plain | metadata & (PIPELINE | _METADATA)
        self._once(lambda scene: Translator(scene, bridge, key, len(frame)).resume(frozen), frame, shape, metadata)
        return True

    def execute(self, bridge: Bridge, in_port: int, actions: Actions, frame: bytes, metadata: int = 0) -> None:
        """Send a controller's packet-out."""
        plain, shape = extract(frame)
        key = plain | metadata & ~place("in_port", 0xFFFFFFFF) | place("in_port", in_port)
        self._once(lambda scene: Translator(scene, bridge, key, len(frame)).act(actions), frame, shape, metadata)

    def send(self, port: Port, frame: bytes, oam: bool = False) -> None:
        """Put a frame of the switch's own out of a port; in a tunnel it has key 0."""
        operation: ops.Op = ops.Out(port, 0)
        if port.tunnel is not None:
            config = port.tunnel
            operation = ops.Encap(
                port,
                config.out_key or 0,
                config.remote or "",
                config.local or "",
                config.tos or 0,
                config.ttl,
                b"",
                oam,
            )
        _, shape = extract(frame)
        run(self.compiled((operation,), shape), frame, 0)

    def _once(self, translate: Callable[[Scene], Translation], frame: bytes, shape: Shape, metadata: int) -> None:
        """Translate and run a packet whose outcome is not kept."""
        if self._stale():
            self.revalidate()
        translation = translate(self.scene())
        entry = Entry(translation, 0, shape, self.compiled(translation.operations, shape), self.now)
        entry.packets, entry.bytes = 1, len(frame)
        busy, self._busy = self._busy, True
        try:
            run(entry.steps, frame, metadata & _METADATA)
            while not busy and self._waiting:
                self._handle(*self._waiting.popleft())
        finally:
            self._busy = busy
        self.credit(entry)

    def _arrived(self, bridge: str, port: Port, frame: bytes, meta: int) -> None:
        """A frame came out of a tunnel."""
        self.receive(self.bridges[bridge], port, frame, meta)

    # ------------------------------------------------------------------ keeping the cache true

    def invalidate(self) -> None:
        """Ports or options changed: nothing in the cache can be trusted."""
        self._everything_stale = True

    def remove_bridge(self, name: str) -> None:
        """Take a bridge out of service."""
        self.flush()
        del self.bridges[name]
        self._buckets = {place: bucket for place, bucket in self._buckets.items() if place[0] != name}

    def revalidate(self) -> None:
        """Throw out what changes since the last time made untrue."""
        rules = [(bridge, rule) for bridge in self.bridges.values() for rule in bridge.tables.changes]
        groups = {(bridge.name, id_) for bridge in self.bridges.values() for id_ in bridge.groups.changes}
        moved = {name for name, bridge in self.bridges.items() if bridge.fdb.generation != self._fdb_seen.get(name, 0)}
        if self._everything_stale or len(rules) > MANY_CHANGES:
            self.flush()
        elif self._entries:
            changed: dict[int, list[Rule]] = {}
            for bridge, rule in rules:
                changed.setdefault(id(bridge.tables.tables[rule.table]), []).append(rule)
            self._drop(lambda entry: _affected(entry, changed, groups, moved))
        for bridge in self.bridges.values():
            bridge.tables.changes.clear()
            bridge.groups.changes.clear()
            self._fdb_seen[bridge.name] = bridge.fdb.generation
        self._everything_stale = False

    def _drop(self, wanted: Callable[[Entry], bool]) -> None:
        """Remove the entries that `wanted` is true for, crediting what they counted."""
        for bucket in [*self._buckets.values(), *self._recirculations.values()]:
            for subtable in bucket.subtables:
                for key in [key for key, entry in subtable.entries.items() if wanted(entry)]:
                    self.credit(subtable.entries.pop(key))
                    self._entries -= 1
            if not all(subtable.entries for subtable in bucket.subtables):
                bucket.subtables = [subtable for subtable in bucket.subtables if subtable.entries]

    def flush(self) -> None:
        """Empty the cache."""
        self._drop(lambda entry: True)
        if not self._depth and not self._busy:
            self._frozen.clear()
            self._recirculations.clear()

    def sweep(self, now: float) -> None:
        """Credit counters, forget idle entries and what is over; to be called about once a second."""
        self.now = now
        self.credit_all()
        self._drop(lambda entry: now - entry.used > IDLE_S)
        used = {
            operation.recirc
            for entry in self.entries()
            for operation in ops.flat(entry.translation.operations)
            if isinstance(operation, ops.Track)
        }
        if len(self._frozen) > 2 * len(used) + 64:
            self._frozen = {frozen: id_ for frozen, id_ in self._frozen.items() if id_ in used}
            self._recirculations = {id_: bucket for id_, bucket in self._recirculations.items() if id_ in used}
        self.conntrack.sweep(now)
        for bridge in self.bridges.values():
            bridge.tables.expire(now)
            bridge.fdb.expire(now)

    def entries(self) -> list[Entry]:
        """Everything in the cache."""
        return [entry for _, subtable, _, entry in self.lines()]

    def lines(self) -> list[tuple[Bucket, Subtable, Any, Entry]]:
        """Everything in the cache, with the place where it is found."""
        return [
            (bucket, subtable, key, entry)
            for bucket in [*self._buckets.values(), *self._recirculations.values()]
            for subtable in bucket.subtables
            for key, entry in subtable.entries.items()
        ]

    def recirculation_id(self, bucket: Bucket) -> int:
        """The recirculation id of a bucket, 0 for that of a port."""
        return self._frozen.get(bucket.frozen, 0) if bucket.frozen is not None else 0

    # ------------------------------------------------------------------ counters

    def credit_all(self) -> None:
        """Bring the counters of flows, groups and tables up to date."""
        for entry in self.entries():
            self.credit(entry)

    def credit(self, entry: Entry) -> None:
        """Add what `entry` counted since the last time to the flows it stands for."""
        packets, size = entry.packets - entry.credited, entry.bytes - entry.credited_bytes
        if not packets:
            return
        entry.credited, entry.credited_bytes = entry.packets, entry.bytes
        hit: Table | None = None
        for credited in entry.translation.credits:
            if isinstance(credited, Table):
                credited.lookups += packets
                hit = credited
            elif isinstance(credited, Rule | Group | BucketState):
                while isinstance(credited, Rule) and credited.heir is not None:
                    credited = credited.heir
                credited.packets += packets
                credited.bytes += size
                credited.used = max(credited.used, entry.used)
                if isinstance(credited, Rule) and hit is not None:
                    hit.matched += packets
            else:
                port, peer = credited
                port.tx_packets += packets
                port.tx_bytes += size
                peer.rx_packets += packets
                peer.rx_bytes += size
        for bridge, vlan, mac, ofport in entry.translation.learned:
            if bridge.fdb.port_of(vlan, mac) == ofport:
                bridge.fdb.learn(vlan, mac, ofport, entry.used)


def run(steps: Iterable[Step], frame: bytes, meta: int) -> None:
    """Run a frame through `steps`."""
    for step in steps:
        result = step(frame, meta)
        if result is None:
            return
        frame = result


def _affected(entry: Entry, changed: dict[int, list[Rule]], groups: set[tuple[str, int]], moved: set[str]) -> bool:
    """True if a change of these flows, groups or forwarding databases can change the entry's translation."""
    translation = entry.translation
    if translation.groups & groups or translation.normal & moved:
        return True
    if not changed:
        return False
    consulted = translation.consulted | _NO_PACKET
    for table, key, own, priority in translation.lookups:
        for rule in changed.get(id(table), ()):
            if rule.priority >= priority and not (key ^ rule.value) & rule.mask & (consulted | own) & ~_CONJ_ID:
                return True
    return False


def _link_only(how: Patch) -> bytes | None:
    """Both MAC addresses, where all that `how` does is to replace both."""
    if len(how.edits) == 2 and {(at, keep) for at, _, keep, *_ in how.edits} == {(0, 0), (6, 0)}:
        return b"".join(wanted.to_bytes(6, "big") for _, _, _, wanted, *_ in sorted(how.edits))
    return None


_COMPILERS: dict[type, Callable[[Datapath, Any, Shape], Step]] = {
    ops.Out: Datapath._compile_out,
    ops.Encap: Datapath._compile_encap,
    ops.SetBits: Datapath._compile_set,
    ops.PushVlan: Datapath._compile_push,
    ops.PopVlan: Datapath._compile_pop,
    ops.Track: Datapath._compile_track,
    ops.Punt: Datapath._compile_punt,
    ops.Metered: Datapath._compile_meter,
    ops.Cloned: Datapath._compile_clone,
    ops.Learnt: Datapath._compile_learn,
    ops.Sampled: Datapath._compile_sample,
}
