"""What the stories of routing share."""

from collections.abc import Iterator

import pytest

from tests.support.routed_rig import Net, routed


@pytest.fixture(scope="session")
def net() -> Iterator[Net]:
    """The network of `routed_rig`, with our northd and controllers."""
    with routed() as found:
        yield found
