"""The stories of gateways with C programs in the place of some of our parts, on our switches."""

import pytest

from pyovn.lab.foreign import Parts
from tests.scenario.gateways import NODES, gateways_take_over, guests_reach_the_world
from tests.support.c_programs import need

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]


def mixture(*, northd=False, controllers=()):
    """C programs of the version that ours speak, where these words say so."""
    program = need("ovn-controller", "26.03")
    return Parts(need("ovn-northd", "26.03") if northd else None, dict.fromkeys(controllers, program))


def test_guests_reach_the_world_under_c_controllers():
    guests_reach_the_world(mixture(controllers=NODES))


def test_guests_reach_the_world_under_the_c_northd():
    guests_reach_the_world(mixture(northd=True))


def test_c_gateways_and_ours_take_over_from_each_other():
    gaps = gateways_take_over(mixture(controllers=("gw1", "worker2")))
    assert max(gaps.values()) < 10
