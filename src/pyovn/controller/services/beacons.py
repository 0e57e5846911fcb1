"""Unsolicited router advertisements: routers with `send_periodic` speak up by themselves (RFC 4861 §6.2.4).

Port_Binding.options:ipv6_ra_*  ─► Beacon ─► the switch behind the router port, only guests of this chassis

three times at most 16 s apart, then at a random time between min_interval and max_interval
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from pyovn.controller import layout
from pyovn.controller.effects import Send, injected
from pyovn.lang.actions import parse
from pyovn.lang.actions.router_advert import PutNdRaOpts
from pyovn.lang.text import quote
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip6_int, multicast_mac6
from pyovn.net.mac import mac_int
from pyovn.net.uuids import Uuid
from pyovn.packet import icmp6, nd

PERIODIC: Final = "ipv6_ra_send_periodic"
FIRST: Final = 3  #: advertisements that come quickly (MAX_INITIAL_RTR_ADVERTISEMENTS)
FIRST_S: Final = 16.0
MAX_INTERVAL_S: Final = 600
#: option → (its name in the action, whether it is text)
ARGUMENTS: Final = {
    "ipv6_ra_address_mode": ("addr_mode", True),
    "ipv6_ra_prf": ("router_preference", True),
    "ipv6_ra_src_eth": ("slla", False),
    "ipv6_ra_mtu": ("mtu", False),
    "ipv6_ra_rdnss": ("rdnss", False),
    "ipv6_ra_dnssl": ("dnssl", True),
    "ipv6_ra_route_info": ("route_info", True),
}


class Beacon(NamedTuple):
    """A router port that advertises: the switch port it enters at, what it says, and how often."""

    datapath: int
    port: int
    frame: bytes
    min_s: float
    max_s: float


def beacon(options: Mapping[str, str], datapath: int, port: int) -> Beacon:
    """The beacon of a router port; raises OvnError where its options make no sense."""
    mac = mac_int(options.get("ipv6_ra_src_eth", ""))
    src = ip6_int(options.get("ipv6_ra_src_addr", ""))
    message = icmp6.parse(advertisement(options), 0, 0, verify=False)
    frame = nd.frame(mac, multicast_mac6(nd.ALL_NODES), src, nd.ALL_NODES, message)
    longest = _seconds(options, "ipv6_ra_max_interval", MAX_INTERVAL_S)
    return Beacon(datapath, port, frame, _seconds(options, "ipv6_ra_min_interval", longest / 3), longest)


def advertisement(options: Mapping[str, str]) -> bytes:
    """The ICMPv6 message, made as `put_nd_ra_opts` makes it."""
    arguments = [
        f"{name} = {quote(options[key]) if is_text else options[key]}"
        for key, (name, is_text) in ARGUMENTS.items()
        if options.get(key)
    ]
    arguments += [f"prefix = {prefix}" for prefix in options.get("ipv6_ra_prefixes", "").split()]
    (action,) = parse(f"reg0[5] = put_nd_ra_opts({', '.join(arguments)});")
    assert isinstance(action, PutNdRaOpts)
    return action.message()


def _seconds(options: Mapping[str, str], name: str, default: float) -> float:
    text = options.get(name, "")
    return float(text) if text.isdecimal() else default


@dataclass(slots=True)
class _Round:
    due: float
    sent: int = 0


class Beacons:
    """All beacons of a chassis, by router port."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self._uniform = uniform
        self._beacons: dict[Uuid, Beacon] = {}
        self._rounds: dict[Uuid, _Round] = {}

    def put(self, port: Uuid, wanted: Beacon | None, now: float) -> None:
        """Let a router port advertise this from now on, or nothing; a change is told soon."""
        if wanted is None:
            self._beacons.pop(port, None)
            self._rounds.pop(port, None)
        elif self._beacons.get(port) != wanted:
            self._beacons[port] = wanted
            self._rounds[port] = _Round(now + self._pause(wanted, 0))

    def handle(self, now: float) -> Iterator[Send]:
        """What is due."""
        for port, each in self._rounds.items():
            if each.due <= now:
                wanted = self._beacons[port]
                each.sent += 1
                each.due = now + self._pause(wanted, each.sent)
                yield injected(wanted.frame, wanted.datapath, wanted.port, layout.LOCAL_ONLY)

    def _pause(self, wanted: Beacon, sent: int) -> float:
        pause = self._uniform(wanted.min_s, max(wanted.min_s, wanted.max_s))
        return min(pause, FIRST_S) if sent < FIRST else pause

    @property
    def deadline(self) -> float | None:
        """When something is due."""
        return min((each.due for each in self._rounds.values()), default=None)


def check(options: Mapping[str, str]) -> bool:
    """True for a port that is to advertise."""
    if options.get(PERIODIC) != "true":
        return False
    if not options.get("peer"):
        raise Malformed("router port without a peer cannot advertise")
    return True
