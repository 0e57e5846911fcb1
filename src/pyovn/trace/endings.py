"""Where a packet's ways end, as a trace tells it.

    tree of nodes ─ endings ─▶ Ending: delivered to a port, dropped by a table, answered in the place of somebody …

An ending knows the nodes above it: the tables that the packet passed before, in their order.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from pyovn.trace.tree import Node

Fate = Literal["delivered", "dropped", "refused", "unresolved", "answered", "taken"]

#: what is sent in the place of a packet → what that means for it
INSTEAD: dict[str, Fate] = {
    "arp": "unresolved",
    "nd_ns": "unresolved",
    "icmp4": "refused",
    "icmp6": "refused",
    "tcp_reset": "refused",
    "sctp_abort": "refused",
    "nd_na": "answered",
    "nd_na_router": "answered",
}
#: actions after which the controller has the packet
PUNTS = frozenset(("igmp", "handle_svc_check", "handle_dhcpv6_reply", "handle_bfd_msg", "trigger_event"))


class Ending(NamedTuple):
    """One end of a packet's way."""

    fate: Fate
    node: Node
    path: tuple[Node, ...]  #: the nodes above, outermost first

    @property
    def packet(self) -> dict[str, int]:
        """The packet as it was there; empty where nobody noted it."""
        facts = self.node.facts
        found: dict[str, int] = facts.get("dropped") or facts.get("packet") or facts.get("instead_of") or {}
        return found

    @property
    def tables(self) -> list[Node]:
        """The tables that it passed, and the one where it ended."""
        last = (self.node,) if self.node.kind == "table" else ()
        return [node for node in (*self.path, *last) if node.kind == "table"]

    @property
    def table(self) -> Node | None:
        """The table where it ended."""
        return self.tables[-1] if self.tables else None

    @property
    def stage(self) -> str:
        """The name of that table."""
        return "" if self.table is None else self.table.facts.get("stage", "")

    @property
    def is_alone(self) -> bool:
        """Did the packet go to a group in which there is nobody but the sender?"""
        return self.node.kind == "table" and any("own_copy" in each.facts for each in self.node.walk())

    @property
    def comes_back(self) -> bool:
        """Did it, or the answer that was made of it, leave where it came in?"""
        came_in = next((node.facts.get("inport") for node in self.path if node.kind == "pipeline"), None)
        return self.fate == "delivered" and self.node.text == came_in

    @property
    def place(self) -> dict[str, Any]:
        """The pipeline where it ended: `datapath`, `inport`, and `outport` if it was on its way out."""
        return next((node.facts for node in reversed(self.path) if node.kind == "pipeline" and node.facts), {})


def endings(nodes: Sequence[Node], path: tuple[Node, ...] = ()) -> Iterator[Ending]:
    """All ends of a packet's way, in the order of the trace; a packet made in its place is not followed."""
    for node in nodes:
        fate = _fate(node)
        if fate is not None:
            yield Ending(fate, node, path)
        if (node.kind == "output" and not node.facts.get("crosses")) or fate in INSTEAD.values():
            if fate == "unresolved":
                return  # what follows is the packet without a destination, which nobody takes
            continue
        below = list(endings(node.children, (*path, node)))
        if not below and fate is None and node.kind == "table":
            yield Ending("taken" if any(map(_is_punt, node.children)) else "dropped", node, path)
        yield from below


def _is_punt(node: Node) -> bool:
    """Does an action hand the packet to the controller, for good?"""
    return node.kind == "action" and node.text.rstrip(";").partition("(")[0] in PUNTS


def _fate(node: Node) -> Fate | None:
    """What a node means for the packet, where it ends there."""
    match node.kind:
        case "output":
            return None if node.facts.get("crosses") else "delivered"
        case "transformation":
            return INSTEAD.get(node.text.partition(" ")[0])
        case "error":
            return "dropped"
    return "dropped" if "dropped" in node.facts else None
