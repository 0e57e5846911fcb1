"""Values of fields, ports and subfields in ovs-ofctl's notation, both ways.

form        written as                                 examples
hex         0x1f, zero without prefix                  reg0=0x5/0xff   metadata=0
decimal     80; masked ones in hexadecimal             tp_dst=80   tp_src=0x50/0xfff0
ip4, ip6    CIDR where the mask is a prefix            10.0.0.0/8   fd00::/64
mac         …/mask                                     00:00:00:00:00:00/01:00:00:00:00:00
ct_state    +est-new, or est|trk where all are given   tcp_flags likewise
frag        no yes first later not_later
port        number, name or LOCAL, IN_PORT, ANY …
"""

import json
import re
from collections.abc import Mapping

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int, ip4_str, ip6_int, ip6_str, mask4, mask6, prefix_length
from pyovn.net.mac import mac_int, mac_str
from pyovn.openflow.actions import (
    OFPP_ALL,
    OFPP_ANY,
    OFPP_CONTROLLER,
    OFPP_FLOOD,
    OFPP_IN_PORT,
    OFPP_LOCAL,
    OFPP_NORMAL,
    OFPP_TABLE,
    OFPP_UNSET,
    Subfield,
)
from pyovn.openflow.fields import FIELDS, FULL

#: port number → name; empty: print numbers
PortNames = Mapping[int, str]

RESERVED_PORTS: dict[int, str] = {
    OFPP_UNSET: "UNSET",
    OFPP_IN_PORT: "IN_PORT",
    OFPP_TABLE: "TABLE",
    OFPP_NORMAL: "NORMAL",
    OFPP_FLOOD: "FLOOD",
    OFPP_ALL: "ALL",
    OFPP_CONTROLLER: "CONTROLLER",
    OFPP_LOCAL: "LOCAL",
    OFPP_ANY: "ANY",
}
_PORT_NUMBERS = {name.lower(): number for number, name in RESERVED_PORTS.items()} | {"none": OFPP_ANY}

CT_STATES = ("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat")
TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]")
TUN_FLAGS = ("oam",)
_FLAGS: dict[str, tuple[tuple[str, ...], int]] = {
    "ct_state": (CT_STATES, 0xFF),
    "tcp_flags": (TCP_FLAGS, 0xFFF),
    "tun_flags": (TUN_FLAGS, 0),
}
_FRAGS: dict[tuple[int, int], str] = {
    (0, 3): "no",
    (1, 3): "first",
    (3, 3): "later",
    (1, 1): "yes",
    (0, 2): "not_later",
}
_FRAG_VALUES = {text: pair for pair, text in _FRAGS.items()}

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_SUBFIELD = re.compile(r"(\w+)(?:\[(?:(\d+)(?:\.\.(\d+))?)?\])?").fullmatch
_FLAG_LIST = re.compile(r"([+-])(\w+|\[\d+\])")

#: names of fields in `set_field:` and `learn(…)` where they differ from ours
_SET_NAMES = {"ip_ttl": "nw_ttl", "ip_proto": "nw_proto", "ip_ecn": "nw_ecn"}


def number(text: str) -> int:
    """A decimal or hexadecimal number; raises Malformed."""
    try:
        return int(text, 16) if text[:2] in ("0x", "0X") else int(text)
    except ValueError:
        raise Malformed(f"{text}: invalid number") from None


def hexadecimal(value: int) -> str:
    """0x1f, and zero as 0."""
    return f"{value:#x}" if value else "0"


# --- ports --------------------------------------------------------------------------------------------------------


def quoted_name(name: str) -> str:
    """A name, in JSON's quotes unless it is a plain word."""
    return name if _PLAIN_NAME(name) else json.dumps(name)


def port_text(port: int, names: PortNames) -> str:
    """A port's reserved name, its name if there are names, or its number."""
    if port in RESERVED_PORTS:
        return RESERVED_PORTS[port]
    name = names.get(port)
    return str(port) if name is None else quoted_name(name)


def parse_port(text: str, ports: Mapping[str, int]) -> int:
    """The number of a port given by number or name; raises Malformed."""
    if text.startswith('"'):
        text = _unquoted(text)
    elif text.isdigit() or text[:2] == "0x":
        port = number(text)
        return port | 0xFFFF0000 if 0xFF00 <= port <= 0xFFFF else port
    elif text.lower() in _PORT_NUMBERS:
        return _PORT_NUMBERS[text.lower()]
    if text not in ports:
        raise Malformed(f"{text}: invalid or unknown port")
    return ports[text]


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        raise Malformed(f"{text}: bad string") from None


# --- masked values ------------------------------------------------------------------------------------------------


def value_text(field: str, value: int, mask: int, names: PortNames) -> str:
    """A masked value of a field as it stands behind `=` in a match and before `->` in set_field."""
    info = FIELDS[field]
    form, full = info.form, FULL[field]
    if form == "port":
        return port_text(value, names)
    if form in _FLAGS:
        return flags_text(*_FLAGS[form], value, mask)
    if form == "frag":
        return _FRAGS.get((value, mask)) or f"{value}/{mask}"
    if form == "packet_type":
        return f"({value >> 16},{value & 0xFFFF:#x})" if value >> 16 else f"(0,{hexadecimal(value & 0xFFFF)})"
    if form in ("ip4", "ip6"):
        return _address_text(form == "ip4", value, mask)
    if form == "mac":
        return mac_str(value) if mask == full else f"{mac_str(value)}/{mac_str(mask)}"
    shown = str(value) if form == "decimal" else hexadecimal(value)
    return shown if mask >= full else f"{shown}/{hexadecimal(mask)}"


def _address_text(v4: bool, value: int, mask: int) -> str:
    text, bits = (ip4_str, 32) if v4 else (ip6_str, 128)
    if mask == (1 << bits) - 1:
        return text(value)
    try:
        return f"{text(value)}/{prefix_length(mask, bits)}"
    except Malformed:
        return f"{text(value)}/{text(mask)}"


def flags_text(words: tuple[str, ...], all_given: int, value: int, mask: int) -> str:
    """`+est-new`, or `est|trk` where the mask takes in all flags."""
    if all_given and mask & all_given == all_given:
        return "|".join(word for bit, word in enumerate(words) if value >> bit & 1) or "0"
    return "".join(("+" if value >> bit & 1 else "-") + word for bit, word in enumerate(words) if mask >> bit & 1)


def parse_value(field: str, text: str, ports: Mapping[str, int]) -> tuple[int, int]:
    """(value, mask) of a field; raises Malformed."""
    info = FIELDS[field]
    form, full = info.form, FULL[field]
    if form == "port":
        return parse_port(text, ports), full
    if form in _FLAGS:
        return _parse_flags(*_FLAGS[form], text, full)
    if form == "frag":
        return _FRAG_VALUES[text] if text in _FRAG_VALUES else _parse_masked(text, number, full)
    if form == "packet_type":
        space, _, kind = text.strip("()").partition(",")
        return number(space) << 16 | number(kind), full
    if form in ("ip4", "ip6"):
        return _parse_address(form == "ip4", text)
    value, mask = _parse_masked(text, mac_int if form == "mac" else number, full)
    if (value | mask) & ~full and not field.startswith("tun_metadata"):
        raise Malformed(f"{text}: value does not fit in {field}")
    return value & mask, mask


def _parse_masked(text: str, read: "type[int] | object", full: int) -> tuple[int, int]:
    value, slash, mask = text.partition("/")
    return read(value), read(mask) if slash else full  # type: ignore[operator]


def _parse_address(v4: bool, text: str) -> tuple[int, int]:
    read, prefix_mask, full = (ip4_int, mask4, 0xFFFFFFFF) if v4 else (ip6_int, mask6, (1 << 128) - 1)
    address, slash, length = text.partition("/")
    mask = full
    if slash:
        mask = prefix_mask(number(length)) if length.isdigit() else read(length)
    return read(address) & mask, mask


def _parse_flags(words: tuple[str, ...], all_given: int, text: str, full: int) -> tuple[int, int]:
    if text[:1] in ("+", "-"):
        value = mask = 0
        for sign, word in _FLAG_LIST.findall(text):
            bit = 1 << _flag(words, word)
            mask |= bit
            value |= bit if sign == "+" else 0
        return value, mask
    if text[:1].isdigit():
        return _parse_masked(text, number, all_given or full)
    value = 0
    for word in text.split("|"):
        value |= 1 << _flag(words, word)
    return value, all_given or value


def _flag(words: tuple[str, ...], word: str) -> int:
    if word not in words:
        raise Malformed(f"{word}: unknown flag, expected one of {', '.join(words)}")
    return words.index(word)


# --- fields and subfields in actions ------------------------------------------------------------------------------


def set_name(field: str) -> str:
    """A field's name in `set_field:` and `learn(…)`."""
    return _SET_NAMES.get(field, field)


def _names() -> dict[str, str]:
    found = {info.text: name for name, info in FIELDS.items()}
    found |= {name: name for name in FIELDS}
    found |= {set_name(name): name for name in FIELDS}
    for name, info in FIELDS.items():
        found[info.nxm] = name
    return found | {
        "OXM_OF_ETH_SRC": "eth_src",
        "OXM_OF_ETH_DST": "eth_dst",
        "OXM_OF_IPV4_SRC": "ip_src",
        "OXM_OF_IPV4_DST": "ip_dst",
        "OXM_OF_IPV6_ND_TARGET": "nd_target",
        "OXM_OF_TUNNEL_ID": "tun_id",
        "tunnel_id": "tun_id",
        "in_port_oxm": "in_port",
        "NXM_OF_IN_PORT": "in_port",
    }


#: every name a field goes by in actions → ours
FIELD_NAMES: dict[str, str] = _names()


def subfield_text(field: str, ofs: int, bits: int) -> str:
    """`NXM_NX_REG0[0..15]`, `NXM_NX_REG0[3]`, `NXM_NX_REG0[]`."""
    width = FULL[field].bit_length()
    name = FIELDS[field].nxm
    if field == "in_port" and bits <= 16:
        name, width = "NXM_OF_IN_PORT", 16
    if (ofs, bits) == (0, width):
        return f"{name}[]"
    return f"{name}[{ofs}]" if bits == 1 else f"{name}[{ofs}..{ofs + bits - 1}]"


def parse_subfield(text: str) -> Subfield:
    """(field, lowest bit, number of bits); raises Malformed."""
    found = _SUBFIELD(text.strip())
    if not found or found[1] not in FIELD_NAMES:
        raise Malformed(f"{text}: unknown field")
    field = FIELD_NAMES[found[1]]
    width = 16 if found[1] in ("NXM_OF_IN_PORT", "in_port") else FULL[field].bit_length()
    if found[2] is None:
        return field, 0, width
    low = int(found[2])
    high = low if found[3] is None else int(found[3])
    if not low <= high < width:
        raise Malformed(f"{text}: {field} has {width} bits")
    return field, low, high - low + 1
