"""Actions in ovs-ofctl's notation, both ways.

    (SetField("reg0", 1, 0xffffffff), Resubmit(8))  ⇄  set_field:0x1->reg0,resubmit(,8)

One printer per kind of action below; the parser is in `action_parser`.
"""

from collections.abc import Callable
from typing import Any

from pyovn.openflow import actions as ofp
from pyovn.openflow.actions import INSTRUCTIONS, Action, Actions
from pyovn.openflow.fields import FULL
from pyovn.openflow.values import PortNames, hexadecimal, port_text, set_name, subfield_text, value_text

REASONS = {
    ofp.OFPR_NO_MATCH: "no_match",
    ofp.OFPR_ACTION: "action",
    ofp.OFPR_INVALID_TTL: "invalid_ttl",
    ofp.OFPR_ACTION_SET: "action_set",
    ofp.OFPR_GROUP: "group",
    ofp.OFPR_PACKET_OUT: "packet_out",
}
ALGS = {21: "ftp", 69: "tftp"}
_DIRECTIONS = {1: "ingress", 2: "egress"}
_NAT_FLAGS = ((ofp.NAT_PERSISTENT, "persistent"), (ofp.NAT_HASH, "hash"), (ofp.NAT_RANDOM, "random"))
_DEFAULT_PRIORITY = 0x8000


def format_actions(actions: Actions, names: PortNames | None = None) -> str:
    """The actions as `ovs-ofctl dump-flows` prints them behind `actions=`; ports by name where `names` knows one."""
    if not actions:
        return "drop"
    plain = [action for action in actions if action.kind not in INSTRUCTIONS]
    others = [action for action in actions if action.kind in INSTRUCTIONS]
    return ",".join(format_action(action, names or {}) for action in plain + others)


def format_action(action: Action, names: PortNames) -> str:
    """One action."""
    return _PRINTERS[action.kind](action, names)


def _ordered(*parts: str) -> str:
    return ",".join(part for part in parts if part)


def _output(action: ofp.Output, names: PortNames) -> str:
    text = port_text(action.port, names)
    return text if action.port >= ofp.OFPP_MAX else f"output:{text}"


def _resubmit(action: ofp.Resubmit, names: PortNames) -> str:
    port = "" if action.in_port is None else port_text(action.in_port, names)
    if action.table == 255 and port:
        return f"resubmit:{port}"
    return f"resubmit({port},{action.table if action.table != 255 else ''}{',ct' if action.ct else ''})"


def _set_field(action: ofp.SetField, names: PortNames) -> str:
    field = action.field
    value = "oam" if field == "tun_flags" and action.value else _set_value(action, names)
    return f"set_field:{value}->{set_name(field)}"


def _set_value(action: ofp.SetField, names: PortNames) -> str:
    if action.mask != FULL[action.field] and action.field.startswith(("tcp_", "udp_", "sctp_", "vlan_")):
        return f"{action.value}/{action.mask:#x}"
    return value_text(action.field, action.value, action.mask, names)


def _controller(action: ofp.Controller, _names: PortNames) -> str:
    special = action.userdata or action.pause or action.meter_id is not None or action.controller_id
    if not special and action.reason == ofp.OFPR_ACTION:
        return f"CONTROLLER:{action.max_len}"
    inside = _ordered(
        f"reason={REASONS.get(action.reason, action.reason)}" if action.reason != ofp.OFPR_ACTION else "",
        f"max_len={action.max_len}" if action.max_len != ofp.MAX_LEN_ALL else "",
        f"id={action.controller_id}" if action.controller_id else "",
        f"userdata={action.userdata.hex('.')}" if action.userdata else "",
        "pause" if action.pause else "",
        f"meter_id={action.meter_id}" if action.meter_id is not None else "",
    )
    return f"controller({inside})"


def _ct(action: ofp.Ct, names: PortNames) -> str:
    zone = str(action.zone) if isinstance(action.zone, int) else subfield_text(*action.zone)
    inside = _ordered(
        "commit" if action.commit else "",
        "force" if action.force else "",
        f"table={action.table}" if action.table is not None else "",
        f"zone={zone}" if zone != "0" else "",
        _nat(action.nat, names) if action.nat else "",
        f"exec({format_actions(action.exec, names)})" if action.exec else "",
        f"alg={ALGS.get(action.alg, action.alg)}" if action.alg else "",
    )
    return f"ct({inside})"


def _nat(action: ofp.Nat, _names: PortNames) -> str:
    if action.direction is None:
        return "nat"
    flags = [word for bit, word in _NAT_FLAGS if action.flags & bit]
    return f"nat({_ordered(action.direction + _nat_range(action), *flags)})"


def _nat_range(action: ofp.Nat) -> str:
    if action.lo is None and action.port_lo is None:
        return ""
    addresses = "-".join(_nat_address(action, value) for value in (action.lo, action.hi) if value is not None)
    ports = "-".join(str(port) for port in (action.port_lo, action.port_hi) if port is not None)
    return f"={addresses}{ports and ':'}{ports}"


def _nat_address(action: ofp.Nat, value: int) -> str:
    field = "ipv6_src" if action.v6 else "ip_src"
    text = value_text(field, value, FULL[field], {})
    return f"[{text}]" if action.v6 and action.port_lo is not None else text


def _learn(action: ofp.Learn, names: PortNames) -> str:
    inside = _ordered(
        f"table={action.table}",
        f"idle_timeout={action.idle_timeout}" if action.idle_timeout else "",
        f"hard_timeout={action.hard_timeout}" if action.hard_timeout else "",
        f"fin_idle_timeout={action.fin_idle_timeout}" if action.fin_idle_timeout else "",
        f"fin_hard_timeout={action.fin_hard_timeout}" if action.fin_hard_timeout else "",
        f"priority={action.priority}" if action.priority != _DEFAULT_PRIORITY else "",
        "send_flow_rem" if action.flags & ofp.LEARN_SEND_FLOW_REM else "",
        "delete_learned" if action.flags & ofp.LEARN_DELETE_LEARNED else "",
        f"cookie={action.cookie:#x}" if action.cookie else "",
        f"limit={action.limit}" if action.limit else "",
        f"result_dst={subfield_text(*action.result, 1)}" if action.result else "",
        *(_learn_spec(spec, names) for spec in action.specs),
    )
    return f"learn({inside})"


def _learn_spec(spec: ofp.LearnSpec, names: PortNames) -> str:
    if spec.use == "output":
        assert spec.src is not None
        return f"output:{subfield_text(*spec.src, spec.bits)}"
    assert spec.dst is not None
    dst = subfield_text(*spec.dst, spec.bits)
    if spec.use == "load":
        value = hexadecimal(spec.value) if spec.src is None else subfield_text(*spec.src, spec.bits)
        return f"load:{value}->{dst}"
    if spec.src is not None:
        src = subfield_text(*spec.src, spec.bits)
        return dst if src == dst else f"{dst}={src}"
    return _learn_constant(spec, dst, names)


def _learn_constant(spec: ofp.LearnSpec, dst: str, names: PortNames) -> str:
    assert spec.dst is not None
    field, ofs = spec.dst
    width = 16 if field == "in_port" else FULL[field].bit_length()
    if (ofs, spec.bits) != (0, width):
        return f"{dst}={hexadecimal(spec.value)}"
    return f"{set_name(field)}={value_text(field, spec.value, FULL[field], names)}"


def _bundle(action: ofp.Bundle, names: PortNames) -> str:
    members = ",".join(port_text(port, names) for port in action.ports)
    place = f"{subfield_text(*action.dst)}," if action.dst else ""
    word = "bundle_load" if action.dst else "bundle"
    return f"{word}({action.hash_fields},{action.basis},{action.algorithm},ofport,{place}members:{members})"


def _multipath(action: ofp.Multipath, _names: PortNames) -> str:
    head = f"{action.hash_fields},{action.basis},{action.algorithm},{action.n_links},{action.arg}"
    return f"multipath({head},{subfield_text(*action.dst)})"


def _sample(action: ofp.Sample, names: PortNames) -> str:
    inside = _ordered(
        f"probability={action.probability}",
        f"collector_set_id={action.collector_set_id}",
        f"obs_domain_id={_number_or_subfield(action.obs_domain_id)}",
        f"obs_point_id={_number_or_subfield(action.obs_point_id)}",
        f"sampling_port={port_text(action.sampling_port, names)}" if action.sampling_port != ofp.OFPP_NONE else "",
        _DIRECTIONS.get(action.direction, ""),
    )
    return f"sample({inside})"


def _number_or_subfield(value: int | ofp.Subfield) -> str:
    return str(value) if isinstance(value, int) else subfield_text(*value)


def _fin_timeout(action: ofp.FinTimeout, _names: PortNames) -> str:
    inside = _ordered(
        f"idle_timeout={action.idle_timeout}" if action.idle_timeout else "",
        f"hard_timeout={action.hard_timeout}" if action.hard_timeout else "",
    )
    return f"fin_timeout({inside})"


def _write_metadata(action: ofp.WriteMetadata, _names: PortNames) -> str:
    mask = "" if action.mask == FULL["metadata"] else f"/{action.mask:#x}"
    return f"write_metadata:{hexadecimal(action.value)}{mask}"


def _note(action: ofp.Note, _names: PortNames) -> str:
    padded = action.data + bytes(-(len(action.data) + 2) % 8 if action.data else 6)
    return f"note:{padded.hex('.')}"


def _dec_ttl(action: ofp.DecTtl, _names: PortNames) -> str:
    return "dec_ttl" if action.controllers == (0,) else f"dec_ttl({','.join(map(str, action.controllers))})"


def _move(action: ofp.Move, _names: PortNames) -> str:
    src, dst = (action.src, action.src_ofs, action.bits), (action.dst, action.dst_ofs, action.bits)
    return f"move:{subfield_text(*src)}->{subfield_text(*dst)}"


_PRINTERS: dict[str, Callable[[Any, PortNames], str]] = {
    "output": _output,
    "output_reg": lambda a, _: f"output:{subfield_text(a.field, a.ofs, a.bits)}",
    "output_trunc": lambda a, names: f"output(port={port_text(a.port, names)},max_len={a.max_len})",
    "resubmit": _resubmit,
    "set_field": _set_field,
    "move": _move,
    "push": lambda a, _: f"push:{subfield_text(a.field, a.ofs, a.bits)}",
    "pop": lambda a, _: f"pop:{subfield_text(a.field, a.ofs, a.bits)}",
    "push_vlan": lambda a, _: f"push_vlan:{a.ethertype:#06x}",
    "pop_vlan": lambda _a, _: "pop_vlan",
    "push_mpls": lambda a, _: f"push_mpls:{a.ethertype:#06x}",
    "pop_mpls": lambda a, _: f"pop_mpls:{a.ethertype:#06x}",
    "dec_ttl": _dec_ttl,
    "dec_mpls_ttl": lambda _a, _: "dec_mpls_ttl",
    "set_mpls_ttl": lambda a, _: f"set_mpls_ttl({a.ttl})",
    "group": lambda a, _: f"group:{a.id}",
    "meter": lambda a, _: f"meter:{a.id}",
    "set_queue": lambda a, _: f"set_queue:{a.id}",
    "pop_queue": lambda _a, _: "pop_queue",
    "controller": _controller,
    "ct": _ct,
    "nat": _nat,
    "ct_clear": lambda _a, _: "ct_clear",
    "conjunction": lambda a, _: f"conjunction({a.id},{a.clause}/{a.n})",
    "learn": _learn,
    "note": _note,
    "clone": lambda a, names: f"clone({format_actions(a.actions, names)})",
    "check_pkt_larger": lambda a, _: f"check_pkt_larger({a.length})->{subfield_text(a.field, a.bit, 1)}",
    "bundle": _bundle,
    "multipath": _multipath,
    "sample": _sample,
    "fin_timeout": _fin_timeout,
    "exit": lambda _a, _: "exit",
    "delete_field": lambda a, _: f"delete_field:{a.field}",
    "goto_table": lambda a, _: f"goto_table:{a.table}",
    "write_metadata": _write_metadata,
    "write_actions": lambda a, names: f"write_actions({format_actions(a.actions, names)})",
    "clear_actions": lambda _a, _: "clear_actions",
    "unknown": lambda a, _: f"unknown({a.data.hex('.')})",
}
