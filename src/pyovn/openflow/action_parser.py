"""The parser of ovs-ofctl's notation of actions; the counterpart of `action_text`.

    word            pop_vlan  drop  LOCAL  5
    word:argument   output:5  set_field:0x1->reg0  load:1->NXM_NX_REG0[3]
    word(…)         ct(commit,zone=5)  resubmit(,8)  check_pkt_larger(1500)->reg9[1]

One function per word, in one table.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int, ip6_int
from pyovn.net.mac import mac_int
from pyovn.openflow import actions as ofp
from pyovn.openflow.action_text import ALGS, REASONS
from pyovn.openflow.actions import BUNDLE_ALGORITHMS, HASH_FIELDS, MULTIPATH_ALGORITHMS, Action, Actions, Subfield
from pyovn.openflow.fields import FIELDS, FULL
from pyovn.openflow.values import FIELD_NAMES, number, parse_port, parse_subfield, parse_value

Ports = Mapping[str, int]

_WORD = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*")
_REASON_CODES = {word: code for code, word in REASONS.items()}
_ALG_PORTS = {word: port for port, word in ALGS.items()}


def parse_actions(text: str, ports: Ports | None = None) -> Actions:
    """The actions that `text` lists; raises Malformed."""
    parts = split_actions(text)
    found = [action for part in parts for action in _parse(part, ports or {})]
    if "drop" in parts and len(parts) > 1:
        raise Malformed('"drop" must not be accompanied by any other action or instruction')
    return tuple(found)


def split_actions(text: str) -> list[str]:
    """The actions of a list, those in parentheses or quotes kept together; commas or spaces between them."""
    parts, depth, start, quoted = [], 0, 0, False
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char in ", \t\n" and not depth:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    if depth:
        raise Malformed(f"{text}: unbalanced parentheses")
    return [part.strip() for part in parts if part.strip()]


def _parse(text: str, ports: Ports) -> list[Action]:
    """The actions of one word; a few words stand for several."""
    if text == "drop":
        return []
    if text == "dec_ttl()":
        return [ofp.DecTtl(())]
    word = _WORD.match(text)
    if word and word[1] in _PARSERS:
        rest = text[word.end() :]
        found = _PARSERS[word[1]](_argument(rest), ports)
        return found if isinstance(found, list) else [found]
    if text.startswith("output"):
        raise Malformed(f"{text}: bad output")
    port = parse_port(text, ports)
    return [_to_port(port, 0)]


def _argument(rest: str) -> str:
    """What stands behind `:` or inside parentheses; `(a)->b` stays whole."""
    if rest.startswith(":"):
        return rest[1:]
    if rest.startswith("(") and rest.endswith(")"):
        return rest[1:-1]
    return rest


def _to_port(port: int, max_len: int) -> Action:
    return ofp.Controller(max_len or ofp.MAX_LEN_ALL) if port == ofp.OFPP_CONTROLLER else ofp.Output(port)


def _keywords(text: str) -> dict[str, str]:
    """`a=1,b,c(…)` as a dictionary; words without value map to ""."""
    found = {}
    for part in split_actions(text):
        equals, bracket = part.find("="), part.find("(")
        if equals >= 0 and (bracket < 0 or equals < bracket):
            found[part[:equals]] = part[equals + 1 :]
        elif bracket >= 0 and part.endswith(")"):
            found[part[:bracket]] = part[bracket + 1 : -1]
        else:
            found[part] = ""
    return found


def _arrow(text: str) -> tuple[str, str]:
    left, arrow, right = text.partition("->")
    if not arrow:
        raise Malformed(f"{text}: missing `->'")
    return left.strip(), right.strip()


# --- one function per word ----------------------------------------------------------------------------------------


def _output(text: str, ports: Ports) -> Action:
    if text.startswith("port="):
        words = _keywords(text)
        return ofp.OutputTrunc(parse_port(words["port"], ports), number(words["max_len"]))
    name = text.partition("[")[0]
    if name in FIELD_NAMES and name != "in_port":
        return ofp.OutputReg(*parse_subfield(text))
    return _to_port(parse_port(text, ports), 0)


def _controller(text: str, _ports: Ports) -> Action:
    if not text or text.isdigit():
        return ofp.Controller(number(text) if text else ofp.MAX_LEN_ALL)
    found: dict[str, Any] = {}
    for word, value in _keywords(text).items():
        match word:
            case "max_len" | "meter_id":
                found[word] = number(value)
            case "id":
                found["controller_id"] = number(value)
            case "reason" if value in _REASON_CODES:
                found["reason"] = _REASON_CODES[value]
            case "userdata":
                found["userdata"] = _bytes(value)
            case "pause":
                found["pause"] = True
            case _:
                raise Malformed(f"{word}={value}: bad argument of controller")
    return ofp.Controller(**found)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.replace(".", " "))
    except ValueError:
        raise Malformed(f"{text}: bad hexadecimal bytes") from None


def _resubmit(text: str, ports: Ports) -> Action:
    words = [word.strip() for word in text.split(",")]
    port = parse_port(words[0], ports) if words[0] else None
    table = number(words[1]) if len(words) > 1 and words[1] else 255
    return ofp.Resubmit(table, None if port == ofp.OFPP_IN_PORT else port, "ct" in words[2:])


def _set_field(text: str, ports: Ports) -> Action:
    value, name = _arrow(text)
    if name in ("nw_tos", "ip_tos"):
        return ofp.SetField("ip_dscp", number(value) >> 2, FULL["ip_dscp"])
    if name not in FIELD_NAMES:
        raise Malformed(f"{name} is not a valid OXM field name")
    field = FIELD_NAMES[name]
    if field == "tun_flags":
        bits = 1 if value == "oam" else number(value)
        return ofp.SetField(field, bits, FULL[field])
    if not FIELDS[field].writable:
        raise Malformed(f"{name} is read-only")
    return ofp.SetField(field, *parse_value(field, value, ports))


def _load(text: str, ports: Ports) -> Action:
    source, target = _arrow(text)
    field, ofs, bits = parse_subfield(target)
    if field == "in_port":
        return ofp.SetField(field, parse_port(source, ports), FULL[field])
    value = _constant(source, field, ports)
    if value >> bits:
        raise Malformed(f"{text}: {value:#x} does not fit into {bits} bits")
    return ofp.SetField(field, value << ofs, (1 << bits) - 1 << ofs)


def _constant(text: str, field: str, ports: Ports) -> int:
    """A number, or a value in the field's own notation."""
    try:
        return number(text)
    except Malformed:
        return parse_value(field, text, ports)[0]


def _move(text: str, _ports: Ports) -> Action:
    left, right = _arrow(text)
    src, src_ofs, bits = parse_subfield(left)
    dst, dst_ofs, dst_bits = parse_subfield(right)
    if bits != dst_bits:
        raise Malformed(f"{text}: source field is {bits} bits wide but destination is {dst_bits} bits wide")
    return ofp.Move(src, src_ofs, dst, dst_ofs, bits)


def _whole(field: str, read: Callable[[str], int] = number) -> Callable[[str, Ports], Action]:
    return lambda text, _ports: ofp.SetField(field, read(text), FULL[field])


def _mod_vlan_vid(text: str, _ports: Ports) -> list[Action]:
    return [ofp.PushVlan(0x8100), ofp.SetField("vlan_vid", 0x1000 | number(text), FULL["vlan_vid"])]


def _mod_vlan_pcp(text: str, _ports: Ports) -> list[Action]:
    return [ofp.SetField("vlan_pcp", number(text), FULL["vlan_pcp"])]


def _enqueue(text: str, ports: Ports) -> list[Action]:
    port, _, queue = text.replace(":", ",").partition(",")
    return [ofp.SetQueue(number(queue)), ofp.Output(parse_port(port, ports)), ofp.PopQueue()]


def _dec_ttl(text: str, _ports: Ports) -> Action:
    return ofp.DecTtl(tuple(map(number, text.split(","))) if text else (0,))


def _ct(text: str, ports: Ports) -> Action:
    words = _keywords(text)
    zone: int | Subfield = 0
    if "zone" in words:
        zone = number(words["zone"]) if words["zone"][:1].isdigit() else parse_subfield(words["zone"])
    unknown = set(words) - {"commit", "force", "zone", "table", "nat", "exec", "alg"}
    if unknown:
        raise Malformed(f"{min(unknown)}: invalid argument of ct")
    alg = words.get("alg", "")
    return ofp.Ct(
        "commit" in words,
        "force" in words,
        zone,
        number(words["table"]) if "table" in words else None,
        _nat(words["nat"]) if "nat" in words else None,
        _ALG_PORTS.get(alg) or (number(alg) if alg else 0),
        parse_actions(words["exec"], ports) if "exec" in words else (),
    )


_NAT_FLAGS = {"persistent": ofp.NAT_PERSISTENT, "hash": ofp.NAT_HASH, "random": ofp.NAT_RANDOM}
_NAT_RANGE = re.compile(
    r"(?:\[?([0-9a-fA-F.:]*?)\]?(?:-\[?([0-9a-fA-F.:]+?)\]?)?)(?::(\d+)(?:-(\d+))?)?", re.ASCII
).fullmatch


def _nat(text: str) -> ofp.Nat:
    words = _keywords(text)
    flags = sum(_NAT_FLAGS[word] for word in words if word in _NAT_FLAGS)
    direction: Literal["src", "dst"] | None = "src" if "src" in words else "dst" if "dst" in words else None
    if direction is None:
        return ofp.Nat(flags=flags)
    lo, hi, port_lo, port_hi, v6 = _nat_range(words[direction])
    if lo == 0 and hi is None:
        lo, v6 = None, False
    return ofp.Nat(direction, lo, hi, port_lo, port_hi, flags, v6)


def _nat_range(text: str) -> tuple[int | None, int | None, int | None, int | None, bool]:
    """(lowest and highest address, lowest and highest port, IPv6?)."""
    v6 = text.startswith("[") or text.count(":") > 1
    if v6 and not text.startswith("["):
        low, _, high = text.partition("-")
        return ip6_int(low), ip6_int(high) if high else None, None, None, True
    found = _NAT_RANGE(text)
    if not found:
        raise Malformed(f"{text}: bad NAT range")
    read = ip6_int if v6 else ip4_int
    low, high, port_lo, port_hi = found.groups()
    return (
        read(low) if low else None,
        read(high) if high else None,
        number(port_lo) if port_lo else None,
        number(port_hi) if port_hi else None,
        v6,
    )


def _conjunction(text: str, _ports: Ports) -> Action:
    found = re.fullmatch(r"\s*(\w+)\s*,\s*(\d+)\s*/\s*(\d+)\s*", text)
    if not found:
        raise Malformed("conjunction syntax is `conjunction(id,k/n)'")
    return ofp.Conjunction(number(found[1]), int(found[2]), int(found[3]))


def _check_pkt_larger(text: str, _ports: Ports) -> Action:
    left, right = _arrow(text)
    field, ofs, bits = parse_subfield(right)
    if bits != 1:
        raise Malformed(f"{right}: only one bit may be written")
    return ofp.CheckPktLarger(number(left.strip("()")), field, ofs)


def _bundle(load: bool) -> Callable[[str, Ports], Action]:
    def parse(text: str, ports: Ports) -> Action:
        head, found, members = text.partition("members:")
        if not found:
            head, found, members = text.partition("slaves:")
        words = [word.strip() for word in head.split(",")]
        if not found or len(words) < (6 if load else 5):
            raise Malformed(f"bundle({text}): not enough arguments")
        fields, basis, algorithm = words[0], number(words[1]), words[2]
        _one_of(fields, HASH_FIELDS)
        _one_of(algorithm, BUNDLE_ALGORITHMS)
        dst = parse_subfield(words[4]) if load else None
        return ofp.Bundle(
            fields, algorithm, tuple(parse_port(port, ports) for port in split_actions(members)), basis, dst
        )

    return parse


def _one_of(word: str, words: tuple[str, ...]) -> None:
    if word not in words:
        raise Malformed(f"{word}: expected one of {', '.join(words)}")


def _multipath(text: str, _ports: Ports) -> Action:
    words = [word.strip() for word in text.split(",")]
    if len(words) != 6:
        raise Malformed(f"multipath({text}): six arguments are needed")
    _one_of(words[0], HASH_FIELDS)
    _one_of(words[2], MULTIPATH_ALGORITHMS)
    return ofp.Multipath(
        words[0], number(words[1]), words[2], number(words[3]), number(words[4]), parse_subfield(words[5])
    )


def _sample(text: str, ports: Ports) -> Action:
    words = _keywords(text)
    direction = 1 if "ingress" in words else 2 if "egress" in words else 0
    port = parse_port(words["sampling_port"], ports) if "sampling_port" in words else ofp.OFPP_NONE
    return ofp.Sample(
        number(words["probability"]),
        number(words.get("collector_set_id", "0")),
        _number_or_subfield(words.get("obs_domain_id", "0")),
        _number_or_subfield(words.get("obs_point_id", "0")),
        port,
        direction,
    )


def _number_or_subfield(text: str) -> int | Subfield:
    return number(text) if text[:1].isdigit() else parse_subfield(text)


_LEARN_NUMBERS = (
    "table",
    "idle_timeout",
    "hard_timeout",
    "fin_idle_timeout",
    "fin_hard_timeout",
    "priority",
    "cookie",
    "limit",
)
_LEARN_FLAGS = {"send_flow_rem": ofp.LEARN_SEND_FLOW_REM, "delete_learned": ofp.LEARN_DELETE_LEARNED}


def _learn(text: str, ports: Ports) -> Action:
    found: dict[str, Any] = {"table": 1}
    specs, flags = [], 0
    for part in split_actions(text):
        name, equals, value = part.partition("=")
        if equals and name in _LEARN_NUMBERS:
            found[name] = number(value)
        elif name in _LEARN_FLAGS:
            flags |= _LEARN_FLAGS[name]
        elif name == "result_dst":
            field, bit, _ = parse_subfield(value)
            found["result"] = field, bit
        else:
            specs.append(_learn_spec(part, ports))
    return ofp.Learn(**found, specs=tuple(specs), flags=flags)


def _learn_spec(text: str, ports: Ports) -> ofp.LearnSpec:
    word, colon, rest = text.partition(":")
    if colon and word == "output":
        field, ofs, bits = parse_subfield(rest)
        return ofp.LearnSpec("output", (field, ofs), 0, None, bits)
    if colon and word == "load":
        source, target = _arrow(rest)
        return _spec("load", source, target, ports)
    target, equals, source = text.partition("=")
    return _spec("match", source if equals else target, target, ports)


def _spec(use: Literal["match", "load"], source: str, target: str, ports: Ports) -> ofp.LearnSpec:
    """The part that takes `target` from a subfield or a constant."""
    dst, ofs, bits = parse_subfield(target)
    if source.partition("[")[0] in FIELD_NAMES:
        src, src_ofs, src_bits = parse_subfield(source)
        if src_bits != bits:
            raise Malformed(f"{source} and {target} differ in width")
        return ofp.LearnSpec(use, (src, src_ofs), 0, (dst, ofs), bits)
    value = parse_port(source, ports) & 0xFFFF if dst == "in_port" else _constant(source, dst, ports)
    return ofp.LearnSpec(use, None, value, (dst, ofs), bits)


def _fin_timeout(text: str, _ports: Ports) -> Action:
    words = _keywords(text)
    return ofp.FinTimeout(number(words.get("idle_timeout", "0")), number(words.get("hard_timeout", "0")))


def _write_metadata(text: str, _ports: Ports) -> Action:
    value, slash, mask = text.partition("/")
    return ofp.WriteMetadata(number(value), number(mask) if slash else FULL["metadata"])


def _note(text: str, _ports: Ports) -> Action:
    data = _bytes(text)
    return ofp.Note(data + bytes(-(len(data) + 2) % 8 if data else 6))


_PARSERS: dict[str, Callable[[str, Ports], Action | list[Action]]] = {
    "output": _output,
    "controller": _controller,
    "CONTROLLER": _controller,
    "enqueue": _enqueue,
    "resubmit": _resubmit,
    "set_field": _set_field,
    "load": _load,
    "move": _move,
    "push": lambda text, _: ofp.Push(*parse_subfield(text)),
    "pop": lambda text, _: ofp.Pop(*parse_subfield(text)),
    "push_vlan": lambda text, _: ofp.PushVlan(number(text)),
    "pop_vlan": lambda _t, _: ofp.PopVlan(),
    "strip_vlan": lambda _t, _: ofp.PopVlan(),
    "mod_vlan_vid": _mod_vlan_vid,
    "mod_vlan_pcp": _mod_vlan_pcp,
    "mod_dl_src": _whole("eth_src", mac_int),
    "mod_dl_dst": _whole("eth_dst", mac_int),
    "mod_nw_src": _whole("ip_src", ip4_int),
    "mod_nw_dst": _whole("ip_dst", ip4_int),
    "mod_nw_tos": lambda text, _: ofp.SetField("ip_dscp", number(text) >> 2, FULL["ip_dscp"]),
    "mod_nw_ecn": _whole("ip_ecn"),
    "mod_nw_ttl": _whole("ip_ttl"),
    "mod_tp_src": _whole("tcp_src"),
    "mod_tp_dst": _whole("tcp_dst"),
    "set_tunnel": _whole("tun_id"),
    "set_tunnel64": _whole("tun_id"),
    "push_mpls": lambda text, _: ofp.PushMpls(number(text)),
    "pop_mpls": lambda text, _: ofp.PopMpls(number(text)),
    "set_mpls_label": _whole("mpls_label"),
    "set_mpls_tc": _whole("mpls_tc"),
    "set_mpls_ttl": lambda text, _: ofp.SetMplsTtl(number(text)),
    "dec_mpls_ttl": lambda _t, _: ofp.DecMplsTtl(),
    "dec_ttl": _dec_ttl,
    "group": lambda text, _: ofp.Group(number(text)),
    "meter": lambda text, _: ofp.Meter(number(text)),
    "set_queue": lambda text, _: ofp.SetQueue(number(text)),
    "pop_queue": lambda _t, _: ofp.PopQueue(),
    "ct": _ct,
    "nat": lambda text, _: _nat(text),
    "ct_clear": lambda _t, _: ofp.CtClear(),
    "conjunction": _conjunction,
    "learn": _learn,
    "note": _note,
    "clone": lambda text, ports: ofp.Clone(parse_actions(text, ports)),
    "check_pkt_larger": _check_pkt_larger,
    "bundle": _bundle(load=False),
    "bundle_load": _bundle(load=True),
    "multipath": _multipath,
    "sample": _sample,
    "fin_timeout": _fin_timeout,
    "exit": lambda _t, _: ofp.Exit(),
    "delete_field": lambda text, _: ofp.DeleteField(text),
    "goto_table": lambda text, _: ofp.GotoTable(number(text)),
    "write_metadata": _write_metadata,
    "write_actions": lambda text, ports: ofp.WriteActions(parse_actions(text, ports)),
    "clear_actions": lambda _t, _: ofp.ClearActions(),
}
