"""Our readings of actions beside those of the C test program: canonical text, faults, prerequisites, OpenFlow."""

import re

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from pyovn.lang.actions import Env, Tables, encode, parse, prerequisites, text
from pyovn.lang.errors import SyntaxFault
from pyovn.openflow.text import format_actions
from tests.lang.actions.corpus import CORPUS
from tests.lang.oracle import Verdict, parse_actions

pytestmark = pytest.mark.interop

PORTS = {"eth0": 5, "eth1": 6, "lsp1": 0x11}

#: Accepted by the C test program in a sense of its own, or not at all: it lacks options and ports.
ODD = ("T1", "T2", "set_meter", "sample(", "frag_mtu", "bind_vport", "fwd_group", "mirror")


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """An action with a character replaced."""
    found = draw(st.sampled_from([action for action in CORPUS if not any(odd in action for odd in ODD)]))
    at = draw(st.integers(0, len(found) - 1))
    return found[:at] + draw(st.sampled_from(("", " ", "x", "(", ")", "{", "=", "1", "]", ";"))) + found[at + 1 :]


def ours(line: str) -> tuple[str | None, str, str | None]:
    try:
        actions = parse(line, pipeline="ingress", table=10)
    except SyntaxFault as fault:
        return str(fault), "", None
    needed = prerequisites(actions)
    return None, text(actions), str(needed) if needed else None


def theirs(verdict: Verdict) -> tuple[str | None, str, str | None]:
    return (verdict.error, "", None) if verdict.error else (None, verdict.text, verdict.prerequisites)


def test_canonical_text_and_prerequisites_are_c_ovns() -> None:
    for line, verdict in zip(CORPUS, parse_actions(list(CORPUS)), strict=True):
        assert (line, *ours(line)) == (line, *theirs(verdict))


@seed(1)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(mangled(), min_size=120, max_size=120))
def test_most_faults_are_told_as_c_ovn_does(lines: list[str]) -> None:
    pairs = list(zip(lines, parse_actions(lines), strict=True))
    both = [(line, ours(line), theirs(verdict)) for line, verdict in pairs]
    assert [line for line, mine, other in both if (mine[0] is None) != (other[0] is None)] == []
    different = [one for one in both if one[1] != one[2]]
    assert len(different) <= len(lines) // 20, different[:5]


def narrow(openflow: str) -> str:
    """C keeps reg0 … reg7 as bits of xxreg0 and xxreg1, reg8 and reg9 of xreg4; ours is the narrowest register."""
    openflow = re.sub(r"(NXM_NX_XXREG[01]|OXM_OF_PKT_REG4)\[([\d.]*)\]", _narrow_subfield, openflow)
    return re.sub(r"set_field:(\w+)/(\w+)->(xxreg[01]|xreg4)", _narrow_constant, openflow)


_FIRST = {"NXM_NX_XXREG0": (0, 128), "NXM_NX_XXREG1": (4, 128), "OXM_OF_PKT_REG4": (8, 64)}
_FIRST |= {"xxreg0": (0, 128), "xxreg1": (4, 128), "xreg4": (8, 64)}


def _view(whole: str, low: int, high: int) -> tuple[str, int, int]:
    """(register, its size, bits below it) of the narrowest register around some bits."""
    first, width = _FIRST[whole]
    size = 32
    while low // size != high // size:
        size *= 2
    number = first + (width - size - low // size * size) // 32
    return str(number // (size // 32)), size, low // size * size


def _narrow_subfield(found: re.Match[str]) -> str:
    bits = [int(bit) for bit in found[2].split("..")] if found[2] else [0, _FIRST[found[1]][1] - 1]
    number, size, below = _view(found[1], bits[0], bits[-1])
    name = {32: "NXM_NX_REG", 64: "OXM_OF_PKT_REG", 128: "NXM_NX_XXREG"}[size] + number
    low, high = bits[0] - below, bits[-1] - below
    return f"{name}[]" if high - low + 1 == size else f"{name}[{low}]" if low == high else f"{name}[{low}..{high}]"


def _narrow_constant(found: re.Match[str]) -> str:
    value, mask = int(found[1], 0), int(found[2], 0)
    low, high = (mask & -mask).bit_length() - 1, mask.bit_length() - 1
    number, size, below = _view(found[3], low, high)
    value, mask = value >> below, mask >> below
    shown = f"/{mask:#x}" if mask != (1 << size) - 1 else ""
    return f"set_field:{hex(value) if value else 0}{shown}->{ ({32: 'reg', 64: 'xreg', 128: 'xxreg'}[size]) }{number}"


#: What is ours to choose: bytes for our own controller, what is saved around look-ups, learned flows' notation.
PRIVATE = ("controller(", "get_arp", "ct_ip6_dst", "ct_state_save", "commit_ecmp_nh", "frag_mtu", "vlan", "mirror")


def test_openflow_is_c_ovns_but_for_what_is_private() -> None:
    lines = [line for line in CORPUS if not any(word in line for word in PRIVATE)]
    env = Env(
        pipeline="ingress", table=10, lookup_port=PORTS.get, tunnel_port=PORTS.get, group=lambda _group: 1,
        resident=lambda port: port == "lsp1", meter=lambda _meter: 1, cookie=0xAAAAAAAA, datapath=11259375,
        tables=Tables(output_from_ingress=64),
    )  # fmt: skip
    for line, verdict in zip(lines, parse_actions(lines), strict=True):
        mine = format_actions(encode(parse(line, pipeline="ingress", table=10), env)).replace("dec_ttl()", "dec_ttl")
        expected = re.sub(r"(group|meter):\d+", r"\1:1", narrow(verdict.openflow))
        if "controller(" not in mine and '"a"' not in line:
            assert (line, mine) == (line, expected)
