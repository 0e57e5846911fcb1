"""The switch as a daemon: driven by a database, by controllers, and by C programs."""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pyovn.daemons.vswitchd import Vswitchd
from pyovn.openflow import actions as act
from pyovn.openflow import messages as m
from pyovn.openflow.flows import SEND_FLOW_REM, Flow
from pyovn.openflow.match import match
from pyovn.ovsdb.txn import Txn
from pyovn.runtime.control import send
from pyovn.runtime.nics import SystemNics
from pyovn.runtime.openflow import OpenFlowClient
from pyovn.runtime.ovsdb import Client
from pyovn.tables.vswitch import Bridge, Datapath, Interface, OpenvSwitch, Port
from pyovn.vswitch.underlay import Fabric, MemoryUnderlay
from tests.support.c_programs import need
from tests.support.servers import embedded_server, upstream_schema
from tests.vswitch.frames import udp_frame

TABLES = {OpenvSwitch: None, Bridge: None, Port: None, Interface: None, Datapath: None}


class Host:
    """One hypervisor: database, switch, and a client of the database."""

    def __init__(self, rundir: Path, remote: str, underlay: MemoryUnderlay | None) -> None:
        self.rundir = rundir
        self.nics = SystemNics(devices=False)
        self.switch = Vswitchd(remote, rundir, self.nics, underlay, control=str(rundir / "vs.ctl"))
        self.database = Client(remote, "Open_vSwitch", TABLES)

    @property
    def root(self) -> OpenvSwitch:
        return next(iter(self.database.replica.rows(OpenvSwitch).values()))

    async def change(self, fill: Callable[[Txn], None]) -> None:
        """Change the database and wait until the switch has followed, as ovs-vsctl does."""
        txn = Txn()
        fill(txn)
        txn.mutate(self.root, "next_cfg", "+=", 1)
        await self.database.transact(txn)
        await self.until(lambda: self.root.cur_cfg == self.root.next_cfg)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await self.database.changes()

    async def add_bridge(self, name: str, *ports: tuple[str, str, dict[str, str]]) -> None:
        """A bridge with ports given as (name, type, options)."""

        def fill(txn: Txn) -> None:
            rows = []
            for port, type_, options in ((name, "internal", {}), *ports):
                interface = txn.insert(Interface, name=port, type=type_, options=options)
                rows.append(txn.insert(Port, name=port, interfaces={interface}))
            bridge = txn.insert(Bridge, name=name, ports=set(rows), fail_mode="secure")
            txn.mutate(self.root, "bridges", "insert", {bridge})

        await self.change(fill)

    def interface(self, name: str) -> Interface:
        return self.database.replica.where(Interface, name=name)[0]

    def openflow(self, bridge: str) -> OpenFlowClient:
        return OpenFlowClient(f"unix:{self.rundir / bridge}.mgmt")


@asynccontextmanager
async def host(underlay: MemoryUnderlay | None = None, **root: Any) -> AsyncIterator[Host]:
    """A hypervisor; `root` are columns of the Open_vSwitch row that it starts with."""
    with tempfile.TemporaryDirectory(prefix="vs") as directory:
        rundir = Path(directory)
        async with embedded_server(rundir, upstream_schema("vswitch")) as server:
            made = Host(rundir, server.remote, underlay)
            tasks = [asyncio.ensure_future(made.switch.run()), asyncio.ensure_future(made.database.run())]
            try:
                await made.database.synced()
                if not made.database.replica.rows(OpenvSwitch):
                    txn = Txn()
                    txn.insert(OpenvSwitch, **root)
                    await made.database.transact(txn)
                    await made.until(lambda: bool(made.database.replica.rows(OpenvSwitch)))
                yield made
            finally:
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with contextlib.suppress(asyncio.CancelledError):
                        await task


def scenario(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_ports_get_numbers_and_the_database_hears_of_it():
    async def story() -> None:
        async with host() as one:
            await one.add_bridge("br0", ("p1", "dummy", {}), ("nodev", "", {}))
            assert one.interface("br0").ofport == 65534
            assert one.interface("p1").ofport == 1
            assert (one.interface("p1").link_state, one.interface("p1").error) == ("up", None)
            assert one.interface("nodev").ofport == -1
            assert "could not open network device nodev" in one.interface("nodev").error
            assert one.root.ovs_version
            assert "geneve" in one.root.iface_types

    scenario(story)


def test_datapath_rows_learn_what_the_switch_can_do():
    async def story() -> None:
        async with host() as one:

            def fill(txn: Txn) -> None:
                txn.update(one.root, datapaths={"netdev": txn.insert(Datapath, datapath_version="x")})

            await one.change(fill)
            (row,) = one.database.replica.rows(Datapath).values()
            assert row.capabilities["ct_zero_snat"] == "true"

    scenario(story)


def test_a_controller_programs_the_bridge_and_packets_follow():
    async def story() -> None:
        async with host() as one:
            await one.add_bridge("br0", ("p1", "dummy", {}), ("p2", "dummy", {}))
            sent: list[bytes] = []
            one.nics.dummies["p2"].on_transmit = sent.append
            async with one.openflow("br0") as controller:
                await controller.bundle([m.add_flow(Flow(0, 1, match(in_port=1), (act.Output(2),)))])
                one.nics.dummies["p1"].inject(udp_frame())
                (entry,) = (await controller.query("flow", m.FlowQuery())).entries
            assert sent == [udp_frame()]
            assert (entry.packets, entry.flow.actions) == (1, (act.Output(2),))

    scenario(story)


def test_a_switch_that_waits_for_its_flows_keeps_still_until_it_has_them():
    async def story() -> None:
        restoring = {"flow-restore-wait": "true"}
        fabric = Fabric()
        heard: list[bytes] = []
        fabric.listeners["1.0.0.2", 6081] = lambda payload, *_: heard.append(payload)
        async with host(MemoryUnderlay(fabric, "1.0.0.1"), other_config=restoring) as one:
            await one.add_bridge("br0", ("p1", "dummy", {}), ("t1", "geneve", {"remote_ip": "1.0.0.2"}))
            sent: list[bytes] = []
            one.nics.dummies["br0"].on_transmit = sent.append

            def watch(txn: Txn) -> None:
                txn.update(one.interface("t1"), bfd={"enable": "true"})

            await one.change(watch)
            async with one.openflow("br0") as controller:
                await controller.bundle([m.add_flow(Flow(0, 1, (), (act.Output(act.OFPP_LOCAL),)))])
            one.nics.dummies["p1"].inject(udp_frame())
            assert (sent, heard, one.interface("t1").bfd_status) == ([], [], {})
            await one.change(lambda txn: txn.update(one.root, other_config={}))
            one.nics.dummies["p1"].inject(udp_frame())
            await one.until(lambda: one.interface("t1").bfd_status.get("state") == "down")
            assert sent == [udp_frame()]
            assert heard, "BFD has begun"
            await one.change(lambda txn: txn.update(one.root, other_config=restoring))
            one.nics.dummies["p1"].inject(udp_frame())
            assert sent == [udp_frame()] * 2, "a switch that forwards goes on"

    scenario(story)


def test_packet_in_resume_and_flow_removed_reach_the_controller():
    async def story() -> None:
        async with host() as one:
            await one.add_bridge("br0", ("p1", "dummy", {}), ("p2", "dummy", {}))
            async with one.openflow("br0") as controller:
                controller.send(m.SetConfig(miss_send_len=0xFFFF))
                controller.send(m.SetPacketInFormat(2))
                pause = (act.SetField("reg1", 5, 0xFFFFFFFF), act.Controller(pause=True, userdata=b"hi"), act.Output(2))
                controller.send(m.add_flow(Flow(0, 1, match(in_port=1), pause, 9, flags=SEND_FLOW_REM)))
                await controller.barrier()
                one.nics.dummies["p1"].inject(udp_frame())
                packet = await anext(controller)
                assert (packet.packet, packet.userdata, packet.cookie) == (udp_frame(), b"hi", 9)
                assert ("reg1", 5, 0xFFFFFFFF) in packet.match
                sent: list[bytes] = []
                one.nics.dummies["p2"].on_transmit = sent.append
                controller.send(m.Resume(packet.packet, packet.match, continuation=packet.continuation))
                await controller.barrier()
                assert sent == [udp_frame()]
                controller.send(m.delete_all_flows())
                gone = await anext(controller)
                assert (gone.flow.cookie, gone.packets) == (9, 1)

    scenario(story)


def test_a_failed_bundle_leaves_everything_as_it_was():
    async def story() -> None:
        async with host() as one:
            await one.add_bridge("br0")
            async with one.openflow("br0") as controller:
                good = m.add_flow(Flow(0, 1, (), ()))
                bad = m.add_flow(Flow(1, 1, (), (act.Group(77),)))
                with pytest.raises(Exception, match="OFPB"):
                    await controller.bundle([good, bad])
                assert (await controller.query("flow", m.FlowQuery())).entries == ()

    scenario(story)


def test_controllers_come_and_go_and_flows_stay():
    async def story() -> None:
        async with host() as one:
            await one.add_bridge("br0")
            async with one.openflow("br0") as controller:
                await controller.bundle([m.add_flow(Flow(0, 1, (), ()))])
            async with one.openflow("br0") as controller:
                assert len((await controller.query("flow", m.FlowQuery())).entries) == 1

    scenario(story)


def test_ports_that_come_and_go_are_told():
    async def story() -> None:
        async with host() as one:
            await one.add_bridge("br0", ("p1", "dummy", {}))
            async with one.openflow("br0") as controller:
                controller.send(m.SetConfig(miss_send_len=1))
                await controller.barrier()
                bridge = one.database.replica.where(Bridge, name="br0")[0]
                port = one.database.replica.where(Port, name="p1")[0]
                await one.change(lambda txn: txn.mutate(bridge, "ports", "delete", {port.uuid}))
                status = await anext(controller)
                assert (status.reason, status.port.name) == (m.PORT_DELETE, "p1")

    scenario(story)


def test_two_hosts_speak_geneve_over_an_underlay_in_memory():
    async def story() -> None:
        fabric = Fabric()
        wire: list[bytes] = []
        fabric.taps.append(lambda *datagram: wire.append(datagram[4]))
        async with host(MemoryUnderlay(fabric, "1.0.0.1")) as one, host(MemoryUnderlay(fabric, "1.0.0.2")) as two:
            for here, mine, other in ((one, "1.0.0.1", "1.0.0.2"), (two, "1.0.0.2", "1.0.0.1")):
                options = {"remote_ip": other, "local_ip": mine, "key": "flow"}
                await here.add_bridge("br0", ("p1", "dummy", {}), ("t1", "geneve", options))
                async with here.openflow("br0") as controller:
                    controller.send(m.TlvTableMod(m.TLV_ADD, (m.TlvMap(0x102, 0x80, 4, 0),)))
                    tunnel = here.interface("t1").ofport
                    there = (
                        act.SetField("tun_id", 7, (1 << 64) - 1), act.SetField("tun_metadata0", 0x10002, 0xFFFFFFFF),
                        act.Output(tunnel),
                    )  # fmt: skip
                    here_again = match(in_port=tunnel, tun_id=7, tun_metadata0=0x10002)
                    controller.send(m.add_flow(Flow(0, 1, match(in_port=here.interface("p1").ofport), there)))
                    controller.send(m.add_flow(Flow(0, 1, here_again, (act.Output(here.interface("p1").ofport),))))
                    await controller.barrier()
            got: list[bytes] = []
            two.nics.dummies["p1"].on_transmit = got.append
            one.nics.dummies["p1"].inject(udp_frame())
            assert got == [udp_frame()]
            assert wire == [bytes.fromhex("02406558000007000102800100010002") + udp_frame()]

    scenario(story)


def test_the_control_socket_traces_and_dumps():
    async def story() -> None:
        async with host() as one:
            await one.add_bridge("br0", ("p1", "dummy", {}), ("p2", "dummy", {}))
            async with one.openflow("br0") as controller:
                await controller.bundle([m.add_flow(Flow(0, 7, match(in_port=1), (act.Output(2),), 0x1F))])
            control = str(one.rundir / "vs.ctl")
            text = await send(control, "ofproto/trace", ["br0", "in_port=1,udp"])
            assert " 0. in_port=1, priority 7, cookie 0x1f\n    output:2\n" in text
            assert text.endswith("Datapath actions: 2\n")
            one.nics.dummies["p1"].inject(udp_frame())
            assert "actions:2" in await send(control, "dpctl/dump-flows")
            assert "p1 1/1:" in await send(control, "dpif/show")

    scenario(story)


# --- C programs ---------------------------------------------------------------------------------------------------


@pytest.fixture
def c_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """C ovsdb-server and our switch as processes; a function that runs a C tool against them."""
    names = ("ovsdb-server", "ovsdb-tool", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")
    programs = {name: need(name) for name in names}
    with tempfile.TemporaryDirectory(prefix="vs") as directory:
        rundir = Path(directory)
        (rundir / "vswitch.ovsschema").write_text(__import__("json").dumps(upstream_schema("vswitch")))

        def run(name: str, *words: str) -> str:
            done = subprocess.run(
                [programs[name], *words], capture_output=True, text=True, timeout=30, cwd=rundir, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        def tool(name: str, *words: str) -> str:
            first = {
                "ovs-vsctl": [f"--db=unix:{rundir}/db.sock", "--timeout=20"],
                "ovs-ofctl": ["-O", "OpenFlow15"],
                "ovs-appctl": ["-t", f"{rundir}/vs.ctl"],
            }[name]
            return run(name, *first, *(word.replace("@rundir", str(rundir)) for word in words))

        run("ovsdb-tool", "create", "conf.db", "vswitch.ovsschema")
        daemons = [
            subprocess.Popen(
                [programs["ovsdb-server"], "conf.db", f"--remote=punix:{rundir}/db.sock", f"--unixctl={rundir}/db.ctl",
                 "-vconsole:off"], cwd=rundir,
            )
        ]  # fmt: skip
        try:
            _wait(rundir / "db.sock")
            tool("ovs-vsctl", "--no-wait", "init")
            daemons.append(
                subprocess.Popen(
                    [sys.executable, "-m", "pyovn.daemons.vswitchd", f"unix:{rundir}/db.sock",
                     f"--unixctl={rundir}/vs.ctl", "-vconsole:off"],
                    env={**__import__("os").environ, "OVS_RUNDIR": str(rundir)}, cwd=rundir,
                )
            )  # fmt: skip
            _wait(rundir / "vs.ctl")
            yield tool
        finally:
            for daemon in reversed(daemons):
                daemon.terminate()
                daemon.wait(10)


def _wait(path: Path) -> None:
    for _ in range(500):
        if path.exists():
            return
        subprocess.run(["sleep", "0.02"], check=True)
    raise AssertionError(f"{path} did not appear")


@pytest.mark.interop
def test_c_tools_drive_the_switch(c_host):
    c_host("ovs-vsctl", "add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", "datapath_type=netdev")
    for number in ("1", "2"):
        c_host("ovs-vsctl", "add-port", "br0", f"p{number}", "--", "set", "interface", f"p{number}", "type=dummy")
    remote = "unix:@rundir/br0.mgmt"
    c_host("ovs-ofctl", "add-flow", remote, "table=0,tcp,in_port=1 actions=ct(commit,zone=3),output:2")
    frame = "tcp,nw_src=1.1.1.1,nw_dst=2.2.2.2,tcp_src=5,tcp_dst=6,tcp_flags=syn"
    c_host("ovs-appctl", "netdev-dummy/receive", "p1", frame)
    assert "n_packets=1, n_bytes=54" in c_host("ovs-ofctl", "dump-flows", remote)
    assert c_host("ovs-appctl", "dpctl/dump-conntrack") == (
        "tcp,orig=(src=1.1.1.1,dst=2.2.2.2,sport=5,dport=6),reply=(src=2.2.2.2,dst=1.1.1.1,sport=6,dport=5),"
        "zone=3,protoinfo=(state=SYN_SENT)\n"
    )
    assert " 1(p1)" in c_host("ovs-ofctl", "show", remote)
    group = "group_id=1,type=select,selection_method=dp_hash,bucket=output:1,bucket=output:2"
    c_host("ovs-ofctl", "add-group", remote, group)
    assert "selection_method=dp_hash" in c_host("ovs-ofctl", "dump-groups", remote)
    c_host("ovs-ofctl", "add-meter", remote, "meter=1,pktps,band=type=drop,rate=9")
    assert "rate=9" in c_host("ovs-ofctl", "dump-meters", remote)
