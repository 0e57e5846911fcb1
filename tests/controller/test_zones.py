from hypothesis import given
from hypothesis import strategies as st

from pyovn.controller.zones import allocate, record, remembered

USERS = st.sets(st.sampled_from([f"p{number}" for number in range(12)]))
HAVE = st.dictionaries(st.sampled_from([f"p{number}" for number in range(12)]), st.integers(1, 15))
ALLOWED = range(1, 11)


@given(USERS, HAVE, st.dictionaries(st.sampled_from(["p1", "r_snat"]), st.integers(1, 15)))
def test_everybody_gets_a_zone_of_their_own_or_is_told(users, have, requested):
    given_zones = allocate(users, have, ALLOWED, requested)
    wanted = users | requested.keys()
    assert given_zones.zones.keys() | set(given_zones.starved) == wanted
    free = [zone for user, zone in given_zones.zones.items() if user not in requested]
    assert len(free) == len(set(free))
    assert set(free).isdisjoint(requested.values())
    assert set(free) <= set(ALLOWED)


@given(USERS, HAVE)
def test_a_second_round_changes_nothing(users, have):
    first = allocate(users, have, ALLOWED).zones
    again = allocate(users, first, ALLOWED)
    assert again.zones == first
    assert again.flush == ()


def test_old_users_keep_their_zone_and_new_ones_get_the_lowest_free():
    found = allocate(["a", "b", "c"], {"b": 2}, ALLOWED)
    assert found.zones == {"a": 1, "b": 2, "c": 3}
    assert found.flush == (1, 3)


def test_a_demanded_zone_evicts_whoever_has_it():
    found = allocate(["a"], {"a": 5}, ALLOWED, {"r_snat": 5})
    assert found.zones == {"a": 1, "r_snat": 5}


def test_when_the_range_is_used_up_somebody_starves():
    assert allocate(["a", "b"], {}, range(1, 2)).starved == ("b",)


def test_what_is_recorded_is_remembered():
    zones = {"p1": 3, "sw0_dnat": 4}
    ids = {key: value for key, value in record(zones, {}).items() if value is not None}
    assert remembered({**ids, "other": "1", "ct-zone-x": "70000"}) == zones
    assert record({}, {"ct-zone-p1": "3", "other": "1"}) == {"ct-zone-p1": None}
