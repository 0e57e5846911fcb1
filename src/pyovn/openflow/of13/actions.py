"""Actions and instructions of OpenFlow 1.3 and 1.4 to bytes; reading them is the same as in OpenFlow 1.5."""

import struct
from collections.abc import Callable
from typing import Any

from pyovn.openflow import action_encoder
from pyovn.openflow import action_numbers as n
from pyovn.openflow import actions as ofp
from pyovn.openflow.action_encoder import ENCODERS, nicira
from pyovn.openflow.actions import INSTRUCTIONS, Actions
from pyovn.openflow.fields import FULL
from pyovn.openflow.of10.actions import loads, move

INSTRUCTION_METER = 6
_pack = struct.pack


def encode_actions(actions: Actions) -> bytes:
    """A list of actions."""
    return b"".join(_ENCODERS[action.kind](action) for action in actions)


def encode_instructions(actions: Actions) -> bytes:
    """The instructions that do `actions`."""
    meters = b"".join(_pack("!HHI", INSTRUCTION_METER, 8, each.id) for each in actions if isinstance(each, ofp.Meter))
    plain = encode_actions(tuple(each for each in actions if each.kind not in INSTRUCTIONS and each.kind != "meter"))
    others = encode_actions(tuple(each for each in actions if each.kind in INSTRUCTIONS))
    apply = _pack("!HH4x", n.INSTRUCTION_APPLY, 8 + len(plain)) + plain if plain else b""
    return meters + apply + others


def _set_field(action: ofp.SetField) -> bytes:
    return ENCODERS["set_field"](action) if action.mask == FULL[action.field] else loads(action)


def _write_actions(action: ofp.WriteActions) -> bytes:
    body = encode_actions(action.actions)
    return _pack("!HH4x", n.INSTRUCTION_WRITE, 8 + len(body)) + body


_ENCODERS: dict[str, Callable[[Any], bytes]] = {
    **ENCODERS,
    "set_field": _set_field,
    "move": move,
    "ct": lambda a: action_encoder.ct(a, encode_actions),
    "clone": lambda a: nicira(42, bytes(6) + encode_actions(a.actions)),
    "write_actions": _write_actions,
    "meter": lambda _: b"",
}
