"""DHCP offers: `R = put_dhcp_opts(…);` and `R = put_dhcpv6_opts(…);`

userdata   result bit · v4: offered address (4 bytes), options as code, length, value
                      · v6: options as code (2), length (2), value
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from collections.abc import Iterator
from dataclasses import dataclass

from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.place import place
from pyovn.lang.actions.put_options import Setting, settings
from pyovn.lang.actions.scope import Results, Scope, full_name
from pyovn.lang.actions.userdata import Opcode, punt, result_bit
from pyovn.lang.match.parse import Part
from pyovn.net.errors import Malformed

#: options that come first, because replies to network boot clients may use either
_BOOT_NAMES = (67, 254)
_SIZES = {"bool": 1, "uint8": 1, "uint16": 2, "uint32": 4}


@dataclass(frozen=True, slots=True)
class PutDhcpOpts:
    """Answer a DHCP request with an offer."""

    result: Part
    settings: tuple[Setting, ...]
    #: 4 or 6
    version: int

    def __str__(self) -> str:
        name = "put_dhcp_opts" if self.version == 4 else "put_dhcpv6_opts"
        return f"{full_name(self.result)} = {name}({', '.join(map(str, self.settings))});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        body = _offer4(self.settings) if self.version == 4 else b"".join(map(_option6, self.settings))
        opcode = Opcode.PUT_DHCP_OPTS if self.version == 4 else Opcode.PUT_DHCPV6_OPTS
        out.append(punt(opcode, result_bit(place(self.result)) + body, pause=True, meter=env.controller_meter))


def _offer4(chosen: tuple[Setting, ...]) -> bytes:
    offered = next(setting.number for setting in chosen if setting.option.code == 0)
    ordered = [setting for code in _BOOT_NAMES for setting in chosen if setting.option.code == code]
    ordered += [setting for setting in chosen if setting.option.code not in (0, *_BOOT_NAMES)]
    return offered.to_bytes(4, "big") + b"".join(map(_option4, ordered))


def _option4(setting: Setting) -> bytes:
    value = _value4(setting)[:255]
    return bytes((setting.option.code, len(value))) + value


def _value4(setting: Setting) -> bytes:
    kind = setting.option.kind
    if kind in _SIZES:
        size = _SIZES[kind]
        return (setting.number & (1 << size * 8) - 1).to_bytes(size, "big")
    if kind == "domains":
        return compressed_names(setting.string.split(","))
    if kind == "static_routes":
        return b"".join(_routes(setting))
    if kind == "str" or isinstance(setting.values[0], str):
        return setting.string.encode()
    return b"".join((value.value & 0xFFFFFFFF).to_bytes(4, "big") for value in setting.values)


def _routes(setting: Setting) -> Iterator[bytes]:
    """Pairs of prefix and gateway as RFC 3442 has them; an odd one left over is not sent."""
    for prefix, gateway in zip(setting.values[::2], setting.values[1::2], strict=False):
        length = 32 if prefix.mask is None else prefix.mask.bit_count()
        yield bytes((length,))
        yield (prefix.value & 0xFFFFFFFF).to_bytes(4, "big")[: (length + 7) // 8]
        yield (gateway.value & 0xFFFFFFFF).to_bytes(4, "big")


def compressed_names(names: list[str]) -> bytes:
    """Domain names with RFC 1035 §4.1.4 compression, offsets from the start."""
    out = bytearray()
    seen: dict[tuple[str, ...], int] = {}
    for name in names:
        labels = tuple(label for label in name.split(".") if label)
        for index in range(len(labels) + 1):
            rest = labels[index:]
            if rest in seen:
                out += (0xC000 | seen[rest]).to_bytes(2, "big")
                break
            if not rest:
                out.append(0)
                break
            seen[rest] = len(out)
            out += _label(rest[0])
    return bytes(out)


def plain_name(name: str) -> bytes:
    """A domain name in RFC 1035 wire form."""
    return b"".join(_label(label) for label in name.split(".") if label) + b"\0"


def _label(label: str) -> bytes:
    encoded = label.encode()[:63]
    return bytes((len(encoded),)) + encoded


def _option6(setting: Setting) -> bytes:
    kind = setting.option.kind
    if kind == "domain":
        value = plain_name(setting.string)
    elif kind == "str":
        value = setting.string.encode()
    else:
        size = 6 if kind == "mac" else 16
        mask = (1 << size * 8) - 1
        value = b"".join((one.value & mask).to_bytes(size, "big") for one in setting.values)
    return setting.option.code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def read_offer4(arguments: bytes) -> tuple[int, tuple[tuple[int, bytes], ...]]:
    """(offered address, options as (code, value)) after the result bit; raises Malformed."""
    if len(arguments) < 4:
        raise Malformed("truncated DHCP offer")
    return int.from_bytes(arguments[:4], "big"), tuple(_read(arguments[4:], 1))


def read_offer6(arguments: bytes) -> tuple[tuple[int, bytes], ...]:
    """Options as (code, value) after the result bit; raises Malformed."""
    return tuple(_read(arguments, 2))


def _read(data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        start = at + 2 * size
        length = int.from_bytes(data[at + size : start], "big")
        if start + length > len(data):
            raise Malformed("truncated DHCP options")
        yield int.from_bytes(data[at : at + size], "big"), data[start : start + length]
        at = start + length


def parse_put_dhcp_opts(scope: Scope, result: Part) -> PutDhcpOpts:
    scope.check_result(result)
    scope.tokens.force("(")
    chosen = settings(scope, scope.options.dhcp4, "DHCPv4 option")
    if not any(setting.option.code == 0 for setting in chosen):
        scope.tokens.fault("put_dhcp_opts requires offerip to be specified.")
    return PutDhcpOpts(result, chosen, 4)


def parse_put_dhcpv6_opts(scope: Scope, result: Part) -> PutDhcpOpts:
    scope.check_result(result)
    scope.tokens.force("(")
    return PutDhcpOpts(result, settings(scope, scope.options.dhcp6, "DHCPv6 option"), 6)


RESULTS: Results = {"put_dhcp_opts": parse_put_dhcp_opts, "put_dhcpv6_opts": parse_put_dhcpv6_opts}
