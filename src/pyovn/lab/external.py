"""External hosts: what is on a physical network, outside of OVN.

    pyovn lab external internet 172.24.4.1/24 198.51.100.1/32        on the network of the NICs eth1
    pyovn lab external dmz 10.9.0.9/24 --network eth2 --vlan 20 --gateway 10.9.0.1

A host with several addresses stands for what lies beyond a router.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pyovn.lab.network import Lab
from pyovn.net.errors import OvnError

USAGE = "usage: external NAME ADDRESS/LENGTH… [--network ethN] [--vlan TAG] [--gateway ADDRESS] [--mac MAC]"


class Usage(OvnError):
    """Words that describe no host."""


class External(NamedTuple):
    """A host to be."""

    name: str
    addresses: tuple[str, ...] = ()
    network: str = "eth1"
    vlan: int | None = None
    gateways: tuple[str, ...] = ()
    mac: str | None = None


def parse(words: Sequence[str]) -> External:
    """The host that `words`, everything after `external`, describe.  Raises Usage."""
    rest, plain = list(words), list[str]()
    wanted = External("")
    if "--help" in rest:
        raise Usage(USAGE)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            plain.append(word)
            continue
        name, equals, value = word.partition("=")
        if not equals:
            if not rest:
                raise Usage(f"external: {word} requires an argument")
            value = rest.pop(0)
        wanted = _with(wanted, name, value)
    if not plain:
        raise Usage(USAGE)
    return wanted._replace(name=plain[0], addresses=tuple(plain[1:]))


def _with(wanted: External, option: str, value: str) -> External:
    match option:
        case "--network":
            return wanted._replace(network=value)
        case "--vlan" if value.isdecimal() and 0 < int(value) < 4095:
            return wanted._replace(vlan=int(value))
        case "--gateway":
            return wanted._replace(gateways=(*wanted.gateways, value))
        case "--mac":
            return wanted._replace(mac=value)
    raise Usage(f"external: {option} {value} is not understood")


def from_option(text: str) -> External:
    """The host in NAME=ADDRESS/LENGTH[,ADDRESS/LENGTH…][;vlan=TAG;network=ethN;gateway=ADDRESS].  Raises Usage."""
    name, equals, rest = text.partition("=")
    addresses, *settings = rest.split(";")
    if not (name and equals):
        raise Usage(f"{text}: an external host is NAME=ADDRESS/LENGTH")
    return parse([name, *(each for each in addresses.split(",") if each), *(f"--{setting}" for setting in settings)])


def connect(lab: Lab, wanted: External) -> None:
    """Put a host on its network.  Raises Malformed, NoSuchThing."""
    card = lab.external(wanted.name, wanted.network, wanted.vlan)
    if wanted.mac is not None:
        lab.outside.set_mac(card, wanted.mac)
    for address in wanted.addresses:
        card.guest.host.configure(address)
    for gateway in wanted.gateways:
        card.guest.host.route("default", gateway)
