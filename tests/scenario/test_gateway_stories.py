"""External connectivity as in the deployment stories, all our own: see `gateways`; with C parts: `tests/interop`."""

import pytest

from tests.scenario.gateways import gateways_take_over, guests_reach_the_world

pytestmark = pytest.mark.timeout(180)


def test_floating_ips_and_snat_through_gateways():
    guests_reach_the_world()


def test_gateways_take_over_from_each_other():
    gaps = gateways_take_over()
    assert max(gaps.values()) < 10
    assert gaps["the other's controller is killed"] < 1.5, "flows stay without a controller"
