"""What ovn-northd does: keeps the southbound database what the northbound one says.

    NB changes ─┐                                  ┌─► SB transaction ─► NB transaction (sb_cfg, up, …)
                ├─► Compiler.run ─► differences ───┘
    SB changes ─┘

Of several, the one that owns the lock `ovn_northd` of the southbound server works; the others keep up with the
databases and wait.  Logical flows are not replicated: they are loaded once, and after that the server only tells which
rows changed; those that we did not change are read again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from logging import DEBUG, WARNING
from typing import Any

from pyovn.daemons.engine_commands import Watch
from pyovn.net.uuids import Uuid
from pyovn.northd import aging
from pyovn.northd.compiler import NORTHBOUND, SOUTHBOUND, Compiler
from pyovn.northd.model.chassis import remote_chassis
from pyovn.northd.model.options import number
from pyovn.northd.sync import upkeep
from pyovn.northd.sync.flows import COLUMNS
from pyovn.ovsdb.errors import Disconnected, TransactionFailed
from pyovn.ovsdb.model import Row
from pyovn.ovsdb.replica import Changes, Update, merge
from pyovn.ovsdb.session import VERSION
from pyovn.ovsdb.txn import Txn
from pyovn.runtime import streams
from pyovn.runtime.bulk import uncollected
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.counters import Counters
from pyovn.runtime.logging import Limited, module
from pyovn.runtime.ovsdb import Client
from pyovn.tables import nb, sb

LOCK = "ovn_northd"
PAUSE_S = 1.0  #: after a transaction that failed
CHECK_S = 10.0  #: how often some units are computed again to see whether they still come out the same
CHECKED = 50  #: how many
BULK = 10_000  #: rows from which on it pays not to look for garbage

log = module("ovn_northd")
noted = Limited(module("northd"))


class Northd:
    """The work of ovn-northd on one pair of databases."""

    def __init__(
        self,
        northbound: str,
        southbound: str,
        *,
        tls: streams.Tls | None = None,
        counters: Counters | None = None,
        paused: bool = False,
        clock: Clock = SYSTEM,
    ) -> None:
        self.paused = paused
        self.counters = Counters() if counters is None else counters
        self.counters.sizes = lambda: {**self.nb.sizes(), **self.sb.sizes()}
        self.watch = Watch(self.counters)
        self.clock = clock
        flows: dict[type[Row], Sequence[str]] = {sb.LogicalFlow: (VERSION,)}
        self.nb = Client(northbound, "OVN_Northbound", NORTHBOUND, leader_only=True, tls=tls)
        self.sb = Client(
            southbound,
            "OVN_Southbound",
            {**SOUTHBOUND, **flows},
            lock=None if paused else LOCK,
            leader_only=True,
            tls=tls,
            raw={sb.LogicalFlow: self._flows_changed},
            select={sb.LogicalFlow: {"initial": False}},
        )
        self.compiler = self._new_compiler()
        self.on_settled: Callable[[], None] = lambda: None
        self.active = False
        self._pending: Changes = {}
        self._wake = asyncio.Event()
        self._flows_unknown = True
        self._noticed: dict[Uuid, bool] = {}  # rows of Logical_Flow that changed: are they still there?
        self._writing = False
        self._reported: set[tuple[Uuid, str]] = set()
        self._seen_cfg = (0, 0)  # NB_Global.nb_cfg, and when it was first seen

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as group:
            for client in (self.nb, self.sb):
                group.create_task(client.run())
                group.create_task(self._watch(client))
            group.create_task(self._check())
            group.create_task(self._forget())
            group.create_task(self._work())

    def _new_compiler(self) -> Compiler:
        """One that knows nothing yet."""
        compiler = Compiler(self.nb.replica, self.sb.replica, random.SystemRandom().getrandbits)
        self.watch.follow(compiler.engine)
        return compiler

    async def _watch(self, client: Client) -> None:
        """Collect what changes in a database."""
        while True:
            changes = await client.changes()
            merge(self._pending, changes)
            self._wake.set()

    async def _work(self) -> None:
        """Carry changes over, one step at a time."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._step()
            except TransactionFailed as fault:
                log.log(DEBUG if fault.is_transient else WARNING, "%s", fault)
                self._start_over()
                await asyncio.sleep(PAUSE_S)
                self._wake.set()
            except Disconnected:
                self._start_over()

    def _start_over(self) -> None:
        """What the southbound database holds is in doubt: compare everything again."""
        self._flows_unknown = True
        self.compiler.everything()

    async def _step(self) -> None:
        self._elect()
        if not (self.active and self.nb.connected and self.sb.connected):
            return
        with self.counters.stopwatch("ovn-northd-loop"):
            if before := self.compiler.northbound_options():
                await self.nb.transact(before)
            self._take_in()
            while leases := self.compiler.leases_transaction():
                await self.nb.transact(leases)
                self.counters.count("northbound_transactions")
                self._take_in()
            await self._settle_flows()
            await self._southbound()
            await self._northbound()
            self._report()
        self._settled()

    def _settled(self) -> None:
        """The start is over: the first step is done, or another northd does the work."""
        tell, self.on_settled = self.on_settled, lambda: None
        tell()

    def _elect(self) -> None:
        """Say it when we become active, or standby."""
        active = self.sb.has_lock and not self.paused
        if active and not self.active:
            log.info("ovn-northd lock acquired. This ovn-northd instance is now active.")
        if self.active and not active and not self.paused:
            log.info("ovn-northd lock lost. This ovn-northd instance is now on standby.")
        self.active = active

    def _take_in(self) -> None:
        """Compute with all that has changed."""
        for client in (self.nb, self.sb):
            merge(self._pending, client.take_changes())
        changes, self._pending = self._pending, {}
        large = sum(map(len, changes.values())) > BULK
        with uncollected() if large else nullcontext(), self.counters.stopwatch("compute"):
            self.compiler.run(changes)

    async def _southbound(self) -> None:
        """Make the southbound database say what is wanted."""
        with uncollected(keep=False), self.counters.stopwatch("plan"):
            txn = self.compiler.southbound_transaction()
        if txn:
            with uncollected() if len(txn) > BULK else nullcontext():
                await self._write(txn)
        self._take_in()

    async def _write(self, txn: Txn) -> None:
        self._writing = True
        try:
            results = await self.sb.transact(txn)
        finally:
            self._writing = False
        for uuid in self.compiler.settled(txn, results):
            self._noticed.pop(uuid, None)
        if self._noticed:
            self._wake.set()
        self.counters.count("southbound_transactions")

    async def _northbound(self) -> None:
        """Report back."""
        txn = self.compiler.northbound_transaction()
        self._progress(txn)
        if txn:
            await self.nb.transact(txn)
            self.counters.count("northbound_transactions")

    def _progress(self, txn: Txn) -> None:
        """How far configuration has travelled."""
        for row in self.nb.replica.rows(nb.NBGlobal).values():
            now = self.clock.wall_ms()
            if row.nb_cfg != self._seen_cfg[0]:
                self._seen_cfg = (row.nb_cfg, now)
            different: dict[str, Any] = {}
            (southbound,) = [*self.sb.replica.rows(sb.SBGlobal).values()][:1] or (None,)
            if southbound is None:
                continue
            if row.sb_cfg != southbound.nb_cfg:
                different.update(nb_cfg_timestamp=self._seen_cfg[1], sb_cfg=southbound.nb_cfg, sb_cfg_timestamp=now)
            remote = remote_chassis(self.sb.replica.rows(sb.Chassis).values())
            done = upkeep.progress(southbound, self.sb.replica.rows(sb.ChassisPrivate).values(), remote)
            if done != (row.hv_cfg, row.hv_cfg_timestamp):
                different.update(hv_cfg=done.hv_cfg, hv_cfg_timestamp=done.hv_cfg_timestamp)
            if different:
                txn.update(row, **different)

    # -- Logical_Flow -----------------------------------------------------------------------------------------------

    def _flows_changed(self, updates: Mapping[str, Any], update: Update) -> None:
        """The server says which rows of Logical_Flow changed."""
        if update.fresh:
            self._flows_unknown = True
            self._noticed.clear()
            return
        for uuid, change in updates.items():
            self._noticed[Uuid(uuid)] = "delete" not in change and change.get("new", True) is not None
        if not self._writing:  # else most of it is our own doing
            self._wake.set()

    async def _settle_flows(self) -> None:
        """Know what the rows of Logical_Flow say."""
        flows = self.compiler.flows
        server = self.sb.server_schema["Logical_Flow"].columns
        names = [name for name in COLUMNS if name in server]
        flows.columns = frozenset(names)
        if self._flows_unknown:
            self._noticed.clear()
            self._flows_unknown = False
            rows = await self._all_flows(names)
            with uncollected():
                flows.load(rows)
            return
        noticed, self._noticed = self._noticed, {}
        if not noticed:
            return
        txn = Txn()
        for uuid, there in noticed.items():
            flows.forget(uuid)
            if there:
                txn.select(sb.LogicalFlow, [["_uuid", "==", ["uuid", uuid]]], names)
        if txn:
            results = await self.sb.transact(txn, unlocked=True)
            flows.learn((row["_uuid"][1], row) for result in results for row in result["rows"])

    async def _all_flows(self, names: Sequence[str]) -> Iterable[Mapping[Uuid, Any]]:
        """Every row of Logical_Flow, by UUID, a part at a time; columns with their default are left out."""
        (present,) = [row.options for row in self.sb.replica.rows(sb.SBGlobal).values()] or ({},)
        if present.get("northd_internal_version") == upkeep.VERSION:  # then stages are what their numbers say
            names = [name for name in names if name != "external_ids"]
        return await self.sb.contents(sb.LogicalFlow, names)

    # -- what operators see and do ----------------------------------------------------------------------------------

    def _report(self) -> None:
        """Say once what is wrong with the configuration."""
        problems = set(self.compiler.problems())
        for _, text in sorted(problems - self._reported):
            noted.warning("%s", text)
        self._reported = problems

    async def _check(self) -> None:
        """Compute a few units again, now and then; loud where one comes out differently."""
        draw = random.SystemRandom()
        while True:
            await asyncio.sleep(CHECK_S)
            self._settled()
            if not self.active or self._pending or self.nb.has_news or self.sb.has_news:
                continue
            units = [unit for family in self.compiler.engine.units().values() for unit in sample(draw, family)]
            for found in self.compiler.engine.check(units):
                log.error(
                    "%s of %s was out of date; it is right again, but please report this", found.family, found.key
                )
                self._wake.set()

    async def _forget(self) -> None:
        """Remove what was learned and has not been used for too long."""
        while True:
            found = self._ages()
            await asyncio.sleep(aging.pause_s(found))
            if not self.active:
                continue
            try:
                for each in self._ages():
                    await self._forget_some(each)
            except (TransactionFailed, Disconnected) as fault:
                log.debug("%s", fault)

    def _ages(self) -> tuple[aging.Ages, ...]:
        northbound, datapaths = self.nb.replica, self.sb.replica.rows(sb.DatapathBinding)
        routers, switches = northbound.rows(nb.LogicalRouter), northbound.rows(nb.LogicalSwitch)
        return aging.ages(routers.values(), switches.values(), datapaths.values())

    async def _forget_some(self, ages: aging.Ages) -> None:
        """One round for a table."""
        now = self.clock.wall_ms()
        limits = [number(row.options.get(ages.kind.limit)) for row in self.nb.replica.rows(nb.NBGlobal).values()]
        question, removal = Txn(), Txn()
        question.select(ages.kind.cls, ages.where(now), ages.kind.columns)
        (result,) = await self.sb.transact(question, unlocked=True)
        for uuid in aging.expired(ages, result["rows"], now, max((each or 0 for each in limits), default=0)):
            removal.delete_by_uuid(ages.kind.cls, uuid)
        if removal:
            await self.sb.transact(removal)
            self.counters.count("aged_rows")

    def pause(self) -> None:
        """Stop working, and let another one work."""
        self.paused = True
        self.sb.set_lock(None)
        self._wake.set()

    def resume(self) -> None:
        """Work again, if no other one does."""
        self.paused = False
        self.sb.set_lock(LOCK)
        self._wake.set()

    def recompute(self) -> None:
        """Compute everything from nothing."""
        self.compiler = self._new_compiler()
        changes: Changes = {}
        for client in (self.nb, self.sb):
            for cls in client.replica.classes:
                changes[cls] = {uuid: (None, row) for uuid, row in client.replica.rows(cls).items()}
        self._pending = changes
        self._flows_unknown = True
        self._wake.set()


def sample(draw: random.Random, units: Mapping[Any, Any]) -> list[Any]:
    """A few of the units of a family."""
    return [units[key] for key in draw.sample(list(units), min(CHECKED, len(units)))]
