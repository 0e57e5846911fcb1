"""A gateway fails, another takes over, and the first comes back: on real Open vSwitch, with our controllers."""

import pytest

from tests.support.failover import MISHAPS, ordeal

pytestmark = [pytest.mark.system, pytest.mark.timeout(120), pytest.mark.xdist_group("l3")]


@pytest.fixture(scope="module", autouse=True)
def quick_bfd(net):
    """Losses are noticed after about a second."""
    net.type("set NB_Global . options:bfd-min-rx=300 options:bfd-min-tx=300 options:bfd-mult=3")
    yield
    net.type("remove NB_Global . options bfd-min-rx bfd-min-tx bfd-mult")


@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda mishap: mishap.name)
def test_guests_and_the_world_reach_each_other_again_after(net, mishap):
    ordeal(net, mishap)
    assert net["a2"].ping("fd16::fe") == (3, 3)
