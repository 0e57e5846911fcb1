"""Prefix delegation: routers here ask for IPv6 prefixes, as DHCPv6 clients (RFC 8415 §6.3).

port with ipv6_prefix_delegation (where to ask) × port with ipv6_prefix (who gets one) ─► Request, a client each
Asking ─ advertise ─► Chosen ─ reply ─► Bound ─ T1 ─► Renewing ─ T2 ─► Rebinding ─ valid lifetime over ─► Asking
a reply ─► Delegated ─► Port_Binding.options:ipv6_ra_pd_list "IAID:PREFIX/LENGTH"

The client's identity is the MAC of the port that gets the prefix; the association's, the key of that port: both stay
over restarts, and with them, mostly, the prefix.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from pyovn.controller.effects import Delegated, Effect, Send, injected
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip6_str, multicast_mac6
from pyovn.net.mac import eui64_lla
from pyovn.net.uuids import Uuid
from pyovn.openflow.messages import PacketIn
from pyovn.packet import datagram, dhcp6, ethernet, ipv6
from pyovn.packet.dhcp6 import SUCCESS, Association, Code, Message, Option, Prefix, Type
from pyovn.packet.udp import PROTO, Udp

RETRY_S: Final = 3.0
#: What is waited at first, by lot, so that not all routers ask at once after a power cut (RFC 8415 §18.2.1).
FIRST_S: Final = 1.0
#: Where a server leaves open when to renew and to rebind: parts of the preferred lifetime (RFC 8415 §21.21).
T1_PART, T2_PART = 0.5, 0.8
#: How long a server that was chosen may be silent before others are asked (RFC 8415 §7.6, REQ_MAX_RC).
PATIENCE_S: Final = 10 * RETRY_S
NEVER: Final = (math.inf, math.inf, math.inf)


class Request(NamedTuple):
    """A router port that is to get a prefix, and the one that asks for it."""

    #: where requests enter: the switch port behind the asking port, and its switch (keys)
    datapath: int
    port: int
    #: where replies come out: the asking port and its router (keys)
    router: int
    uplink: int
    #: of the asking port
    mac: int
    #: of the port that gets the prefix
    client: int
    association: int
    #: what it had before
    known: Prefix | None


class State(Enum):
    """How far a client is, by the message that it sends meanwhile."""

    ASKING = Type.SOLICIT
    CHOSEN = Type.REQUEST
    BOUND = None
    RENEWING = Type.RENEW
    REBINDING = Type.REBIND


#: state → what it takes to be the next one, and which that is
ANSWERS: Final[Mapping[State, tuple[Type, State]]] = {
    State.ASKING: (Type.ADVERTISE, State.CHOSEN),
    State.CHOSEN: (Type.REPLY, State.BOUND),
    State.RENEWING: (Type.REPLY, State.BOUND),
    State.REBINDING: (Type.REPLY, State.BOUND),
}
#: Messages for one server.
TO_ONE: Final = frozenset((Type.REQUEST, Type.RENEW))


@dataclass(slots=True)
class Client:
    """One client."""

    request: Request
    due: float
    #: of the last exchange
    transaction: int = 0
    began: float = 0.0
    state: State = State.ASKING
    server: bytes = b""
    prefix: Prefix | None = None
    #: when to renew, to rebind, and when the prefix is gone
    times: tuple[float, float, float] = NEVER


class Prefixes:
    """All clients of a chassis, by the port that gets the prefix."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self._uniform = uniform
        self._clients: dict[Uuid, Client] = {}

    def follow(self, wanted: Mapping[Uuid, Request], now: float) -> None:
        """Ask for these from now on; whoever asks as before goes on."""
        clients, self._clients = self._clients, {}
        for port, request in wanted.items():
            client = clients.get(port)
            if client is None or client.request._replace(known=None) != request._replace(known=None):
                client = Client(request, now + self._uniform(0.0, FIRST_S), prefix=request.known)
            self._clients[port] = client

    def handle(self, now: float) -> Iterator[Effect]:
        """What is due."""
        for port, client in self._clients.items():
            if client.due <= now:
                yield from self._pass(port, client, now)
                yield from self._speak(client, now)

    def _pass(self, port: Uuid, client: Client, now: float) -> Iterator[Delegated]:
        """Let time do what it does."""
        renew, rebind, over = client.times
        if over <= now:
            client.prefix, client.times = None, NEVER
            self._enter(client, State.ASKING, now)
            yield Delegated(port, "")
        elif client.state is State.CHOSEN and client.began + PATIENCE_S <= now:
            self._enter(client, State.ASKING, now)
        elif client.state is State.RENEWING and rebind <= now:
            self._enter(client, State.REBINDING, now)
        elif client.state is State.BOUND and renew <= now:
            self._enter(client, State.RENEWING, now)

    def _enter(self, client: Client, state: State, now: float) -> None:
        client.state, client.began = state, now
        client.transaction = int(self._uniform(1, 0xFFFFFF))

    def _speak(self, client: Client, now: float) -> Iterator[Send]:
        """Send what the state calls for, again and again."""
        if client.state is State.BOUND:
            return
        if not client.transaction:
            self._enter(client, client.state, now)
        client.due = now + RETRY_S
        yield message(client, now)

    def packet(self, pin: PacketIn, now: float) -> Iterator[Effect]:
        """What a server says; raises Malformed."""
        fields = {name: value for name, value, _ in pin.match}
        place = fields.get("metadata", 0), fields.get("reg14", 0)
        said = dhcp6.parse(datagram.parse(pin.packet).data)
        for port, client in self._clients.items():
            if (client.request.router, client.request.uplink) == place and _is_for(client, said):
                yield from self._heard(port, client, said, now)

    def _heard(self, port: Uuid, client: Client, said: Message, now: float) -> Iterator[Effect]:
        expected, state = ANSWERS.get(client.state, (None, client.state))
        server = said.option(Code.SERVER_ID)
        if said.type != expected or said.transaction != client.transaction or server is None:
            return
        if client.state is State.CHOSEN and server != client.server:
            return
        given = _given(said, client.request.association)
        if given is None:
            if client.state is not State.ASKING:  # the server does not know us any more: begin anew
                self._enter(client, State.ASKING, now)
                client.due = now + RETRY_S
            return
        association, prefix = given
        client.server, client.prefix = server, prefix
        self._enter(client, state, now)
        client.due = now
        if state is State.BOUND:
            client.times = _times(association, prefix, now)
            client.due = client.times[0]
            yield Delegated(port, lease(client.request.association, prefix))
        else:
            yield from self._speak(client, now)

    @property
    def deadline(self) -> float | None:
        """When something is due."""
        return min((client.due for client in self._clients.values() if client.due < math.inf), default=None)


def lease(association: int, prefix: Prefix) -> str:
    """How the database says what a port has."""
    return f"{association}:{ip6_str(prefix.address)}/{prefix.length}"


def message(client: Client, now: float) -> Send:
    """What a client sends, as the router's port sends it to its switch."""
    request, type_ = client.request, Type(client.state.value)
    options: list[Option] = [(Code.CLIENT_ID, dhcp6.link_layer_id(request.client))]
    if type_ in TO_ONE:
        options.append((Code.SERVER_ID, client.server))
    waited = min(int((now - client.began) * 100), 0xFFFF)
    options.append((Code.ELAPSED_TIME, waited.to_bytes(2, "big")))
    wish = () if client.prefix is None else (dhcp6.prefix(client.prefix._replace(preferred_s=0, valid_s=0)),)
    options.append((Code.IA_PD, dhcp6.build_association(Association(request.association, options=wish))))
    said = dhcp6.build(Message(type_, client.transaction, tuple(options)))
    inner = Udp(dhcp6.CLIENT_PORT, dhcp6.SERVER_PORT, said)
    packet = ipv6.Ipv6(eui64_lla(request.mac), dhcp6.ALL_SERVERS, PROTO, b"")
    frame = ethernet.Ethernet(multicast_mac6(dhcp6.ALL_SERVERS), request.mac, ethernet.IP6, b"")
    return injected(datagram.build(datagram.Datagram(frame, packet, inner)), request.datapath, request.port)


def _is_for(client: Client, said: Message) -> bool:
    return said.option(Code.CLIENT_ID) == dhcp6.link_layer_id(client.request.client)


def _given(said: Message, association: int) -> tuple[Association, Prefix] | None:
    """The prefix that a server gives; None where it gives none.  Raises Malformed."""
    if not _is_well(said.options):
        return None
    for code, value in said.options:
        if code == Code.IA_PD and (found := dhcp6.parse_association(value)).id == association:
            prefixes = [dhcp6.read_prefix(inside) for each, inside in found.options if each == Code.IA_PREFIX]
            good = [prefix for prefix in prefixes if prefix.valid_s and prefix.preferred_s <= prefix.valid_s]
            return (found, good[0]) if good and _is_well(found.options) else None
    return None


def _is_well(options: tuple[Option, ...]) -> bool:
    status = dict(options).get(Code.STATUS)
    if status is not None and len(status) < 2:
        raise Malformed("truncated DHCPv6 status")
    return status is None or int.from_bytes(status[:2], "big") == SUCCESS


def _times(association: Association, prefix: Prefix, now: float) -> tuple[float, float, float]:
    """When to renew and rebind a prefix, and when it is gone."""
    preferred, valid = _after(prefix.preferred_s), _after(prefix.valid_s)
    renew = _after(association.t1) if association.t1 else T1_PART * preferred
    rebind = _after(association.t2) if association.t2 else T2_PART * preferred
    return now + min(renew, valid), now + min(rebind, valid), now + valid


def _after(seconds: int) -> float:
    return math.inf if seconds == dhcp6.INFINITE else float(seconds)
