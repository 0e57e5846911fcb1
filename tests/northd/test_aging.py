"""Which learned entries are too old."""

from typing import Any

import pytest

from pyovn.net.uuids import Uuid
from pyovn.northd.aging import NEIGHBOURS, Ages, expired, pause_s
from pyovn.northd.model.aging import Thresholds, age_of, shortest, thresholds

ROUTER = "00000000-0000-0000-0000-00000000000a"


def neighbour(number: int, ip: str, seconds: int, router: str = ROUTER) -> dict[str, Any]:
    uuid = f"00000000-0000-0000-0000-{number:012x}"
    return {"_uuid": ["uuid", uuid], "datapath": ["uuid", router], "ip": ip, "timestamp": seconds * 1000}


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        ("", {"10.0.0.1": 0}),
        ("60", {"10.0.0.1": 60, "fd00::1": 60}),
        ("10.0.0.0/8:30;60", {"10.0.0.1": 30, "11.0.0.1": 60}),
        ("10.0.0.0/8:30;10.1.0.0/16:0;fd00::/64:5", {"10.0.0.1": 30, "10.1.0.1": 0, "fd00::1": 5, "1.1.1.1": 0}),
        ("nonsense", {"10.0.0.1": 0}),
        ("10.0.0.0/99:3;60", {"10.0.0.1": 0}),
    ],
)
def test_the_longest_prefix_says_how_old_a_neighbour_may_be(text: str, ages: dict[str, int]) -> None:
    found = thresholds(text)
    assert {ip: age_of(found, ip) for ip in ages} == ages


def test_the_shortest_age_is_not_the_one_that_means_for_ever() -> None:
    assert shortest(thresholds("10.0.0.0/8:0;10.1.0.0/16:7;60")) == 7
    assert shortest(thresholds("0")) == 0


def test_the_oldest_go_first_and_no_more_than_allowed() -> None:
    ages = Ages(NEIGHBOURS, {ROUTER: thresholds("10.0.0.0/8:30;60")})
    now = 1000
    rows = [
        neighbour(1, "10.0.0.1", now - 31),
        neighbour(2, "11.0.0.1", now - 59),
        neighbour(3, "11.0.0.2", now - 61),
        neighbour(4, "10.0.0.2", now - 500, router="elsewhere"),
    ]
    gone = [Uuid(rows[index]["_uuid"][1]) for index in (2, 0)]
    assert list(expired(ages, rows, now * 1000, 0)) == gone
    assert list(expired(ages, rows, now * 1000, 1)) == gone[:1]
    assert ages.where(now * 1000)[1] == ["timestamp", "<=", (now - 30) * 1000]


def test_rounds_follow_the_shortest_age() -> None:
    assert pause_s([]) == 5
    assert pause_s([Ages(NEIGHBOURS, {ROUTER: Thresholds((), 8)})]) == 2
    assert pause_s([Ages(NEIGHBOURS, {ROUTER: Thresholds((), 400)})]) == 5
    assert pause_s([Ages(NEIGHBOURS, {ROUTER: Thresholds((), 1)})]) == 1
