"""Questions that OpenFlow tables of the controller answer, and visits to such tables.

R = check_in_port_sec();   R = chk_lb_hairpin();   R = chk_lb_aff();   …       a flag, then into R
R = ct_nw_dst();   R = ct_state_save();   …                                    bits of a register, then into R
mac_cache_use;   flood_remote;                                                 no answer
"""
# ruff: noqa: D102  (the verbs of every family are described by `Action` and `Scope`)

from collections.abc import Callable
from dataclasses import dataclass

from pyovn.lang.actions.arguments import clear, copy
from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.place import place, pop, push
from pyovn.lang.actions.scope import Results, Scope, Statements, full_name
from pyovn.lang.match.parse import Part
from pyovn.lang.symbols import FLAGS
from pyovn.openflow.actions import Resubmit, Subfield

#: name → (attribute of `Tables`, flag in which the table answers)
FLAG_LOOKUPS = {
    "chk_lb_hairpin": ("hairpin", 7),
    "chk_lb_hairpin_reply": ("hairpin_reply", 7),
    "check_in_port_sec": ("in_port_security", 12),
    "check_out_port_sec": ("out_port_security", 12),
    "chk_ecmp_nh_mac": ("ecmp_next_hop_mac", 13),
    "chk_ecmp_nh": ("ecmp_next_hop", 13),
    "chk_lb_aff": ("affinity", 14),
}

#: name → (attribute of `Tables`, register and bits in which the table answers, save them around the visit)
REGISTER_LOOKUPS: dict[str, tuple[str, Subfield, bool]] = {
    "ct_nw_dst": ("ct_nw_dst", ("reg7", 0, 32), True),
    "ct_ip6_dst": ("ct_ip6_dst", ("xxreg1", 0, 128), True),
    "ct_tp_dst": ("ct_tp_dst", ("reg7", 0, 16), True),
    "ct_proto": ("ct_proto", ("reg7", 0, 8), True),
    "ct_state_save": ("ct_state_save", ("reg4", 0, 8), False),
}

VISITS = {"mac_cache_use": "mac_cache_use", "flood_remote": "flood_remote"}


@dataclass(frozen=True, slots=True)
class FlagLookup:
    """One bit that a table knows."""

    name: str
    result: Part

    def __str__(self) -> str:
        return f"{full_name(self.result)} = {self.name}();"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        table, bit = FLAG_LOOKUPS[self.name]
        flag = (FLAGS, bit, 1)
        out += (clear(flag), Resubmit(getattr(env.tables, table)), copy(flag, place(self.result)))


@dataclass(frozen=True, slots=True)
class RegisterLookup:
    """A number that a table knows."""

    name: str
    result: Part

    def __str__(self) -> str:
        return f"{full_name(self.result)} = {self.name}();"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        table, answer, saved = REGISTER_LOOKUPS[self.name]
        result = place(self.result)
        saved = saved and result != answer
        if saved:
            out.append(push(answer))
        out += (clear(answer), Resubmit(getattr(env.tables, table)))
        if result != answer:
            out.append(copy(answer, result))
        if saved:
            out.append(pop(answer))


@dataclass(frozen=True, slots=True)
class Visit:
    """Search a table for what its flows do."""

    name: str

    def __str__(self) -> str:
        return f"{self.name};"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        out.append(Resubmit(getattr(env.tables, VISITS[self.name])))


def _flag_parser(name: str) -> Callable[[Scope, Part], FlagLookup]:
    def parse(scope: Scope, result: Part) -> FlagLookup:
        scope.no_arguments(name)
        scope.check_result(result)
        return FlagLookup(name, result)

    return parse


def _register_parser(name: str, width: int) -> Callable[[Scope, Part], RegisterLookup]:
    def parse(scope: Scope, result: Part) -> RegisterLookup:
        scope.no_arguments(name)
        scope.check_result(result, width)
        return RegisterLookup(name, result)

    return parse


def _visit_parser(name: str) -> Callable[[Scope], Visit]:
    def parse(_scope: Scope) -> Visit:
        return Visit(name)

    return parse


STATEMENTS: Statements = {name: _visit_parser(name) for name in VISITS}
RESULTS: Results = {
    **{name: _flag_parser(name) for name in FLAG_LOOKUPS},
    **{name: _register_parser(name, answer[2]) for name, (_, answer, _) in REGISTER_LOOKUPS.items()},
}
