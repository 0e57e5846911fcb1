"""Which headers a packet must have before a field is a part of it."""

from pyovn.openflow.fields import FULL, PREREQUISITES
from pyovn.openflow.match import match
from pyovn.vswitch.key import compiled


def _expanded(name: str) -> tuple[tuple[int, int], ...]:
    """Prerequisites name the protocol only; the network protocol comes with it."""
    outer = {"nd": "icmp6", "nd_ns": "icmp6", "nd_na": "icmp6", "tcp": "ip", "udp": "ip", "sctp": "ip"}.get(name)
    alternatives = [
        compiled(match(**{term: (value, 0x1000 if term == "vlan_tci" else FULL[term]) for term, value in terms}))
        for terms in PREREQUISITES[name]
    ]
    if outer is None:
        return tuple(alternatives)
    return tuple((mask | more, value | same) for mask, value in alternatives for more, same in _expanded(outer))


#: prerequisite -> the alternatives that satisfy it, as (mask, value) over keys
NEEDS = {name: _expanded(name) for name in PREREQUISITES if name not in ("ct", "vlan")}
