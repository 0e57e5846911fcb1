"""Packet-ins to services: opcode → handler, in one table.

The one place where a malformed packet becomes a `Problem`, and where a paused packet that nobody answers goes on:
one that asks a yes-or-no question with the answer no.  One that waits for a next hop has nowhere to go.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pyovn.controller.effects import Continue, Effect, Problem, answered, resumed
from pyovn.controller.services import (
    activation,
    dhcp4,
    dhcp6,
    neighbours,
    records,
    refusals,
    relay,
    router_advert,
    solicitations,
    stations,
    virtual,
)
from pyovn.lang.actions.userdata import Opcode, split
from pyovn.net.errors import Malformed
from pyovn.openflow.messages import PacketIn

Service = Callable[[PacketIn, bytes], Iterator[Effect]]

SERVICES: Final[dict[Opcode, Service]] = {
    Opcode.ARP: solicitations.ask4,
    Opcode.ND_NS: solicitations.ask6,
    Opcode.ND_NA: solicitations.advertise,
    Opcode.ND_NA_ROUTER: solicitations.advertise_router,
    Opcode.PUT_ARP: neighbours.put_arp,
    Opcode.PUT_ND: neighbours.put_nd,
    Opcode.PUT_FDB: stations.put_fdb,
    Opcode.ACTIVATION_STRATEGY: activation.activate,
    Opcode.ICMP: refusals.icmp,
    Opcode.ICMP4_ERROR: refusals.icmp,
    Opcode.ICMP6_ERROR: refusals.icmp,
    Opcode.TCP_RESET: refusals.tcp_reset,
    Opcode.SCTP_ABORT: refusals.sctp_abort,
    Opcode.REJECT: refusals.reject,
    Opcode.PUT_DHCP_OPTS: dhcp4.put_dhcp_opts,
    Opcode.PUT_DHCPV6_OPTS: dhcp6.put_dhcpv6_opts,
    Opcode.DHCP_RELAY_REQ_CHK: relay.request,
    Opcode.DHCP_RELAY_RESP_CHK: relay.response,
    Opcode.PUT_ND_RA_OPTS: router_advert.put_nd_ra_opts,
    Opcode.BIND_VPORT: virtual.bind_vport,
    Opcode.LOG: records.log,
    Opcode.EVENT: records.trigger_event,
}


#: Services that tell the pipeline yes or no.
QUESTIONS: Final = frozenset({
    Opcode.PUT_DHCP_OPTS, Opcode.PUT_DHCPV6_OPTS, Opcode.DNS_LOOKUP, Opcode.PUT_ND_RA_OPTS,
    Opcode.DHCP_RELAY_REQ_CHK, Opcode.DHCP_RELAY_RESP_CHK,
})  # fmt: skip
WAITING: Final = frozenset({Opcode.ARP, Opcode.ND_NS})


def answer(pin: PacketIn, services: Mapping[Opcode, Service] = SERVICES) -> Iterator[Effect]:
    """What follows from a packet that the switch hands over."""
    try:
        opcode, arguments = split(pin.userdata)
        service = services.get(opcode)
        if service is not None:
            yield from service(pin, arguments)
            return
        yield Problem(f"no service for {opcode.name.lower()} (opcode {opcode}, flow cookie {pin.cookie or 0:#x})")
    except Malformed as fault:
        yield Problem(f"packet-in of table {pin.table}: {fault}")
    if pin.continuation is not None:
        yield from _unanswered(pin)


def _unanswered(pin: PacketIn) -> Iterator[Continue]:
    try:
        opcode, arguments = split(pin.userdata)
        if opcode in QUESTIONS:
            yield answered(pin, arguments, None)
        elif opcode not in WAITING:
            yield resumed(pin)
    except Malformed:
        yield resumed(pin)
