"""Stateless address autoconfiguration: what a host makes of a router's advertisement (RFC 4862, 4861 §6.3.4).

prefix with the autonomous flag ──► an address: prefix + interface identifier made from the MAC
router lifetime                 ──► the default gateway
MTU option                      ──► the link's MTU
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from pyovn.net.mac import eui64_lla
from pyovn.packet import icmp6, nd

SOLICITATION_S: Final = 4.0  #: RTR_SOLICITATION_INTERVAL
SOLICITATIONS: Final = 3  #: MAX_RTR_SOLICITATIONS
AUTONOMOUS: Final = 0x40
IDENTIFIER: Final = (1 << 64) - 1
LEAST_MTU: Final = 1280
_PREFIX = struct.Struct("!BBII4xQQ")
_MTU = struct.Struct("!2xI")


class Configuration(NamedTuple):
    """What a host takes from an advertisement."""

    addresses: tuple[int, ...]  #: each with a prefix of 64 bits
    gateway: bool  #: the router may be used as one
    mtu: int | None


def configuration(advertisement: nd.RouterAdvertisement, mac: int) -> Configuration:
    """What an advertisement means for the host with this MAC."""
    found = tuple(dict.fromkeys(_addresses(advertisement, mac)))
    mtus = (_MTU.unpack_from(data)[0] for kind, data in advertisement.options if kind == nd.MTU and len(data) >= 6)
    mtu = next((size for size in mtus if size >= LEAST_MTU), None)
    return Configuration(found, advertisement.lifetime > 0, mtu)


def _addresses(advertisement: nd.RouterAdvertisement, mac: int) -> Iterator[int]:
    for kind, data in advertisement.options:
        if kind != nd.PREFIX or len(data) < _PREFIX.size:
            continue
        length, flags, valid_s, preferred_s, high, _ = _PREFIX.unpack_from(data)
        if flags & AUTONOMOUS and length == 64 and valid_s and preferred_s <= valid_s:
            yield high << 64 | eui64_lla(mac) & IDENTIFIER


def solicitation(mac: int, source: int) -> bytes:
    """The frame that asks routers to advertise themselves now."""
    options = nd.build_options([(nd.SOURCE_LLA, mac.to_bytes(6, "big"))])
    message = icmp6.Icmp6(icmp6.RS, 0, 0, options)
    return nd.frame(mac, ALL_ROUTERS_MAC, source, nd.ALL_ROUTERS, message)


ALL_ROUTERS_MAC: Final = 0x333300000002
