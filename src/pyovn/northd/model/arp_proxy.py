"""Networks that a router's port answers for on its switch: `Logical_Switch_Port.options:arp_proxy`.

"0a:00:00:00:00:07 10.0.9.0/24 fd00::50"  →  Proxy("0a:00:00:00:00:07", ("10.0.9.0/24",), (Target("fd00::50/128", …),))
"""

from ipaddress import IPv6Interface, ip_interface
from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.mac import mac_int, mac_str
from pyovn.northd.model.addresses import address6


class Target(NamedTuple):
    """An IPv6 network, and the group on which neighbours ask for its first address; both with a length."""

    network: str
    group: str


class Proxy(NamedTuple):
    """What is answered for, and with which MAC; with the router port's where there is none."""

    mac: str
    ip4: tuple[str, ...]
    ip6: tuple[Target, ...]


def parse_proxy(text: str) -> Proxy | None:
    """`[MAC] NETWORK…`; None where that is not what the text says."""
    words = text.split()
    mac = ""
    if words:
        try:
            mac = mac_str(mac_int(words[0]))
            words = words[1:]
        except (Malformed, ValueError):
            pass
    try:
        networks = [ip_interface(word).network for word in words]
    except ValueError:
        return None
    ip4 = tuple(str(each) for each in networks if each.version == 4)
    ip6 = tuple(target(IPv6Interface(each)) for each in networks if each.version == 6)
    return Proxy(mac, ip4, ip6) if networks else None


def target(network: IPv6Interface) -> Target:
    """An IPv6 network with its group."""
    length = network.network.prefixlen
    return Target(f"{network.ip}/{length}", f"{address6(str(network.ip)).group}/{length}")
