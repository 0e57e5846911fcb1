from hypothesis import given
from hypothesis import strategies as st

from pyovn.incr.relation import Bag, Inverse, Named, Sets, Single


def test_a_single_has_the_value_of_its_unit() -> None:
    facts = Single[str, int]("single").facts()
    assert list(facts.replace("u", None, 3)) == ["u"]
    assert (facts.get("u"), facts.get("v"), list(facts)) == (3, None, ["u"])
    assert list(facts.replace("u", 3, None)) == ["u"]
    assert "u" not in facts


def test_a_bag_names_only_keys_whose_values_changed() -> None:
    facts = Bag[str, int]("bag").facts()
    facts.replace("u", None, [("k", 2), ("k", 1)])
    assert facts.get("k") == (1, 2)
    assert list(facts.replace("v", None, [("k", 1)])) == [], "it was there already"
    assert list(facts.replace("u", [("k", 2), ("k", 1)], [("k", 2)])) == [], "another unit gives it still"
    assert list(facts.replace("v", [("k", 1)], None)) == ["k"]
    assert facts.get("k") == (2,)


def test_the_first_unit_counts_where_several_name_a_key() -> None:
    facts = Named[str, str]("named").facts()
    facts.replace("u2", None, [("k", "second")])
    assert facts.get("k") == "second"
    assert list(facts.replace("u1", None, [("k", "first")])) == ["k"]
    assert facts.get("k") == "first"
    assert list(facts.replace("u2", [("k", "second")], [("k", "other")])) == []
    assert list(facts.replace("u1", [("k", "first")], None)) == ["k"]
    assert facts.get("k") == "other"
    assert list(facts.replace("u2", [("k", "other")], None)) == ["k"]
    assert "k" not in facts


def test_sets_are_bags_that_nobody_sorts() -> None:
    facts = Sets[str, int]("sets").facts()
    assert list(facts.replace("u", None, [("k", 2), ("k", 1)])) == ["k"]
    assert facts.get("k") == {1, 2}
    assert list(facts.replace("v", None, [("k", 1)])) == []
    assert list(facts.replace("u", [("k", 2), ("k", 1)], None)) == ["k"]
    assert (facts.get("k"), facts.get("other"), list(facts)) == ({1}, frozenset(), ["k"])


def test_an_inverse_tells_who_names_a_key() -> None:
    facts = Inverse[str, str]("inverse").facts()
    assert set(facts.replace("v", None, frozenset("ab"))) == {"a", "b"}
    assert list(facts.replace("u", None, frozenset("a"))) == ["a"]
    assert (facts.get("a"), facts.get("b"), facts.get("c")) == (("u", "v"), ("v",), ())
    assert set(facts.replace("v", frozenset("ab"), frozenset("bc"))) == {"a", "c"}, "b stays as it was"
    assert list(facts.replace("u", frozenset("a"), None)) == ["a"]
    assert set(facts) == {"b", "c"}
    assert "a" not in facts


pairs = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 3), max_size=3).map(lambda found: tuple(found.items()))
histories = st.lists(st.tuples(st.sampled_from("abc"), pairs), max_size=12)


@given(histories)
def test_named_facts_do_not_depend_on_history(history: list[tuple[str, tuple[tuple[str, int], ...]]]) -> None:
    facts = Named[str, int]("named").facts()
    given_: dict[str, tuple[tuple[str, int], ...]] = {}
    for unit, pairs in history:
        before = {key: facts.get(key) for key in "xyz"}
        touched = set(facts.replace(unit, given_.get(unit), pairs))
        given_[unit] = pairs
        after = {key: facts.get(key) for key in "xyz"}
        assert {key for key in "xyz" if before[key] != after[key]} <= touched
        for key in "xyz":
            values = [dict(given_[each])[key] for each in sorted(given_) if key in dict(given_[each])]
            assert facts.get(key) == (values[0] if values else None)
