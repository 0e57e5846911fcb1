"""The `ip` command in a lab: what a guide types to put an interface into a namespace and give it an address.

    ip netns add vm1                    a guest named vm1
    ip link set vm1 netns vm1           the switch's interface vm1 becomes its network card
    ip netns exec vm1 COMMAND           ip, ping, … inside

Parsing only: each command line becomes one value, which `namespaces` carries out.  ip(8) is the grammar; the part of
it that configures an end host is understood, the rest is refused with a sentence.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pyovn.net.errors import OvnError


class NotUnderstood(OvnError):
    """A command line outside the part of ip(8) that guests understand."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(f'"{" ".join(words)}" is not understood in a lab')


class AddNamespace(NamedTuple):
    """`ip netns add NAME`."""

    name: str


class DeleteNamespace(NamedTuple):
    """`ip netns del NAME`."""

    name: str


class ListNamespaces(NamedTuple):
    """`ip netns [list]`."""


class Execute(NamedTuple):
    """`ip netns exec NAME COMMAND…`."""

    namespace: str
    words: tuple[str, ...]


class SetLink(NamedTuple):
    """`ip link set DEVICE …`; what was not named is None."""

    device: str
    namespace: str | None = None
    address: str | None = None
    up: bool | None = None
    mtu: int | None = None


class ChangeAddress(NamedTuple):
    """`ip addr add|del ADDRESS dev DEVICE`."""

    device: str
    address: str
    add: bool


class AddRoute(NamedTuple):
    """`ip route add PREFIX via GATEWAY`."""

    prefix: str
    gateway: str


class Show(NamedTuple):
    """`ip addr|link|route|neigh [show]`."""

    subject: str
    device: str | None = None


Command = AddNamespace | DeleteNamespace | ListNamespaces | Execute | SetLink | ChangeAddress | AddRoute | Show

OBJECTS = ("address", "link", "netns", "neighbour", "route")
#: ip(8) takes any unambiguous beginning; `neighbor` is its other spelling.
SPELLINGS = {"neighbor": "neighbour"}


def parse(words: Sequence[str]) -> Command:
    """The command that `words`, everything after `ip`, stand for.

    Raises NotUnderstood.
    """
    rest = [word for word in words if not word.startswith("-")] if words[:1] and words[0].startswith("-") else [*words]
    if not rest:
        raise NotUnderstood(["ip", *words])
    try:
        command = PARSERS[object_name(rest[0])](rest[1:])
    except (KeyError, ValueError):
        command = None
    if command is None:
        raise NotUnderstood(["ip", *words])
    return command


def object_name(word: str) -> str:
    """The full name of an object that ip(8) lets one abbreviate."""
    word = SPELLINGS.get(word, word)
    return next((name for name in OBJECTS if name.startswith(word)), word)


def namespaces(words: Sequence[str]) -> Command | None:
    """`netns …`."""
    match words:
        case [] | ["list" | "ls" | "show"]:
            return ListNamespaces()
        case ["add" | "a", name]:
            return AddNamespace(name)
        case ["del" | "delete" | "d", name]:
            return DeleteNamespace(name)
        case ["exec", name, *command] if command:
            return Execute(name, tuple(command))
    return None


def link(words: Sequence[str]) -> Command | None:
    """`link …`."""
    match words:
        case [] | ["show" | "list" | "ls"]:
            return Show("link")
        case ["show" | "list" | "ls", "dev", device] | ["show" | "list" | "ls", device]:
            return Show("link", device)
        case ["set", "dev", device, *settings] | ["set", device, *settings] if settings:
            return set_link(SetLink(device), settings)
    return None


def set_link(command: SetLink, settings: Sequence[str]) -> SetLink | None:
    """What the words after `link set DEVICE` add to `command`."""
    match settings:
        case []:
            return command
        case ["up" | "down" as state, *rest]:
            return set_link(command._replace(up=state == "up"), rest)
        case ["address", address, *rest]:
            return set_link(command._replace(address=address), rest)
        case ["netns", name, *rest]:
            return set_link(command._replace(namespace=name), rest)
        case ["mtu", size, *rest]:
            return set_link(command._replace(mtu=int(size)), rest)
    return None


def address(words: Sequence[str]) -> Command | None:
    """`addr …`."""
    match words:
        case [] | ["show" | "list" | "ls"]:
            return Show("address")
        case ["show" | "list" | "ls", "dev", device] | ["show" | "list" | "ls", device]:
            return Show("address", device)
        case ["add" | "del" as verb, "dev", device, cidr, *_] | ["add" | "del" as verb, cidr, "dev", device, *_]:
            return ChangeAddress(device, cidr, verb == "add")
    return None


def route(words: Sequence[str]) -> Command | None:
    """`route …`."""
    match words:
        case [] | ["show" | "list" | "ls"]:
            return Show("route")
        case ["add" | "replace", prefix, "via", gateway, *_]:
            return AddRoute(prefix, gateway)
    return None


def neighbour(words: Sequence[str]) -> Command | None:
    """`neigh …`."""
    return Show("neighbour") if words in ([], ["show"], ["list"], ["ls"]) else None


PARSERS: dict[str, Callable[[Sequence[str]], Command | None]] = {
    "netns": namespaces,
    "link": link,
    "address": address,
    "route": route,
    "neighbour": neighbour,
}
