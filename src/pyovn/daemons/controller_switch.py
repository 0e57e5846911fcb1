"""The controller's connection to the integration bridge: set-up, readback, differences, packet-ins.

connect ─► Geneve option ─► what can it do? ─► what does it hold? ─► ready
apply(difference): meters, zone flushes, one bundle of groups and flows, a barrier
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from pyovn.controller.chassis import LABEL_FLUSH, SAMPLE_REGISTERS
from pyovn.controller.physical.tunnels import OPTION_CLASS, OPTION_LENGTH, OPTION_TYPE
from pyovn.controller.reconcile import Difference, Installed
from pyovn.net.errors import OvnError
from pyovn.openflow import messages as m
from pyovn.openflow.actions import Sample
from pyovn.openflow.errors import Refused
from pyovn.openflow.flows import Flow, FlowStats, GroupDef, MeterDef
from pyovn.runtime import logging as vlog
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.openflow import BundleFailed, Disconnected, OpenFlowClient
from pyovn.runtime.reconnect import Reconnect
from pyovn.runtime.streams import StreamFault

log = vlog.module("rconn")
flows_log = vlog.Limited(vlog.module("ofctrl"))
WHOLE_PACKET = 0xFFFF
#: A table and a group of connections that nothing uses, to try things out on.
PROBE_TABLE = 253
PROBE_BUNDLE = 0xFFFFFFFE
MAX_BACKOFF_S = 8.0


class SwitchConnection:
    """One bridge, over as many connections as it takes."""

    def __init__(self, wake: Callable[[], None], packet: Callable[[m.PacketIn], None], clock: Clock = SYSTEM) -> None:
        self.installed = Installed()
        self.ready = False
        self.option_field = -1
        self.features: frozenset[str] = frozenset()
        #: counts connections, so that a slow answer is not taken for one of the present connection
        self.generation = 0
        self._wake, self._packet, self._clock = wake, packet, clock
        self._client: OpenFlowClient | None = None
        self._remote = ""
        self._remote_known = asyncio.Event()

    def use(self, remote: str) -> None:
        """The OpenFlow socket of the bridge."""
        if remote != self._remote:
            self._remote = remote
            self._remote_known.set()

    async def run(self) -> None:
        """Keep the connection up; ends by being cancelled."""
        await self._remote_known.wait()
        machine = Reconnect([self._remote], self._clock.now(), max_backoff_s=MAX_BACKOFF_S)
        while True:
            pause = (machine.deadline or 0.0) - self._clock.now()
            if pause > 0:
                await asyncio.sleep(pause)
            machine.connecting(self._clock.now())
            log.info("%s: connecting...", self._remote)
            try:
                async with OpenFlowClient(self._remote) as client:
                    machine.connected(self._clock.now())
                    log.info("%s: connected", self._remote)
                    await self._serve(client)
                log.info("%s: %s", self._remote, client.closed_because or "connection closed")
            except (StreamFault, Disconnected, Refused) as fault:
                log.info("%s: connection attempt failed (%s)", self._remote, fault)
            self._client, self.ready = None, False
            self._wake()
            machine.lost(self._clock.now())

    async def apply(self, difference: Difference, flush: Iterable[m.CtFlushZone | m.CtFlush]) -> None:
        """Tell the switch, and wait until it has done so.  Raises Disconnected."""
        client = self._client
        if client is None:
            raise Disconnected("no connection to the switch")
        for meter in difference.meters:
            client.send(m.MeterMod(m.ADD, meter))
        for forgotten in flush:
            if isinstance(forgotten, m.CtFlushZone) or LABEL_FLUSH in self.features:
                client.send(forgotten)
        await self._bundle(client, difference)
        for number in difference.stale_meters:
            client.send(m.MeterMod(m.METER_DELETE, MeterDef(number, ())))
        await client.barrier()

    async def counts(self, tables: Iterable[int]) -> dict[tuple[int, int], int]:
        """Packets by table and cookie.  Raises Disconnected, Refused."""
        client = self._client
        if client is None:
            raise Disconnected("no connection to the switch")
        found: dict[tuple[int, int], int] = {}
        for table in tables:
            for each in (await client.query("flow", m.FlowQuery(table=table))).entries:
                key = table, each.flow.cookie
                found[key] = found.get(key, 0) + each.packets
        return found

    def send(self, message: m.Message) -> None:
        """Send a message if there is a connection."""
        if self._client is not None:
            with contextlib.suppress(OvnError):
                self._client.send(message)

    @property
    def connected(self) -> bool:
        """True while the switch is there."""
        return self._client is not None

    async def _bundle(self, client: OpenFlowClient, difference: Difference) -> None:
        """Groups and flows at once; what the switch refuses is left out, loudly."""
        batch = list(_messages(difference))
        while batch:
            try:
                refused = await client.bundle(batch)
                batch = []
            except BundleFailed as failed:
                if not (refused := failed.failures):
                    raise
                culprits = [message for message, _ in refused]
                batch = [message for message in batch if message not in culprits]
            for message, why in refused:
                flows_log.error("switch refused %s: %s", _shown(message), why)
                self._forget(message)

    def _forget(self, message: m.Message) -> None:
        if isinstance(message, m.FlowMod) and message.command == m.ADD:
            self.installed.flows.pop(message.flow.key, None)

    # -- one connection ---------------------------------------------------------------------------------------------

    async def _serve(self, client: OpenFlowClient) -> None:
        self.generation += 1
        reading = asyncio.ensure_future(self._read(client))
        try:
            client.send(m.SetConfig(0, WHOLE_PACKET))
            client.send(m.SetPacketInFormat(m.NXT_PACKET_IN2_FORMAT))
            self.option_field = await self._option(client)
            self.features = await self._features(client)
            await self._read_back(client)
            self._client, self.ready = client, True
            self._wake()
            await reading
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading

    async def _read(self, client: OpenFlowClient) -> None:
        async for message in client:
            match message:
                case m.PacketIn():
                    self._packet(message)
                case m.Error(type, code):
                    flows_log.warning("switch reports %s", Refused(type, code, message.data))
                case _:
                    pass

    async def _option(self, client: OpenFlowClient) -> int:
        """The number of the field that holds OVN's Geneve option, claimed if no one did."""
        reply = await client.request(m.TlvTableRequest())
        assert isinstance(reply, m.TlvTableReply)
        ours = OPTION_CLASS, OPTION_TYPE, OPTION_LENGTH
        for known in reply.maps:
            if (known.cls, known.type, known.length) == ours:
                return known.number
        taken = {known.number for known in reply.maps}
        number = next(candidate for candidate in range(reply.max_fields) if candidate not in taken)
        client.send(m.TlvTableMod(m.TLV_ADD, (m.TlvMap(*ours, number),)))
        await client.barrier()
        return number

    async def _features(self, client: OpenFlowClient) -> frozenset[str]:
        """What the switch can do that not all can."""
        found: set[str] = set()
        flow = Flow(PROBE_TABLE, 1, (), (Sample(0, 0, 0, ("reg0", 0, 32)),))
        await client.request(m.BundleControl(PROBE_BUNDLE, m.OPEN_REQUEST))
        trial = m.BundleAdd(PROBE_BUNDLE, m.add_flow(flow))
        if await _accepted(client, trial, m.BundleControl(PROBE_BUNDLE, m.DISCARD_REQUEST)):
            found.add(SAMPLE_REGISTERS)
        label = m.CtFlush(zone=0xFFFF, label=((1 << 128) - 1, (1 << 128) - 1))
        if await _accepted(client, label, m.BarrierRequest()):
            found.add(LABEL_FLUSH)
        return frozenset(found)

    async def _read_back(self, client: OpenFlowClient) -> None:
        flows = (await client.query("flow", m.FlowQuery())).entries
        groups = (await client.query("group_desc")).entries
        meters = (await client.query("meter_desc")).entries
        self.installed.read_back(
            (each.flow for each in flows if isinstance(each, FlowStats) and not _is_learned(each.flow)),
            (each for each in groups if isinstance(each, GroupDef)),
            (each for each in meters if isinstance(each, MeterDef)),
        )


def _is_learned(flow: Flow) -> bool:
    """True for flows that `learn` actions made, which come and go by themselves."""
    return bool(flow.idle_timeout or flow.hard_timeout) or flow.table in LEARNED_TABLES


#: Tables that `learn` actions fill: hairpin replies, ECMP next hops, LB affinity.
LEARNED_TABLES = frozenset({69, 76, 77, 78})


async def _accepted(client: OpenFlowClient, trial: m.Message, after: m.Message) -> bool:
    """True if the switch has nothing against a message that gets no answer."""
    answer = asyncio.ensure_future(client.request(trial))
    await asyncio.sleep(0)
    await client.request(after)
    if answer.done():
        return answer.exception() is None
    answer.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await answer
    return True


def _messages(difference: Difference) -> Iterable[m.Message]:
    for group in difference.groups:
        yield m.GroupMod(m.GROUP_ADD_OR_MODIFY, group)
    for flow in difference.gone:
        yield m.delete_flow(flow)
    for flow in difference.come:
        yield m.add_flow(flow)
    for number in difference.stale_groups:
        yield m.GroupMod(m.GROUP_DELETE, GroupDef(number, "select", ()))


def _shown(message: Any) -> str:
    return repr(message.flow if isinstance(message, m.FlowMod) else message)[:500]
