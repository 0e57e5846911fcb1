"""A logical switch port as its rules see it."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pyovn.northd.model.addresses import Addresses, parsed
from pyovn.tables.nb import LogicalSwitchPort

#: types whose packets come from elsewhere than a guest, and are not held against port security
PEERS = frozenset(("router", "localnet", "switch"))


class Shape(NamedTuple):
    """What decides which rules apply to a port."""

    type: str
    enabled: bool
    unknown: bool  #: takes packets to addresses that nobody has
    secured: bool  #: has `port_security`
    options: bool  #: has any
    unusual: bool  #: has DHCP options, mirrors, health checks or dynamic addresses


class Port:
    """A port, its addresses taken apart."""

    __slots__ = ("addresses", "answers", "linked", "name", "options", "parents", "queue", "row", "shape", "stand_in")

    def __init__(self, row: LogicalSwitchPort, queue: int | None = None, *, answers: bool = True) -> None:
        self.row = row
        self.answers = answers  #: it is up, or that does not matter
        self.name = quoted(row.name)  #: as a string in a match or action
        self.options: Mapping[str, str] = row.options
        self.parents: tuple[str, ...] = ()  #: of a virtual port: those on its switch
        self.linked = False  #: there is a router port at the other end
        self.stand_in = ""  #: the port that stands for this one on the chassis of a gateway, as a string
        self.queue = queue  #: `qdisc_queue_id` for its egress shaping
        self.addresses: tuple[Addresses, ...] = parsed(row.addresses)
        self.shape = Shape(
            row.type,
            row.enabled is not False,
            takes_unknown(row),
            bool(row.port_security),
            bool(row.options),
            row.dhcpv4_options is not None
            or row.dhcpv6_options is not None
            or bool(row.mirror_rules)
            or bool(row.health_checks)
            or "dynamic" in " ".join(row.addresses),
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
