"""A simulated end host: the network stack of a guest, as a function of frames and time.

    frame → receive(frame, now) → frames to send          ARP, ND, IPv4, IPv6, ICMP echo, UDP, TCP
    call  → ping, send, connect  → frames to send
    time  → expire(now)          → frames to send          retransmission; `deadline` says when

What reached the applications waits in `events`.  One network card, static addresses and routes, a link-local IPv6
address made from the MAC, and others that routers advertise (`slaac`).  Paths that are narrow are remembered.
RFC 826, 791, 792, 4861, 4443, 768, 1191, 8201; TCP is `tcp`.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pyovn.lab import slaac
from pyovn.lab import tcp as streams
from pyovn.lab.events import Echoed, Event, Ip, NoRoute, Received, Refused, TooLong, Unresolved
from pyovn.lab.icmp_words import next_hop_mtu
from pyovn.net.errors import Malformed
from pyovn.net.ip import ALL4, ip_parse, mask4, mask6, multicast_mac6, parse_network
from pyovn.net.mac import BROADCAST, eui64_lla, is_multicast
from pyovn.packet import arp, ethernet, icmp4, icmp6, ipv4, ipv6, nd, tcp, udp

RESOLUTION_S = 1.0  #: between two questions for a neighbour's MAC (RFC 4861 RETRANS_TIMER)
RESOLUTION_TRIES = 3
QUEUED_PACKETS = 16  #: that wait for one neighbour
LINK_LOCAL = 0xFE80 << 112
TTL = 64
#: bytes of an IP header, and the smallest MTU that is believed
HEADER = {4: ipv4.MIN_HEADER, 6: 40}
LEAST_MTU = {4: 68, 6: 1280}

Frame = bytes


class Address(NamedTuple):
    """An address of the host and the length of its network's prefix."""

    ip: Ip
    length: int

    def reaches(self, ip: Ip) -> bool:
        """Whether `ip` is on this address's network."""
        version, value = ip
        if version != self.ip[0]:
            return False
        mask = mask4(self.length) if version == 4 else mask6(self.length)
        return not (value ^ self.ip[1]) & mask


class Route(NamedTuple):
    """Packets for `network` go to `gateway`."""

    network: Address
    gateway: Ip


class Question(NamedTuple):
    """A neighbour being asked for: when to ask again, how often we did, and what waits for the answer."""

    again: float
    tries: int
    waiting: deque[bytes]


class Packet(NamedTuple):
    """What IPv4 and IPv6 packets have in common."""

    src: Ip
    dst: Ip
    proto: int
    payload: bytes
    ttl: int


class Host:
    """One host; see the module."""

    def __init__(self, mac: int, *, mtu: int = 1500) -> None:
        self.mac, self.mtu, self.up = mac, mtu, True
        self.addresses: list[Address] = []
        self.advertised: set[Address] = set()  #: those of `addresses` that a router told
        self.path_mtus: dict[Ip, int] = {}
        self.routes: list[Route] = []
        self.neighbours: dict[Ip, int] = {}
        self.questions: dict[Ip, Question] = {}
        self.events: deque[Event] = deque()
        self.udp_ports: set[int] = set()
        self.streams = streams.Endpoint()
        self.counters = {"received": 0, "sent": 0, "malformed": 0, "unroutable": 0}
        self._packet_id = 0
        self._solicit_at: float | None = None
        self._solicited = 0

    # -- configuration

    def configure(self, cidr: str) -> None:
        """Add an address written ADDRESS/LENGTH.  Raises Malformed."""
        version, value, length = parse_network(cidr)
        address = Address((version, value), length)
        if address not in self.addresses:
            self.addresses.append(address)

    def unconfigure(self, cidr: str) -> None:
        """Take an address away.  Raises Malformed where the host does not have it."""
        version, value, length = parse_network(cidr)
        if Address((version, value), length) not in self.addresses:
            raise Malformed(f"{cidr}: not an address of this host")
        self.addresses.remove(Address((version, value), length))

    def route(self, prefix: str, gateway: str) -> None:
        """Send packets for `prefix` (or "default") to `gateway`.  Raises Malformed."""
        via = ip_parse(gateway)
        everything = Address((via[0], 0), 0)
        network = everything if prefix == "default" else Address(*_network(prefix))
        self.routes = [old for old in self.routes if old.network != network] + [Route(network, via)]
        self.routes.sort(key=lambda entry: -entry.network.length)

    @property
    def link_local(self) -> Address:
        """The IPv6 address that comes with the MAC."""
        return Address((6, eui64_lla(self.mac)), 64)

    def owns(self, ip: Ip) -> bool:
        """Whether `ip` is an address of this host."""
        return any(address.ip == ip for address in (*self.addresses, self.link_local))

    def source_for(self, destination: Ip) -> Ip:
        """The address this host speaks from to reach `destination`.  Raises NoRoute."""
        via = self.next_hop(destination)
        own = [address for address in (*self.addresses, self.link_local) if address.ip[0] == destination[0]]
        near = [address for address in own if address.reaches(destination)]
        beside = [address for address in own if address.reaches(via) and address != self.link_local]
        for address in (*near, *beside, *own):
            return address.ip
        raise NoRoute(destination)

    def next_hop(self, destination: Ip) -> Ip:
        """The neighbour that packets to `destination` go to.  Raises NoRoute."""
        if any(address.reaches(destination) for address in (*self.addresses, self.link_local)):
            return destination
        for network, gateway in self.routes:
            if network.reaches(destination):
                return gateway
        raise NoRoute(destination)

    # -- sending

    def ping(self, destination: Ip, id_: int, sequence: int, size: int, now: float, *, ttl: int = TTL) -> list[Frame]:
        """Send an echo request with `size` bytes of data.  Raises NoRoute, TooLong."""
        source, data = self.source_for(destination), bytes(index & 0xFF for index in range(size))
        if HEADER[destination[0]] + icmp4.LENGTH + size > (mtu := self.mtu_to(destination)):
            raise TooLong(mtu)
        if destination[0] == 4:
            body = icmp4.build(icmp4.echo(icmp4.ECHO_REQUEST, id_, sequence, data))
            return self.emit(Packet(source, destination, ipv4.ICMP, body, ttl), now)
        message = icmp6.echo(icmp6.ECHO_REQUEST, id_, sequence, data)
        return self.emit(
            Packet(source, destination, icmp6.PROTO, icmp6.build(message, source[1], destination[1]), ttl), now
        )

    def send(
        self, destination: Ip, port: int, data: bytes, now: float, *, from_port: int, ttl: int = TTL
    ) -> list[Frame]:
        """Send a UDP datagram.  Raises NoRoute."""
        source = self.source_for(destination)
        body = udp.build(udp.Udp(from_port, port, data), destination[0], source[1], destination[1])
        return self.emit(Packet(source, destination, udp.PROTO, body, ttl), now)

    def send_to_all(self, destination: Ip, port: int, data: bytes, *, from_port: int) -> list[Frame]:
        """Send a UDP datagram to everybody on the link, or to a group: over IPv4, from no address."""
        version, value = destination
        source = (4, 0) if version == 4 else self.link_local.ip
        body = udp.build(udp.Udp(from_port, port, data), version, source[1], value)
        packet = self.network_bytes(Packet(source, destination, udp.PROTO, body, TTL))
        return [self.framed(BROADCAST if version == 4 else multicast_mac6(value), version, packet)]

    def mtu_to(self, destination: Ip) -> int:
        """How long packets to `destination` may be, as far as is known."""
        return min(self.mtu, self.path_mtus.get(destination, self.mtu))

    def solicit(self, now: float) -> list[Frame]:
        """Ask for routers, as a card does whose link comes up."""
        self._solicited, self._solicit_at = 1, now + slaac.SOLICITATION_S
        return [slaac.solicitation(self.mac, self.link_local.ip[1])]

    def connect(self, destination: Ip, port: int, now: float) -> tuple[streams.Connection, list[Frame]]:
        """Open a TCP connection.  Raises NoRoute."""
        source = self.source_for(destination)
        connection = self.streams.connect(source, destination, port, now)
        return connection, self.flush(now)

    def announce(self) -> list[Frame]:
        """Gratuitous ARP for each IPv4 address, unsolicited NA for each IPv6 one."""
        frames = [arp.gratuitous(self.mac, address.ip[1]) for address in self.addresses if address.ip[0] == 4]
        target = multicast_mac6(nd.ALL_NODES)
        frames += [
            nd.advertisement(self.mac, address.ip[1], target, nd.ALL_NODES, nd.OVERRIDE)
            for address in self.addresses
            if address.ip[0] == 6
        ]
        return frames

    def emit(self, packet: Packet, now: float) -> list[Frame]:
        """Send an IP packet to its next hop, asking for the neighbour's MAC first where it is not known."""
        body = self.network_bytes(packet)
        if packet.dst[0] == 6 and packet.dst[1] >> 120 == 0xFF:
            return [self.framed(multicast_mac6(packet.dst[1]), 6, body)]
        hop = self.next_hop(packet.dst)
        mac = self.neighbours.get(hop)
        if mac is not None:
            return [self.framed(mac, hop[0], body)]
        question = self.questions.get(hop)
        if question is not None:
            question.waiting.append(body)
            return []
        self.questions[hop] = Question(now + RESOLUTION_S, 1, deque([body], QUEUED_PACKETS))
        return [self.ask(hop)]

    def network_bytes(self, packet: Packet) -> bytes:
        """The packet with its IP header."""
        (version, src), (_, dst) = packet.src, packet.dst
        if version == 6:
            return ipv6.build(ipv6.Ipv6(src, dst, packet.proto, packet.payload, packet.ttl))
        self._packet_id = (self._packet_id + 1) & 0xFFFF
        header = ipv4.Ipv4(src, dst, packet.proto, packet.payload, packet.ttl, id=self._packet_id)
        return ipv4.build(header._replace(fragment=ipv4.DONT_FRAGMENT))

    def framed(self, mac: int, version: int, body: bytes) -> Frame:
        """An IP packet as a frame to `mac`."""
        kind = ethernet.IP4 if version == 4 else ethernet.IP6
        return ethernet.build(ethernet.Ethernet(mac, self.mac, kind, body))

    def ask(self, hop: Ip) -> Frame:
        """The frame that asks for a neighbour's MAC."""
        own = next((address.ip[1] for address in (*self.addresses, self.link_local) if address.reaches(hop)), 0)
        return arp.request(self.mac, own, hop[1]) if hop[0] == 4 else nd.solicitation(self.mac, own, hop[1])

    # -- time

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        times = [question.again for question in self.questions.values()]
        if self._solicit_at is not None:
            times.append(self._solicit_at)
        if self.streams.deadline is not None:
            times.append(self.streams.deadline)
        return min(times, default=None)

    def expire(self, now: float) -> list[Frame]:
        """Ask again for silent neighbours and routers, give up on lost ones, retransmit segments."""
        frames = self._solicit_again(now)
        for hop, question in list(self.questions.items()):
            if question.again > now:
                continue
            if question.tries >= RESOLUTION_TRIES:
                del self.questions[hop]
                self.events.append(Unresolved(hop))
            else:
                self.questions[hop] = question._replace(again=now + RESOLUTION_S, tries=question.tries + 1)
                frames.append(self.ask(hop))
        self.streams.expire(now)
        return frames + self.flush(now)

    def _solicit_again(self, now: float) -> list[Frame]:
        """Ask for routers again, but not for ever."""
        if self._solicit_at is None or self._solicit_at > now:
            return []
        self._solicited += 1
        self._solicit_at = now + slaac.SOLICITATION_S if self._solicited < slaac.SOLICITATIONS else None
        return [slaac.solicitation(self.mac, self.link_local.ip[1])]

    def flush(self, now: float) -> list[Frame]:
        """Send the segments that TCP has ready."""
        frames = []
        for source, destination, segment in self.streams.segments(now):
            body = tcp.build(segment, source[0], source[1], destination[1])
            frames += self.emit(Packet(source, destination, tcp.PROTO, body, 64), now)
        return frames

    # -- receiving

    def receive(self, frame: Frame, now: float) -> list[Frame]:
        """Take a frame from the wire; returns the answers.

        Malformed ones are counted and dropped, as are those that no way leads back from.
        """
        self.counters["received"] += 1
        try:
            ether = ethernet.parse(frame)
            if not self.up or ether.tci is not None or not (ether.dst == self.mac or is_multicast(ether.dst)):
                return []
            handler = HANDLERS.get(ether.type)
            return list(handler(self, ether, now)) if handler else []
        except Malformed:
            self.counters["malformed"] += 1
            return []
        except NoRoute:
            self.counters["unroutable"] += 1
            return []

    def on_arp(self, ether: ethernet.Ethernet, now: float) -> Iterator[Frame]:
        """Answer questions for our addresses; learn from what concerns us."""
        message = arp.parse(ether.payload)
        asked_us = self.owns((4, message.tpa))
        if asked_us or (4, message.spa) in self.questions or (4, message.spa) in self.neighbours:
            yield from self.learn((4, message.spa), message.sha, now)
        if message.op == arp.REQUEST and asked_us:
            yield arp.reply(message, self.mac)

    def learn(self, ip: Ip, mac: int, now: float) -> Iterator[Frame]:
        """Note a neighbour's MAC and send what waited for it."""
        if not ip[1] or is_multicast(mac):
            return
        self.neighbours[ip] = mac
        question = self.questions.pop(ip, None)
        for body in question.waiting if question else ():
            yield self.framed(mac, ip[0], body)

    def on_ip4(self, ether: ethernet.Ethernet, now: float) -> Iterator[Frame]:
        """An IPv4 packet."""
        packet = ipv4.parse(ether.payload)
        everyone = ether.dst == BROADCAST or packet.dst == ALL4
        if packet.offset or packet.more or not (self.owns((4, packet.dst)) or everyone):
            return
        yield from self.on_packet(
            Packet((4, packet.src), (4, packet.dst), packet.proto, packet.payload, packet.ttl), now
        )

    def on_ip6(self, ether: ethernet.Ethernet, now: float) -> Iterator[Frame]:
        """An IPv6 packet."""
        packet = ipv6.parse(ether.payload)
        upper = ipv6.upper(packet)
        if upper.fragment or not (self.owns((6, packet.dst)) or packet.dst >> 120 == 0xFF):
            return
        yield from self.on_packet(
            Packet((6, packet.src), (6, packet.dst), upper.proto, upper.payload, packet.hop_limit), now
        )

    def on_packet(self, packet: Packet, now: float) -> Iterator[Frame]:
        """Hand a packet to its protocol."""
        handler = PROTOCOLS.get((packet.dst[0], packet.proto))
        if handler:
            yield from handler(self, packet, now)

    def on_icmp4(self, packet: Packet, now: float) -> Iterator[Frame]:
        """Answer echo requests; pass replies and errors to whoever waits."""
        message = icmp4.parse(packet.payload)
        if message.type == icmp4.ECHO_REQUEST:
            reply = icmp4.build(message._replace(type=icmp4.ECHO_REPLY))
            yield from self.emit(Packet(packet.dst, packet.src, ipv4.ICMP, reply, 64), now)
        elif message.type == icmp4.ECHO_REPLY:
            self.echoed(packet, message.rest, len(message.data))
        elif message.type in (icmp4.UNREACHABLE, icmp4.TIME_EXCEEDED):
            yield from self.on_error(packet.src, message, now)

    def on_icmp6(self, packet: Packet, now: float) -> Iterator[Frame]:
        """Neighbour discovery, echo and errors."""
        message = icmp6.parse(packet.payload, packet.src[1], packet.dst[1])
        if message.type in (icmp6.NS, icmp6.NA) and packet.ttl == nd.HOP_LIMIT:
            yield from self.on_neighbour(packet, nd.parse(message), now)
        elif message.type == icmp6.ECHO_REQUEST:
            reply = icmp6.build(message._replace(type=icmp6.ECHO_REPLY), packet.dst[1], packet.src[1])
            yield from self.emit(Packet(packet.dst, packet.src, icmp6.PROTO, reply, 64), now)
        elif message.type == icmp6.ECHO_REPLY:
            self.echoed(packet, message.rest, len(message.data))
        elif message.type in (icmp6.UNREACHABLE, icmp6.TOO_BIG, icmp6.TIME_EXCEEDED):
            yield from self.on_error(packet.src, message, now)
        elif message.type == icmp6.RA and packet.ttl == nd.HOP_LIMIT:
            self.on_router(packet.src, nd.parse_ra(message))

    def on_error(self, source: Ip, message: icmp4.Icmp4 | icmp6.Icmp6, now: float) -> Iterator[Frame]:
        """Tell whoever waits, and remember where the way is narrow."""
        mtu = next_hop_mtu(source[0], message.type, message.code, message.rest)
        self.events.append(Refused(source, message.type, message.code, message.data, mtu or 0))
        if mtu is not None and mtu >= LEAST_MTU[source[0]]:
            place = slice(16, 20) if source[0] == 4 else slice(24, 40)
            destination = source[0], int.from_bytes(message.data[place], "big")
            self.path_mtus[destination] = min(mtu, self.mtu_to(destination))
            self.streams.shrink(destination, mtu - HEADER[source[0]] - tcp.MIN_HEADER, now)
            yield from self.flush(now)

    def on_router(self, router: Ip, advertisement: nd.RouterAdvertisement) -> None:
        """Take the addresses, the gateway and the MTU that a router tells."""
        self._solicit_at = None
        told = slaac.configuration(advertisement, self.mac)
        for value in told.addresses:
            address = Address((6, value), 64)
            if address not in self.addresses:
                self.addresses.append(address)
                self.advertised.add(address)
        everything = Address((6, 0), 0)
        self.routes = [route for route in self.routes if route != Route(everything, router)]
        if told.gateway and not any(route.network == everything for route in self.routes):
            self.routes.append(Route(everything, router))
        if told.mtu is not None:
            self.mtu = min(self.mtu, told.mtu)

    def on_neighbour(self, packet: Packet, neighbour: nd.Neighbor, now: float) -> Iterator[Frame]:
        """Answer solicitations for our addresses; learn from advertisements we asked for."""
        target = (6, neighbour.target)
        if neighbour.type == icmp6.NA:
            if target in self.questions or target in self.neighbours:
                yield from self.learn(target, neighbour.lla or 0, now)
        elif self.owns(target):
            if not packet.src[1]:
                group = nd.ALL_NODES
                yield nd.advertisement(self.mac, target[1], multicast_mac6(group), group, nd.OVERRIDE)
            elif neighbour.lla is not None:
                yield from self.learn(packet.src, neighbour.lla, now)
                yield nd.advertisement(self.mac, target[1], neighbour.lla, packet.src[1])

    def echoed(self, packet: Packet, rest: int, size: int) -> None:
        """Note an echo reply."""
        self.events.append(Echoed(packet.src, rest >> 16, rest & 0xFFFF, packet.ttl, size))

    def on_udp(self, packet: Packet, now: float) -> Iterator[Frame]:
        """Deliver a datagram, or say that nobody listens."""
        if not udp.verify(packet.payload, packet.dst[0], packet.src[1], packet.dst[1]):
            raise Malformed("UDP checksum")
        datagram = udp.parse(packet.payload)
        if datagram.dst_port in self.udp_ports:
            self.events.append(Received(packet.src, datagram.src_port, datagram.dst_port, datagram.data))
        elif self.owns(packet.dst):
            yield from self.emit(self.port_unreachable(packet), now)

    def port_unreachable(self, packet: Packet) -> Packet:
        """The ICMP error for a datagram to a port where nobody listens."""
        quoted = self.network_bytes(packet)[:548]
        if packet.dst[0] == 4:
            message = icmp4.build(icmp4.Icmp4(icmp4.UNREACHABLE, icmp4.PORT, 0, quoted))
            return Packet(packet.dst, packet.src, ipv4.ICMP, message, 64)
        error = icmp6.Icmp6(icmp6.UNREACHABLE, icmp6.PORT, 0, quoted)
        return Packet(packet.dst, packet.src, icmp6.PROTO, icmp6.build(error, packet.dst[1], packet.src[1]), 64)

    def on_tcp(self, packet: Packet, now: float) -> Iterator[Frame]:
        """Hand a segment to its connection."""
        if not tcp.verify(packet.payload, packet.dst[0], packet.src[1], packet.dst[1]):
            raise Malformed("TCP checksum")
        self.streams.receive(packet.dst, packet.src, tcp.parse(packet.payload), now)
        yield from self.flush(now)


def _network(prefix: str) -> tuple[Ip, int]:
    """The parts of an Address from ADDRESS/LENGTH."""
    version, value, length = parse_network(prefix)
    return (version, value), length


HANDLERS: dict[int, Callable[[Host, ethernet.Ethernet, float], Iterator[Frame]]] = {
    ethernet.ARP: Host.on_arp,
    ethernet.IP4: Host.on_ip4,
    ethernet.IP6: Host.on_ip6,
}

#: (IP version, protocol number) → what takes the packet
PROTOCOLS: dict[tuple[int, int], Callable[[Host, Packet, float], Iterator[Frame]]] = {
    (4, ipv4.ICMP): Host.on_icmp4,
    (6, icmp6.PROTO): Host.on_icmp6,
    (4, udp.PROTO): Host.on_udp,
    (6, udp.PROTO): Host.on_udp,
    (4, tcp.PROTO): Host.on_tcp,
    (6, tcp.PROTO): Host.on_tcp,
}
