"""What the switch counted, as it tells it."""

from pyovn.vswitch.statistics import age


def test_ages_are_told_to_the_millisecond():
    assert age(10.0, 11.216024345) == 1.216
    assert age(10.0, 10.0) == 0.0


def test_a_clock_that_went_back_makes_no_negative_age():
    assert age(10.0, 9.0) == 0.0
