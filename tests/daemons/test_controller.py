"""The ovn-controller daemon: it binds, installs and reports, leaves as told, and returns without disturbing."""

import asyncio
import contextlib
import logging
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pyovn.daemons.controller import FAREWELL_S, Config, Controller
from pyovn.daemons.controller_commands import commands
from pyovn.daemons.vswitchd import Vswitchd
from pyovn.openflow import messages as m
from pyovn.ovsdb.txn import Txn
from pyovn.packet.flowkey import flow_key
from pyovn.runtime.commands import CommandFailed
from pyovn.runtime.nics import SystemNics
from pyovn.runtime.openflow import OpenFlowClient
from pyovn.runtime.ovsdb import Client
from pyovn.tables import sb, vswitch
from tests.support.loops import asynchronous
from tests.support.servers import embedded_server, upstream_schema

SCHEMAS = upstream_schema("ovn-sb"), upstream_schema("vswitch")
SEEN = (sb.Chassis, sb.ChassisPrivate, sb.DatapathBinding, sb.Encap, sb.LogicalFlow, sb.PortBinding, sb.SBGlobal)
FLOWS = (
    ("ingress", 0, 50, "1", "next;"),
    ("ingress", 1, 50, "eth.dst == 0a:00:00:00:00:02", 'outport = "p2"; output;'),
    ("egress", 0, 0, "1", "output;"),
)


class Hypervisor:
    """Both databases, a switch of ours, and as many controllers as a test wants, one after another."""

    def __init__(self, remote: str, rundir: Path, tasks: asyncio.TaskGroup) -> None:
        self.remote, self.rundir, self._group = remote, rundir, tasks
        self.vswitchd = Vswitchd(remote, rundir, SystemNics(devices=False))
        self.southbound = Client(remote, "OVN_Southbound", dict.fromkeys(SEEN))
        self.local = Client(remote, "Open_vSwitch", dict.fromkeys(vswitch.OPEN_VSWITCH.tables))
        self.tasks = [tasks.create_task(each.run()) for each in (self.vswitchd, self.southbound, self.local)]

    async def set_up(self, with_bridge: bool) -> None:
        """A logical switch with two ports, one of them plugged here."""
        await self.southbound.synced()
        await self.local.synced()
        txn = Txn()
        txn.insert(sb.SBGlobal, nb_cfg=7, options={"arp_ns_explicit_output": "true", "register_consolidation": "true"})
        ids = {"name": "sw0", "logical-switch": "00000000-0000-0000-0000-000000000001"}
        datapath = txn.insert(sb.DatapathBinding, tunnel_key=1, external_ids=ids)
        for key in (1, 2):
            txn.insert(sb.PortBinding, logical_port=f"p{key}", datapath=datapath, tunnel_key=key, up=False)
        for flow in FLOWS:
            columns = dict(zip(("pipeline", "table_id", "priority", "match", "actions"), flow, strict=True))
            txn.insert(sb.LogicalFlow, logical_datapath=datapath, **columns)
        await self.southbound.transact(txn)
        ids = {"system-id": "ch1", "ovn-remote": self.remote, "ovn-encap-type": "geneve", "ovn-encap-ip": "127.0.0.1"}

        def fill(txn: Txn) -> None:
            bridges = {txn.insert(vswitch.Bridge, name="br-int", fail_mode="secure")} if with_bridge else set()
            txn.insert(vswitch.OpenvSwitch, external_ids=ids, bridges=bridges)

        await self.change(fill)
        await self.until(lambda: self.one(vswitch.OpenvSwitch))

    async def plug(self, name: str, port: str) -> None:
        """An interface of the integration bridge that names a logical port."""

        def fill(txn: Txn) -> None:
            ids = {"iface-id": port}
            interface = txn.insert(vswitch.Interface, name=name, type="dummy", external_ids=ids)
            added = txn.insert(vswitch.Port, name=name, interfaces={interface})
            txn.mutate(self.one(vswitch.Bridge, name="br-int"), "ports", "insert", {added})

        await self.change(fill)

    async def change(self, fill: Callable[[Txn], object]) -> None:
        txn = Txn()
        fill(txn)
        await self.local.transact(txn)

    def start(self, **options: Any) -> tuple[Controller, asyncio.Task[None]]:
        """A controller at work."""
        controller = Controller(Config(self.remote, self.rundir, **options))
        task = self._group.create_task(controller.run())
        self.tasks.append(task)
        return controller, task

    async def stop(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    def one(self, cls: Any, **columns: Any) -> Any:
        """The row with these values, or None."""
        replica = (self.southbound if cls in SEEN else self.local).replica
        return next(iter(replica.where(cls, **columns) if columns else replica.rows(cls).values()), None)

    async def until(self, holds: Callable[[], object]) -> None:
        while not holds():
            await asyncio.sleep(0.01)

    async def bound(self) -> None:
        """Until p1 works and everything there was to do is reported as done."""
        await self.until(lambda: self.one(vswitch.Bridge, name="br-int"))
        if self.one(vswitch.Interface, name="v1") is None:
            await self.plug("v1", "p1")
        await self.until(lambda: (row := self.one(sb.PortBinding, logical_port="p1")) and row.up)
        await self.until(lambda: (row := self.one(sb.ChassisPrivate)) and row.nb_cfg == 7)

    async def flows(self) -> list[Any]:
        """The flows of the integration bridge, as the switch tells."""
        async with OpenFlowClient(f"unix:{self.rundir}/br-int.mgmt") as client:
            entries = (await client.query("flow", m.FlowQuery())).entries
        return sorted((each.flow for each in entries), key=repr)


@contextlib.asynccontextmanager
async def hypervisor(*, with_bridge: bool = True) -> AsyncIterator[Hypervisor]:
    with tempfile.TemporaryDirectory(prefix="oc") as name:
        async with embedded_server(None, *SCHEMAS, in_memory=True) as server, asyncio.TaskGroup() as tasks:
            found = Hypervisor(server.remote, Path(name), tasks)
            await found.set_up(with_bridge)
            yield found
            for task in found.tasks:
                task.cancel()


async def asked(controller: Controller, name: str, *arguments: str) -> str:
    """What a command of the control socket answers."""
    answer: Any = commands(controller)[name].action(list(arguments))
    return answer or ""


@asynchronous
async def test_it_registers_binds_and_installs():
    async with hypervisor(with_bridge=False) as here:
        here.start()
        await here.bound()
        chassis = here.one(sb.Chassis)
        assert chassis.name == "ch1"
        assert here.one(sb.Encap).ip == "127.0.0.1"
        assert here.one(sb.PortBinding, logical_port="p1").chassis == chassis.uuid
        assert here.one(sb.PortBinding, logical_port="p2").chassis is None
        assert {flow.table for flow in await here.flows()} >= {0, 8, 9, 42, 64, 65}
        ids = here.one(vswitch.Bridge, name="br-int").external_ids
        assert ids["ovn-nb-cfg"] == "7"
        assert "ct-zone-p1" in ids
        await here.until(lambda: here.one(vswitch.Interface, name="v1").external_ids.get("ovn-installed") == "true")


@asynchronous
async def test_a_restart_changes_no_flow():
    async with hypervisor() as here:
        _, task = here.start()
        await here.bound()
        before = await here.flows()
        await here.stop(task)
        controller, _ = here.start()
        await here.until(lambda: controller.core and controller.core.settled)
        await here.bound()
        assert await here.flows() == before


@asynchronous
async def test_leaving_for_good_takes_everything_back():
    async with hypervisor() as here:
        controller, task = here.start()
        await here.bound()
        await controller.leave()
        await here.stop(task)
        await here.until(lambda: here.one(sb.Chassis) is None and here.one(sb.ChassisPrivate) is None)
        assert here.one(sb.PortBinding, logical_port="p1").chassis is None


@asynchronous
async def test_leaving_as_soon_as_it_starts_takes_back_what_an_earlier_one_left():
    async with hypervisor() as here:
        _, task = here.start()
        await here.bound()
        await here.stop(task)
        controller, task = here.start()
        await controller.leave()
        await here.stop(task)
        await here.until(lambda: here.one(sb.Chassis) is None and here.one(sb.ChassisPrivate) is None)
        assert here.one(sb.PortBinding, logical_port="p1").chassis is None


@asynchronous
async def test_leaving_takes_no_time_where_there_is_no_southbound_database():
    async with hypervisor() as here:
        await here.change(lambda txn: txn.update(here.one(vswitch.OpenvSwitch), external_ids={}))
        await here.until(lambda: not here.one(vswitch.OpenvSwitch).external_ids)
        controller, task = here.start()
        async with asyncio.timeout(FAREWELL_S / 2):
            await controller.leave()
        await here.stop(task)


@asynchronous
async def test_a_change_of_a_logical_flow_is_installed():
    async with hypervisor() as here:
        here.start()
        await here.bound()
        before = await here.flows()
        txn = Txn()
        txn.update(here.one(sb.LogicalFlow, pipeline="ingress", table_id=0), match="eth.src == 0a:00:00:00:00:01")
        txn.update(here.one(sb.SBGlobal), nb_cfg=8)
        await here.southbound.transact(txn)
        await here.until(lambda: here.one(sb.ChassisPrivate).nb_cfg == 8)
        after = await here.flows()
        (gone,) = [flow for flow in before if flow not in after]
        (come,) = [flow for flow in after if flow not in before]
        assert (gone.table, come.table) == (8, 8)
        assert "eth_src" in {name for name, _, _ in come.match}


@asynchronous
async def test_a_port_that_is_unplugged_is_released():
    async with hypervisor() as here:
        here.start()
        await here.bound()
        interface = here.one(vswitch.Interface, name="v1")
        await here.change(lambda txn: txn.update(interface, external_ids={}))
        await here.until(lambda: here.one(sb.PortBinding, logical_port="p1").chassis is None)


@asynchronous
async def test_what_it_is_asked_over_its_control_socket():
    async with hypervisor() as here:
        controller, _ = here.start()
        with pytest.raises(CommandFailed, match="not started"):
            await asked(controller, "ct-zone-list")
        await here.bound()
        assert await asked(controller, "connection-status") == "connected"
        assert f"p1 {controller.core.zones['p1']}\n" in await asked(controller, "ct-zone-list")
        assert "name: [p1], OVS interface name : [v1]" in await asked(controller, "debug/dump-local-bindings")
        assert await asked(controller, "debug/dump-local-datapaths") == (
            "Local datapaths:\nDatapath: sw0, type: switch\n"
        )
        assert re.fullmatch(
            r"Node: port\n- recompute:            0\n- compute: +\d+\n- cancel:               0\n",
            await asked(controller, "inc-engine/show-stats", "port"),
        )
        assert int(await asked(controller, "inc-engine/show-stats", "port", "compute")) > 0
        assert await asked(controller, "inc-engine/show-stats", "port", "x") == "Invalid stat type : x\n"
        assert not await asked(controller, "inc-engine/show-stats", "nosuch")
        assert await asked(controller, "debug/status") == "running"
        before = await here.flows()
        await asked(controller, "recompute")
        assert await here.flows() == before


@asynchronous
async def test_learned_neighbours_can_be_looked_at():
    async with hypervisor() as here:
        controller, _ = here.start()
        await here.bound()
        datapath = here.one(sb.DatapathBinding).uuid
        learned = {"logical_port": "p2", "ip": "10.0.0.7", "mac": "0a:00:00:00:00:07", "datapath": datapath}
        txn = Txn()
        row = txn.insert(sb.MACBinding, **learned)
        await here.southbound.transact(txn)
        shown = f"cookie: {int(txn.uuids[row][:8], 16):#x}, datapath-key: 1, port-key: 2, ip: 10.0.0.7, mac: "
        await here.until(lambda: controller.core.mac_bindings(datapath))
        dump = await asked(controller, "debug/dump-mac-bindings")
        assert dump == f"Local MAC bindings:\n{shown}0a:00:00:00:00:07\n"


@asynchronous
async def test_an_injected_packet_arrives_where_its_flows_lead():
    async with hypervisor() as here:
        controller, _ = here.start()
        await here.plug("v2", "p2")
        await here.bound()
        await here.until(lambda: here.one(sb.PortBinding, logical_port="p2").up)
        arrived = asyncio.get_running_loop().create_future()
        here.vswitchd.nics.dummies["v2"].on_transmit = arrived.set_result
        await asked(controller, "inject-pkt", 'inport == "p1" && eth.dst == 0a:00:00:00:00:02 && udp.dst == 53 && ip4')
        assert flow_key(await asyncio.wait_for(arrived, 10))["udp_dst"] == 53
        with pytest.raises(CommandFailed, match=r"^ingress port not found on hypervisor\.$"):
            await asked(controller, "inject-pkt", 'inport == "p3"')


@asynchronous
async def test_paused_it_does_nothing_until_it_may_go_on():
    async with hypervisor() as here:
        controller, _ = here.start()
        await here.bound()
        await asked(controller, "debug/pause")
        assert await asked(controller, "debug/status") == "paused"
        txn = Txn()
        txn.update(here.one(sb.SBGlobal), nb_cfg=8)
        await here.southbound.transact(txn)
        await asyncio.sleep(0.1)
        assert here.one(sb.ChassisPrivate).nb_cfg == 7
        await asked(controller, "debug/resume")
        await here.until(lambda: here.one(sb.ChassisPrivate).nb_cfg == 8)


@asynchronous
async def test_a_remote_that_makes_no_sense_is_logged_and_waited_out(caplog):
    async with hypervisor() as here:
        row = here.one(vswitch.OpenvSwitch)
        await here.change(lambda txn: txn.update(row, external_ids={**row.external_ids, "ovn-remote": "nonsense"}))
        await here.until(lambda: here.one(vswitch.OpenvSwitch).external_ids["ovn-remote"] == "nonsense")
        with caplog.at_level(logging.ERROR):
            _, task = here.start()
            await here.until(lambda: "nonsense" in caplog.text)
        assert not task.done()
        row = here.one(vswitch.OpenvSwitch)
        await here.change(lambda txn: txn.update(row, external_ids={**row.external_ids, "ovn-remote": here.remote}))
        await here.bound()


@asynchronous
async def test_reports_can_be_delayed():
    async with hypervisor() as here:
        controller, _ = here.start()
        await here.bound()
        await asked(controller, "debug/delay-nb-cfg-report", "1")
        txn = Txn()
        txn.update(here.one(sb.SBGlobal), nb_cfg=8)
        await here.southbound.transact(txn)
        await asyncio.sleep(0.2)
        assert here.one(sb.ChassisPrivate).nb_cfg == 7
        await here.until(lambda: here.one(sb.ChassisPrivate).nb_cfg == 8)
