"""Passing fields to OpenFlow tables and services, which expect them in fixed places.

get_arp(inport, arp.spa)   wants reg15 and reg0 to hold the arguments while table 66 is searched:
push reg15, push reg0, push arp_spa, push reg14, pop reg15, pop reg0, …, pop reg0, pop reg15
"""

from collections.abc import Iterable, Sequence

from pyovn.lang.actions.env import Out
from pyovn.lang.actions.place import place, pop, push
from pyovn.lang.match.parse import Part
from pyovn.openflow.actions import Action, Move, SetField, Subfield

#: the argument, and the place where it is wanted
Argument = tuple[Part, Subfield]


def with_arguments(out: Out, arguments: Sequence[Argument], body: Iterable[Action]) -> None:
    """`body`, run with every argument in its place; afterwards the places are as before."""
    out += entering(arguments)
    out += body
    out += leaving(arguments)


def entering(arguments: Sequence[Argument]) -> list[Action]:
    """Save the places and put the arguments there."""
    displaced = _displaced(arguments)
    saved: list[Action] = [push(wanted) for _, wanted in displaced]
    fetched = [push(have) for have, _ in reversed(displaced)]
    return [*saved, *fetched, *(pop(wanted) for _, wanted in displaced)]


def leaving(arguments: Sequence[Argument]) -> list[Action]:
    """Restore the places."""
    return [pop(wanted) for _, wanted in reversed(_displaced(arguments))]


def _displaced(arguments: Sequence[Argument]) -> list[tuple[Subfield, Subfield]]:
    """(where it is, where it is wanted) of those that are not in place already."""
    found = [(place(part), wanted) for part, wanted in arguments]
    return [(have, wanted) for have, wanted in found if have != wanted]


def copy(src: Subfield, dst: Subfield) -> Move:
    """The action that copies one place to another of the same width."""
    return Move(src[0], src[1], dst[0], dst[1], dst[2])


def clear(where: Subfield) -> SetField:
    """The action that writes zero there."""
    field, low, width = where
    return SetField(field, 0, ((1 << width) - 1) << low)
