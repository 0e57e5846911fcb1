"""DHCP relay: a router passes what guests ask on to a server somewhere else (RFC 1542, 2131), IPv4 only.

    l2_lkup (switch)               a guest's request goes to the router's port, not to everybody
    ip_input, dhcp_relay_req       the controller notes the relay in it: reg9[7]; to the server it goes
    ip_input, dhcp_relay_resp_chk  an answer of the server is made one for the guest: reg9[8], reg2
    dhcp_relay_resp                and goes out of the guests' port

Reads DHCP_Relay, Logical_Router_Port.dhcp_relay, Logical_Switch.other_config:dhcp_relay_port.
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.port import Port, quoted
from pyovn.northd.model.router_port import RouterPort
from pyovn.northd.pipeline import NEXT, STAGE, Flow

feature = Feature()

TAKEN, GIVEN = "reg9[7]", "reg9[8]"
FROM_NOBODY = "ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255"
REQUEST = "udp.src == 68 && udp.dst == 67"
BETWEEN_SERVERS = "udp.src == 67 && udp.dst == 67"
ASKING, ANSWERING = "/* DHCP_RELAY_REQ */", "/* DHCP_RELAY_RESP */"


@feature.relayed
def direct(port: Port, way: str, mac: str) -> Iterator[Flow]:
    """A guest's request goes to the router; a guest with several MACs asks with its first."""
    for guest, _, _ in port.addresses[:1]:
        match = f"inport == {port.name} && eth.src == {guest} && {FROM_NOBODY} && {REQUEST}"
        actions = f"eth.dst = {mac}; outport = {quoted(way)}; {NEXT} {ASKING}"
        yield Flow(STAGE["ls_in_l2_lkup"], 100, match, actions, port.row.name)


@feature.relay
def ask(port: RouterPort, server: str) -> Iterator[Flow]:
    """The request goes to the server, from us."""
    own = port.ip4[0].address
    asked = f"inport == {port.name} && {FROM_NOBODY}"
    check = f"{TAKEN} = dhcp_relay_req_chk({own}, {server});{NEXT} {ASKING}"
    yield Flow(STAGE["lr_in_ip_input"], 110, f"{asked} && ip.frag == 0 && {REQUEST}", check)
    stage = STAGE["lr_in_dhcp_relay_req"]
    send = f"ip4.src = {own}; ip4.dst = {server}; udp.src = 67; {NEXT} {ASKING}"
    yield Flow(stage, 100, f"{asked} && {REQUEST} && {TAKEN}", send)
    yield Flow(stage, 1, f"{asked} && {REQUEST} && {TAKEN} == 0", f"drop; {ASKING}")


@feature.relay
def answer(port: RouterPort, server: str) -> Iterator[Flow]:
    """The server's answer goes to the guest."""
    own = port.ip4[0].address
    given = f"ip4.src == {server} && ip4.dst == {own}"
    yield Flow(STAGE["lr_in_ip_input"], 110, f"{given} && ip.frag == 0 && {BETWEEN_SERVERS}", f"{NEXT} {ANSWERING}")
    check = f"reg2 = ip4.dst; {GIVEN} = dhcp_relay_resp_chk({own}, {server}); {NEXT} {ANSWERING}"
    yield Flow(STAGE["lr_in_dhcp_relay_resp_chk"], 100, f"{given} && {BETWEEN_SERVERS}", check)
    stage, checked = STAGE["lr_in_dhcp_relay_resp"], f"ip4.src == {server} && reg2 == {own} && {BETWEEN_SERVERS}"
    send = f"ip4.src = {own}; udp.dst = 68; outport = {port.name}; output; {ANSWERING}"
    yield Flow(stage, 100, f"{checked} && {GIVEN}", send)
    yield Flow(stage, 1, f"{checked} && {GIVEN} == 0", f"drop; {ANSWERING}")
