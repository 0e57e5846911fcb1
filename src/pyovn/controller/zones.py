"""Conntrack zones: a number for every user that needs its own connections.

    user      a bound logical port, or `<datapath>_dnat` and `<datapath>_snat` of a local datapath
    kept in   external_ids of the bridge, `ct-zone-<user>`, so that a restart does not cut connections

A number given to a new user may still hold connections of its last one: it is flushed first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "ct-zone-"


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who has which zone, and what changed on the way there."""

    zones: Mapping[str, int]
    #: to be emptied before they are used
    flush: tuple[int, ...] = ()
    #: users that got none, because the range is used up
    starved: tuple[str, ...] = ()


def remembered(external_ids: Mapping[str, str]) -> dict[str, int]:
    """The zones that a bridge's external_ids record."""
    found = {
        key.removeprefix(PREFIX): int(value)
        for key, value in external_ids.items()
        if key.startswith(PREFIX) and value.isdecimal()
    }
    return {user: zone for user, zone in found.items() if 0 < zone <= 0xFFFF}


def allocate(
    users: Iterable[str], have: Mapping[str, int], allowed: range, requested: Mapping[str, int] | None = None
) -> Allocation:
    """Zones for exactly these users: old ones keep theirs, requested numbers win, others take the lowest free."""
    demanded = requested or {}
    wanted = sorted(set(users) | demanded.keys())
    taken_by_demand = set(demanded.values())
    zones: dict[str, int] = {}
    used = set(taken_by_demand)
    for user in wanted:
        zone = demanded.get(user)
        if zone is None:
            zone = have.get(user)
            if zone is None or zone in used or zone not in allowed:
                continue
            used.add(zone)
        zones[user] = zone
    free = (zone for zone in allowed if zone not in used)
    starved: list[str] = []
    for user in wanted:
        if user not in zones:
            zone = next(free, None)
            if zone is None:
                starved.append(user)
            else:
                zones[user] = zone
    flush = tuple(sorted({zone for user, zone in zones.items() if have.get(user) != zone}))
    return Allocation(zones, flush, tuple(starved))


def record(zones: Mapping[str, int], external_ids: Mapping[str, str]) -> dict[str, str | None]:
    """The external_ids that remember `zones` where they do not yet, and None for what must be forgotten."""
    wanted: dict[str, str | None] = {PREFIX + user: str(zone) for user, zone in zones.items()}
    stale = dict.fromkeys(key for key in external_ids.keys() - wanted.keys() if key.startswith(PREFIX))
    return stale if wanted.items() <= external_ids.items() else {**wanted, **stale}
