"""What can be done inside a lab from its command socket: one function per command.

ip …            namespaces, links, addresses, routes of guests, and `ip netns exec NAME COMMAND`
ping …          from a guest
tcpdump …       what crosses a card or the underlay, decoded
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

from pyovn.lab import ip_command, ping_command
from pyovn.lab.guest import Guest, Unreachable
from pyovn.lab.host import NoRoute
from pyovn.lab.machines import Card, Machines, NoSuchThing
from pyovn.lab.wire import Reply
from pyovn.net.errors import OvnError
from pyovn.net.ip import ip_parse, ip_str
from pyovn.net.mac import mac_str

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
            command.destination, sequence=tally.sent, size=command.size, timeout_s=command.timeout_s
        )
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
    for (version, value), length in (*host.addresses, host.link_local):
        family, scope = (
            ("inet", "global") if version == 4 else ("inet6", "link" if value >> 112 == 0xFE80 else "global")
        )
        lines.append(f"    {family} {ip_str(version, value)}/{length} scope {scope}\n")
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
            card.guest.serve_tcp(int(port), lambda said: said)
    await reply.out(f"serving {protocol} {port}\n")
    return 0


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
    "guests": show_guests,
}
