"""What the comparisons with the C northd share."""

from collections.abc import Iterator

import pytest

from tests.northd.oracle import Oracle, oracle


@pytest.fixture(scope="module")
def c() -> Iterator[Oracle]:
    """The C northd, with two chassis."""
    with oracle() as running:
        running.add_chassis("ch1", "ch2")
        yield running
