"""Our client against a real switch, and our client against our listener."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyovn.openflow import actions as a
from pyovn.openflow import messages as m
from pyovn.openflow.errors import Refused
from pyovn.openflow.flows import Bucket, Flow, FlowStats, GroupDef, MeterBand, MeterDef
from pyovn.openflow.match import match
from pyovn.runtime.openflow import (
    BundleFailed,
    Disconnected,
    Failures,
    OpenFlowChannel,
    OpenFlowClient,
    OpenFlowListener,
)
from tests.openflow import samples
from tests.support.real_ovs import RealSwitch


@pytest.fixture(scope="module", params=["26.03", "23.03"])
def switch(request: pytest.FixtureRequest) -> Iterator[RealSwitch]:
    with RealSwitch(version=request.param) as running:
        running.add_bridge("br0")
        for number in (1, 2):
            running.add_port("br0", f"p{number}", number)
        running.ofctl("add-tlv-map", "br0", "{class=0x102,type=0x80,len=4}->tun_metadata0")
        running.ofctl("add-meter", "br0", "meter=5 kbps band=type=drop rate=100")
        running.ofctl("add-group", "br0", "group_id=7,type=select,bucket=actions=output:1")
        yield running


async def read_back(client: OpenFlowClient) -> dict[int, Flow]:
    reply = await client.query("flow")
    return {stats.flow.cookie: stats.flow for stats in reply.entries}


def printed(switch: RealSwitch) -> dict[int, str]:
    """cookie → match and actions as C ovs-ofctl prints them."""
    lines = switch.ofctl("--no-names", "--no-stats", "dump-flows", "br0").splitlines()
    found = {}
    for line in lines:
        cookie, _, rest = line.strip().partition(", ")
        found[int(cookie.removeprefix("cookie="), 16)] = rest
    return found


@pytest.mark.interop
def test_every_match_comes_back_from_a_real_switch(switch: RealSwitch) -> None:
    flows = [Flow(1, 7, wanted, (), cookie) for cookie, (wanted, _) in enumerate(samples.MATCHES, 1)]

    async def run() -> dict[int, Flow]:
        async with OpenFlowClient(switch.mgmt("br0")) as client:
            await client.bundle([m.delete_all_flows(), *map(m.add_flow, flows)])
            return await read_back(client)

    got = asyncio.run(run())
    assert [got.get(flow.cookie) for flow in flows] == flows
    lines = printed(switch)
    for cookie, (_, text) in enumerate(samples.MATCHES, 1):
        assert lines[cookie] == f"table=1, priority=7{text and ','}{text} actions=drop"


def flows_with(actions: list[tuple[dict[str, int], a.Actions, str]]) -> list[Flow]:
    return [Flow(2, cookie, match(**wanted), doing, cookie) for cookie, (wanted, doing, _) in enumerate(actions, 1)]


@pytest.mark.interop
def test_every_action_comes_back_from_a_real_switch(switch: RealSwitch) -> None:
    everything = samples.ACTIONS + (samples.NEW_ACTIONS if switch.version == "26.03" else [])
    flows = flows_with(everything)

    async def run() -> dict[int, Flow]:
        async with OpenFlowClient(switch.mgmt("br0")) as client:
            await client.bundle([m.delete_all_flows(), *map(m.add_flow, flows)])
            return await read_back(client)

    got = asyncio.run(run())
    assert [got.get(flow.cookie) for flow in flows] == flows
    lines = printed(switch)
    for cookie, (_, _, text) in enumerate(everything, 1):
        assert lines[cookie].partition("actions=")[2] == text


@pytest.mark.interop
def test_a_bundle_says_which_messages_it_left_out(switch: RealSwitch) -> None:
    good = m.add_flow(Flow(3, 1, (), (), 77))
    bad = m.add_flow(Flow(3, 2, match(ip_src=1), (), 78))

    async def run() -> tuple[Failures, dict[int, Flow]]:
        async with OpenFlowClient(switch.mgmt("br0")) as client:
            assert await client.bundle([m.delete_all_flows()]) == ()
            return await client.bundle([bad, good]), await read_back(client)

    failures, flows = asyncio.run(run())
    assert [(message, why.name) for message, why in failures] == [(bad, "OFPBMC_BAD_PREREQ")]
    assert flows == {77: good.flow}


@pytest.mark.interop
def test_a_bundle_that_fails_half_way_changes_nothing(switch: RealSwitch) -> None:
    good = m.add_flow(Flow(3, 1, (), (), 77))
    bad = m.add_flow(Flow(3, 2, (), (a.Group(4711),), 78))

    async def run() -> tuple[BundleFailed, dict[int, Flow]]:
        async with OpenFlowClient(switch.mgmt("br0")) as client:
            await client.bundle([m.delete_all_flows()])
            with pytest.raises(BundleFailed) as caught:
                await client.bundle([good, bad])
            return caught.value, await read_back(client)

    failed, flows = asyncio.run(run())
    assert [(message, why.name) for message, why in failed.failures] == [(bad, "OFPBAC_BAD_OUT_GROUP")]
    assert flows == {}


@pytest.mark.interop
def test_a_thousand_flows_come_back_in_parts(switch: RealSwitch) -> None:
    flows = [Flow(4, 1, match(reg0=number), (a.Output(1),), number) for number in range(3000)]

    async def run() -> dict[int, Flow]:
        async with OpenFlowClient(switch.mgmt("br0")) as client:
            await client.bundle([m.delete_all_flows(), *map(m.add_flow, flows)])
            got = await read_back(client)
            await client.bundle(m.delete_flow(flow) for flow in flows)
            assert await read_back(client) == {}
            return got

    assert asyncio.run(run()) == {flow.cookie: flow for flow in flows}


GROUPS = [
    GroupDef(20, "select", (Bucket((a.Output(1),), 100, 0), Bucket((a.Output(2),), 50, 1)), "dp_hash"),
    GroupDef(21, "select", (Bucket((a.Output(1),), 1, 0),), "hash", 0,
             (("ip_src", 0xFFFFFFFF, 0xFFFFFFFF), ("ip_dst", 0xFFFFFF00, 0xFFFFFFFF))),
    GroupDef(22, "all", (Bucket((a.Output(1),), id=0), Bucket((), id=1))),
    GroupDef(23, "ff", (Bucket((a.Output(1),), id=0, watch_port=1), Bucket((), id=1, watch_group=22))),
    GroupDef(24, "indirect", (Bucket((a.Output(1),), id=0),)),
]  # fmt: skip


@pytest.mark.interop
def test_groups_and_meters_come_back_from_a_real_switch(switch: RealSwitch) -> None:
    meter = MeterDef(9, (MeterBand(100, 5),), pktps=True, burst=True)

    async def run() -> None:
        async with OpenFlowClient(switch.mgmt("br0")) as client:
            await client.bundle(m.GroupMod(m.ADD, group) for group in GROUPS)
            groups = {group.id: group for group in (await client.query("group_desc")).entries}
            assert [groups[group.id] for group in GROUPS] == GROUPS
            client.send(m.MeterMod(m.ADD, meter))
            assert (await client.query("meter_desc", 9)).entries == (meter,)
            client.send(m.MeterMod(m.METER_DELETE, meter))
            await client.bundle(m.GroupMod(m.GROUP_DELETE, group) for group in GROUPS)
            assert {entry.id for entry in (await client.query("group_stats")).entries} == {7}

    asyncio.run(run())


@pytest.mark.interop
def test_a_paused_packet_resumes_where_it_stopped(switch: RealSwitch) -> None:
    frame = bytes.fromhex("0a0000000002 0a0000000001 1234".replace(" ", "")) + bytes(46)

    async def run() -> tuple[m.PacketIn, m.PacketIn]:
        async with OpenFlowClient(switch.mgmt("br0")) as client:
            client.send(m.SetPacketInFormat(m.NXT_PACKET_IN2_FORMAT))
            client.send(m.SetConfig(0, 0xFFFF))
            pause = (a.SetField("reg5", 9, 0xFFFFFFFF), a.Controller(userdata=b"abc", pause=True), a.Resubmit(1))
            again = (a.Controller(userdata=b"again"),)
            await client.bundle(
                [m.delete_all_flows(), m.add_flow(Flow(0, 1, (), pause, 5)), m.add_flow(Flow(1, 1, (), again, 6))]
            )
            client.send(m.PacketOut(frame, (a.Output(a.OFPP_TABLE),), match(in_port=1)))
            first = await anext(aiter(client))
            assert isinstance(first, m.PacketIn)
            changed = tuple(("reg5", 7, mask) if name == "reg5" else (name, v, mask) for name, v, mask in first.match)
            client.send(m.Resume(*first._replace(match=changed)))
            second = await anext(aiter(client))
            assert isinstance(second, m.PacketIn)
            return first, second

    first, second = asyncio.run(asyncio.wait_for(run(), 10))
    assert (first.packet, first.userdata, first.table) == (frame, b"abc", 0)
    assert {name: value for name, value, _ in first.match} == {"in_port": 1, "reg5": 9}
    assert (second.userdata, second.cookie, second.continuation) == (b"again", 6, None)
    assert ("reg5", 7, 0xFFFFFFFF) in second.match


@pytest.mark.interop
def test_what_a_real_switch_says_about_itself(switch: RealSwitch) -> None:
    async def run() -> None:
        async with OpenFlowClient(switch.mgmt("br0")) as client:
            assert isinstance(await client.request(m.FeaturesRequest()), m.FeaturesReply)
            names = {port.number: port.name for port in (await client.query("port_desc")).entries}
            assert names == {1: "p1", 2: "p2", a.OFPP_LOCAL: "br0"}
            (desc,) = (await client.query("desc")).entries
            assert desc.hardware == "Open vSwitch"
            tlv = await client.request(m.TlvTableRequest())
            assert tlv == m.TlvTableReply((m.TlvMap(0x102, 0x80, 4, 0),))
            for kind in ("table", "port_stats", "queue_stats", "group_features", "meter_features", "table_features"):
                assert (await client.query(kind)).entries
            with pytest.raises(Refused, match="OFPMMFC_UNKNOWN_METER"):
                await client.query("meter_desc", 99)
            for flush in (m.CtFlushZone(3), m.CtFlush(3), m.CtFlush(mark=(1, 3))):
                client.send(flush)
            client.send(m.SetControllerId(7))
            client.send(m.SetAsync(((m.ASYNC_PORT_STATUS_MASTER, 7),)))
            await client.barrier()

    asyncio.run(run())


# --- our client, our listener -------------------------------------------------------------------------------------


async def answer(channel: OpenFlowChannel) -> None:
    """A switch that has a few flows and knows barriers."""
    flow = FlowStats(Flow(0, 1, match(in_port=1), (), 3), 4, 5)
    async for message, xid in channel:
        match message:
            case m.BarrierRequest():
                channel.send(m.BarrierReply(), xid)
            case m.MultipartRequest("flow"):
                channel.send(m.MultipartReply("flow", (flow,) * 2000), xid)
            case m.BundleControl(number, kind, flags):
                channel.send(m.BundleControl(number, kind + 1, flags), xid)
            case m.BundleAdd(_, m.GroupMod()):
                channel.send(m.Error(11, 8), xid)
            case m.PacketOut(packet):
                channel.send(m.PacketIn(packet), 0)
            case m.FeaturesRequest():
                return


def with_switch(tmp_path: Path, client_of):  # type: ignore[no-untyped-def]
    async def run() -> None:
        path = tmp_path / "s"
        async with OpenFlowListener(f"punix:{path}", answer), OpenFlowClient(f"unix:{path}") as client:
            await client_of(client)

    asyncio.run(asyncio.wait_for(run(), 10))


def test_client_and_listener_talk(tmp_path: Path) -> None:
    async def use(client: OpenFlowClient) -> None:
        await client.barrier()
        reply = await client.query("flow", m.FlowQuery())
        assert len(reply.entries) == 2000
        client.send(m.PacketOut(b"hello", ()))
        assert await anext(aiter(client)) == m.PacketIn(b"hello", total_len=5)
        await client.bundle([m.delete_all_flows()])

    with_switch(tmp_path, use)


def test_an_error_about_a_bundled_message_is_told(tmp_path: Path) -> None:
    group = m.GroupMod(m.ADD, GroupDef(1, "all", ()))

    async def use(client: OpenFlowClient) -> None:
        failures = await client.bundle([m.delete_all_flows(), group])
        assert [message for message, _ in failures] == [group]

    with_switch(tmp_path, use)


def test_whoever_waits_hears_of_the_end(tmp_path: Path) -> None:
    async def use(client: OpenFlowClient) -> None:
        with pytest.raises(Disconnected):
            await client.request(m.FeaturesRequest())
        assert [message async for message in client] == []
        assert not client.connected
        with pytest.raises(Disconnected):
            client.send(m.BarrierRequest())

    with_switch(tmp_path, use)


def test_a_listener_takes_any_free_port() -> None:
    async def run() -> None:
        async with (
            OpenFlowListener("ptcp:0:127.0.0.1", answer, probe_ms=5000) as listener,
            OpenFlowClient(f"tcp:127.0.0.1:{listener.port}") as client,
        ):
            await client.barrier()
            assert len(listener.channels) == 1

    asyncio.run(asyncio.wait_for(run(), 10))


def test_a_silent_peer_is_given_up(tmp_path: Path) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes.fromhex("0600000800000001"))
        await reader.read(-1)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_unix_server(mute, tmp_path / "s")
        async with server, OpenFlowClient(f"unix:{tmp_path}/s", probe_ms=20) as client:
            assert [message async for message in client] == []
            assert "inactivity" in client.closed_because

    asyncio.run(asyncio.wait_for(run(), 10))


def test_a_peer_without_our_version_is_refused(tmp_path: Path) -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes.fromhex("0100000800000001"))
        await reader.read(-1)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_unix_server(old, tmp_path / "s")
        async with server:
            with pytest.raises(Disconnected, match=r"OpenFlow 1\.5"):
                await OpenFlowClient(f"unix:{tmp_path}/s").__aenter__()

    asyncio.run(asyncio.wait_for(run(), 10))
