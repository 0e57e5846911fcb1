"""Configuration that northd does not carry out: said by name, once, instead of being passed over in silence.

When a feature is written, its line here goes.
"""

from collections.abc import Iterator, Mapping

from pyovn.net.uuids import Uuid
from pyovn.tables.nb import LogicalRouter, LogicalRouterPort

#: options of routers and of their ports → what they switch on
DYNAMIC_ROUTING = {"dynamic-routing": "dynamic routing", "dynamic-routing-redistribute": "dynamic routing"}


def of_router(row: LogicalRouter) -> Iterator[tuple[Uuid, str]]:
    """What is configured on a router and has no effect."""
    yield from ((row.uuid, _said(f"logical router {row.name}", what)) for what in _dynamic(row.options))


def of_router_port(row: LogicalRouterPort) -> Iterator[tuple[Uuid, str]]:
    """What is configured on a router port and has no effect."""
    yield from ((row.uuid, _said(f"logical router port {row.name}", what)) for what in _dynamic(row.options))


def _dynamic(options: Mapping[str, str]) -> Iterator[str]:
    for option, what in DYNAMIC_ROUTING.items():
        if options.get(option, "false") != "false":
            yield f"{what} ({option})"


def _said(where: str, what: str) -> str:
    return f"{where}: {what} is not supported and has no effect"
