"""The flows every bridge has, whatever the logical network is.

43  loopback allowed → local only         44  RAMP and local-only packets stay here
47  → egress with clean registers         81-86  the original direction of a tracked packet
"""

from collections.abc import Iterator
from typing import Final

from pyovn.controller import layout
from pyovn.controller.physical.steps import clear_scratch, register, resubmit
from pyovn.openflow.actions import Actions, Move, SetField
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match

TRACKED: Final = 1 << 5
ESTABLISHED: Final = 1 << 1
NEW: Final = 1 << 0

#: Tables whose lowest priority only hands on, and where to.
HAND_ON: Final = (
    (layout.OUTPUT_LARGE, layout.REMOTE_OUTPUT),
    (layout.OUTPUT_LARGE_PROCESS, layout.REMOTE_OUTPUT),
    (layout.REMOTE_OUTPUT, layout.REMOTE_VTEP_OUTPUT),
    (layout.REMOTE_VTEP_OUTPUT, layout.LOCAL_OUTPUT),
    (layout.SAVE_INPORT, layout.LOG_TO_PHY),
    (layout.CT_ZONE_LOOKUP, layout.INGRESS),
)

#: Tables where a packet that nothing claimed ends.
DEAD_ENDS: Final = (layout.PHY_TO_LOG, layout.LOCAL_OUTPUT, layout.LOG_TO_PHY)

#: What tables 81-86 copy to the result register: table, conntrack field, width, Ethernet type.
ORIGINAL_TUPLE: Final = (
    (layout.CT_ORIG_NW_DST, "ct_nw_dst", 32, layout.IPV4),
    (layout.CT_ORIG_IP6_DST, "ct_ipv6_dst", 128, layout.IPV6),
    (layout.CT_ORIG_TP_DST, "ct_tp_dst", 16, None),
    (layout.CT_ORIG_PROTO, "ct_nw_proto", 8, None),
)  # fmt: skip


def fixed_flows() -> Iterator[Flow]:
    """All of them."""
    for table, target in HAND_ON:
        yield _flow(table, 0, (resubmit(target),))
    for table in DEAD_ENDS:
        yield _flow(table, 0, ())
    yield from _output_shortcuts()
    yield _flow(layout.CHECK_LOOPBACK, 0, (*clear_scratch(), resubmit(layout.EGRESS)))
    yield _flow(layout.GET_FDB, 0, (register(layout.OUTPORT, 0),))
    yield _flow(layout.GET_REMOTE_FDB, 0, (register("reg1", 0),))
    yield from _original_tuple()
    yield _flow(layout.CT_STATE_SAVE, 65535, (SetField("reg4", 0, 0xFF),), ct_state=(0, TRACKED))
    yield _flow(layout.CT_STATE_SAVE, 65534, (Move("ct_state", 0, "reg4", 0, 8),))


def _flow(table: int, priority: int, actions: Actions, **fields: int | tuple[int, int]) -> Flow:
    return Flow(table, priority, match(**fields), actions, 0)


def _output_shortcuts() -> Iterator[Flow]:
    local = (resubmit(layout.LOCAL_OUTPUT),)
    yield _flow(layout.OUTPUT_LARGE_PROCESS, 10, local, reg10=(layout.LOOPBACK, layout.LOOPBACK))
    ramp = layout.FROM_RAMP | layout.LOOPBACK
    yield _flow(layout.REMOTE_OUTPUT, 150, local, reg10=(layout.FROM_RAMP, ramp))
    yield _flow(layout.REMOTE_OUTPUT, 150, local, reg10=(layout.LOCAL_ONLY, layout.LOCAL_ONLY))


def _original_tuple() -> Iterator[Flow]:
    for table, field, bits, eth_type in ORIGINAL_TUPLE:
        ethernet = {} if eth_type is None else {"eth_type": eth_type}
        for state in (NEW, ESTABLISHED):
            tracked = state | TRACKED
            yield _flow(table, 100, (Move(field, 0, "xxreg1", 0, bits),), ct_state=(tracked, tracked), **ethernet)
