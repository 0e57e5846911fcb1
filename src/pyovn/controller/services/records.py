"""Packets that somebody wants to hear of.

log(…)             → a line of the ACL log: who, what became of it, the packet in Open vSwitch's words
trigger_event(…)   → a Controller_Event row for the cloud management system
"""

from collections.abc import Iterator

from pyovn.controller import layout
from pyovn.controller.effects import Effect, Logged, Record
from pyovn.lang.actions.events import read_event
from pyovn.lang.actions.log import read_log
from pyovn.lang.text import quote
from pyovn.openflow.fields import FULL
from pyovn.openflow.match import canonical
from pyovn.openflow.match_text import format_match
from pyovn.openflow.messages import PacketIn
from pyovn.packet.flowkey import flow_key

UNNAMED = "<unnamed>"


def log(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """Say what an ACL did to the packet."""
    said = read_log(arguments)
    direction = "from-lport" if pin.table < layout.EGRESS else "to-lport"
    packet = format_match(canonical((name, value, FULL[name]) for name, value in flow_key(pin.packet).items()))
    about = f"name={quote(said.name or UNNAMED)}, verdict={said.verdict}, severity={said.severity}"
    yield Logged(f"{about}, direction={direction}: {packet}")


def trigger_event(pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
    """Tell the cloud management system."""
    event, details = read_event(arguments)
    yield Record(event, tuple(sorted(details.items())))
