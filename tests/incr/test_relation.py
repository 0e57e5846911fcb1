from pyovn.incr.relation import Bag


def test_a_pair_that_one_unit_gives_twice_goes_with_it() -> None:
    facts = Bag[str, int]("bag").facts()
    facts.replace("unit", None, (("key", 1), ("key", 1)))
    facts.replace("unit", (("key", 1), ("key", 1)), ())
    assert "key" not in facts
