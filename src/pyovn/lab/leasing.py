"""How a guest gets its configuration by DHCP, and uses it."""

from collections.abc import Callable
from secrets import randbits
from typing import TypeVar

from pyovn.lab import dhcp_client
from pyovn.lab.dhcp_client import Lease
from pyovn.lab.guest import Guest
from pyovn.net.errors import Malformed
from pyovn.net.ip import ALL4, ip_str
from pyovn.packet import dhcp4, dhcp6

TIMEOUT_S = 5.0
M = TypeVar("M", dhcp4.Message, dhcp6.Message)


async def lease4(guest: Guest, *, timeout_s: float = TIMEOUT_S) -> Lease | None:
    """An IPv4 address with routes and name servers; None where nobody answers, or not with what we need."""

    async def ask(message: dhcp4.Message, wanted: dhcp4.Type) -> dhcp4.Message | None:
        def concerns(data: bytes) -> bool:
            found = understood(dhcp4.parse, data)
            return found is not None and (found.xid, found.type) == (message.xid, wanted)

        data, ports = dhcp4.build(message), (dhcp4.SERVER_PORT, dhcp4.CLIENT_PORT)
        frames = guest.host.send_to_all((4, ALL4), ports[0], data, from_port=ports[1])
        answer = await guest.talk(frames, ports[1], concerns, timeout_s=timeout_s)
        return None if answer is None else dhcp4.parse(answer)

    question = dhcp_client.discover(guest.host.mac, randbits(32))
    offer = await ask(question, dhcp4.Type.OFFER)
    given = None if offer is None else await ask(dhcp_client.accept(question, offer), dhcp4.Type.ACK)
    return None if given is None else adopt(guest, dhcp_client.lease(given))


async def lease6(guest: Guest, *, stateless: bool = False, timeout_s: float = TIMEOUT_S) -> Lease | None:
    """An IPv6 address and name servers; `stateless`: name servers only."""

    async def ask(message: dhcp6.Message, wanted: dhcp6.Type) -> dhcp6.Message | None:
        def concerns(data: bytes) -> bool:
            found = understood(dhcp6.parse, data)
            return found is not None and (found.transaction, found.type) == (message.transaction, wanted)

        data, ports = dhcp6.build(message), (dhcp6.SERVER_PORT, dhcp6.CLIENT_PORT)
        frames = guest.host.send_to_all((6, dhcp6.ALL_SERVERS), ports[0], data, from_port=ports[1])
        answer = await guest.talk(frames, ports[1], concerns, timeout_s=timeout_s)
        return None if answer is None else dhcp6.parse(answer)

    mac, transaction = guest.host.mac, randbits(24)
    if stateless:
        given = await ask(dhcp_client.inquire(mac, transaction), dhcp6.Type.REPLY)
    else:
        question = dhcp_client.solicit(mac, transaction)
        offer = await ask(question, dhcp6.Type.ADVERTISE)
        given = None if offer is None else await ask(dhcp_client.accept6(question, offer), dhcp6.Type.REPLY)
    return None if given is None else adopt(guest, dhcp_client.lease6(given, ip_str(6, dhcp6.ALL_SERVERS)))


def understood(parse: Callable[[bytes], M], data: bytes) -> M | None:
    """A message, unless it is malformed."""
    try:
        return parse(data)
    except Malformed:
        return None


def adopt(guest: Guest, lease: Lease) -> Lease:
    """Use what was told."""
    host = guest.host
    if lease.address:
        host.configure(lease.address)
    for prefix, gateway in lease.routes:
        host.route(prefix, gateway)
    host.mtu = lease.mtu or host.mtu
    known = [server for server in guest.name_servers if server not in lease.name_servers]
    guest.name_servers = [*lease.name_servers, *known]
    return lease
