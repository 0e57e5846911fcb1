"""The ovn-northd daemon on real connections."""

import asyncio
import contextlib
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyovn.daemons.northd import Northd, commands
from pyovn.ovsdb.txn import Txn
from pyovn.runtime.ovsdb import Client
from pyovn.tables import nb, sb
from tests.support.c_programs import need
from tests.support.loops import asynchronous
from tests.support.servers import EmbeddedServer, c_server_process, embedded_server, upstream_schema

SCHEMAS = upstream_schema("ovn-nb"), upstream_schema("ovn-sb")


class Central:
    """Databases, a client of each, and as many northds as a test wants."""

    def __init__(self, server: EmbeddedServer, group: asyncio.TaskGroup) -> None:
        self.remote = server.remote
        self.group = group
        self.nb = Client(self.remote, "OVN_Northbound", dict.fromkeys(nb.NORTHBOUND.tables))
        self.sb = Client(self.remote, "OVN_Southbound", dict.fromkeys(sb.SOUTHBOUND.tables))
        self.tasks: list[asyncio.Task[None]] = []
        for client in (self.nb, self.sb):
            self.tasks.append(group.create_task(client.run()))

    def northd(self, **options: Any) -> Northd:
        """One more northd."""
        northd = Northd(self.remote, self.remote, **options)
        self.tasks.append(self.group.create_task(northd.run()))
        return northd

    async def wait(self) -> None:
        """Like `ovn-nbctl --wait=sb sync`."""
        (row,) = self.nb.replica.rows(nb.NBGlobal).values()
        txn = Txn()
        txn.mutate(row, "nb_cfg", "+=", 1)
        await self.nb.transact(txn)
        await until(
            self.nb, lambda: all(r.nb_cfg == r.sb_cfg > row.nb_cfg for r in self.nb.replica.rows(nb.NBGlobal).values())
        )

    def flows(self) -> list[tuple[Any, ...]]:
        """What the southbound database's flows say."""
        rows = self.sb.replica.rows(sb.LogicalFlow).values()
        return sorted((row.pipeline, row.table_id, row.priority, row.match, row.actions) for row in rows)


async def until(client: Client, holds: Callable[[], bool]) -> None:
    """Wait until the replica of a client is as it should be."""
    while not holds():
        await client.changes()


@contextlib.asynccontextmanager
async def central() -> AsyncIterator[Central]:
    """Running databases."""
    async with embedded_server(None, *SCHEMAS, in_memory=True) as server, asyncio.TaskGroup() as group:
        found = Central(server, group)
        await found.nb.synced()
        await found.sb.synced()
        yield found
        for task in found.tasks:
            task.cancel()


async def started(at: Central, **options: Any) -> Northd:
    """A northd that is at work, on a switch with two ports."""
    northd = at.northd(**options)
    await until(at.nb, lambda: bool(at.nb.replica.rows(nb.NBGlobal)))
    txn = Txn()
    ports = [txn.insert(nb.LogicalSwitchPort, name=name, addresses=frozenset(["unknown"])) for name in ("a", "b")]
    txn.insert(nb.LogicalSwitch, name="s", ports=frozenset(ports))
    await at.nb.transact(txn)
    await at.wait()
    return northd


@asynchronous
async def test_what_is_northbound_comes_southbound(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with central() as at:
        await started(at)
        await until(at.sb, lambda: len(at.sb.replica.rows(sb.PortBinding)) == 2)
        assert len(at.flows()) > 90
        (row,) = at.nb.replica.rows(nb.NBGlobal).values()
        assert row.sb_cfg_timestamp >= row.nb_cfg_timestamp > 0
    assert [record.message for record in caplog.records if record.levelno > logging.INFO] == []


@asynchronous
async def test_flows_that_others_touch_are_put_right() -> None:
    async with central() as at:
        await started(at)
        before = at.flows()
        first, second = list(at.sb.replica.rows(sb.LogicalFlow).values())[:2]
        txn = Txn()
        txn.delete(first)
        txn.update(second, actions="drop;")
        (datapath,) = at.sb.replica.rows(sb.DatapathBinding)
        stray = {"logical_datapath": datapath, "pipeline": "ingress", "match": "stray"}
        txn.insert(sb.LogicalFlow, **stray, external_ids={"stage-name": "ls_in_qos"})
        await at.sb.transact(txn)
        await until(at.sb, lambda: at.flows() == before)


@asynchronous
async def test_what_was_learned_and_not_used_is_forgotten() -> None:
    async with central() as at:
        await started(at)
        txn = Txn()
        txn.insert(nb.LogicalRouter, name="r", options={"mac_binding_age_threshold": "10.0.0.0/8:1"})
        (switch,) = at.nb.replica.rows(nb.LogicalSwitch).values()
        txn.update(switch, other_config={"fdb_age_threshold": "1"})
        await at.nb.transact(txn)
        await at.wait()
        await until(at.sb, lambda: len(at.sb.replica.rows(sb.DatapathBinding)) == 2)
        datapaths = {row.external_ids["name"]: row for row in at.sb.replica.rows(sb.DatapathBinding).values()}
        long_ago, later = 1000, 1 << 50
        txn = Txn()
        for ip, timestamp in (("10.0.0.1", long_ago), ("10.0.0.2", later), ("11.0.0.1", long_ago), ("10.0.0.3", 0)):
            txn.insert(sb.MACBinding, logical_port="p", ip=ip, timestamp=timestamp, datapath=datapaths["r"].uuid)
        for mac, timestamp in (("0a:00:00:00:00:01", long_ago), ("0a:00:00:00:00:02", later)):
            txn.insert(sb.FDB, mac=mac, timestamp=timestamp, dp_key=datapaths["s"].tunnel_key, port_key=1)
        await at.sb.transact(txn)
        await until(at.sb, lambda: len(at.sb.replica.rows(sb.FDB)) == 1)
        await until(at.sb, lambda: len(at.sb.replica.rows(sb.MACBinding)) == 3)
        kept = {row.ip for row in at.sb.replica.rows(sb.MACBinding).values()}
        assert kept == {"10.0.0.2", "11.0.0.1", "10.0.0.3"}


@asynchronous
async def test_a_restart_writes_nothing() -> None:
    async with central() as at:
        await started(at)
        at.tasks.pop().cancel()
        at.sb.take_changes()
        northd = at.northd()
        await at.wait()
        assert northd.compiler.engine.statistics()["ports"].runs == 2
        assert list(at.sb.take_changes()) == [sb.SBGlobal], "nb_cfg has to be passed on"


@asynchronous
async def test_the_one_with_the_lock_works_and_the_other_takes_over() -> None:
    async with central() as at:
        active = await started(at)
        standby = at.northd()
        await standby.sb.synced()
        assert (active.active, standby.active) == (True, False)
        assert await said(standby, "status") == "Status: standby\n"
        at.tasks.pop(-2).cancel()
        await at.wait()
        assert standby.active


@asynchronous
async def test_a_paused_northd_lets_another_one_work() -> None:
    async with central() as at:
        northd = await started(at)
        assert await said(northd, "status") == "Status: active\n"
        await said(northd, "pause")
        assert await said(northd, "is-paused") == "true\n"
        assert await said(northd, "status") == "Status: paused\n"
        await at.northd().sb.locked()
        await at.wait()
        at.tasks.pop().cancel()
        await said(northd, "resume")
        await at.wait()
        assert northd.active


@asynchronous
async def test_recompute_changes_nothing() -> None:
    async with central() as at:
        northd = await started(at)
        before = at.flows()
        await said(northd, "inc-engine/recompute")
        await at.wait()
        assert at.flows() == before
        assert "Node: ports\n" in await said(northd, "inc-engine/show-stats")
        assert await said(northd, "inc-engine/show-stats", "ports", "compute") == "2\n"


@asynchronous
async def test_a_problem_is_logged_once_and_names_the_row(caplog: pytest.LogCaptureFixture) -> None:
    async with central() as at:
        await started(at)
        for _ in range(2):
            txn = Txn()
            (port, *_) = at.nb.replica.rows(nb.LogicalSwitchPort).values()
            txn.update(port, type="weird")
            await at.nb.transact(txn)
            await at.wait()
    assert len([record for record in caplog.records if "weird" in record.message and port.name in record.message]) == 1


async def said(northd: Northd, name: str, *words: str) -> str:
    """What a command answers."""
    answer = commands(northd)[name].action(list(words))
    assert answer is None or isinstance(answer, str)
    return answer or ""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """ovn-northd as a process on C databases: the remote, its control socket and its log."""
    with c_server_process(*SCHEMAS) as server:
        control, log = f"{server.directory}/n", tmp_path / "log"
        pidfile = tmp_path / "pid"
        command = [sys.executable, "-m", "pyovn.daemons.northd", "--detach", "--no-chdir", f"--pidfile={pidfile}"]
        command += [f"--unixctl={control}", f"--log-file={log}", "-vconsole:off", "-vsyslog:off"]
        subprocess.run([*command, f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}"], check=True)
        try:
            yield server.remote, control, log
        finally:
            if pidfile.exists():
                subprocess.run([need("ovs-appctl"), "-t", control, "exit"], check=True)


@pytest.mark.interop
def test_c_programs_drive_the_daemon(process: tuple[str, str, Path]) -> None:
    remote, control, log = process

    def run(name: str, *words: str) -> str:
        return subprocess.run([need(name), *words], check=True, capture_output=True, text=True, timeout=20).stdout

    run("ovn-nbctl", f"--db={remote}", "--wait=sb", "ls-add", "s", "--", "lsp-add", "s", "p")
    assert "p" in run("ovn-sbctl", f"--db={remote}", "--bare", "--columns=logical_port", "list", "Port_Binding")
    assert run("ovs-appctl", "-t", control, "status") == "Status: active\n"
    assert run("ovs-appctl", "-t", control, "nb-connection-status") == "connected\n"
    run("ovs-appctl", "-t", control, "vlog/set", "dbg")
    assert "ports" in run("ovs-appctl", "-t", control, "inc-engine/show-stats")
    lines = log.read_text().splitlines()
    assert any("ovn-northd lock acquired" in line for line in lines)
    assert [line for line in lines if "|WARN|" in line or "|ERR|" in line] == []


@asynchronous
async def test_hv_cfg_is_the_smallest_of_our_chassis() -> None:
    async with central() as at:
        await started(at)

        def reached() -> tuple[int, int]:
            (row,) = at.nb.replica.rows(nb.NBGlobal).values()
            return row.hv_cfg, row.hv_cfg_timestamp

        txn = Txn()
        for name, numbers in {"ch1": (1, 500), "ch2": (0, 400), "far": (0, 0)}.items():
            encap = txn.insert(sb.Encap, type="geneve", ip="127.0.0.1" + str(len(name)) + name[-1], chassis_name=name)
            config = {"is-remote": "true"} if name == "far" else {}
            txn.insert(sb.Chassis, name=name, encaps=frozenset([encap]), other_config=config)
            txn.insert(sb.ChassisPrivate, name=name, nb_cfg=numbers[0], nb_cfg_timestamp=numbers[1])
        await at.sb.transact(txn)
        await until(at.nb, lambda: reached() == (0, 400))
        (slow,) = [row for row in at.sb.replica.rows(sb.ChassisPrivate).values() if row.name == "ch2"]
        txn = Txn()
        txn.update(slow, nb_cfg=1, nb_cfg_timestamp=600)
        await at.sb.transact(txn)
        await until(at.nb, lambda: reached() == (1, 600))
