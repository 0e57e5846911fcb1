"""Options of DHCPv4, DHCPv6 and router advertisements: names, codes and kinds of value.

northd writes the DHCP tables to the Southbound database (DHCP_Options, DHCPv6_Options); these are the
same rows, for programs that have no database at hand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Option(NamedTuple):
    """One option."""

    name: str
    code: int
    #: "bool" "uint8" "uint16" "uint32" "ipv4" "static_routes" "str" "host_id" "domains" · "ipv6" "mac" "domain"
    #: · "prefix"
    kind: str


def _options(*rows: str) -> dict[str, Option]:
    found = {}
    for row in rows:
        name, code, kind = row.split()
        found[name] = Option(name, int(code), kind)
    return found


DHCP4 = _options(
    "offerip 0 ipv4", "netmask 1 ipv4", "router 3 ipv4", "dns_server 6 ipv4", "log_server 7 ipv4", "lpr_server 9 ipv4",
    "hostname 12 str", "domain_name 15 str", "swap_server 16 ipv4", "ip_forward_enable 19 bool",
    "policy_filter 21 ipv4", "default_ttl 23 uint8", "mtu 26 uint16", "broadcast_address 28 ipv4",
    "router_discovery 31 bool", "router_solicitation 32 ipv4", "arp_cache_timeout 35 uint32", "ethernet_encap 36 bool",
    "tcp_ttl 37 uint8", "tcp_keepalive_interval 38 uint32", "nis_server 41 ipv4", "ntp_server 42 ipv4",
    "netbios_name_server 44 ipv4", "netbios_node_type 46 uint8", "lease_time 51 uint32", "server_id 54 ipv4",
    "T1 58 uint32", "T2 59 uint32", "tftp_server 66 host_id", "bootfile_name 67 str", "domain_search_list 119 domains",
    "classless_static_route 121 static_routes", "tftp_server_address 150 ipv4", "path_prefix 210 str",
    "ms_classless_static_route 249 static_routes", "wpad 252 str", "next_server 253 ipv4", "bootfile_name_alt 254 str",
)  # fmt: skip

DHCP6 = _options(
    "server_id 2 mac", "ia_addr 5 ipv6", "dns_server 23 ipv6", "domain_search 24 str", "fqdn 39 domain",
    "bootfile_name 59 str", "bootfile_name_alt 254 str",
)  # fmt: skip

ROUTER_ADVERT = _options(
    "addr_mode 0 str", "router_preference 0 str", "slla 1 mac", "prefix 3 ipv6", "mtu 5 uint32", "rdnss 25 ipv6",
    "dnssl 31 str", "route_info 24 str",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class OptionTables:
    """The options that the parser of actions knows; compared by identity, so keep one while its tables last."""

    dhcp4: Mapping[str, Option] = field(default_factory=lambda: DHCP4)
    dhcp6: Mapping[str, Option] = field(default_factory=lambda: DHCP6)


def by_name(options: Iterable[Option]) -> dict[str, Option]:
    """Options by name."""
    return {option.name: option for option in options}


DEFAULT_OPTIONS = OptionTables()
