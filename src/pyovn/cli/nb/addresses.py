"""Addresses in northbound columns: `MAC [IP[/LENGTH]]…`, `dynamic …`, `unknown`, `router`."""

import re

from pyovn.cli.ctl.errors import CtlError
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip6_str, ip_str, parse_network
from pyovn.net.mac import eui64_lla, mac_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.view import Row, View

HINT = "Hint: An Ethernet address must be listed before an IP address, together as a single argument."
KEYWORDS = ("unknown", "dynamic", "router")

_LEADING_MAC = re.compile(r"\s*([0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5})").match


def check_address(address: str) -> None:
    """Raise unless `address` is one that a switch port may have."""
    if address not in KEYWORDS and not address.startswith("dynamic ") and not _LEADING_MAC(address):
        raise CtlError(f"{address}: Invalid address format. See ovn-nb(5). {HINT}")


def is_dynamic(address: str) -> bool:
    """True where northd chooses the IP addresses: `dynamic …` or `MAC dynamic`."""
    words = address.split()
    return words[:1] == ["dynamic"] or (words[1:] == ["dynamic"] and bool(_LEADING_MAC(words[0])))


def addresses_of(text: str) -> "Iterator[tuple[int, str]]":
    """(version, IP address) of every address after the MAC, up to the first that is none."""
    mac = _LEADING_MAC(text)
    for word in text[mac.end() :].split() if mac else ():
        try:
            version, value, _ = parse_network(word)
        except Malformed:
            return
        yield version, ip_str(version, value)


def check_duplicates(view: "View", switch: "Row", port: "Row", addresses: "list[str]") -> None:
    """Raise if another port of the switch has one of the IP addresses."""
    wanted = {ip for address in addresses for ip in addresses_of(address)}
    if not wanted:
        return
    for other in view.referred("Logical_Switch_Port", switch["ports"]):
        if other is port:
            continue
        for address in other["addresses"]:
            given = other["dynamic_addresses"] or "" if is_dynamic(address) else address
            for version, ip in addresses_of(given):
                if (version, ip) in wanted:
                    raise CtlError(
                        f"Error on switch {switch['name']}: duplicate IPv{version} address '{ip}'"
                        f" found on logical switch port '{other['name']}'"
                    )


def link_local_address(mac: str) -> str:
    """The IPv6 link-local address of a MAC address (RFC 4291 appendix A); empty for what is none."""
    try:
        return ip6_str(eui64_lla(mac_int(mac)))
    except Malformed:
        return ""
