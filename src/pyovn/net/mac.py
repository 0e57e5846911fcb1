"""Ethernet addresses as 48-bit integers.

mac_int("0a:00:00:00:00:01") → 0x0a0000000001        mac_str → text
"""

import re

from pyovn.net.errors import Malformed

BROADCAST = 0xFFFFFFFFFFFF
MULTICAST_BIT = 1 << 40  #: the group bit of the first octet
LOCAL_BIT = 1 << 41  #: the universal/local bit of the first octet
LINK_LOCAL_PREFIX = 0xFE80 << 112

_TEXT = re.compile(r"[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}").fullmatch


def mac_int(text: str) -> int:
    """The address written as six hexadecimal octets.

    Raises:
        Malformed: `text` is not an Ethernet address.
    """
    if len(text) == 17 and text[2::3] == ":::::":
        try:
            return int(text.replace(":", ""), 16) if "_" not in text else _slow(text)
        except ValueError:
            raise Malformed(f"{text}: invalid Ethernet address") from None
    return _slow(text)


def _slow(text: str) -> int:
    """Octets may lack their leading zero."""
    if not _TEXT(text):
        raise Malformed(f"{text}: invalid Ethernet address")
    return int("".join(octet.zfill(2) for octet in text.split(":")), 16)


def mac_str(mac: int) -> str:
    """Six lower-case octets with colons."""
    return mac.to_bytes(6, "big").hex(":")


def is_multicast(mac: int) -> bool:
    """True for group addresses, broadcast among them."""
    return bool(mac & MULTICAST_BIT)


def eui64_lla(mac: int) -> int:
    """The IPv6 link-local address a host with this MAC gives itself (RFC 4291 appendix A)."""
    flipped = mac ^ LOCAL_BIT
    return LINK_LOCAL_PREFIX | (flipped >> 24) << 40 | 0xFFFE << 24 | flipped & 0xFFFFFF
