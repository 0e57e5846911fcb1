"""ACLs as the rules see them.

An ACL is on the switches that list it, and on those that have a port in a group that lists it.  What a switch needs to
know about its ACLs as a whole is in `Kind`; most of a thousand ACLs are of one of a few kinds.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pyovn.northd.model.port import quoted
from pyovn.northd.pipeline import STAGE, Stage
from pyovn.tables.nb import ACL

FROM, AFTER, TO = range(3)  #: where an ACL is judged: when a packet enters, after load balancing, when it leaves
EVALUATE = (STAGE["ls_in_acl_eval"], STAGE["ls_in_acl_after_lb_eval"], STAGE["ls_out_acl_eval"])
RELATED = "allow-related"
MOST_NUMBERS = 32767  #: of ACL_ID.id
ALLOWING = frozenset(("allow", RELATED))


class Kind(NamedTuple):
    """What about an ACL matters to its switch as a whole."""

    place: int  #: FROM, AFTER or TO
    tier: int
    related: bool  #: it wants connections tracked


class Acl(NamedTuple):
    """What decides about the flows of an ACL."""

    place: int
    priority: int
    match: str
    action: str
    tier: int
    label: int
    log: str  #: the action that logs; empty where nothing is logged
    follows_replies: bool  #: `options:log-related`
    number: int  #: by which its connections are known, with `options:persist-established`; else 0

    @property
    def stage(self) -> Stage:
        """Where it is judged."""
        return EVALUATE[self.place]


def place(row: ACL) -> int:
    """Where an ACL is judged."""
    if row.direction == "to-lport":
        return TO
    return AFTER if row.options.get("apply-after-lb") == "true" else FROM


def kind(row: ACL) -> Kind:
    """What matters to the switch."""
    return Kind(place(row), row.tier, row.action == RELATED)


def persists(row: ACL) -> bool:
    """Do its connections live on when the ACLs change?"""
    return row.action == RELATED and row.options.get("persist-established") == "true"


def acl(row: ACL, meter: str | None, number: int) -> Acl:
    """The view of an ACL; `meter` limits its log messages."""
    return Acl(
        place=place(row),
        priority=row.priority,
        match=row.match,
        action=row.action,
        tier=row.tier,
        label=row.label,
        log="".join(logging(row, meter)) if row.log else "",
        follows_replies=row.options.get("log-related") == "true",
        number=number,
    )


def problems(row: ACL) -> Iterator[str]:
    """What an ACL asks for that is not carried out."""
    said = f"ACL of priority {row.priority}, {row.direction}, {row.match}"
    if row.sample_new or row.sample_est:
        yield f"{said}: sampling is not supported and has no effect"
    if row.network_function_group:
        yield f"{said}: network functions are not supported and have no effect"


def logging(row: ACL, meter: str | None) -> Iterator[str]:
    """The action that logs a packet."""
    yield "log("
    if row.name:
        yield f"name={quoted(row.name)}, "
    yield f"severity={row.severity or 'info'}, "
    yield f"verdict={'allow' if row.action.startswith('allow') else row.action}"
    if meter:
        yield f", meter={quoted(meter)}"
    yield "); "
