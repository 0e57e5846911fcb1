"""A network of ours on a database cluster of C's: members go and come, pings go on, and changes take effect."""

import asyncio
import contextlib
import tempfile
from asyncio import to_thread as away
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pyovn.lab import shims, wire
from pyovn.lab.demo import plugging
from pyovn.lab.guest import Echo, Guest
from pyovn.lab.layout import Layout
from pyovn.lab.network import Central, Lab
from pyovn.lab.service import Service
from pyovn.lab.terminal import Terminal
from tests.interop.test_cluster import nbctl
from tests.support.clusters import Cluster, cluster, relay

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120), pytest.mark.xdist_group("cluster")]

NB, SB = "OVN_Northbound", "OVN_Southbound"
FIRST, SECOND = (f"40:44:00:00:00:0{number} 192.168.0.1{number}" for number in (1, 2))
EVERY_S = 0.05
FEW = 6  #: requests that are sent in any case


class Pings:
    """Echo requests, one after the other, for as long as something else goes on."""

    def __init__(self, guest: Guest, destination: str) -> None:
        self.sent, self.lost = 0, 0
        self._progress = asyncio.Event()
        self._guest, self._destination = guest, destination

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """While something goes on, however quickly it is over: at least a few requests."""
        task, wanted = asyncio.create_task(self._run()), self.sent + FEW
        try:
            yield
            while self.sent < wanted:
                self._progress.clear()
                await self._progress.wait()
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            self.lost += await self.once(timeout_s=2.0) is None
            self._progress.set()
            await asyncio.sleep(EVERY_S)

    async def once(self, *, timeout_s: float) -> Echo | None:
        """One request, and its answer if there is one."""
        self.sent += 1
        return await self._guest.ping(self._destination, sequence=self.sent % 65536, timeout_s=timeout_s)


@contextlib.asynccontextmanager
async def network(central: Central) -> AsyncIterator[Pings]:
    """Two guests on two hypervisors that reach each other."""
    with tempfile.TemporaryDirectory(prefix="cn") as directory:
        layout = Layout(Path(directory))
        async with Lab(layout, ["hv1", "hv2"], central=central) as lab:
            shims.install(layout.bin)
            server = await wire.listen(layout.control, Service(lab, lambda: None))
            await lab.ready()
            await away(
                nbctl, central.northbound, "ls-add", "sw",
                "--", "lsp-add", "sw", "vm1", "--", "lsp-set-addresses", "vm1", FIRST,
                "--", "lsp-add", "sw", "vm2", "--", "lsp-set-addresses", "vm2", SECOND,
            )  # fmt: skip
            for number in (1, 2):
                terminal = Terminal(layout, f"hv{number}")
                for line in plugging(f"vm{number}", number):
                    await terminal.type(line)
                await lab.port_up(f"vm{number}")
            await away(nbctl, central.northbound, "--wait=hv", "sync")
            yield Pings(lab.host("hv1").machines.card("vm1").guest, "192.168.0.12")
            server.close()
            await server.wait_closed()


async def takes_effect(central: Central, pings: Pings) -> None:
    """Disable a port and enable it again: the whole way from the northbound database to both switches works."""
    await away(nbctl, central.northbound, "--wait=hv", "lsp-set-enabled", "vm2", "disabled")
    assert await pings.once(timeout_s=0.3) is None
    await away(nbctl, central.northbound, "--wait=hv", "lsp-set-enabled", "vm2", "enabled")
    assert await pings.once(timeout_s=1.0) is not None


class Loss(NamedTuple):
    """A member that goes: leader or follower for a database, killed or cut off."""

    database: str
    role: str
    kind: str

    def inflict(self, three: Cluster) -> None:
        leads = self.role == "leader"
        member = three.leader(self.database) if leads else three.followers(self.database)[0]
        if self.kind == "cut off":
            three.freeze(member)
        else:
            member.kill()


async def survives(three: Cluster, central: Central, *losses: Loss) -> None:
    """Lose members in turn, and get them back, under a network with pings going on."""
    async with network(central) as pings:
        for loss in losses:
            async with pings.going_on():
                await away(loss.inflict, three)
                await away(nbctl, central.northbound, "--wait=hv", "sync")
            await takes_effect(central, pings)
            async with pings.going_on():
                await away(three.heal)
                await away(nbctl, central.northbound, "--wait=hv", "sync")
            assert (loss, pings.lost) == (loss, 0)
        assert pings.sent > 10 * len(losses)


@pytest.fixture(scope="module")
def three():
    with cluster("ovn-nb", "ovn-sb") as running:
        yield running


@pytest.fixture(autouse=True)
def whole(three):
    yield
    three.heal()
    for database, table in ((NB, "Logical_Switch"), (SB, "Chassis_Private"), (SB, "Chassis")):
        three.leader(database).transact(database, {"op": "delete", "table": table, "where": []})


KILLED = (Loss(SB, "leader", "killed"), Loss(SB, "follower", "killed"), Loss(NB, "leader", "killed"))
CUT_OFF = (Loss(SB, "leader", "cut off"), Loss(SB, "follower", "cut off"), Loss(NB, "leader", "cut off"))


def test_pings_go_on_while_members_of_the_cluster_are_killed(three):
    asyncio.run(survives(three, Central(three.remotes(), three.remotes()), *KILLED))


def test_pings_go_on_while_members_behind_a_relay_are_killed(three):
    with relay(three.remotes(), SB) as remote:
        asyncio.run(survives(three, Central(three.remotes(), three.remotes(), remote), KILLED[0]))


@pytest.mark.soak
def test_pings_go_on_while_members_of_the_cluster_are_cut_off(three):
    asyncio.run(survives(three, Central(three.remotes(), three.remotes()), *CUT_OFF))
