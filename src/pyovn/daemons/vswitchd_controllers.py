"""The OpenFlow connections of the switch's bridges.

<rundir>/<bridge>.mgmt      controllers connect to the bridge
Bridge.controller targets   the bridge connects to them (tcp: unix: ssl:), or listens (ptcp: punix: pssl:)
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyovn.net.uuids import Uuid
from pyovn.openflow.connection import SWITCHES
from pyovn.runtime import logging as vlog
from pyovn.runtime import streams
from pyovn.runtime.clock import Clock
from pyovn.runtime.openflow import Disconnected, OpenFlowChannel, OpenFlowListener
from pyovn.runtime.reconnect import Reconnect
from pyovn.vswitch.agent import Session
from pyovn.vswitch.bridge import Bridge, PacketIn
from pyovn.vswitch.datapath import Datapath
from pyovn.vswitch.ports import Port
from pyovn.vswitch.tables import Removed
from pyovn.vswitch.wanted import WantedController

MAX_BACKOFF_S = 8.0
log = vlog.module("rconn")


class BridgeControllers:
    """All controllers of one bridge."""

    def __init__(self, datapath: Datapath, bridge: Bridge, rundir: Path, clock: Clock, tls: streams.Tls | None) -> None:
        self.datapath = datapath
        self.bridge = bridge
        self.sessions: dict[OpenFlowChannel, Session] = {}
        self.connected: dict[Uuid, bool] = {}
        self._clock, self._tls = clock, tls
        self._socket = rundir / f"{bridge.name}.mgmt"
        self._management = OpenFlowListener(f"punix:{self._socket}", self._serve)
        self._wanted: dict[WantedController, asyncio.Task[None]] = {}
        bridge.on_packet_in = self._packet_in
        bridge.on_port_status = self._port_status
        bridge.tables.on_removed = self._flow_removed

    async def start(self) -> None:
        """Listen at the management socket; raises StreamFault."""
        await self._management.__aenter__()

    async def stop(self) -> None:
        """Close everything."""
        await self.use(())
        await self._management.__aexit__(None, None, None)
        self._socket.unlink(missing_ok=True)

    async def use(self, wanted: tuple[WantedController, ...]) -> None:
        """Talk to these controllers, and no longer to others."""
        for gone in [controller for controller in self._wanted if controller not in wanted]:
            task = self._wanted.pop(gone)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self.connected.pop(gone.row, None)
        for controller in wanted:
            if controller not in self._wanted:
                keep = self._listen if controller.target.startswith(("p", "t:")) else self._connect
                self._wanted[controller] = asyncio.ensure_future(keep(controller))

    async def _listen(self, wanted: WantedController) -> None:
        try:
            async with OpenFlowListener(wanted.target, self._serve, probe_ms=wanted.probe_ms, tls=self._tls):
                await asyncio.Event().wait()
        except streams.StreamFault as fault:
            log.error("%s<->%s: %s", self.bridge.name, wanted.target, fault)

    async def _connect(self, wanted: WantedController) -> None:
        """Keep a connection to a controller up."""
        name = f"{self.bridge.name}<->{wanted.target}"
        machine = Reconnect([wanted.target], self._clock.now(), max_backoff_s=MAX_BACKOFF_S)
        while True:
            pause = (machine.deadline or 0.0) - self._clock.now()
            if pause > 0:
                await asyncio.sleep(pause)
            machine.connecting(self._clock.now())
            try:
                channel = await OpenFlowChannel.connect(wanted.target, self._tls, SWITCHES)
            except (streams.StreamFault, Disconnected) as fault:
                log.info("%s: connection failed (%s)", name, fault)
            else:
                log.info("%s: connected", name)
                machine.connected(self._clock.now())
                channel.probe(wanted.probe_ms / 1000)
                self.connected[wanted.row] = True
                try:
                    await self._serve(channel, primary=True)
                finally:
                    self.connected[wanted.row] = False
                    await channel.close()
                log.info("%s: %s", name, channel.closed_because or "connection closed by peer")
            machine.lost(self._clock.now())

    async def _serve(self, channel: OpenFlowChannel, *, primary: bool = False) -> None:
        """Answer one controller until it goes."""
        session = Session(self.datapath, self.bridge, primary=primary, dialect=channel.dialect)
        self.sessions[channel] = session
        try:
            async for message, xid in channel:
                self.datapath.now = self._clock.now()
                for reply, reply_xid in session.receive(message, xid):
                    channel.send(reply, reply_xid)
        finally:
            del self.sessions[channel]

    def _tell(self, make: Callable[[Session], Any]) -> None:
        for channel, session in list(self.sessions.items()):
            message = make(session)
            if message is not None:
                channel.send(message, 0)

    def _packet_in(self, packet: PacketIn) -> None:
        self._tell(lambda session: session.packet_in(packet))

    def _port_status(self, reason: int, port: Port) -> None:
        self._tell(lambda session: session.port_status(reason, port))

    def _flow_removed(self, removed: Removed) -> None:
        self.datapath.credit_all()
        self._tell(lambda session: session.flow_removed(removed, self.datapath.now))
