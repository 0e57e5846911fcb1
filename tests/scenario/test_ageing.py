"""What is learned of a neighbour stays as long as the neighbour is heard: all parts ours, without root."""

import asyncio

import pytest

from tests.interop.test_routed_network import NETWORK, plugging
from tests.scenario.test_l2_stories import lab

pytestmark = pytest.mark.timeout(120)


def test_a_neighbour_that_talks_is_known_for_longer():
    async def story():
        async with lab("hv1", "hv2") as (_, type_on), asyncio.timeout(90):
            old = "ovn-nbctl set Logical_Router r options:mac_binding_age_threshold=4"
            await type_on("hv1", *NETWORK, old, *plugging("vm1", 1))
            await type_on("hv2", *plugging("vm2", 2))
            await type_on("hv1", "ovn-nbctl --timeout=20 --wait=hv sync")
            assert "1 received" in await type_on("hv1", "ip netns exec vm1 ping -c1 10.0.2.11")
            asked = "ovn-sbctl --bare --columns=timestamp find MAC_Binding logical_port=r-two ip=10.0.2.11"
            learned = int(await type_on("hv1", asked))
            assert "received" in await type_on("hv1", "ip netns exec vm1 ping -c10 -i0.3 10.0.2.11")
            assert int(await type_on("hv1", asked)) > learned

    asyncio.run(story())
