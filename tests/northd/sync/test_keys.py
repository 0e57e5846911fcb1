from hypothesis import given
from hypothesis import strategies as st

from pyovn.northd.sync.keys import Keys


def test_new_keys_come_after_the_last_one_given_away() -> None:
    keys: Keys[str] = Keys(4)
    assert [keys.next(name) for name in "abc"] == [1, 2, 3]
    keys.free(1, "a")
    assert keys.next("d") == 4, "1 was in use a moment ago"
    assert keys.next("e") == 1
    assert keys.next("f") is None


def test_a_key_has_one_holder() -> None:
    keys: Keys[str] = Keys(9)
    assert keys.hold(5, "a")
    assert keys.hold(5, "a")
    assert not keys.hold(5, "b")
    assert keys.take(5, "b") == "a"
    assert keys.holder(5) == "b"
    keys.free(5, "a")
    assert keys.holder(5) == "b", "it was no longer a's to give back"


def test_keys_that_are_too_large_are_not_kept() -> None:
    assert not Keys(9).hold(10, "a")


@given(
    st.lists(st.tuples(st.sampled_from(["next", "hold", "take", "free"]), st.integers(1, 6), st.sampled_from("abcd")))
)
def test_every_key_is_in_range_and_has_one_holder(steps: list[tuple[str, int, str]]) -> None:
    keys: Keys[str] = Keys(5)
    for verb, key, holder in steps:
        match verb:
            case "next":
                found = keys.next(holder)
                assert found is None or keys.holder(found) == holder
            case "hold":
                assert keys.hold(key, holder) == (key <= 5 and keys.holder(key) == holder)
            case "free":
                keys.free(key, holder)
                assert keys.holder(key) != holder
            case "take" if key <= 5:
                keys.take(key, holder)
                assert keys.holder(key) == holder
    assert all(1 <= key <= 5 for key in keys.holders())
