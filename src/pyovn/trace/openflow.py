"""The OpenFlow flows under each logical flow of a trace: the cookie is the first 32 bits of the logical flow's UUID."""

from collections.abc import Iterator, Mapping, Sequence

from pyovn.trace.tree import Node


def cookies(nodes: Sequence[Node]) -> list[int]:
    """The cookies of the logical flows that ran, each once, in order."""
    return list(dict.fromkeys(_cookie(table) for table in _tables(nodes)))


def add_flows(nodes: Sequence[Node], flows: Mapping[int, Sequence[str]]) -> None:
    """Put the lines of `flows`, by cookie, before the actions of their logical flows."""
    for table in list(_tables(nodes)):
        lines = [Node("action", line) for line in flows.get(_cookie(table), ())]
        table.children[:0] = lines or [Node("error", "*** no OpenFlow flows")]


def _tables(nodes: Sequence[Node]) -> Iterator[Node]:
    return (node for root in nodes for node in root.walk() if "flow" in node.facts)


def _cookie(table: Node) -> int:
    return int(table.facts["flow"][:8], 16)
