"""Configuration that northd does not carry out: said by name, once, instead of being passed over in silence.

When a feature is written, its line here goes.
"""

from collections.abc import Iterator

from pyovn.net.uuids import Uuid
from pyovn.tables.nb import LogicalSwitch, LogicalSwitchPort

SWITCH_COLUMNS = {
    "acls": "ACLs",
    "qos_rules": "QoS rules",
    "load_balancer": "load balancers",
    "load_balancer_group": "load balancer groups",
    "dns_records": "DNS records",
    "forwarding_groups": "forwarding groups",
    "copp": "control plane protection",
}
PORT_COLUMNS = {
    "dhcpv4_options": "DHCPv4 options",
    "dhcpv6_options": "DHCPv6 options",
    "mirror_rules": "mirrors",
    "health_checks": "health checks",
}


def of_switch(row: LogicalSwitch) -> Iterator[tuple[Uuid, str]]:
    """What is configured on a switch and has no effect."""
    for column, what in SWITCH_COLUMNS.items():
        if getattr(row, column):
            yield row.uuid, f"logical switch {row.name}: {what} are not supported and have no effect"


def of_port(row: LogicalSwitchPort) -> Iterator[tuple[Uuid, str]]:
    """What is configured on a port and has no effect."""
    for column, what in PORT_COLUMNS.items():
        if getattr(row, column):
            yield row.uuid, f"logical switch port {row.name}: {what} are not supported and have no effect"
    if any("dynamic" in entry.split() for entry in row.addresses):
        yield row.uuid, f"logical switch port {row.name}: dynamic addresses are not supported, none is assigned"
