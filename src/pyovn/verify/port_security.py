"""Port security as a match, so that it can be decided on sets of packets.

Where the switch is stricter than a match can easily say (what neighbour discovery tells of its sender), the match is
more generous: proofs then hold all the more.
"""

from collections.abc import Iterable

from pyovn.lang.match import Expr, annotate, parse
from pyovn.lang.match.ast import TRUE, Compare, conjunction, disjunction
from pyovn.lang.symbols import SYMBOLS
from pyovn.net.ip import ip4_str, ip6_str
from pyovn.net.mac import eui64_lla, mac_str
from pyovn.trace.port_security import ARP, IP4, IP6, Allowed, entries

_DISCOVERY = "ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67"


def may_enter(port_security: Iterable[str]) -> Expr:
    """The packets that a port may send; all where it is not secured."""
    return _any(_entering(*_written(entry)) for entry in entries(port_security))


def may_leave(port_security: Iterable[str]) -> Expr:
    """The packets that may go to a port; all where it is not secured."""
    return _any(_leaving(*_written(entry)) for entry in entries(port_security))


def _any(matches: Iterable[Expr]) -> Expr:
    found = list(matches)
    return disjunction(found) if found else TRUE


def _written(entry: Allowed) -> tuple[int, list[str], list[str]]:
    """The MAC, and the IPv4 and IPv6 addresses as a match has them."""
    return entry.mac, [ip4_str(each) for each in sorted(entry.ip4)], [ip6_str(each) for each in sorted(entry.ip6)]


def _entering(mac: int, ip4: list[str], ip6: list[str]) -> Expr:
    own = mac_str(mac)
    arp = f"arp.sha == {own}" + (f" && arp.spa == {_set(ip4)}" if ip4 else "")
    kinds = [_match(arp)]
    if ip4 or ip6:
        addresses = _set([*ip6, ip6_str(eui64_lla(mac))])
        kinds += [_match(_DISCOVERY), _match(f"ip6.src == {addresses}"), _neither(ARP, IP4, IP6)]
        kinds += [_match(f"ip4.src == {_set(ip4)}")] if ip4 else []
    else:
        kinds.append(_neither(ARP))
    return conjunction((_match(f"eth.src == {own}"), disjunction(kinds)))


def _leaving(mac: int, ip4: list[str], ip6: list[str]) -> Expr:
    own = _match(f"eth.dst == {mac_str(mac)}")
    if not ip4 and not ip6:
        return own
    kinds = [_neither(IP4, IP6)]
    if ip4:
        kinds.append(_match(f"ip4.dst == {_set([*ip4, '255.255.255.255', '224.0.0.0/4'])}"))
    if ip6:
        kinds.append(_match(f"ip6.dst == {_set([*ip6, ip6_str(eui64_lla(mac)), 'ff00::/8'])}"))
    return conjunction((own, disjunction(kinds)))


def _match(text: str) -> Expr:
    return annotate(parse(text))


def _set(addresses: list[str]) -> str:
    return "{" + ", ".join(addresses) + "}"


def _neither(*types: int) -> Expr:
    """The packets of other Ethernet types, which the language itself cannot say."""
    symbol = SYMBOLS["eth.type"]
    return conjunction([Compare(symbol, "!=", each, symbol.full) for each in types])
