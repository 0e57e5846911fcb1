"""Guests that flood the control plane: what exceeds the meters of a Copp is dropped, and the rest works; no root."""

import asyncio
import re

import pytest

from pyovn.lab.guest import Guest
from pyovn.net.ip import ip4_int
from pyovn.packet import arp
from tests.interop.test_routed_network import NETWORK, plugging
from tests.scenario.test_l2_stories import lab

pytestmark = pytest.mark.timeout(120)

RATE, FLOOD = 5, 100
PROTECTION = (
    f"ovn-nbctl meter-add slow drop {RATE} pktps -- meter-add few drop {RATE} pktps",
    "ovn-nbctl copp-add cp arp slow -- copp-add cp icmp4-error few -- lr-copp-add cp r",
)
SYNC = "ovn-nbctl --timeout=20 --wait=hv sync"
PING = "ip netns exec vm1 ping -c1 10.0.2.11"


def flood(vm1: Guest) -> None:
    """Neighbours that come, and packets that no router may forward, as many of each as there are in the flood."""
    first, far = ip4_int("10.0.1.100"), (4, ip4_int("10.0.2.11"))
    vm1.send([arp.gratuitous(vm1.host.mac, first + number) for number in range(FLOOD)])
    vm1.send([frame for number in range(FLOOD) for frame in vm1.host.ping(far, 77, number, 56, vm1.now(), ttl=1)])


def test_a_flood_is_limited_and_the_rest_works():
    async def story():
        async with lab("hv1", "hv2") as (network, type_on):
            await type_on("hv1", *NETWORK, *PROTECTION, *plugging("vm1", 1))
            await type_on("hv2", *plugging("vm2", 2))
            await type_on("hv1", SYNC)
            assert "1 received" in await type_on("hv1", PING)
            (vm1,) = [machines.cards["vm1"].guest for machines in network.everywhere() if "vm1" in machines.cards]
            counters = vm1.host.counters

            async def learned() -> int:
                return len((await type_on("hv1", "ovn-sbctl --bare --columns=ip list MAC_Binding")).split())

            known, received = await learned(), counters["received"]
            flood(vm1)
            assert "1 received" in await type_on("hv1", PING)
            statistics = await type_on("hv1", "ovs-ofctl -O OpenFlow15 meter-stats br-int")
            dropped = [int(count) for count in re.findall(r"0: packet_count:(\d+)", statistics)]
            assert [FLOOD / 2 < count < FLOOD for count in dropped] == [True, True]
            assert await learned() < known + FLOOD / 2
            assert 1 < counters["received"] - received < FLOOD / 2

            await type_on("hv1", "ovn-nbctl clear Logical_Router r copp", SYNC)
            received = counters["received"]
            flood(vm1)
            async with asyncio.timeout(20):
                while await learned() < known + FLOOD or counters["received"] < received + FLOOD:
                    await asyncio.sleep(0.05)

    asyncio.run(story())
