"""Hypothesis strategies for everything OpenFlow: matches, actions, flows, groups, meters."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from pyovn.openflow import actions as a
from pyovn.openflow.actions import BUNDLE_ALGORITHMS, HASH_FIELDS, MULTIPATH_ALGORITHMS
from pyovn.openflow.fields import FIELDS, FULL
from pyovn.openflow.flows import Bucket, Flow, GroupDef, MeterBand, MeterDef
from pyovn.openflow.match import WIDE, Match, canonical


def bits(n: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**n - 1)


def build(make: Callable[..., Any], *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """`st.builds` that leaves defaults alone."""
    return st.tuples(*parts).map(lambda values: make(*values))


#: ports with the same meaning in 16 and in 32 bits
ports = st.integers(0, 0xFEFF) | st.sampled_from((a.OFPP_LOCAL, a.OFPP_NORMAL, a.OFPP_ANY, a.OFPP_FLOOD))
_NO_MATCH = {"vlan_vid", "vlan_pcp", *WIDE}


@st.composite
def terms(draw: st.DrawFn, name: str) -> tuple[str, int, int]:
    field = FIELDS[name]
    if name == "in_port":
        return name, draw(ports), field.full
    mask = draw(st.integers(1, field.full)) if field.maskable and draw(st.booleans()) else field.full
    return name, draw(st.integers(0, field.full)) & mask, mask


matches: st.SearchStrategy[Match] = st.lists(
    st.sampled_from([name for name in FIELDS if name not in _NO_MATCH]), unique=True, max_size=6
).flatmap(lambda names: st.tuples(*(terms(name) for name in names)).map(canonical))

_WRITABLE = [name for name, field in FIELDS.items() if field.writable and name not in ("in_port", "tun_flags")]
_NAMED = [name for name in FIELDS if name not in ("in_port", "packet_type", "recirc_id", "conj_id")]


@st.composite
def subfields(draw: st.DrawFn, at_most: int = 64) -> a.Subfield:
    name = draw(st.sampled_from(_NAMED))
    width = FULL[name].bit_length()
    n = draw(st.integers(1, min(width, at_most)))
    return name, draw(st.integers(0, width - n)), n


@st.composite
def moves(draw: st.DrawFn) -> a.Move:
    src, src_ofs, n = draw(subfields(128))
    dst = draw(st.sampled_from([name for name in _NAMED if FULL[name].bit_length() >= n]))
    return a.Move(src, src_ofs, dst, draw(st.integers(0, FULL[dst].bit_length() - n)), n)


@st.composite
def nats(draw: st.DrawFn) -> a.Nat:
    direction = draw(st.sampled_from(("src", "dst", None)))
    if direction is None:
        return a.Nat()
    v6 = draw(st.booleans())
    lo = draw(st.none() | st.integers(1, 2 ** (128 if v6 else 32) - 1))
    if lo is None:
        return a.Nat(direction)  # type: ignore[arg-type]
    hi = draw(st.none() | bits(128 if v6 else 32))
    port_lo = draw(st.none() | bits(16))
    port_hi = draw(st.none() | bits(16)) if port_lo is not None else None
    flags = draw(st.sampled_from((0, a.NAT_PERSISTENT, a.NAT_HASH, a.NAT_RANDOM, a.NAT_PERSISTENT | a.NAT_HASH)))
    return a.Nat(direction, lo, hi, port_lo, port_hi, flags, v6)  # type: ignore[arg-type]


@st.composite
def set_fields(draw: st.DrawFn, names: tuple[str, ...] = tuple(_WRITABLE)) -> a.SetField:
    return a.SetField(*draw(st.sampled_from(names).flatmap(terms)))


@st.composite
def learn_specs(draw: st.DrawFn) -> a.LearnSpec:
    dst, ofs, n = draw(subfields(128))
    match draw(st.sampled_from(("constant", "field", "output"))):
        case "constant":
            use = draw(st.sampled_from(("match", "load")))
            return a.LearnSpec(use, None, draw(bits(n)), (dst, ofs), n)  # type: ignore[arg-type]
        case "field":
            use = draw(st.sampled_from(("match", "load")))
            src = draw(st.sampled_from([name for name in _NAMED if FULL[name].bit_length() >= n]))
            place = draw(st.integers(0, FULL[src].bit_length() - n))
            return a.LearnSpec(use, (src, place), 0, (dst, ofs), n)  # type: ignore[arg-type]
        case _:
            return a.LearnSpec("output", ("reg0", 0), 0, None, 16)


learns = build(
    a.Learn,
    bits(8),
    st.lists(learn_specs(), max_size=3).map(tuple),
    *(bits(16),) * 3,
    bits(64),
    st.integers(0, 3),
    *(bits(16),) * 2,
    bits(32),
    st.none() | st.just(("reg0", 4)),
)
numbers_or_subfields = st.integers(1, 2**32 - 1) | st.just(("reg3", 0, 32)) | st.just(("ct_mark", 0, 32))

_leaves = st.one_of(
    build(a.Output, ports),
    subfields(32).map(lambda place: a.OutputReg(*place)),
    build(a.OutputTrunc, st.integers(1, 0xFEFF), bits(32)),
    build(a.Resubmit, st.integers(0, 254), st.none() | ports, st.booleans()),
    set_fields(),
    build(a.SetField, st.just("in_port"), ports, st.just(FULL["in_port"])),
    moves(),
    subfields(128).map(lambda place: a.Push(*place)),
    subfields(128).map(lambda place: a.Pop(*place)),
    st.sampled_from((a.Push("in_port", 0, 16), a.Pop("in_port", 0, 16), a.Push("in_port", 0, 32))),
    st.sampled_from((a.PushVlan(0x8100), a.PushVlan(0x88A8), a.PopVlan(), a.PushMpls(0x8847), a.PopMpls(0x800))),
    build(a.DecTtl, st.lists(bits(16), max_size=4).map(tuple)),
    build(a.SetMplsTtl, bits(8)),
    st.sampled_from((a.DecMplsTtl(), a.PopQueue(), a.CtClear(), a.Exit())),
    build(a.Group, bits(31)),
    build(a.Meter, bits(31)),
    build(a.SetQueue, bits(32)),
    build(
        a.Controller, bits(16), st.binary(max_size=20), st.booleans(), st.none() | bits(32), bits(16), st.integers(0, 5)
    ),
    build(a.Conjunction, bits(32), st.integers(1, 64), st.integers(2, 64)),
    st.integers(0, 3).flatmap(lambda n: st.binary(min_size=6 + 8 * n, max_size=6 + 8 * n)).map(a.Note),
    build(a.CheckPktLarger, bits(16), st.just("reg9"), st.integers(0, 31)),
    build(
        a.Bundle,
        st.sampled_from(HASH_FIELDS),
        st.sampled_from(BUNDLE_ALGORITHMS),
        st.lists(ports, max_size=4).map(tuple),
        bits(16),
        st.none() | st.just(("reg0", 0, 16)),
    ),
    build(
        a.Multipath,
        st.sampled_from(HASH_FIELDS),
        bits(16),
        st.sampled_from(MULTIPATH_ALGORITHMS),
        st.integers(1, 0xFFFF),
        bits(32),
        st.just(("reg0", 0, 16)),
    ),
    build(a.Sample, bits(16), bits(32), numbers_or_subfields, numbers_or_subfields, ports, st.integers(0, 2)),
    build(a.FinTimeout, bits(16), bits(16)),
    learns,
    st.just(a.DeleteField("tun_metadata3")),
)
_tracked = st.lists(set_fields(("ct_mark", "ct_label")), max_size=2).map(tuple)
connections = build(
    a.Ct,
    st.booleans(),
    st.booleans(),
    bits(16) | st.just(("reg11", 0, 16)),
    st.none() | st.integers(0, 254),
    st.none() | nats(),
    st.sampled_from((0, 21, 69)),
    _tracked,
)
plain_actions = st.recursive(
    _leaves | connections, lambda inner: build(a.Clone, st.lists(inner, max_size=3).map(tuple)), max_leaves=4
)
instructions = st.sampled_from(
    (a.ClearActions(), a.WriteActions((a.Output(1),)), a.WriteMetadata(5, 0xFF), a.WriteMetadata(7), a.GotoTable(9))
)
action_lists = st.lists(plain_actions, max_size=4).map(tuple)
whole_lists = st.tuples(action_lists, st.lists(instructions, max_size=2).map(tuple)).map(lambda both: both[0] + both[1])

flows = build(Flow, bits(8), bits(16), matches, whole_lists, bits(64), bits(16), bits(16), st.integers(0, 31), bits(16))


@st.composite
def groups(draw: st.DrawFn) -> GroupDef:
    kind = draw(st.sampled_from(("all", "select", "indirect", "ff")))
    weights = bits(16) if kind == "select" else st.just(0)
    buckets = build(
        Bucket, action_lists, weights, bits(16), st.just(a.OFPP_NONE) | st.integers(1, 99), st.integers(1, 99)
    )
    method = draw(st.sampled_from(("", "dp_hash", "hash"))) if kind == "select" else ""
    fields = (("ip_src", 0xFFFFFFFF, 0xFFFFFFFF), ("ip_dst", 0xFF, 0xFFFFFFFF)) if method == "hash" else ()
    param = draw(bits(64)) if method else 0
    found = draw(st.lists(buckets, max_size=3).map(tuple))
    return GroupDef(draw(st.integers(0, 0xFFFFFF00)), kind, found, method, param, fields)  # type: ignore[arg-type]


meters = build(
    MeterDef,
    st.integers(1, 0xFFFF0000),
    st.lists(build(MeterBand, bits(32), st.just(0), st.none() | bits(8)), max_size=3).map(tuple),
    st.booleans(),
    st.just(False),
    st.booleans(),
)
