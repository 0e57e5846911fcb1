"""How old an unused neighbour may become: `Logical_Router.options:mac_binding_age_threshold`.

"10.0.0.0/8:30;60"  →  Thresholds(networks=((10.0.0.0/8, 30),), otherwise=60)           seconds; 0 is for ever
"""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple


class Thresholds(NamedTuple):
    """The ages at which neighbours are forgotten, the longest prefixes first."""

    networks: tuple[tuple[IPv4Network | IPv6Network, int], ...] = ()
    otherwise: int = 0


def thresholds(text: str) -> Thresholds:
    """What the option says; nothing where it cannot be understood."""
    networks: list[tuple[IPv4Network | IPv6Network, int]] = []
    otherwise = 0
    for word in text.split(";"):
        network, _, age = word.rpartition(":")
        if not word:
            continue
        if not (age.isascii() and age.isdigit()):
            return Thresholds()
        if not network:
            otherwise = int(age)
            continue
        try:
            networks.append((ip_network(network, strict=False), int(age)))
        except ValueError:
            return Thresholds()
    return Thresholds(tuple(sorted(networks, key=lambda pair: -pair[0].prefixlen)), otherwise)


def shortest(found: Thresholds) -> int:
    """The least of the ages; 0 where nothing is ever forgotten."""
    return min((age for age in (found.otherwise, *(age for _, age in found.networks)) if age), default=0)


def age_of(found: Thresholds, ip: str) -> int:
    """The age for an address; for none, what holds otherwise."""
    if not found.networks:
        return found.otherwise
    try:
        address = ip_address(ip)
    except ValueError:
        return 0
    return next((age for network, age in found.networks if address in network), found.otherwise)
