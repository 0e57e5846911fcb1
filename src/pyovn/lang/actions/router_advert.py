"""Router advertisements: `R = put_nd_ra_opts(addr_mode="slaac", slla=MAC, prefix=P/64, …);`

userdata   result bit · the ICMPv6 message with its options, as it goes out but for the checksum
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyovn.lang.actions.dhcp import plain_name
from pyovn.lang.actions.env import Env, Out
from pyovn.lang.actions.place import place
from pyovn.lang.actions.put_options import Setting, settings
from pyovn.lang.actions.scope import Results, Scope, full_name
from pyovn.lang.actions.userdata import Opcode, punt, result_bit
from pyovn.lang.match.parse import Part
from pyovn.lang.options import ROUTER_ADVERT
from pyovn.net.errors import Malformed
from pyovn.net.ip import parse_network

MANAGED, OTHER = 0x80, 0x40  #: M and O flags (RFC 4861 §4.2)
ON_LINK, AUTONOMOUS = 0x80, 0x40  #: flags of a prefix (§4.6.2)
INFINITE = 0xFFFFFFFF
_MODES = {"slaac": 0, "dhcpv6_stateful": MANAGED, "dhcpv6_stateless": OTHER}
_PREFERENCES = {"HIGH": 0x08, "MEDIUM": 0, "LOW": 0x18}  #: RFC 4191 §2.1

_HEADER = struct.Struct(">BBHBBHII")  #: type, code, checksum, hop limit, flags, lifetime, reachable, retransmit


@dataclass(frozen=True, slots=True)
class PutNdRaOpts:
    """Answer a router solicitation."""

    result: Part
    settings: tuple[Setting, ...]

    def __str__(self) -> str:
        return f"{full_name(self.result)} = put_nd_ra_opts({', '.join(map(str, self.settings))});"

    def needs(self) -> tuple[str, ...]:
        return ("ip6",)

    def encode(self, env: Env, out: Out) -> None:
        arguments = result_bit(place(self.result)) + self.message()
        out.append(punt(Opcode.PUT_ND_RA_OPTS, arguments, pause=True, meter=env.controller_meter))

    def message(self) -> bytes:
        """The advertisement."""
        flags = self._flags()
        header = _HEADER.pack(134, 0, 0, 255, flags, 0xFFFF, 0, 0)
        parts = (_OPTIONS[setting.option.name](setting, flags) for setting in self.settings)
        return header + b"".join(parts)

    def _flags(self) -> int:
        flags = 0
        for setting in self.settings:
            if setting.option.name == "addr_mode":
                flags |= _MODES[setting.string]
            elif setting.option.name == "router_preference":
                flags |= _PREFERENCES[setting.string]
        return flags


def _nothing(_setting: Setting, _flags: int) -> bytes:
    """Already in the header."""
    return b""


def _link_layer(setting: Setting, _flags: int) -> bytes:
    return b"\x01\x01" + (setting.number & (1 << 48) - 1).to_bytes(6, "big")


def _prefix(setting: Setting, flags: int) -> bytes:
    network = setting.values[0]
    length = network.mask.bit_count()
    marks = ON_LINK if flags & MANAGED else ON_LINK | AUTONOMOUS
    return struct.pack(">BBBBIII16s", 3, 4, length, marks, INFINITE, INFINITE, 0, network.value.to_bytes(16, "big"))


def _mtu(setting: Setting, _flags: int) -> bytes:
    return struct.pack(">BBHI", 5, 1, 0, setting.number & 0xFFFFFFFF)


def _resolver(setting: Setting, _flags: int) -> bytes:
    return struct.pack(">BBHI", 25, 3, 0, INFINITE) + setting.number.to_bytes(16, "big")


def _search_list(setting: Setting, _flags: int) -> bytes:
    names = b"".join(plain_name(name) for name in setting.string.split(","))
    names += b"\0" * (-len(names) % 8)
    return struct.pack(">BBHI", 31, 1 + len(names) // 8, 0, INFINITE) + names


def _route_info(setting: Setting, _flags: int) -> bytes:
    return b"".join(_routes(setting.string))


def _routes(text: str) -> Iterator[bytes]:
    """An option for each `PREFERENCE-PREFIX` that makes sense (RFC 4191 §2.3)."""
    for entry in text.split(","):
        preference, _, prefix = entry.partition("-")
        try:
            version, address, length = parse_network(prefix)
        except Malformed:
            continue
        if version == 6 and preference in _PREFERENCES:
            octets = 0 if not length else 8 if length <= 64 else 16
            header = struct.pack(">BBBBI", 24, 1 + octets // 8, length, _PREFERENCES[preference], INFINITE)
            yield header + address.to_bytes(16, "big")[:octets]


_OPTIONS: dict[str, Callable[[Setting, int], bytes]] = {
    "addr_mode": _nothing,
    "router_preference": _nothing,
    "slla": _link_layer,
    "prefix": _prefix,
    "mtu": _mtu,
    "rdnss": _resolver,
    "dnssl": _search_list,
    "route_info": _route_info,
}

_CHECKS: dict[str, Callable[[Setting], bool]] = {
    "addr_mode": lambda setting: setting.string in _MODES,
    "router_preference": lambda setting: setting.string in _PREFERENCES,
    "slla": lambda setting: setting.values[0].notation == "mac",
    "prefix": lambda setting: setting.values[0].notation == "ip6" and setting.values[0].mask is not None,
    "mtu": lambda setting: setting.values[0].notation == "decimal",
    "rdnss": lambda setting: setting.values[0].notation == "ip6" and setting.values[0].mask is None,
    "dnssl": lambda _setting: True,
    "route_info": lambda _setting: True,
}


def parse_put_nd_ra_opts(scope: Scope, result: Part) -> PutNdRaOpts:
    scope.check_result(result)
    tokens = scope.tokens
    tokens.force("(")
    chosen = settings(scope, ROUTER_ADVERT, "IPv6 ND RA option")
    for setting in chosen:
        if not _CHECKS[setting.option.name](setting):
            tokens.fault(f'Invalid value for "{setting.option.name}" option')
    names = {setting.option.name for setting in chosen}
    if "slla" not in names:
        tokens.fault("slla option not present")
    found = PutNdRaOpts(result, chosen)
    if "prefix" not in names and not found._flags() & MANAGED:
        tokens.fault("prefix option needs to be set when address mode is slaac/dhcpv6_stateless.")
    return found


RESULTS: Results = {"put_nd_ra_opts": parse_put_nd_ra_opts}
