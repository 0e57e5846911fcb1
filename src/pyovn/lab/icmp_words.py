"""ICMP errors in the words of ping(8) and traceroute(8)."""

from typing import Final

from pyovn.packet import icmp4, icmp6

FILTERED = "Packet filtered"
#: by IP version
TIME_EXCEEDED: Final = {4: icmp4.TIME_EXCEEDED, 6: icmp6.TIME_EXCEEDED}
#: (IP version, type, code) → what ping says; {0} is the MTU
WORDS: Final = {
    (4, icmp4.UNREACHABLE, 0): "Destination Net Unreachable",
    (4, icmp4.UNREACHABLE, 1): "Destination Host Unreachable",
    (4, icmp4.UNREACHABLE, 2): "Destination Protocol Unreachable",
    (4, icmp4.UNREACHABLE, 3): "Destination Port Unreachable",
    (4, icmp4.UNREACHABLE, 4): "Frag needed and DF set (mtu = {0})",
    (4, icmp4.UNREACHABLE, 9): FILTERED,
    (4, icmp4.UNREACHABLE, 10): FILTERED,
    (4, icmp4.UNREACHABLE, 13): FILTERED,
    (4, icmp4.TIME_EXCEEDED, 0): "Time to live exceeded",
    (4, icmp4.TIME_EXCEEDED, 1): "Frag reassembly time exceeded",
    (6, icmp6.UNREACHABLE, 0): "Destination unreachable: No route",
    (6, icmp6.UNREACHABLE, 1): "Destination unreachable: Administratively prohibited",
    (6, icmp6.UNREACHABLE, 2): "Destination unreachable: Beyond scope of source address",
    (6, icmp6.UNREACHABLE, 3): "Destination unreachable: Address unreachable",
    (6, icmp6.UNREACHABLE, 4): "Destination unreachable: Port unreachable",
    (6, icmp6.TOO_BIG, 0): "Packet too big: mtu={0}",
    (6, icmp6.TIME_EXCEEDED, 0): "Time exceeded: Hop limit",
    (6, icmp6.TIME_EXCEEDED, 1): "Time exceeded: Defragmentation failure",
}
#: (IP version, type, code) → the mark that traceroute prints after a time; nothing where a port was unreachable
MARKS: Final = {
    (4, icmp4.UNREACHABLE, 0): " !N",
    (4, icmp4.UNREACHABLE, 1): " !H",
    (4, icmp4.UNREACHABLE, 2): " !P",
    (4, icmp4.UNREACHABLE, 4): " !F",
    (4, icmp4.UNREACHABLE, 13): " !X",
    (6, icmp6.UNREACHABLE, 0): " !N",
    (6, icmp6.UNREACHABLE, 1): " !X",
    (6, icmp6.UNREACHABLE, 3): " !H",
}


def described(version: int, type_: int, code: int, mtu: int) -> str:
    """What ping says of an error."""
    words = WORDS.get((version, type_, code), f"Unknown ICMP error: type {type_} code {code}")
    return words.format(mtu)


def marked(version: int, type_: int, code: int) -> str:
    """What traceroute adds for an error that ends its way."""
    return MARKS.get((version, type_, code), "")


def next_hop_mtu(version: int, type_: int, code: int, rest: int) -> int | None:
    """The MTU in an error that says a packet was too long, None for other errors."""
    if (version, type_, code) == (4, icmp4.UNREACHABLE, icmp4.TOO_BIG):
        return rest & 0xFFFF
    return rest if (version, type_) == (6, icmp6.TOO_BIG) else None
