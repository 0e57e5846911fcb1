"""Addresses of logical ports, as `Logical_Switch_Port.addresses` and `port_security` spell them.

"0a:00:00:00:00:01 10.0.0.1 fd00::1"  →  Addresses("0a:00:00:00:00:01", ("10.0.0.1",), (Address6(…),))
"""

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.mac import mac_int, mac_str


class Address6(NamedTuple):
    """An IPv6 address and the group on which neighbours ask for it."""

    address: str
    group: str


class Addresses(NamedTuple):
    """A MAC with the IP addresses behind it, all in canonical spelling."""

    mac: str
    ip4: tuple[str, ...] = ()
    ip6: tuple[Address6, ...] = ()


def parse_addresses(text: str) -> Addresses:
    """`MAC [IP]…`; raises Malformed without a MAC, ignores everything from the first bad IP on."""
    mac, *ips = text.split()
    ip4: list[str] = []
    ip6: list[Address6] = []
    for ip in ips:
        try:
            if ":" in ip:
                ip6.append(address6(ip.partition("/")[0]))
            else:
                ip4.append(inet_ntop(AF_INET, inet_pton(AF_INET, ip.partition("/")[0])))
        except (OSError, ValueError):
            break
    return Addresses(mac_str(mac_int(mac)), tuple(ip4), tuple(ip6))


def address6(text: str) -> Address6:
    """An IPv6 address with its solicited-node group."""
    packed = inet_pton(AF_INET6, text)
    return Address6(inet_ntop(AF_INET6, packed), inet_ntop(AF_INET6, _SOLICITED_NODE + packed[13:]))


def is_address(text: str) -> bool:
    """Is it an IP address of either version?"""
    try:
        inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def ip_of(address: str) -> str:
    """Which protocol's fields an address goes into: "ip4" or "ip6"."""
    return "ip6" if ":" in address else "ip4"


def is_link_local(address: str) -> bool:
    """Is an address, in canonical spelling, in fe80::/10?"""
    return address.startswith(("fe8", "fe9", "fea", "feb"))


def link_local(mac: str) -> Address6:
    """The address that the owner of a MAC gives itself."""
    octets = bytes.fromhex(mac.replace(":", ""))
    text = inet_ntop(AF_INET6, _LINK_LOCAL + bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:])
    return address6(text)


def parsed(texts: "frozenset[str]") -> tuple[Addresses, ...]:
    """The entries with a MAC, in the order of their spelling; others are left out."""
    found = []
    for text in sorted(texts) if len(texts) > 1 else texts:
        try:
            found.append(parse_addresses(text))
        except (Malformed, ValueError):
            continue
    return tuple(found)


def nonsense(texts: "frozenset[str]", found: tuple[Addresses, ...]) -> list[str]:
    """The entries of which not every word was understood; `found` is what `parsed` made of them."""
    understood = len(found)
    for entry in found:
        understood += len(entry.ip4) + len(entry.ip6)
    if not texts or understood == " ".join(texts).count(" ") + 1:
        return []
    return sorted(text for text in texts if not (text in WORDS or _is_understood(text)))


def _is_understood(text: str) -> bool:
    (entry,) = parsed(frozenset((text,))) or (None,)
    return entry is not None and 1 + len(entry.ip4) + len(entry.ip6) == len(text.split())


WORDS = ("unknown", "router")  #: entries that are no addresses
_SOLICITED_NODE = bytes.fromhex("ff0200000000000000000001ff")
_LINK_LOCAL = bytes.fromhex("fe80000000000000")
