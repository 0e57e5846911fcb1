"""Translations of addresses as their rules see them."""

from typing import NamedTuple

from pyovn.net.uuids import Uuid


class Translation(NamedTuple):
    """A translation that can be carried out."""

    type: str  #: "snat", "dnat", "dnat_and_snat"
    ip: str  #: "ip4" or "ip6"
    external: str
    logical: str  #: an address, or a network of snat
    length: int
    mac: str  #: of a distributed one: the address is where its port is
    port: str  #: that port, as a string
    stateless: bool
    range: str  #: `external_port_range`
    priority: int
    match: str
    allowed: str  #: the name of an address set: only for these on the outside
    exempted: str  #: likewise: not for these
    gateway: str  #: the distributed gateway port it belongs to, by name; none on a gateway router
    row: Uuid
