"""Router policies as their rules see them."""

from typing import NamedTuple

from pyovn.northd.model.routes import Hop


class Policy(NamedTuple):
    """A policy that can be carried out."""

    priority: int
    match: str
    action: str
    mark: str  #: `options:pkt_mark`
    chained: bool  #: there are chains
    chain: int  #: the chain that it is in; 0: the first
    jump: int  #: the chain that it leads to
    hops: tuple[Hop, ...]  #: of `reroute`
    group: int  #: of several next hops
