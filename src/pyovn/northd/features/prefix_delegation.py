"""Prefix delegation: what DHCPv6 servers tell a router that asks for prefixes goes to the controller.

Reads Logical_Router_Port.options:prefix_delegation.  The asking is `controller/services/prefixes.py`.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import STAGE, Flow

feature = Feature()


@feature.router_port
def replies(router: Router, port: RouterPort) -> Iterator[Flow]:
    """Hand over what a server says to the port."""
    if port.options.get("prefix_delegation") == "true":
        for each in port.ip6:
            match = f"ip6.dst == {each.address} && udp.src == 547 && udp.dst == 546"
            yield Flow(STAGE["lr_in_ip_input"], 100, match, "reg0 = 0; handle_dhcpv6_reply;")
