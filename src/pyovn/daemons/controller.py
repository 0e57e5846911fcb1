"""ovn-controller: wires `controller.core` to two databases, a switch and a control socket.

    Open_vSwitch ⇄ Client ┐          ┌ SwitchConnection ⇄ br-int
    southbound   ⇄ Client ┴─► Core ──┴ control socket

One loop: take changes, bring the core up to date, tell everybody what the core wants of them.
"""

import asyncio
import contextlib
import gc
import random
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from logging import DEBUG, WARNING
from pathlib import Path

from pyovn.controller.announce import Announcements
from pyovn.controller.core import Core
from pyovn.controller.desk import Desk
from pyovn.controller.edits import Edit, Update, write
from pyovn.controller.effects import (
    Activate,
    Adopt,
    Continue,
    Delegated,
    Effect,
    Judge,
    Logged,
    Problem,
    Record,
    Renew,
    Send,
)
from pyovn.controller.interests import SOUTHBOUND_TABLES, SWITCH_TABLES
from pyovn.controller.monitor import Conditions, first_conditions
from pyovn.controller.reconcile import Difference
from pyovn.controller.services.ageing import COUNTED
from pyovn.controller.settings import Settings
from pyovn.daemons.controller_commands import commands
from pyovn.daemons.controller_switch import SwitchConnection
from pyovn.daemons.engine_commands import Watch
from pyovn.net.errors import OvnError
from pyovn.net.mac import mac_str
from pyovn.openflow import messages as m
from pyovn.ovsdb.replica import Changes, merge
from pyovn.ovsdb.txn import Txn
from pyovn.runtime import daemon, streams
from pyovn.runtime import logging as vlog
from pyovn.runtime.bulk import collect_from_now_on, uncollected
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.commands import Command
from pyovn.runtime.counters import Counters
from pyovn.runtime.openflow import Disconnected
from pyovn.runtime.options import Option
from pyovn.runtime.ovsdb import Client
from pyovn.tables import vswitch
from pyovn.tables.sb import PortBinding

PROGRAM = daemon.Program(
    "ovn-controller",
    "OVN controller",
    "ovn-controller 26.03.2\nOpen vSwitch Library 3.7.0\nOpenFlow versions 0x6:0x6\nSB DB Schema 21.8.0",
    (
        Option("chassis", "n", argument="CHASSIS", doc="custom chassis name"),
        Option("enable-dummy-vif-plug", doc="enable VIF plugging for tests"),
    ),
    words="[OVS-DATABASE]",
    most_words=1,
)
SYSTEM_ID_OVERRIDE = Path("/etc/ovn/system-id-override")

log = vlog.module("main")
binding_log = vlog.module("binding")
packets_log = vlog.Limited(vlog.module("pinctrl"))
acl_log = vlog.module("acl_log")
#: Changed rows from which on collecting garbage meanwhile costs more than it frees.
BULK = 5_000
#: How long one who leaves waits for the southbound database, which has to be told first.
FAREWELL_S = 3.0
#: How long a transaction that failed waits before it is tried again.
RETRY_S = 1.0
problems_log = vlog.Limited(vlog.module("lflow"))


@dataclass(slots=True)
class Config:
    """Where a controller finds its switch, and what it is called."""

    switch_db: str
    rundir: Path
    chassis: str | None = None
    hostname: str = field(default_factory=socket.gethostname)
    tls: streams.Tls | None = None
    clock: Clock = SYSTEM
    counters: Counters = field(default_factory=Counters)


class Controller:
    """One chassis' controller."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = config.clock
        self.switch_db = Client(config.switch_db, "Open_vSwitch", SWITCH_TABLES, tls=config.tls, clock=config.clock)
        self.southbound: Client | None = None
        self.core: Core | None = None
        self.switch = SwitchConnection(self.wake, self._packet, config.clock)
        self.counters = config.counters
        self.counters.sizes = self._sizes
        self.watch = Watch(self.counters, config.clock)
        self.paused = False
        self.report_delay_s = 0.0
        self._news = asyncio.Event()
        self._begun = asyncio.Event()  #: there is a core
        self._pending: Changes = {}
        self._busy: set[str] = set()
        self._conditions: Conditions = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._is_installed = False
        #: called when the switch holds all flows for the first time
        self.on_installed: Callable[[], None] = lambda: None
        self._remote = ""
        self._confirmed: set[str] = set()  #: ports whose flows the switch has, which the databases do not say yet
        self._desk: Desk | None = None
        self.announcements = Announcements()
        self._applied_generation = 0

    def _sizes(self) -> dict[str, int]:
        there = {} if self.southbound is None else self.southbound.sizes()
        return {**self.switch_db.sizes(), **there}

    def wake(self) -> None:
        """Have the loop look again."""
        self._news.set()

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Work until cancelled; `ready` is called once the local database is there."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self.switch_db.run())
            await self.switch_db.synced()
            ready()
            tasks.create_task(self._watch(self.switch_db))
            self.core = await self._start()
            self._begun.set()
            tasks.create_task(self.switch.run())
            await self._work(self.core)

    def inject(self, microflow: str) -> None:
        """Put a packet in at a port here; raises CannotInject, or Disconnected without a switch."""
        if self.core is not None:
            message = self.core.injection(microflow)
            if not self.switch.connected:
                raise Disconnected("not connected to the switch")
            self.switch.send(message)

    async def leave(self) -> None:
        """Take back what a controller that goes for good should not leave behind."""
        self.paused = True
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self.switch_db.synced()
                if self._identity() is None:
                    return
                await self._begun.wait()
                assert self.core is not None
                assert self.southbound is not None
                core, southbound = self.core, self.southbound
                await southbound.synced()
        except TimeoutError:
            which = "local" if self.southbound is None else "southbound"
            log.warning("%s database out of reach: the chassis stays registered, its tunnels stay up", which)
            return
        self._update(core, self._changes())
        if core.settings is None or not core.settings.cleanup_on_exit:
            return
        there, here = core.farewell()
        for client, edits in ((southbound, there), (self.switch_db, here)):
            if client.connected and edits:
                txn = Txn()
                write(txn, edits)
                txn.comment("ovn-controller: unregistering chassis")
                with contextlib.suppress(OvnError):
                    await client.transact(txn)

    # -- start ------------------------------------------------------------------------------------------------------

    async def _start(self) -> Core:
        """Wait until we know who we are, then begin."""
        while (identity := self._identity()) is None:
            self._news.clear()
            await self._news.wait()
        name, remote = identity
        assert self._tasks is not None
        config = self.config
        self._conditions = first_conditions(name)
        where = {cls: clauses for cls, clauses in self._conditions.items() if cls in SOUTHBOUND_TABLES}
        client = Client(
            remote, "OVN_Southbound", SOUTHBOUND_TABLES, conditions=where, tls=config.tls, clock=config.clock
        )
        self.southbound = client
        self._desk = Desk(client.replica, name, random.uniform)
        mac = 0x020000000000 | random.getrandbits(40) & 0xFFFFFFFFFF
        core = Core(
            client.replica,
            self.switch_db.replica,
            chassis=name,
            hostname=config.hostname,
            bridge_mac=mac_str(mac),
            now_ms=self.clock.wall_ms(),
        )
        self.watch.follow(core.engine)
        everything = {cls: self.switch_db.replica.rows(cls) for cls in SWITCH_TABLES}
        self._pending = {cls: {uuid: (None, row) for uuid, row in rows.items()} for cls, rows in everything.items()}
        self._tasks.create_task(client.run())
        self._tasks.create_task(self._watch(client))
        self.wake()
        return core

    def _identity(self) -> tuple[str, str] | None:
        """What we are called and our southbound remote, once both are known."""
        if (name := self._name()) is None or not (remote := self._remote_of(name)):
            return None
        return name, remote

    def _name(self) -> str | None:
        if self.config.chassis:
            return self.config.chassis
        with contextlib.suppress(OSError):
            if override := SYSTEM_ID_OVERRIDE.read_text(encoding="utf-8").strip():
                return override
        rows = self.switch_db.replica.rows(vswitch.OpenvSwitch).values()
        return next((row.external_ids["system-id"] for row in rows if row.external_ids.get("system-id")), None)

    def _remote_of(self, chassis: str) -> str:
        rows = self.switch_db.replica.rows(vswitch.OpenvSwitch).values()
        keys = next((row.external_ids for row in rows), {})
        return self._usable(keys.get(f"ovn-remote-{chassis}") or keys.get("ovn-remote", ""))

    def _usable(self, remote: str) -> str:
        """A southbound remote, or nothing where it makes no sense."""
        try:
            streams.remotes(remote)
        except OvnError as fault:
            if remote:
                problems_log.error("ovn-remote: %s", fault)
            return ""
        return remote

    async def _watch(self, client: Client) -> None:
        while True:
            changes = await client.changes()
            merge(self._pending, changes)
            self.wake()

    # -- the loop ---------------------------------------------------------------------------------------------------

    async def _work(self, core: Core) -> None:
        while True:
            deadlines = (
                core.deadline(self.clock.now()),
                self.announcements.deadline,
                self._desk_deadline(),
                self._look_due(),
            )
            deadline = min((each for each in deadlines if each is not None), default=None)
            pause = None if deadline is None else max(0.0, deadline - self.clock.now())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news.wait()
            self._news.clear()
            if not self.paused:
                self._step(core)

    def _step(self, core: Core) -> None:
        """One round: what is new, and what follows."""
        if self.switch.ready:
            core.switch_is(option_field=self.switch.option_field, features=self.switch.features)
        elif not self.switch.connected:
            core.switch_is_gone()
        changes = self._changes()
        with self.counters.stopwatch("flow-generation"):
            self._update(core, changes)
        if self._desk is not None:
            self._desk.follow(changes, self.clock.now())
        for text in core.take_problems():
            problems_log.warning("%s", text)
        ours, there = core.settings, self.southbound
        if ours is None or there is None:
            return
        self._follow(ours, there)
        self._ask(core, there)
        if not ours.complete:  # what is there stays as it is
            return
        if there.connected and there.conditions_in_force and not core.settled and core.chassis_row is not None:
            core.settle()
            self.wake()
        if there.connected:
            self._tell("southbound", there, core.southbound_edits(self.clock.now()))
        if there.generation:
            self._tell("switch", self.switch_db, core.switch_edits())
        self._spread(core, there)
        if core.settled:
            self._announce(core)
        if core.settled and self.switch.ready and "flows" not in self._busy:
            self._install(core, in_force=there.conditions_in_force)

    def _update(self, core: Core, changes: Changes) -> None:
        """Bring the core up to date; while much is new, garbage is not collected, for there is none."""
        if sum(map(len, changes.values())) > BULK:
            with uncollected():
                core.update(changes)
        else:
            core.update(changes)

    def _changes(self) -> Changes:
        """All changes up to what the replicas show now."""
        changes, self._pending = self._pending, {}
        for client in (self.switch_db, self.southbound):
            if client is not None:
                merge(changes, client.take_changes())
        return changes

    def _follow(self, ours: Settings, there: Client) -> None:
        """Settings that concern connections."""
        if (ours.remote != self._remote) and self._usable(ours.remote):
            self._remote = ours.remote
            there.set_remotes(ours.remote)
        if ours.remote_probe_ms is not None:
            there.set_probe_interval(ours.remote_probe_ms)
        self.switch.use(ours.bridge_remote or f"unix:{self.config.rundir}/{ours.bridge}.mgmt")

    def _ask(self, core: Core, there: Client) -> None:
        """Monitor what the core wants to see."""
        wanted = core.conditions()
        if wanted is None or wanted is self._conditions or not there.generation:
            return
        for cls, clauses in wanted.items():
            if cls in SOUTHBOUND_TABLES and self._conditions.get(cls) != clauses:
                there.set_condition(cls, clauses)
        self._conditions = wanted

    def _tell(self, what: str, client: Client, edits: Iterable[Edit]) -> None:
        """Send edits, one transaction at a time."""
        if what in self._busy or not client.connected:
            return
        batch = list(edits)
        if batch:
            _announce(batch)
            self._start_task(what, self._transact(client, batch))

    async def _transact(self, client: Client, edits: list[Edit], *, loud: bool = True) -> None:
        txn = Txn()
        write(txn, edits)
        txn.comment("ovn-controller")
        try:
            await client.transact(txn)
            self.counters.count(f"{client.database}_transactions")
        except OvnError as fault:
            log.log(WARNING if loud else DEBUG, "%s transaction failed: %s", client.database, fault)
            await asyncio.sleep(RETRY_S if loud else 0.0)

    def _start_task(self, what: str, work: Awaitable[None]) -> None:
        assert self._tasks is not None
        self._busy.add(what)
        self._tasks.create_task(self._do(what, work))

    async def _do(self, what: str, work: Awaitable[None]) -> None:
        try:
            await work
        finally:
            self._busy.discard(what)
            self.wake()

    def _install(self, core: Core, *, in_force: bool) -> None:
        """Bring the switch up to date, then say how far we are."""
        number, waiting = core.nb_cfg, list(core.waiting())
        flush = core.take_flush()
        difference = self.switch.installed.difference(core.flows, core.groups, core.meters)
        if difference or flush:
            self._start_task("flows", self._apply(difference, flush))
        elif in_force:
            self._confirm(core, number, waiting)

    async def _apply(self, difference: Difference, flush: Sequence[m.CtFlushZone | m.CtFlush]) -> None:
        try:
            await self.switch.apply(difference, flush)
        except OvnError as fault:
            log.info("switch: %s", fault)
        else:
            self.counters.count("flow_installations")
            self._installed_once()

    def _installed_once(self) -> None:
        if not self._is_installed and self.core is not None:
            self._is_installed = True
            self.core.is_ready(self.clock.wall_ms())
            self.wake()
            self.on_installed()

    def _confirm(self, core: Core, number: int, waiting: list[str]) -> None:
        fresh = [name for name in waiting if name not in self._confirmed]
        self._confirmed = set(waiting)
        if fresh:
            core.installed(fresh, self.clock.wall_ms())
            self.wake()
        self._installed_once()
        if "restored" not in self._busy and (edits := list(core.restored())):
            self._start_task("restored", self._transact(self.switch_db, edits))
        if "report" not in self._busy and self.southbound is not None:
            there, here = core.reported(number, self.clock.wall_ms())
            if there or here:
                self._start_task("report", self._tell_progress(self.southbound, there, here))

    async def _tell_progress(self, southbound: Client, there: list[Edit], here: list[Edit]) -> None:
        """Write down how far we are, where others look."""
        if self.report_delay_s:
            await asyncio.sleep(self.report_delay_s)
        for client, edits in ((southbound, there), (self.switch_db, here)):
            if edits:
                await self._transact(client, edits)

    def _report(self, client: Client, edits: list[Edit]) -> None:
        if edits and self._tasks is not None:
            self._tasks.create_task(self._transact(client, edits))

    def _packet(self, message: m.PacketIn) -> None:
        """A packet the switch asks about."""
        desk = self._desk
        self.counters.count("packet_ins")
        if desk is not None:
            before = desk.agenda
            self._carry_out(desk.packet(message, self.clock.now()))
            if desk.agenda != before:
                self.wake()

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(message) | Continue(message):
                    self.switch.send(message)
                case Activate() | Adopt() | Record() | Judge() | Delegated():
                    if self.core is not None and self.southbound is not None:
                        self._report(self.southbound, self.core.consequences(effect))
                case Renew():
                    if self.core is not None and self.southbound is not None:
                        self._report(self.southbound, self.core.renewed(effect, self.clock.wall_ms()))
                case Logged(text):
                    acl_log.info("%s", text)
                case Problem(text):
                    packets_log.warning("%s", text)
                case _:
                    pass

    async def _look(self, desk: Desk) -> None:
        """Ask the switch who has been seen."""
        try:
            counts = await self.switch.counts(COUNTED)
        except OvnError as fault:
            log.info("switch: %s", fault)
            await asyncio.sleep(RETRY_S)
        else:
            self._carry_out(desk.counted(counts, self.clock.now()))

    def _look_due(self) -> float | None:
        """When the switch is to be asked for its counts."""
        is_possible = self._desk is not None and self.switch.ready and "looking" not in self._busy
        return self._desk.look_due if self._desk is not None and is_possible else None

    def _desk_deadline(self) -> float | None:
        """When services have something to do; what they want to write down waits for its turn."""
        if self._desk is None or "learned" in self._busy or self.southbound is None or not self.southbound.connected:
            return None
        return self._desk.deadline

    def _spread(self, core: Core, there: Client) -> None:
        """Go on with what services have going; write down what they learned, which another chassis may have too."""
        desk, now = self._desk, self.clock.now()
        if desk is None:
            return
        self._carry_out(desk.handle(now))
        if (due := self._look_due()) is not None and due <= now:
            self._start_task("looking", self._look(desk))
        if "members" not in self._busy and there.connected and (edits := core.members(desk.members())):
            self._start_task("members", self._transact(there, edits))
        if "learned" not in self._busy and there.connected and (facts := desk.take_facts(now)):
            edits = core.learned(facts, self.clock.wall_ms())
            if edits:
                self._start_task("learned", self._transact(there, edits, loud=False))

    def _announce(self, core: Core) -> None:
        """Tell physical networks where ports are."""
        ours, now = core.settings, self.clock.now()
        self.announcements.follow(core.announced(), now)
        if self.switch.ready and ours is not None:
            for message in self.announcements.handle(now, ours.garp_max_timeout_s):
                self.switch.send(message)


def _announce(edits: Iterable[Edit]) -> None:
    """Log claims and releases as people know them."""
    for edit in edits:
        if isinstance(edit, Update) and isinstance(edit.row, PortBinding) and "chassis" in edit.columns:
            name = edit.row.logical_port
            if edit.columns["chassis"] is None:
                binding_log.info("Releasing lport %s from this chassis.", name)
            else:
                binding_log.info("Claiming lport %s for this chassis.", name)


def main(argv: Sequence[str] | None = None) -> int:
    """The program `ovn-controller`."""
    return daemon.main(PROGRAM, argv, _body)


async def _body(process: daemon.Daemon) -> None:
    rundir = daemon.directory("OVS_RUNDIR")
    words = process.arguments.words
    database = words[0] if words else f"unix:{rundir}/db.sock"
    config = Config(database, rundir, process.arguments.get("chassis"), tls=process.tls, counters=process.counters)
    controller = Controller(config)
    gc.disable()
    controller.on_installed = collect_from_now_on

    async def leave(arguments: list[str]) -> None:
        if "--restart" not in arguments:
            await controller.leave()
        process.stop()

    everything = {**commands(controller), "exit": Command(leave, "[--restart]", 0, 1)}
    async with process.control(everything):
        process.ready()  # as the C program: whoever starts us may start the local database later
        await controller.run()
