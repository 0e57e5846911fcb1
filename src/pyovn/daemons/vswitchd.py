"""The embedded switch as a program: an ovs-vswitchd stand-in driven by an Open_vSwitch database and OpenFlow.

database ─▶ wanted ─▶ Reconciler ─▶ datapath ◀─ packets ─▶ devices, underlay
    ◀─ report ◀─ outcomes               ▲
                                        └─ OpenFlow ─▶ controllers

pyovn vswitchd [DATABASE]        needs no root; with root it uses taps and existing devices
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pyovn.daemons.vswitchd_commands import commands
from pyovn.daemons.vswitchd_controllers import BridgeControllers
from pyovn.net.errors import OvnError
from pyovn.ovsdb.errors import Disconnected, TransactionFailed
from pyovn.ovsdb.txn import Txn
from pyovn.runtime import daemon
from pyovn.runtime import logging as vlog
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.commands import Command
from pyovn.runtime.control import ControlServer
from pyovn.runtime.nics import SystemNics
from pyovn.runtime.ovsdb import Client
from pyovn.runtime.streams import StreamFault, Tls
from pyovn.runtime.underlay import SocketUnderlay
from pyovn.tables.vswitch import Bridge, Controller, CTZone, Datapath, Interface, OpenvSwitch, Port
from pyovn.vswitch import datapath as core
from pyovn.vswitch.ports import Nic, Underlay
from pyovn.vswitch.reconcile import Reconciler
from pyovn.vswitch.report import VERSION, limit_zones, liveness_report, report, statistics_report
from pyovn.vswitch.wanted import WantedBridge, WantedPort, waits_for_flows, wanted

SWEEP_S = 1.0
STATISTICS_S = 5.0
#: columns of others that the switch does not read are not monitored
TABLES = {OpenvSwitch: None, Bridge: None, Port: None, Interface: None, Controller: None, Datapath: None, CTZone: None}

log = vlog.module("bridge")


class NicFactory(Protocol):
    """Opens the devices that interface rows name."""

    def open(self, name: str, type_: str, mac: int) -> Nic:
        """The device of an interface; raises OvnError."""


class Vswitchd:
    """One running switch."""

    def __init__(
        self,
        db_remote: str,
        rundir: Path | str,
        nics: NicFactory,
        underlay: Underlay | None = None,
        clock: Clock = SYSTEM,
        *,
        control: ControlServer | str | None = None,
        tls: Tls | None = None,
    ) -> None:
        self.rundir = Path(rundir)
        self.nics = nics
        self.clock = clock
        self.datapath = core.Datapath(underlay, clock.now, random.uniform)
        #: set when BFD has something to do or to tell
        self._liveness, self._beat = asyncio.Event(), asyncio.Event()
        self.datapath.monitors.on_news = self._liveness_news
        self.datapath.now = clock.now()
        self.reconciler = Reconciler(self.datapath, self._open)
        self.controllers: dict[str, BridgeControllers] = {}
        self.client = Client(db_remote, "Open_vSwitch", TABLES, clock=clock, tls=tls)
        #: set when the switch is as its database wants it for the first time
        self.configured = asyncio.Event()
        self._tls = tls
        self._wanted: tuple[WantedBridge, ...] = ()
        self._forwards = False  #: only a switch that starts waits for flows
        self._control = (
            ControlServer(control, self.commands(), version=VERSION_TEXT) if isinstance(control, str) else control
        )

    def commands(self) -> dict[str, Command]:
        """What the control socket can be asked."""
        return commands(self.datapath, lambda: getattr(self.nics, "dummies", {}))

    async def run(self) -> None:
        """Be a switch; ends only by being cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._stop)
            if self._control is not None:
                await stack.enter_async_context(self._control)
            async with asyncio.TaskGroup() as group:
                group.create_task(self.client.run())
                group.create_task(self._follow())
                group.create_task(self._sweep())
                group.create_task(self._run_monitors())
                group.create_task(self._tell_liveness())

    async def _stop(self) -> None:
        for controllers in self.controllers.values():
            await controllers.stop()
        self.controllers.clear()
        self.reconciler.apply(())
        if self.datapath.tunnels.underlay is not None:
            self.datapath.tunnels.underlay.close()

    def _open(self, port: WantedPort) -> Nic:
        return self.nics.open(port.name, port.type, port.mac or 0)

    async def _follow(self) -> None:
        """Do what the database says, again and again."""
        await self.client.synced()
        while True:
            if self.client.connected:
                await self._configure()
            await self.client.changes()

    async def _configure(self) -> None:
        self.datapath.now = self.clock.now()
        replica = self.client.replica
        asked = wanted(replica)
        self._forwards |= bool(replica.rows(OpenvSwitch)) and not waits_for_flows(replica)
        self.datapath.keeps_still = waits_for_flows(replica) and not self._forwards
        for name in [name for name in self.controllers if name not in {bridge.name for bridge in asked}]:
            await self.controllers.pop(name).stop()
        outcomes = self.reconciler.apply(asked)
        limit_zones(replica, self.datapath.conntrack)
        for bridge in asked:
            await self._control_bridge(bridge)
        self._wanted = asked
        await self._write(report(replica, asked, outcomes))
        self.configured.set()

    async def _control_bridge(self, asked: WantedBridge) -> None:
        bridge = self.datapath.bridges[asked.name]
        controllers = self.controllers.get(asked.name)
        if controllers is None:
            controllers = BridgeControllers(self.datapath, bridge, self.rundir, self.clock, self._tls)
            try:
                await controllers.start()
            except StreamFault as fault:
                log.error("%s: %s", asked.name, fault)
                return
            self.controllers[asked.name] = controllers
        await controllers.use(asked.controllers)

    async def _write(self, txn: Txn) -> None:
        if not txn:
            return
        try:
            await self.client.transact(txn)
        except (TransactionFailed, Disconnected) as fault:
            log.warning("could not write to the database: %s", fault)

    async def _sweep(self) -> None:
        """Let time pass in the datapath, and tell the database what was counted."""
        due = self.clock.now() + STATISTICS_S
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self.clock.now()
            self.datapath.sweep(now)
            if self.reconciler.refresh_links():
                self._liveness.set()
            if now >= due and self.client.connected:
                due = now + STATISTICS_S
                await self._write(self._news())

    def _liveness_news(self) -> None:
        self._liveness.set()
        self._beat.set()

    async def _run_monitors(self) -> None:
        """Let BFD send and judge in time."""
        monitors = self.datapath.monitors
        while True:
            self._beat.clear()
            deadline = monitors.deadline
            wait_s = None if deadline is None else max(0.0, deadline - self.clock.now())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._beat.wait()
            self.datapath.now = self.clock.now()
            monitors.handle(self.datapath.now)

    async def _tell_liveness(self) -> None:
        """Tell the database which paths work, as soon as that changes."""
        while True:
            await self._liveness.wait()
            self._liveness.clear()
            if self.client.connected:
                outcomes, monitors = self.reconciler.outcomes, self.datapath.monitors
                await self._write(liveness_report(self.client.replica, outcomes, monitors))

    def _news(self) -> Txn:
        txn = statistics_report(self.client.replica, self.reconciler.outcomes)
        for controllers in self.controllers.values():
            for id_, is_connected in controllers.connected.items():
                row = self.client.replica.get(Controller, id_)
                if row is not None and row.is_connected != is_connected:
                    txn.update(row, is_connected=is_connected)
        return txn


VERSION_TEXT = f"ovs-vswitchd (pyovn) {VERSION}"
PROGRAM = daemon.Program(
    "ovs-vswitchd", "the embedded switch of pyovn", VERSION_TEXT, words="[DATABASE]", most_words=1, family="OVS"
)


async def _body(process: daemon.Daemon) -> None:
    rundir = PROGRAM.directory("RUN")
    remote = process.arguments.words[0] if process.arguments.words else f"unix:{rundir / 'db.sock'}"
    switch = Vswitchd(remote, rundir, SystemNics(), SocketUnderlay(), tls=process.tls)
    async with process.control(switch.commands()):
        running = asyncio.ensure_future(switch.run())
        configured = asyncio.ensure_future(switch.configured.wait())
        await asyncio.wait((running, configured), return_when=asyncio.FIRST_COMPLETED)
        process.ready()
        try:
            await running
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError, OvnError):
                await running


def main(argv: Sequence[str] | None = None) -> int:
    """Run the switch as a daemon; gives its exit status."""
    return daemon.main(PROGRAM, argv, _body)


if __name__ == "__main__":
    raise SystemExit(main())
