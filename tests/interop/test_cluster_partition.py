"""A cluster whose network is parted: members that cannot see the others still answer clients, and must not mislead."""

import asyncio
import contextlib
from asyncio import timeout
from asyncio import to_thread as away
from collections.abc import Iterator

import pytest

from pyovn.lab.network import Central
from pyovn.ovsdb.errors import Disconnected
from pyovn.ovsdb.txn import Txn
from pyovn.tables.nb import LogicalSwitch
from tests.interop.test_cluster import NB, add, client, names, nbctl, seen
from tests.interop.test_cluster_network import SB, network, takes_effect
from tests.support.clusters import Cluster, Member, Wires, cluster, eventually
from tests.support.loops import asynchronous
from tests.support.netns import require

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120), pytest.mark.xdist_group("cluster")]


@pytest.fixture(scope="module")
def parted() -> Iterator[Cluster]:
    require()
    with Wires() as wires, cluster("ovn-nb", "ovn-sb", wires=wires) as running:
        yield running


@pytest.fixture
def three(parted: Cluster) -> Iterator[Cluster]:
    parted.leader(NB).transact(NB, {"op": "delete", "table": "Logical_Switch", "where": []})
    yield parted
    parted.heal()
    for table in ("Chassis_Private", "Chassis"):
        parted.leader(SB).transact(SB, {"op": "delete", "table": table, "where": []})


def notices(member: Member) -> None:
    """Wait until a member that was cut off knows that it is."""
    eventually(lambda: not member.follows(NB))


@asynchronous
async def test_a_client_leaves_a_leader_that_lost_its_followers(three: Cluster) -> None:
    leader = await away(three.leader, NB)
    async with client(three.remotes(), leader_only=True) as made:
        await add(made, "before")
        await away(three.cut, leader)
        await add(made, "meanwhile")
        assert made.remote != leader.remote
        await away(three.heal)
        await add(made, "later")
        assert names(made) == {"before", "meanwhile", "later"}


@asynchronous
async def test_a_transaction_that_only_a_lost_leader_knows_is_not_repeated(three: Cluster) -> None:
    leader = await away(three.leader, NB)
    async with client(three.remotes(), leader_only=True) as made:
        await away(three.cut, leader)
        txn = Txn()
        txn.insert(LogicalSwitch, name="maybe")
        with pytest.raises(Disconnected):
            await made.transact(txn)
        await add(made, "surely")
        assert names(made) == {"surely"}  # its only copy was in the log of the leader of old
        await away(three.heal)
        await add(made, "later")
        assert names(made) == {"surely", "later"}


@asynchronous
async def test_a_client_leaves_a_follower_that_lost_its_leader(three: Cluster) -> None:
    follower = (await away(three.followers, NB))[0]
    async with client(f"{follower.remote},{three.remotes()}", shuffle=False) as made:
        assert made.remote == follower.remote
        await away(three.cut, follower)
        await away(nbctl, (await away(three.leader, NB)).remote, "ls-add", "meanwhile")
        await seen(made, "meanwhile")
        assert made.remote != follower.remote


@asynchronous
async def test_a_member_that_was_cut_off_shows_nothing_old(three: Cluster) -> None:
    stale, other = await away(three.followers, NB)
    leader = await away(three.leader, NB)
    async with client(",".join(each.remote for each in (leader, other, stale)), shuffle=False) as made:
        await away(three.cut, stale)
        await add(made, "new")
        for member in (leader, other):
            await away(member.kill)
        with contextlib.suppress(TimeoutError):
            async with timeout(1.5):
                while True:
                    await made.changes()
                    assert names(made) == {"new"}
        assert not made.connected
        await away(three.heal)
        await made.synced()
        assert names(made) == {"new"}


def test_nbctl_passes_members_by_that_are_cut_off(three: Cluster) -> None:
    leader = three.leader(NB)
    three.cut(leader)
    notices(leader)
    others = ",".join(each.remote for each in three.members if each is not leader)
    assert nbctl(f"{leader.remote},{others}", "--no-shuffle-remotes", "ls-add", "a") == ""
    three.heal()
    assert nbctl(three.remotes(), "--bare", "--columns=name", "find", "logical_switch", "name=a") == "a\n"


@pytest.mark.parametrize(("database", "role"), [(SB, "leader"), (SB, "follower"), (NB, "leader")])
def test_pings_go_on_while_members_are_parted(three: Cluster, database: str, role: str) -> None:
    async def play() -> None:
        central = Central(three.remotes(), three.remotes())
        async with network(central) as pings:
            member = three.leader(database) if role == "leader" else three.followers(database)[0]
            async with pings.going_on():
                await away(three.cut, member)
                await away(nbctl, central.northbound, "--wait=hv", "sync")
            await takes_effect(central, pings)
            async with pings.going_on():
                await away(three.heal)
                await away(nbctl, central.northbound, "--wait=hv", "sync")
            assert pings.lost == 0
            assert pings.sent > 10

    asyncio.run(play())
