"""Groups: all, select, indirect, fast failover — and which bucket a packet takes.

all        every bucket, each on its own copy
select     one live bucket, by weight, by a hash over the packet (rendezvous hashing: a bucket that comes or goes
           moves only its own share of the packets)
indirect   the only bucket
ff         the first live bucket
"""

from collections.abc import Callable, Iterable, Iterator
from math import log
from typing import Literal
from zlib import crc32

from pyovn.openflow.actions import OFPP_ANY, walk
from pyovn.openflow.actions import Group as GroupAction
from pyovn.openflow.flows import BUCKET_NONE, GROUP_ALL, GROUP_ANY, GROUP_MAX, Bucket, GroupDef
from pyovn.vswitch.errors import Refused
from pyovn.vswitch.key import FIVE_TUPLE, bits

GROUP_MOD_FAILED = 6
GROUP_EXISTS, INVALID_GROUP, WEIGHT_UNSUPPORTED, LOOP, UNKNOWN_GROUP, BAD_TYPE, UNKNOWN_BUCKET, BUCKET_EXISTS = (
    0, 1, 2, 7, 8, 10, 15, 16,
)  # fmt: skip

Command = Literal["add", "modify", "add_or_modify", "delete", "insert_bucket", "remove_bucket"]
#: ids in bucket commands that mean a position
BUCKET_FIRST, BUCKET_LAST, BUCKET_ALL = 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF


class BucketState:
    """A bucket and its counters."""

    __slots__ = ("bytes", "definition", "packets", "used")

    def __init__(self, definition: Bucket) -> None:
        self.definition = definition
        self.packets = self.bytes = 0
        self.used = 0.0


class Group:
    """An installed group and its counters."""

    __slots__ = ("buckets", "bytes", "created", "definition", "packets", "used")

    def __init__(self, definition: GroupDef, now: float) -> None:
        self.definition = definition
        self.buckets = tuple(BucketState(bucket) for bucket in definition.buckets)
        self.packets = self.bytes = 0
        self.created = self.used = now

    @property
    def hashed(self) -> int:
        """The bits of the key that choose a bucket of a select group."""
        if self.definition.selection_method == "hash" and self.definition.fields:
            return bits(*(field for field, _, _ in self.definition.fields))
        return FIVE_TUPLE


def rendezvous(hashed: int, salt: int, choices: Iterable[tuple[int, int]]) -> int | None:
    """The index among (id, weight) `choices` that the hash picks; None if no weight is positive."""
    best, winner = 0.0, None
    content = hashed.to_bytes((hashed.bit_length() + 7) // 8 + 1, "big")
    seed = crc32(content, salt & 0xFFFFFFFF)
    for index, (identity, weight) in enumerate(choices):
        if weight > 0:
            uniform = (_mixed(seed ^ _mixed(identity)) + 0.5) / 2**32
            score = -weight / log(uniform)
            if winner is None or score > best:
                best, winner = score, index
    return winner


def _mixed(value: int) -> int:
    """32 bits, well stirred (CRCs of close inputs are close)."""
    value = (value ^ value >> 16) * 0x7FEB352D & 0xFFFFFFFF
    value = (value ^ value >> 15) * 0x846CA68B & 0xFFFFFFFF
    return value ^ value >> 16


class Groups:
    """The groups of a bridge."""

    def __init__(self) -> None:
        self.groups: dict[int, Group] = {}
        #: ids of groups that changed and that the datapath's cache does not know of yet
        self.changes: set[int] = set()
        self._undo: list[dict[int, Group]] = []
        #: told of every group that is deleted: flows that use it go too
        self.on_deleted: Callable[[int], None] = lambda group: None

    def __iter__(self) -> Iterator[Group]:
        return iter(self.groups.values())

    def apply(self, command: Command, definition: GroupDef, now: float, bucket_id: int = BUCKET_ALL) -> None:
        """Carry out a group-mod; raises Refused."""
        if definition.id >= GROUP_MAX and not (command == "delete" and definition.id in (GROUP_ALL, GROUP_ANY)):
            raise Refused(GROUP_MOD_FAILED, INVALID_GROUP, f"group id {definition.id} is reserved")
        _COMMANDS[command](self, definition, now, bucket_id)

    def _put(self, definition: GroupDef, now: float, old: Group | None) -> None:
        _check(definition, self.groups)
        group = Group(definition, now)
        if old is not None:
            group.created = old.created
            group.packets, group.bytes = old.packets, old.bytes
        self.groups[definition.id] = group
        self.changes.add(definition.id)

    def _add(self, definition: GroupDef, now: float, bucket_id: int) -> None:
        if definition.id in self.groups:
            raise Refused(GROUP_MOD_FAILED, GROUP_EXISTS, f"group {definition.id} exists")
        self._put(definition, now, None)

    def _modify(self, definition: GroupDef, now: float, bucket_id: int) -> None:
        self._put(definition, now, self._known(definition.id))

    def _add_or_modify(self, definition: GroupDef, now: float, bucket_id: int) -> None:
        self._put(definition, now, self.groups.get(definition.id))

    def _delete(self, definition: GroupDef, now: float, bucket_id: int) -> None:
        every = definition.id in (GROUP_ALL, GROUP_ANY)
        for id_ in list(self.groups) if every else [id_ for id_ in (definition.id,) if id_ in self.groups]:
            del self.groups[id_]
            self.changes.add(id_)
            self.on_deleted(id_)

    def _insert_bucket(self, definition: GroupDef, now: float, bucket_id: int) -> None:
        group = self._known(definition.id)
        old = group.definition.buckets
        if {bucket.id for bucket in old} & {bucket.id for bucket in definition.buckets} - {BUCKET_NONE}:
            raise Refused(GROUP_MOD_FAILED, BUCKET_EXISTS, "bucket id in use")
        at = len(old) if bucket_id == BUCKET_LAST else 0 if bucket_id == BUCKET_FIRST else self._at(old, bucket_id) + 1
        self._put(group.definition._replace(buckets=old[:at] + definition.buckets + old[at:]), now, group)

    def _remove_bucket(self, definition: GroupDef, now: float, bucket_id: int) -> None:
        group = self._known(definition.id)
        old = group.definition.buckets
        if bucket_id == BUCKET_ALL:
            kept: tuple[Bucket, ...] = ()
        elif bucket_id in (BUCKET_FIRST, BUCKET_LAST):
            kept = old[1:] if bucket_id == BUCKET_FIRST else old[:-1]
        else:
            at = self._at(old, bucket_id)
            kept = old[:at] + old[at + 1 :]
        self._put(group.definition._replace(buckets=kept), now, group)

    def _known(self, id_: int) -> Group:
        group = self.groups.get(id_)
        if group is None:
            raise Refused(GROUP_MOD_FAILED, UNKNOWN_GROUP, f"no group {id_}")
        return group

    def _at(self, buckets: tuple[Bucket, ...], bucket_id: int) -> int:
        for index, bucket in enumerate(buckets):
            if bucket.id == bucket_id:
                return index
        raise Refused(GROUP_MOD_FAILED, UNKNOWN_BUCKET, f"no bucket {bucket_id}")

    def begin(self) -> None:
        """Start remembering how to undo what follows."""
        self._undo.append(dict(self.groups))

    def commit(self) -> None:
        """Keep everything since `begin`."""
        self._undo.pop()

    def rollback(self) -> None:
        """Undo everything since `begin`."""
        before = self._undo.pop()
        self.changes |= {
            id_ for id_ in before.keys() | self.groups.keys() if before.get(id_) is not self.groups.get(id_)
        }
        self.groups = before


_COMMANDS: dict[Command, Callable[[Groups, GroupDef, float, int], None]] = {
    "add": Groups._add,
    "modify": Groups._modify,
    "add_or_modify": Groups._add_or_modify,
    "delete": Groups._delete,
    "insert_bucket": Groups._insert_bucket,
    "remove_bucket": Groups._remove_bucket,
}


def _check(definition: GroupDef, groups: dict[int, Group]) -> None:
    """Raise Refused where `definition` makes no sense."""
    ids = [bucket.id for bucket in definition.buckets if bucket.id != BUCKET_NONE]
    if len(ids) != len(set(ids)):
        raise Refused(GROUP_MOD_FAILED, BUCKET_EXISTS, "bucket id used twice")
    if definition.type == "indirect" and len(definition.buckets) != 1:
        raise Refused(GROUP_MOD_FAILED, INVALID_GROUP, "an indirect group has exactly one bucket")
    if definition.type == "ff" and any(
        bucket.watch_port == OFPP_ANY and bucket.watch_group == GROUP_ANY for bucket in definition.buckets
    ):
        raise Refused(GROUP_MOD_FAILED, 6, "a fast failover bucket has to watch something")
    if _reaches(definition, definition.id, groups, set()):
        raise Refused(GROUP_MOD_FAILED, LOOP, f"group {definition.id} would contain itself")


def _reaches(definition: GroupDef, target: int, groups: dict[int, Group], seen: set[int]) -> bool:
    for bucket in definition.buckets:
        for action in walk(bucket.actions):
            if isinstance(action, GroupAction):
                if action.id == target:
                    return True
                nested = groups.get(action.id)
                if nested is not None and action.id not in seen:
                    seen.add(action.id)
                    if _reaches(nested.definition, target, groups, seen):
                        return True
    return False
