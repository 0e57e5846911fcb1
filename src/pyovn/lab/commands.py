"""What can be done inside a lab from its command socket: one function per command.

ip …            namespaces, links, addresses, routes of guests, and `ip netns exec NAME COMMAND`
ping …          from a guest
tcpdump …       what crosses a card or the underlay, decoded
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from secrets import randbits

from pyovn.lab import http, ip_command, leasing, ping_command, resolver, traceroute_command
from pyovn.lab.events import NoRoute, TooLong
from pyovn.lab.guest import Guest, Unreachable
from pyovn.lab.machines import Card, Machines, NoSuchThing
from pyovn.lab.segment import NIC
from pyovn.lab.wire import Reply
from pyovn.net.errors import Malformed, OvnError
from pyovn.net.ip import ip_parse, ip_str
from pyovn.net.mac import mac_str
from pyovn.packet import dns

#: Runs inside namespace `name` (None: the hypervisor itself) and returns an exit code.
Inside = Callable[[Machines, str | None, Sequence[str], Reply], Awaitable[int]]


class UnknownCommand(OvnError):
    """A program that guests do not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f'exec of "{name}" failed: guests of a lab know {", ".join(sorted(PROGRAMS))}')


async def ip(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """The `ip` command."""
    match ip_command.parse(words):
        case ip_command.AddNamespace(name):
            if name in machines.namespaces:
                raise NoSuchThing(f'Cannot create namespace file "/run/netns/{name}": File exists')
            machines.namespaces[name] = set()
        case ip_command.DeleteNamespace(name):
            machines.namespace(name)
            del machines.namespaces[name]
        case ip_command.ListNamespaces():
            await reply.out("".join(f"{name}\n" for name in sorted(machines.namespaces, reverse=True)))
        case ip_command.Execute(name, command):
            machines.namespace(name)
            return await execute(machines, name, command, reply)
        case ip_command.SetLink(device, up=bool(up)) if namespace is None and NIC.fullmatch(device):
            machines.nic(device).up = up
        case ip_command.SetLink() as settings:
            set_link(machines, machines.card(settings.device, namespace), settings)
        case ip_command.ChangeAddress(device, cidr, add):
            host = machines.card(device, namespace).guest.host
            host.configure(cidr) if add else host.unconfigure(cidr)
        case ip_command.AddRoute(prefix, gateway):
            for card in cards_of(machines, namespace):
                card.guest.host.route(prefix, gateway)
        case ip_command.Show(subject, device):
            cards = cards_of(machines, namespace) if device is None else [machines.card(device, namespace)]
            await reply.out("".join(SHOWN[subject](card) for card in cards))
    return 0


async def execute(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """Run a program in a namespace.  Raises UnknownCommand."""
    name = words[0] if words else ""
    program = PROGRAMS.get(name)
    if program is None:
        raise UnknownCommand(name)
    return await program(machines, namespace, words[1:], reply)


def set_link(machines: Machines, card: Card, settings: ip_command.SetLink) -> None:
    """Carry out `ip link set`."""
    host = card.guest.host
    if settings.namespace is not None:
        target = machines.namespace(settings.namespace)
        for devices in machines.namespaces.values():
            devices.discard(card.name)
        target.add(card.name)
    if settings.address is not None:
        machines.set_mac(card, settings.address)
    if settings.mtu is not None:
        host.mtu = settings.mtu
    if settings.up is not None:
        host.up = settings.up
    if settings.up:
        card.guest.send(host.solicit(card.guest.now()))


def cards_of(machines: Machines, namespace: str | None) -> list[Card]:
    """The cards of a namespace; those of the hypervisor that no namespace took."""
    if namespace is not None:
        return machines.inside(namespace)
    taken = set[str]().union(*machines.namespaces.values())
    return [card for name, card in sorted(machines.cards.items()) if name not in taken]


async def ping(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """The `ping` command: exit code 0 where at least one answer came."""
    command = ping_command.parse(words)
    guest = sender(machines, namespace, command)
    tally = ping_command.Tally(command)
    await reply.out(tally.heading())
    start = guest.now()
    try:
        while command.packets is None or tally.sent < command.packets:
            if tally.sent:
                await asyncio.sleep(max(0.0, start + tally.sent * command.interval_s - guest.now()))
            tally.sent += 1
            await reply.out(await one_ping(guest, command, tally))
    finally:
        await reply.out(tally.summary((guest.now() - start) * 1000))
    return 0 if tally.times_ms else 1


async def one_ping(guest: Guest, command: ping_command.Ping, tally: ping_command.Tally) -> str:
    """Send one request; returns the line that it is worth."""
    try:
        echo = await guest.ping(
            command.destination,
            sequence=tally.sent,
            size=command.size,
            timeout_s=command.timeout_s,
            ttl=command.ttl,
        )
    except TooLong as fault:
        return tally.too_long(fault.mtu)
    except Unreachable as fault:
        return f"{fault}\n"
    return "" if echo is None else tally.answered(echo.sequence, echo.ttl, echo.time_ms)


def sender(machines: Machines, namespace: str | None, command: ping_command.Ping) -> Guest:
    """The guest from which a ping goes out: the card that `-I` names, or one with a route.  Raises NoRoute."""
    cards = cards_of(machines, namespace)
    if command.source is not None:
        return machines.card(command.source, namespace).guest
    destination = ip_parse(command.destination)
    for card in cards:
        try:
            card.guest.host.source_for(destination)
        except NoRoute:
            continue
        return card.guest
    raise NoRoute(destination)


def show_link(card: Card) -> str:
    """`ip link` of a card."""
    flags = "BROADCAST,MULTICAST,UP,LOWER_UP" if card.up else "BROADCAST,MULTICAST"
    state = "UNKNOWN" if card.up else "DOWN"
    heading = (
        f"{card.ifindex}: {card.name}: <{flags}> mtu {card.mtu} qdisc noqueue state {state} group default qlen 1000"
    )
    return f"{heading}\n    link/ether {mac_str(card.mac)} brd ff:ff:ff:ff:ff:ff\n"


def show_addresses(card: Card) -> str:
    """`ip addr` of a card."""
    host, lines = card.guest.host, [show_link(card)]
    for host_address in (*host.addresses, host.link_local):
        (version, value), length = host_address
        family, scope = (
            ("inet", "global") if version == 4 else ("inet6", "link" if value >> 112 == 0xFE80 else "global")
        )
        told = " dynamic" if host_address in host.advertised else ""
        lines.append(f"    {family} {ip_str(version, value)}/{length} scope {scope}{told}\n")
    return "".join(lines)


def show_routes(card: Card) -> str:
    """`ip route` of a card."""
    lines = []
    for (version, value), length in card.guest.host.addresses:
        lines.append(f"{ip_str(version, value)}/{length} dev {card.name} scope link\n")
    for network, gateway in card.guest.host.routes:
        prefix = f"{ip_str(*network.ip)}/{network.length}" if network.length else "default"
        lines.append(f"{prefix} via {ip_str(*gateway)} dev {card.name}\n")
    return "".join(lines)


def show_neighbours(card: Card) -> str:
    """`ip neigh` of a card."""
    known = card.guest.host.neighbours.items()
    return "".join(f"{ip_str(*ip)} dev {card.name} lladdr {mac_str(mac)} REACHABLE\n" for ip, mac in known)


async def udp(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """`udp ADDRESS PORT TEXT`: send a datagram, print the answer."""
    address, port, text = words
    data = await guest_towards(machines, namespace, address).exchange(address, int(port), text.encode())
    await reply.out("" if data is None else data.decode(errors="replace") + "\n")
    return 1 if data is None else 0


async def tcp(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """`tcp ADDRESS PORT TEXT`: send a request over a connection, print the answer."""
    address, port, text = words
    data = await guest_towards(machines, namespace, address).request(address, int(port), text.encode())
    await reply.out(data.decode(errors="replace") + "\n")
    return 0


async def serve(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """`serve udp|tcp PORT`: answer with what was said, from now on."""
    protocol, port = words
    for card in cards_of(machines, namespace):
        if protocol == "udp":
            card.guest.echo_udp(int(port))
        else:
            card.guest.serve_tcp(int(port), lambda said, _: said)
    await reply.out(f"serving {protocol} {port}\n")
    return 0


async def serve_http(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """`httpd [PORT]`: answer with a page that says whom the guest sees, from now on."""
    port = int(words[0]) if words else http.PORT
    for card in cards_of(machines, namespace):
        card.guest.serve_tcp(port, lambda _, client, name=card.name: http.page(name, client))  # type: ignore[misc]
    return 0


async def curl(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """`curl URL`: fetch a page and print it.  Raises Malformed, NoRoute, Unreachable."""
    (text,) = [word for word in words if not word.startswith("-")]
    url = http.parse_url(text)
    response = await guest_towards(machines, namespace, url.address).request(url.address, url.port, http.request(url))
    await reply.out(http.body(response).decode(errors="replace"))
    return 0


async def traceroute(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """The `traceroute` command."""
    command = traceroute_command.parse(words)
    guest, destination = guest_towards(machines, namespace, command.destination), ip_parse(command.destination)
    await reply.out(traceroute_command.heading(command))
    port = traceroute_command.FIRST_PORT
    for hop in range(1, command.hops + 1):
        answers = []
        for _ in range(command.probes):
            answers.append(await guest.probe(destination, port, hop, command.timeout_s))
            port += 1
        await reply.out(traceroute_command.line(hop, answers))
        if any(answer is not None and answer.last for answer in answers):
            return 0
    return 0


async def dhclient(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """`dhclient [-4|-6] [-S] [-v] DEVICE`: configure a card by DHCP; exit code 2 where nobody answers."""
    names = [word for word in words if not word.startswith("-")]
    if len(names) != 1 or not set(words) - set(names) <= {"-4", "-6", "-S", "-v", "-1"}:
        raise Malformed("usage: dhclient [-4|-6] [-S] [-v] DEVICE")
    guest = machines.card(names[0], namespace).guest
    found = await (leasing.lease6(guest, stateless="-S" in words) if "-6" in words else leasing.lease4(guest))
    if found is None:
        await reply.err("No DHCPOFFERS received.\n")
        return 2
    if "-v" in words and found.address:
        await reply.out(f"bound to {found.address} by {found.server}\n")
    return 0


async def look_up(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """`host NAME [SERVER]`: ask a name server, that of DHCP by default."""
    if not 1 <= len(words) <= 2:
        raise Malformed("usage: host NAME [SERVER]")
    known = [server for card in cards_of(machines, namespace) for server in card.guest.name_servers]
    server = next(iter([*words[1:], *known]), None)
    if server is None:
        raise Malformed("host: there is no name server to ask")
    guest, printed = guest_towards(machines, namespace, server), ""
    for question in resolver.questions(words[0]):
        data = await guest.exchange(server, dns.PORT, resolver.query(question, randbits(16)))
        printed += "" if data is None else "".join(resolver.lines(question, dns.parse(data)))
    await reply.out(printed or f"Host {words[0]} not found\n")
    return 0 if printed else 1


def guest_towards(machines: Machines, namespace: str | None, address: str) -> Guest:
    """The guest of a namespace that has a route to `address`.  Raises NoRoute."""
    return sender(machines, namespace, ping_command.Ping(address))


async def show_guests(machines: Machines, namespace: str | None, words: Sequence[str], reply: Reply) -> int:
    """`guests`: what is plugged in, as JSON."""
    cards = [
        {
            "device": card.name,
            "mac": mac_str(card.mac),
            "namespace": next((name for name, held in machines.namespaces.items() if card.name in held), None),
            "addresses": [f"{ip_str(*address.ip)}/{address.length}" for address in card.guest.host.addresses],
        }
        for card in machines.cards.values()
    ]
    await reply.out(json.dumps(cards, indent=2) + "\n")
    return 0


SHOWN = {"link": show_link, "address": show_addresses, "route": show_routes, "neighbour": show_neighbours}
PROGRAMS: dict[str, Inside] = {
    "ip": ip,
    "ping": ping,
    "udp": udp,
    "tcp": tcp,
    "serve": serve,
    "httpd": serve_http,
    "curl": curl,
    "traceroute": traceroute,
    "dhclient": dhclient,
    "host": look_up,
    "guests": show_guests,
}
