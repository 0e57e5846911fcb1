"""IPv4 and IPv6 addresses and prefixes as integers.

ip_parse("10.0.0.1")           → (4, 0x0a000001)
parse_network("fd00::/64")     → (6, 0xfd00…, 64)       host bits are kept
"""

from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from pyovn.net.errors import Malformed

ALL4 = 0xFFFFFFFF
ALL6 = (1 << 128) - 1
BITS = {4: 32, 6: 128}

_SOLICITED_NODE = 0xFF02 << 112 | 0x1FF000000
_MULTICAST_MAC6 = 0x3333 << 32


def ip4_int(text: str) -> int:
    """The address in dotted-quad notation; raises Malformed."""
    try:
        return int.from_bytes(inet_pton(AF_INET, text), "big")
    except (OSError, ValueError):
        raise Malformed(f"{text}: invalid IPv4 address") from None


def ip4_str(value: int) -> str:
    """Dotted-quad notation."""
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def ip6_int(text: str) -> int:
    """The address in RFC 4291 notation; raises Malformed."""
    try:
        return int.from_bytes(inet_pton(AF_INET6, text), "big")
    except (OSError, ValueError):
        raise Malformed(f"{text}: invalid IPv6 address") from None


def ip6_str(value: int) -> str:
    """The shortest notation, as C programs print it."""
    return inet_ntop(AF_INET6, value.to_bytes(16, "big"))


def ip_parse(text: str) -> tuple[int, int]:
    """(version, address); raises Malformed."""
    if ":" in text:
        return 6, ip6_int(text)
    try:
        return 4, int.from_bytes(inet_pton(AF_INET, text), "big")
    except (OSError, ValueError):
        raise Malformed(f"{text}: invalid IP address") from None


def ip_str(version: int, value: int) -> str:
    """The address in its version's notation."""
    return ip4_str(value) if version == 4 else ip6_str(value)


def parse_network(text: str) -> tuple[int, int, int]:
    """(version, address, prefix length) of `ADDR`, `ADDR/PLEN` or `A.B.C.D/M.A.S.K`; raises Malformed."""
    address, slash, length = text.partition("/")
    version, value = ip_parse(address)
    if not slash:
        return version, value, BITS[version]
    if length.isascii() and length.isdigit() and int(length) <= BITS[version]:
        return version, value, int(length)
    if version == 4 and "." in length:
        return version, value, prefix_length(ip4_int(length), 32)
    raise Malformed(f"{text}: invalid network prefix")


def prefix_length(mask: int, bits: int) -> int:
    """The number of leading ones of a contiguous mask; raises Malformed."""
    zeros = bits - mask.bit_count()
    if mask != (1 << bits) - (1 << zeros):
        raise Malformed(f"{mask:#x}: not a contiguous mask")
    return bits - zeros


def mask4(plen: int) -> int:
    """The IPv4 netmask of a prefix length."""
    return ALL4 ^ ALL4 >> plen


def mask6(plen: int) -> int:
    """The IPv6 netmask of a prefix length."""
    return ALL6 ^ ALL6 >> plen


def solicited_node(ip6: int) -> int:
    """The multicast group on which neighbours ask for this address (RFC 4291 §2.7.1)."""
    return _SOLICITED_NODE | ip6 & 0xFFFFFF


def multicast_mac6(ip6: int) -> int:
    """The Ethernet group address of an IPv6 multicast group (RFC 2464 §7)."""
    return _MULTICAST_MAC6 | ip6 & 0xFFFFFFFF
