# ruff: noqa: E501 - words as the C program takes them
"""C ovs-ofctl talking to our side of a switch: what it sends we understand, what we send it prints."""

import asyncio
import contextlib
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pyovn.openflow import actions as a
from pyovn.openflow import codec, text
from pyovn.openflow import messages as m
from pyovn.openflow.flows import Flow, FlowStats, GroupDef, MeterBand, MeterDef
from pyovn.openflow.match import match
from pyovn.runtime.openflow import OpenFlowChannel, OpenFlowListener
from tests.openflow import samples
from tests.support.c_programs import need

pytestmark = pytest.mark.interop

Replies = dict[str, tuple[object, ...]]


@pytest.fixture(params=["26.03", "23.03"])
def ofctl(request: pytest.FixtureRequest) -> Path:
    return need("ovs-ofctl", request.param)


async def talk(
    program: Path, remote: Path, command: str, words: tuple[str, ...], replies: Replies
) -> tuple[str, list[m.Message]]:
    """What the program printed, and every message it sent."""
    heard: list[m.Message] = []

    async def answer(channel: OpenFlowChannel) -> None:
        async for message, xid in channel:
            heard.append(message)
            for reply in respond(message, replies):
                channel.send(reply, xid)

    async with OpenFlowListener(f"punix:{remote}", answer):
        process = await asyncio.create_subprocess_exec(
            program, "-O", "OpenFlow15", "--no-names", command, f"unix:{remote}", *words,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0, err.decode()
    return out.decode(), heard


def respond(message: m.Message, replies: Replies) -> Iterable[m.Message]:
    match message:
        case m.BarrierRequest():
            yield m.BarrierReply()
        case m.MultipartRequest(kind):
            yield m.MultipartReply(kind, replies.get(kind, ()))
        case m.FeaturesRequest():
            yield m.FeaturesReply(0x0A0000000001)
        case m.GetConfigRequest():
            yield m.GetConfigReply()
        case m.TlvTableRequest():
            yield m.TlvTableReply((m.TlvMap(0x102, 0x80, 4, 0),))
        case m.BundleControl(number, kind, flags):
            yield m.BundleControl(number, kind + 1, flags)
        case _:
            with contextlib.suppress(StopIteration):
                yield from ()


def run(
    program: Path, tmp: Path, command: str, *words: str, replies: Replies | None = None
) -> tuple[str, list[m.Message]]:
    return asyncio.run(talk(program, tmp / "s", command, words, replies or {}))


NEWER = tuple(words for _, _, words in samples.NEW_ACTIONS)


def test_flows_arrive_as_they_were_written(ofctl: Path, tmp_path: Path) -> None:
    old = "usr" in ofctl.parts
    everything = samples.ACTIONS + ([] if old else samples.NEW_ACTIONS)
    flows = [Flow(1, 7, wanted, (), number) for number, (wanted, _) in enumerate(samples.MATCHES)]
    flows += [Flow(2, 7, match(**wanted), doing, number) for number, (wanted, doing, _) in enumerate(everything)]
    flows = [flow for flow in flows if not any(name.startswith("tun_metadata") for name, _, _ in flow.match)]
    (tmp_path / "flows").write_text("\n".join(_line(flow) for flow in flows))
    _, heard = run(ofctl, tmp_path, "add-flows", str(tmp_path / "flows"))
    mods = [message.flow for message in heard if isinstance(message, m.FlowMod)]
    assert len(mods) == len(flows)
    for flow, mod in zip(flows, mods, strict=True):
        assert text.format_flow(mod) == text.format_flow(flow)


def _line(flow: Flow) -> str:
    """A flow as add-flows takes it."""
    return text.format_flow(flow).replace(" actions=", ",actions=")


def test_flows_are_printed_as_we_print_them(ofctl: Path, tmp_path: Path) -> None:
    flows = [Flow(2, 7, match(**wanted), doing, number) for number, (wanted, doing, _) in enumerate(samples.ACTIONS)]
    flows += [Flow(1, 7, wanted, (), number) for number, (wanted, _) in enumerate(samples.MATCHES)]
    stats = [FlowStats(flow, number, number * 60, 1.5, 2) for number, flow in enumerate(flows)]
    printed, heard = run(ofctl, tmp_path, "dump-flows", replies={"flow": tuple(stats)})
    assert printed.splitlines()[1:] == [" " + text.format_stats(each) for each in stats]
    assert m.MultipartRequest("flow", m.FlowQuery()) in heard


GROUP = "group_id=7,type=select,selection_method=dp_hash,bucket=bucket_id:0,weight:100,actions=ct(commit,table=3,nat(dst=1.2.3.4)),bucket=bucket_id:1,actions=output:1"
HASHED = "group_id=8,type=select,selection_method=hash,fields(ip_src,ip_dst=255.255.255.0),bucket=bucket_id:0,actions=output:1"


@pytest.mark.parametrize(
    "words", [GROUP, HASHED, "group_id=9,type=ff,bucket=bucket_id:0,watch_port:1,actions=output:1"]
)
def test_groups(ofctl: Path, tmp_path: Path, words: str) -> None:
    _, heard = run(ofctl, tmp_path, "add-group", words)
    group = text.parse_group(words)
    assert m.GroupMod(m.ADD, group) in heard
    printed, _ = run(ofctl, tmp_path, "dump-groups", replies={"group_desc": (group,)})
    assert printed.splitlines()[1:] == [" " + words]
    stats = m.GroupStats(7, 0, 1, 2, 0.891, ((3, 4), (5, 6)))
    printed, _ = run(ofctl, tmp_path, "dump-group-stats", replies={"group_stats": (stats,)})
    assert printed.splitlines()[1:] == [" " + text.format_group_stats(stats)]
    _, heard = run(ofctl, tmp_path, "del-groups", "group_id=7")
    assert m.GroupMod(m.GROUP_DELETE, GroupDef(7, "all", ())) in heard


def test_meters(ofctl: Path, tmp_path: Path) -> None:
    words = "meter=6 pktps burst stats band=type=drop rate=100 burst_size=5"
    _, heard = run(ofctl, tmp_path, "add-meter", words)
    meter = MeterDef(6, (MeterBand(100, 5),), pktps=True, burst=True)
    assert m.MeterMod(m.ADD, meter) in heard
    printed, _ = run(ofctl, tmp_path, "dump-meters", replies={"meter_desc": (meter,)})
    assert printed.partition("\n")[2].strip() == text.format_meter(meter)
    stats = m.MeterStats(6, 0, 1, 2, 0.892, ((3, 4),))
    printed, _ = run(ofctl, tmp_path, "meter-stats", replies={"meter_stats": (stats,)})
    assert printed.partition("\n")[2].strip() == text.format_meter_stats(stats)


PORTS = (
    m.Port(1, 0xA0000000001, "p1"),
    m.Port(a.OFPP_LOCAL, 0xA0000000002, "br0", m.PORT_DOWN, m.LINK_DOWN, 64, speed=10**7),
)


def test_ports_and_tables(ofctl: Path, tmp_path: Path) -> None:
    printed, _ = run(ofctl, tmp_path, "dump-ports-desc", replies={"port_desc": PORTS})
    assert printed.partition("\n")[2].rstrip("\n") == "\n".join(map(text.format_port, PORTS))
    stats = (m.PortStats(1, 2.37, 1, 0, 118, 0), m.PortStats(a.OFPP_LOCAL, 0.5, *range(12)))
    printed, _ = run(ofctl, tmp_path, "dump-ports", replies={"port_stats": stats, "port_desc": PORTS})
    assert printed.partition("\n")[2].rstrip("\n") == "\n".join(map(text.format_port_stats, stats))
    tables = tuple(m.TableStats(number, number == 3) for number in range(254))
    features = tuple(m.TableFeatures(number, "") for number in range(254))
    printed, _ = run(ofctl, tmp_path, "dump-tables", replies={"table": tables, "table_features": features})
    assert "    active=1, lookup=0, matched=0" in printed
    printed, _ = run(ofctl, tmp_path, "show", replies={"port_desc": PORTS})
    assert "dpid:00000a0000000001" in printed


SENT: list[tuple[str, tuple[str, ...], Callable[[m.Message], bool]]] = [
    ("ct-flush-zone", ("5",), lambda sent: sent == m.CtFlushZone(5)),
    ("add-tlv-map", ("{class=0x102,type=0x80,len=4}->tun_metadata0",),
     lambda sent: sent == m.TlvTableMod(m.TLV_ADD, (m.TlvMap(0x102, 0x80, 4, 0),))),
    ("del-flows", ("table=3,ip,out_port=5",),
     lambda sent: sent == m.FlowMod(m.DELETE, Flow(3, 0x8000, match(eth_type=0x800), ()), out_port=5)),
    ("del-flows", ("cookie=0x5/0xff",), lambda sent: isinstance(sent, m.FlowMod) and sent.cookie_mask == 0xFF),
    ("mod-flows", ("ip,actions=output:1",), lambda sent: isinstance(sent, m.FlowMod) and sent.command == m.MODIFY),
    ("packet-out", ("in_port=1,packet=00010203040500010203040608060001,actions=output:2",),
     lambda sent: sent == m.PacketOut(bytes.fromhex("00010203040500010203040608060001"), (a.Output(2),), match(in_port=1))),
    ("dump-aggregate", ("table=3",), lambda sent: sent == m.MultipartRequest("aggregate", m.FlowQuery(3))),
]  # fmt: skip


@pytest.mark.parametrize(("command", "words", "expected"), SENT)
def test_what_it_sends_we_understand(
    ofctl: Path, tmp_path: Path, command: str, words: tuple[str, ...], expected: Callable[[m.Message], bool]
) -> None:
    replies: Replies = {"aggregate": (m.Aggregate(1, 2, 3),)}
    _, heard = run(ofctl, tmp_path, command, *words, replies=replies)
    assert any(expected(message) for message in heard), heard


def test_connection_flushes(tmp_path: Path) -> None:
    program = need("ovs-ofctl", "26.03")
    words = "zone=5", "mark=1/3", "labels=0x7/0xff", "ct_nw_src=10.0.0.1,ct_nw_proto=6,ct_tp_dst=80"
    _, heard = run(program, tmp_path, "ct-flush", *words)
    mapped = 0xFFFF << 32 | samples.A
    assert m.CtFlush(5, 6, m.CtTuple(mapped, None, None, 80), m.CtTuple(), (1, 3), (7, 0xFF)) in heard


def test_flushes_by_label_are_read_as_they_are_meant():
    flush = m.CtFlush(5, 6, m.CtTuple(0xFFFF << 32 | samples.A, None, None, 80), m.CtTuple(), (1, 3), (7, 0xFF))
    words = [need("ovs-ofctl", "26.03"), "ofp-print", codec.encode(flush, 1).hex()]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "zone=5 mark=0x1/0x3 labels=0x7/0xff 'ct_nw_src=10.0.0.1," in printed
