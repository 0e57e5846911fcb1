"""What a trace is made of: a tree of nodes.

pipeline         ingress(dp="sw0", inport="p1")      its children are what happened there
transformation   ct_next(ct_state=est|trk)           likewise, to a changed packet
table            a logical flow that matched         its children are its actions and what they led to
action           an action as it is written
modify           what an action did to a header, in constants
output           the packet reached a port; the text is the port's name
note             what the tracer took for granted or found out
remark           why the packet did not go on
error            what could not be done
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["pipeline", "transformation", "table", "action", "modify", "output", "note", "remark", "error"]

TITLES: frozenset[Kind] = frozenset(("pipeline", "transformation"))


@dataclass(slots=True)
class Node:
    """One thing that happened, and what happened because of it."""

    kind: Kind
    text: str
    children: "list[Node]" = field(default_factory=list)
    #: the same for programs: datapath, ports, stage, UUID of the flow …
    facts: dict[str, Any] = field(default_factory=dict)
    #: indented even if it is the last of its siblings
    indented: bool = False

    def add(self, kind: Kind, text: str, **facts: Any) -> "Node":
        """A new last child."""
        child = Node(kind, text, facts=facts)
        self.children.append(child)
        return child

    def walk(self) -> "Iterator[Node]":
        """This node and all below it, in order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)
