"""A logical switch port as its rules see it."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pyovn.northd.model.addresses import Addresses, parsed
from pyovn.northd.model.arp_proxy import Proxy
from pyovn.northd.model.ipam import Request, requests
from pyovn.tables.nb import LogicalSwitchPort

#: types whose packets come from elsewhere than a guest, and are not held against port security
NO_REQUESTS: Mapping[str, Request] = MappingProxyType({})
PEERS = frozenset(("router", "localnet", "switch"))


class Shape(NamedTuple):
    """What decides which rules apply to a port."""

    type: str
    enabled: bool
    unknown: bool  #: takes packets to addresses that nobody has
    secured: bool  #: has `port_security`
    options: bool  #: has any
    unusual: bool  #: has mirrors or health checks


class Port:
    """A port, its addresses taken apart."""

    __slots__ = (
        "addresses", "answers", "daemon", "leased", "linked", "name", "options", "parents", "proxy", "queue",
        "requests", "row", "senders", "shape", "stand_in", "texts", "written",
    )  # fmt: skip

    def __init__(self, row: LogicalSwitchPort, queue: int | None = None, *, answers: bool = True) -> None:
        self.row = row
        self.answers = answers  #: it is up, or that does not matter
        self.name = quoted(row.name)  #: as a string in a match or action
        self.options: Mapping[str, str] = row.options
        self.parents: tuple[str, ...] = ()  #: of a virtual port: those on its switch
        self.senders: tuple[str, ...] = ()  #: MACs of distributed translations of the router at the other end
        self.proxy: Proxy | None = None  #: what a router answers for here
        self.daemon = ""  #: the port of the routing daemon of a router, by name
        self.linked = False  #: there is a router port at the other end
        self.stand_in = ""  #: the port that stands for this one on the chassis of a gateway, as a string
        self.queue = queue  #: `qdisc_queue_id` for its egress shaping
        self.requests = NO_REQUESTS  #: the entries of `addresses` that leave something to us
        self.texts = row.addresses  #: the others
        self.leased: tuple[Addresses, ...] = ()  #: what it asked for and was given
        if "dynamic" in " ".join(row.addresses):
            self.requests = requests(row.addresses)
            self.texts = row.addresses - self.requests.keys()
            if self.requests and row.dynamic_addresses:
                self.leased = parsed(frozenset((row.dynamic_addresses,)))
        self.written = parsed(self.texts)
        self.addresses = self.written + self.leased  #: all of them, with those of a router at the other end
        self.shape = Shape(
            row.type,
            row.enabled is not False,
            takes_unknown(row),
            bool(row.port_security),
            bool(row.options),
            bool(row.mirror_rules or row.health_checks),
        )


def takes_unknown(row: LogicalSwitchPort) -> bool:
    """Does the port want packets to addresses that nobody has?"""
    return "unknown" in row.addresses or row.type == "switch"


def quoted(text: str) -> str:
    """`text` as a string of the logical-flow language."""
    if '"' in text or "\\" in text or not text.isprintable():
        return json.dumps(text, ensure_ascii=False)
    return f'"{text}"'


def of_type(*types: str) -> Callable[[Shape], bool]:
    """True for ports of these types."""
    wanted = frozenset(types)
    return lambda shape: shape.type in wanted


def any_port(shape: Shape) -> bool:
    """True for every port."""
    return True
