"""`ofproto/trace`: what would happen to a packet, step by step.

    Flow: …
    bridge("br-int")                     one line per look-up, its actions beneath, resubmits deeper
    Final flow, Megaflow, Datapath actions
    recirc(0x1) - resume conntrack …     a section for each time the packet comes back from conntrack

Nothing is learned, sent or counted, except with `execute` (`-generate`).
"""

from collections.abc import Callable, Iterator

from pyovn.openflow.actions import Action
from pyovn.vswitch import ops
from pyovn.vswitch.bridge import Bridge
from pyovn.vswitch.conntrack.table import NEW, TRK
from pyovn.vswitch.datapath import Bucket, Datapath
from pyovn.vswitch.key import CT, FRAME, bits, get, place
from pyovn.vswitch.text import actions_text, flow_text, megaflow_text
from pyovn.vswitch.translation import Scene, Translation

RULER = "=" * 79
MAX_RECIRCULATIONS = 64
#: ct_state bits by name, as `--ct-next` takes them
CT_STATES = {name: 1 << bit for bit, name in enumerate("new est rel rpl inv trk snat dnat".split())}

Describe = Callable[[Action], str]


def trace(datapath: Datapath, bridge: Bridge, key: int, describe: Describe, ct_states: list[int] | None = None) -> str:
    """The trace of a packet with this key; `ct_states` are what conntrack is to say, time after time."""
    return "\n".join(_sections(datapath, bridge, key, describe, list(ct_states or ())))


def _sections(datapath: Datapath, bridge: Bridge, key: int, describe: Describe, ct_states: list[int]) -> Iterator[str]:
    bucket = Bucket(bridge, get(key, "in_port"), None)
    yield f"Flow: {flow_text(key)}\n"
    translation, lines = _translated(datapath, bucket, key, describe)
    yield from _section(bridge, lines, key, translation, 0)
    waiting = _recirculations(translation, key)
    done = 0
    while waiting and done < MAX_RECIRCULATIONS:
        done += 1
        id_, zone, key = waiting.pop(0)
        known = bool(ct_states)
        state = ct_states.pop(0) if known else NEW | TRK
        bucket = datapath.bucket_of(id_)
        assert bucket.frozen is not None
        key = key & FRAME | place("ct_state", state) | place("ct_zone", zone) | bucket.frozen.key
        yield f"\n{RULER}\nrecirc({id_:#x}) - resume conntrack with {_how(state, known=known)}\n{RULER}\n"
        yield f"Flow: recirc_id={id_:#x},{flow_text(key)}\n"
        translation, lines = _translated(datapath, bucket, key, describe)
        thaw = ["    thaw", f"        Resuming from table {bucket.frozen.table}"]
        yield from _section(bucket.bridge, thaw + lines, key, translation, id_)
        waiting += _recirculations(translation, key)


def _translated(datapath: Datapath, bucket: Bucket, key: int, describe: Describe) -> tuple[Translation, list[str]]:
    lines: list[str] = []

    def report(column: int, line: str) -> None:
        lines.append(" " * column + line)

    plain = datapath.scene()
    scene = Scene(plain.bridges, plain.freeze, lambda frozen: bytes(8), plain.now, False, report, describe)
    return datapath.translate(bucket, key, 0, scene), lines


def _section(bridge: Bridge, lines: list[str], key: int, translation: Translation, id_: int) -> Iterator[str]:
    yield f'bridge("{bridge.name}")\n{"-" * (len(bridge.name) + 10)}'
    yield "\n".join(lines)
    state = bits("in_port")
    unchanged = translation.key | state == key | state
    yield f"\nFinal flow: {'unchanged' if unchanged else flow_text(translation.key)}"
    yield f"Megaflow: {megaflow_text(key, translation.consulted, id_)}"
    yield f"Datapath actions: {actions_text(translation.operations, key)}"
    if translation.error:
        yield f"Translation failed ({translation.error}), packet is dropped."


def _how(state: int, *, known: bool) -> str:
    names = "|".join(name for name, bit in CT_STATES.items() if state & bit)
    if known:
        return f"ct_state={names}"
    return "default ct_state=trk|new (use --ct-next to customize)"


def _recirculations(translation: Translation, key: int) -> list[tuple[int, int, int]]:
    """(id, zone, key) of the packets that come back."""
    found = []
    for operation in ops.flat(translation.operations):
        if isinstance(operation, ops.SetBits):
            key = key & ~operation.mask | operation.value
        elif isinstance(operation, ops.Track) and operation.recirc is not None:
            found.append((operation.recirc, operation.action.zone, key & ~CT))
    return found


def ct_state_of(text: str) -> int:
    """The state that `--ct-next` words describe."""
    return sum(CT_STATES.get(word.strip(), 0) for word in text.replace("|", ",").split(",")) | TRK
