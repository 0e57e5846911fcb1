"""Our clients, tools and daemons with a cluster of three C ovsdb-servers, and with a relay, as members come and go."""

import asyncio
import contextlib
import subprocess
import sys
from asyncio import to_thread as away
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pyovn.cli.ctl.call import Call
from pyovn.cli.ctl.frame import parse, persevere
from pyovn.cli.ctl.options import chain
from pyovn.cli.ctl.program import Run
from pyovn.cli.nbctl import PROGRAM
from pyovn.cli.session import OutcomeUnknown, connect
from pyovn.ovsdb.errors import Disconnected, TransactionFailed
from pyovn.ovsdb.txn import Txn
from pyovn.runtime.ovsdb import Client
from pyovn.tables.nb import LogicalSwitch, NBGlobal
from tests.support.clusters import Cluster, cluster, eventually, relay
from tests.support.loops import asynchronous

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120), pytest.mark.xdist_group("cluster")]

NB = "OVN_Northbound"


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with cluster("ovn-nb") as three:
        yield three


@pytest.fixture
def three(running: Cluster) -> Iterator[Cluster]:
    running.leader(NB).transact(NB, {"op": "delete", "table": "Logical_Switch", "where": []})
    yield running
    running.heal()


@contextlib.asynccontextmanager
async def client(remotes: str, **options: Any) -> AsyncIterator[Client]:
    made = Client(remotes, NB, {LogicalSwitch: None, NBGlobal: None}, probe_ms=500, max_backoff_ms=500, **options)
    task = asyncio.create_task(made.run())
    try:
        await made.synced()
        yield made
    finally:
        task.cancel()
        await asyncio.wait([task])


def names(made: Client) -> set[str]:
    return {row.name for row in made.replica.rows(LogicalSwitch).values()}


async def add(made: Client, name: str) -> None:
    """Add a switch, as often as it takes; safe to repeat, because it looks first."""
    while name not in names(made):
        txn = Txn()
        txn.insert(LogicalSwitch, name=name)
        try:
            await made.transact(txn)
            await seen(made, name)
        except (Disconnected, TransactionFailed):
            await made.synced()


async def seen(made: Client, *wanted: str) -> None:
    while not {*wanted} <= names(made):
        await made.changes()


#: our ovn-nbctl, less patient with silent servers than usual
NBCTL = """
import sys
from pyovn.cli import session
from pyovn.cli.nbctl import main
session.PROBE_S = 0.5
sys.exit(main())
"""


def nbctl(remotes: str, *words: str) -> str:
    """What our ovn-nbctl prints; it must succeed."""
    command = [sys.executable, "-c", NBCTL, f"--db={remotes}", "--timeout=20", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def insert(name: str) -> dict[str, Any]:
    return {"op": "insert", "table": "Logical_Switch", "row": {"name": name}}


@asynchronous
async def test_a_client_that_wants_the_leader_finds_it(three):
    async with client(three.remotes(), leader_only=True) as made:
        assert made.remote == (await away(three.leader, NB)).remote


@asynchronous
async def test_clients_spread_over_the_members(three):
    used = set()
    for _ in range(20):
        async with client(three.remotes()) as made:
            used.add(made.remote)
    assert len(used) > 1


@asynchronous
async def test_a_client_follows_the_leadership_and_misses_nothing(three):
    async with client(three.remotes(), leader_only=True) as made:
        await add(made, "before")
        await away((await away(three.leader, NB)).kill)
        await add(made, "after")
        assert names(made) == {"before", "after"}
        assert made.generation == 1  # the new leader knew what we had seen


@asynchronous
async def test_a_client_moves_on_when_its_follower_dies(three):
    follower = (await away(three.followers, NB))[0]
    async with client(f"{follower.remote},{three.remotes()}", shuffle=False) as made:
        assert made.remote == follower.remote
        await add(made, "before")
        await away(follower.kill)
        await add(made, "after")
        assert made.remote != follower.remote
        assert made.generation == 1


@asynchronous
async def test_a_client_leaves_a_server_that_is_cut_off(three):
    leader = await away(three.leader, NB)
    async with client(three.remotes(), leader_only=True) as made:
        await away(three.freeze, leader)
        await add(made, "meanwhile")
        assert made.remote == (await away(three.leader, NB)).remote
        await away(three.thaw, leader)
        await add(made, "later")
        assert names(made) == {"meanwhile", "later"}


@asynchronous
async def test_a_client_does_not_go_back_in_time(three):
    stale, other = await away(three.followers, NB)
    leader = await away(three.leader, NB)
    async with client(",".join(each.remote for each in (leader, other, stale)), shuffle=False) as made:
        await away(three.freeze, stale)
        for number in range(5):
            await add(made, f"new{number}")
        for member in (stale, leader, other):
            await away(member.kill)
        three.frozen.clear()
        await away(stale.start)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                while True:
                    await made.changes()
                    assert len(names(made)) == 5
        assert not made.connected
        await away(leader.start)
        await made.synced()
        await add(made, "at last")
        assert len(names(made)) == 6


@asynchronous
async def test_a_transaction_without_answer_is_reported_not_repeated(three):
    leader = await away(three.leader, NB)
    async with client(three.remotes(), leader_only=True) as made:
        await away(three.freeze, leader)
        txn = Txn()
        txn.insert(LogicalSwitch, name="maybe")
        with pytest.raises(Disconnected):
            await made.transact(txn)
        await made.synced()
        await add(made, "surely")
        await away(three.thaw, leader)
        await add(made, "later")
        found = await made.select(LogicalSwitch)
        assert sorted(row.name for row in found if row.name != "maybe") == ["later", "surely"]
        assert len([row for row in found if row.name == "maybe"]) <= 1


@asynchronous
async def test_a_lock_has_one_owner_in_the_whole_cluster_of_clients_that_want_the_leader(three):
    async with (
        client(three.remotes(), leader_only=True, lock="one") as first,
        client(three.remotes(), leader_only=True, lock="one") as second,
    ):
        await asyncio.wait(
            [asyncio.ensure_future(each.locked()) for each in (first, second)], return_when=asyncio.FIRST_COMPLETED
        )
        assert first.has_lock != second.has_lock
        await away((await away(three.leader, NB)).kill)
        while not (first.connected and second.connected and (first.has_lock or second.has_lock)):
            assert not (first.has_lock and second.has_lock)
            await asyncio.sleep(0)
        assert first.has_lock != second.has_lock


@asynchronous
async def test_a_relay_shows_and_changes_the_cluster(three):
    with contextlib.ExitStack() as stack:
        remote = await away(stack.enter_context, relay(three.remotes(), NB))
        async with client(remote, leader_only=True) as made:
            await add(made, "through the relay")
            await away((await away(three.leader, NB)).kill)
            await add(made, "through the relay, too")
            assert "too" in await away(nbctl, remote, "ls-list")


def test_nbctl_finds_the_leader(three):
    assert nbctl(three.remotes(), "ls-add", "a") == ""
    assert nbctl(three.leader(NB).remote, "get", "logical_switch", "a", "name") == "a\n"


def test_nbctl_takes_any_member_where_the_leader_is_not_asked_for(three):
    follower = three.followers(NB)[0]
    assert nbctl(follower.remote, "--no-leader-only", "ls-add", "a") == ""
    assert nbctl(three.remotes(), "get", "logical_switch", "a", "name") == "a\n"


def test_nbctl_waits_for_a_new_leader(three):
    three.leader(NB).kill()
    assert nbctl(three.remotes(), "ls-add", "a") == ""


def test_nbctl_passes_a_server_by_that_is_cut_off(three):
    leader = three.leader(NB)
    three.freeze(leader)
    others = ",".join(each.remote for each in three.members if each is not leader)
    assert nbctl(f"{leader.remote},{others}", "--no-shuffle-remotes", "ls-add", "a") == ""


def test_nbctl_goes_on_waiting_with_another_member(three):
    leader = three.leader(NB)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(nbctl, three.remotes(), "--wait=sb", "ls-add", "a")
        select = {"op": "select", "table": "NB_Global", "where": [], "columns": ["nb_cfg", "sb_cfg"]}
        eventually(lambda: [row for row in leader.transact(NB, select)[0]["rows"] if row["nb_cfg"] > row["sb_cfg"]])
        leader.kill()
        assert not waiting.done()
        three.leader(NB).transact(NB, {"op": "update", "table": "NB_Global", "where": [], "row": {"sb_cfg": 10**6}})
        assert waiting.result(20) == ""
    three.leader(NB).transact(NB, {"op": "update", "table": "NB_Global", "where": [], "row": {"nb_cfg": 10**6}})
    assert nbctl(three.remotes(), "--bare", "--columns=name", "find", "logical_switch", "name=a") == "a\n"


def test_nbctl_begins_again_where_its_member_dies_before_the_transaction(three):
    job = adding(three, "a")
    three.leader(NB).kill()
    assert persevere(job, job.load, job.go) == ""
    job.session.close()
    assert nbctl(three.remotes(), "--bare", "--columns=name", "find", "logical_switch", "name=a") == "a\n"


def test_nbctl_does_not_repeat_a_transaction_whose_answer_is_lost(three, monkeypatch):
    monkeypatch.setattr("pyovn.cli.session.PROBE_S", 0.3)
    job = adding(three, "a")
    job.load()
    three.freeze(three.leader(NB))
    with pytest.raises(OutcomeUnknown, match="whether the transaction was committed is not known"):
        persevere(job, job.go)
    job.session.close()


def adding(three: Cluster, name: str) -> Run:
    """A run of ovn-nbctl that is going to add a switch, connected to the leader."""
    _, _, words = parse(PROGRAM, ["ls-add", name])
    calls = [Call(*each) for each in chain([], words, PROGRAM.find)]
    return Run(PROGRAM, connect(three.remotes(), NB), {"--db": three.remotes()}, calls)
