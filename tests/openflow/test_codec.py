"""Messages: decode undoes encode, os-ken reads the same, and no bytes break the decoder."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from os_ken.ofproto import ofproto_protocol, ofproto_v1_5, ofproto_v1_5_parser

from pyovn.net.errors import Malformed
from pyovn.openflow import actions as a
from pyovn.openflow import codec, multipart
from pyovn.openflow import messages as m
from pyovn.openflow.errors import BadMessage
from pyovn.openflow.flows import Flow, FlowStats, GroupDef
from pyovn.openflow.match import match
from tests.openflow import samples
from tests.openflow.strategies import action_lists, bits, build, flows, groups, matches, meters

data = st.binary(max_size=40)
counts = bits(63)
maybe = st.none() | counts
durations = st.integers(0, 10**9).map(lambda ms: ms / 1000)
pairs = st.lists(st.tuples(counts, counts), max_size=3).map(tuple)
names = st.text("abcdefgh-0", max_size=15)

packet_ins = build(
    m.PacketIn,
    data,
    matches,
    st.integers(0, 5),
    bits(8),
    st.none() | bits(64),
    bits(32),
    data,
    st.none() | data,
    st.none() | bits(32),
).map(lambda found: found._replace(total_len=len(found.packet) + found.total_len % 1000))
ports = build(m.Port, bits(32), bits(48), names, *(bits(32),) * 8)
tuples = build(
    m.CtTuple,
    *(st.none() | bits(128),) * 2,
    *(st.none() | bits(16),) * 3,
    *(st.none() | bits(8),) * 2,
)
masked = st.none() | st.tuples(bits(32), bits(32))
maps = st.lists(build(m.TlvMap, bits(16), bits(8), bits(8), bits(16)), max_size=3).map(tuple)
mods = st.one_of(
    build(m.FlowMod, st.integers(0, 4), flows, bits(64), bits(32), bits(32), bits(32)),
    build(m.GroupMod, st.sampled_from((m.ADD, m.MODIFY, m.INSERT_BUCKET)), groups(), bits(32)),
    build(m.MeterMod, st.integers(0, 2), meters),
)
masks = st.lists(st.tuples(st.integers(0, 5), bits(32)), max_size=4).map(tuple)
queries = build(m.FlowQuery, bits(8), matches, bits(64), bits(64), bits(32), bits(32))

simple = st.one_of(
    build(m.Error, st.integers(0, 17), bits(8), data),
    build(m.EchoRequest, data),
    build(m.EchoReply, data),
    st.just(m.FeaturesRequest()),
    build(m.FeaturesReply, bits(64), bits(32), bits(8), bits(8), bits(32)),
    st.just(m.GetConfigRequest()),
    build(m.GetConfigReply, bits(16), bits(16)),
    build(m.SetConfig, bits(16), bits(16)),
    build(m.PortStatus, st.integers(0, 2), ports),
    build(m.PortMod, bits(32), bits(48), bits(32), bits(32), st.none() | bits(32)),
    build(m.TableMod, bits(8), bits(32)),
    build(m.PacketOut, data, action_lists, matches, bits(32)),
    st.just(m.BarrierRequest()),
    st.just(m.BarrierReply()),
    build(m.RoleRequest, st.integers(0, 3), bits(64), bits(32)),
    build(m.RoleReply, st.integers(0, 3), bits(64), bits(32)),
    st.just(m.GetAsyncRequest()),
    build(m.GetAsyncReply, masks),
    build(m.SetAsync, masks),
    build(m.BundleControl, bits(32), st.integers(0, 7), bits(2)),
    build(m.BundleAdd, bits(32), mods, bits(2)),
    build(m.SetControllerId, bits(16)),
    build(m.SetPacketInFormat, st.integers(0, 2)),
    build(m.TlvTableMod, st.integers(0, 2), maps),
    st.just(m.TlvTableRequest()),
    build(m.TlvTableReply, maps, bits(32), bits(16)),
    build(m.CtFlushZone, bits(16)),
    build(
        m.CtFlush, st.none() | bits(16), bits(8), tuples, tuples, masked, st.none() | st.tuples(bits(128), bits(128))
    ),
    build(m.Experimenter, st.just(0x1234), bits(32), data),
    build(m.Opaque, st.just(30), data),
    packet_ins,
    packet_ins.map(lambda found: m.Resume(*found)),
    mods,
)


@given(simple, bits(32))
def test_decoding_undoes_encoding(message: m.Message, xid: int) -> None:
    assert codec.decode(codec.encode(message, xid)) == (message, xid)


stats = build(FlowStats, flows, counts, counts, durations, bits(32))
KINDS: dict[str, st.SearchStrategy[object]] = {
    "desc": build(m.SwitchDesc, *(names,) * 5),
    "flow": stats,
    "aggregate": build(m.Aggregate, counts, counts, bits(32)),
    "table": build(m.TableStats, bits(8), bits(32), counts, counts),
    "port_stats": build(m.PortStats, bits(32), durations, *(maybe,) * 12),
    "queue_stats": build(m.QueueStats, bits(32), bits(32), maybe, maybe, maybe, st.none() | durations),
    "group_stats": build(m.GroupStats, bits(32), bits(32), counts, counts, durations, pairs),
    "group_desc": groups(),
    "group_features": build(m.GroupFeatures, bits(32), bits(32), *(st.tuples(*(bits(32),) * 4),) * 2),
    "meter_stats": build(m.MeterStats, bits(32), bits(32), counts, counts, durations, pairs),
    "meter_desc": meters,
    "meter_features": build(m.MeterFeatures, bits(32), bits(32), bits(32), bits(8), bits(8)),
    "table_features": build(m.TableFeatures, bits(8), names, bits(32), bits(64), bits(64), bits(32)),
    "port_desc": ports,
}


@pytest.mark.parametrize("kind", multipart.KINDS)
@given(choice=st.data(), more=st.booleans())
def test_replies_survive(kind: str, choice: st.DataObject, more: bool) -> None:
    most = 1 if kind == "meter_features" else 3
    reply = m.MultipartReply(kind, choice.draw(st.lists(KINDS[kind], max_size=most).map(tuple)), more)
    assert codec.decode(codec.encode(reply, 7)) == (reply, 7)


BODIES = {
    "flow": queries,
    "aggregate": queries,
    "queue_stats": build(m.QueueId, bits(32), bits(32)),
    **dict.fromkeys(("port_stats", "port_desc", "group_stats", "group_desc"), st.none() | bits(31)),
    **dict.fromkeys(("meter_stats", "meter_desc"), st.none() | bits(31)),
}


@pytest.mark.parametrize("kind", multipart.KINDS)
@given(choice=st.data())
def test_requests_survive(kind: str, choice: st.DataObject) -> None:
    request = m.MultipartRequest(kind, choice.draw(BODIES.get(kind, st.none())))
    assert codec.decode(codec.encode(request, 7)) == (request, 7)


def test_requests_may_leave_out_what_they_ask_for() -> None:
    assert codec.decode(codec.encode(m.MultipartRequest("flow"))) == (m.MultipartRequest("flow", m.FlowQuery()), 0)
    assert codec.decode(codec.encode(m.MultipartRequest("queue_stats")))[0].body == m.QueueId()  # type: ignore[union-attr]


def test_a_long_reply_goes_out_in_parts_none_too_long() -> None:
    flow = FlowStats(Flow(1, 2, match(reg0=1), (a.Output(1),)))
    parts = list(codec.split(codec.encode(m.MultipartReply("flow", (flow,) * 2000), 9)))
    replies = [codec.decode(part) for part in parts]
    assert len(parts) > 1
    assert [reply.more for reply, _ in replies] == [True] * (len(parts) - 1) + [False]  # type: ignore[union-attr]
    assert sum(len(reply.entries) for reply, _ in replies) == 2000  # type: ignore[union-attr]


@given(st.binary(max_size=60), st.integers(0, 35))
def test_no_body_breaks_the_decoder(body: bytes, kind: int) -> None:
    with contextlib.suppress(Malformed):
        codec.decode(codec.framed(kind, 1, body))


@given(simple, st.data())
def test_no_damaged_message_breaks_the_decoder(message: m.Message, choice: st.DataObject) -> None:
    whole = bytearray(codec.encode(message, 1))
    at = choice.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= choice.draw(st.integers(1, 255))
    with contextlib.suppress(Malformed):
        codec.decode(bytes(whole))


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        pytest.param("06000009" + "00000001", "OFPBRC_BAD_LEN", id="length"),
        pytest.param("01050008" + "00000001", "OFPBRC_BAD_VERSION", id="version"),
        pytest.param("06120010" + "00000001" + "00630000" + "00000000", "OFPBRC_BAD_MULTIPART", id="multipart"),
    ],
)
def test_bad_messages_are_named(raw: str, name: str) -> None:
    with pytest.raises(BadMessage, match=name):
        codec.decode(bytes.fromhex(raw))


def test_flow_mods_say_which_part_is_bad() -> None:
    good = bytearray(codec.encode(m.add_flow(Flow(0, 1, match(reg0=1), (a.Output(1),)))))
    unknown_field, unknown_command = bytearray(good), bytearray(good)
    unknown_field[52:54] = b"\x77\x77"
    unknown_command[25] = 9
    bad_instruction = bytearray(good)
    bad_instruction[64:66] = b"\0\x63"
    for raw, name in (
        (unknown_field, "OFPBMC_BAD_FIELD"),
        (unknown_command, "OFPFMFC_BAD_COMMAND"),
        (bad_instruction, "OFPBAC_BAD_ARGUMENT"),
    ):
        with pytest.raises(BadMessage, match=name):
            codec.decode(bytes(raw))


def test_hello_without_a_bitmap_offers_every_version_up_to_its_own() -> None:
    assert codec.decode(bytes.fromhex("0400000800000001"))[0] == m.Hello(0b11110, 4)
    assert codec.decode(codec.encode(m.Hello()))[0] == m.Hello(1 << 6, 6)


def test_deleting_a_group_says_no_more_than_its_id() -> None:
    group = GroupDef(5, "select", (), "dp_hash")
    assert codec.decode(codec.encode(m.GroupMod(m.GROUP_DELETE, group)))[0] == m.GroupMod(
        m.GROUP_DELETE, GroupDef(5, "select", ())
    )


def test_split_gives_whole_messages_only() -> None:
    one = codec.encode(m.EchoRequest(b"abc"))
    assert list(codec.split(one + one + one[:5])) == [one, one]
    with pytest.raises(BadMessage):
        list(codec.split(bytes(8)))


# --- os-ken as an independent reader ------------------------------------------------------------------------------


def os_ken(raw: bytes):  # type: ignore[no-untyped-def]
    datapath = ofproto_protocol.ProtocolDesc(version=6)
    version, kind, size, xid = struct.unpack_from("!BBHI", raw)
    return ofproto_v1_5_parser.msg_parser(datapath, version, kind, size, xid, bytearray(raw))


def test_os_ken_reads_our_flow_mods() -> None:
    ip_src = samples.A
    flow = Flow(
        3, 4, match(in_port=5, eth_type=0x800, ip_src=(ip_src & 0xFFFFFF00, 0xFFFFFF00)), (a.Output(7),), 9, 10, 11
    )
    body = codec.encode(m.add_flow(flow))
    read = ofproto_v1_5_parser.OFPMatch.parser(bytearray(body), 48)
    assert dict(read.items()) == {"in_port": 5, "eth_type": 0x800, "ipv4_src": ("10.0.0.0", "255.255.255.0")}
    instruction = ofproto_v1_5_parser.OFPInstruction.parser(bytearray(body), 48 + 32)
    assert (instruction.type, instruction.actions[0].port) == (ofproto_v1_5.OFPIT_APPLY_ACTIONS, 7)


def test_os_ken_reads_our_switch_messages() -> None:
    features = os_ken(codec.encode(m.FeaturesReply(0x1234, 0, 254), 5))
    assert (features.datapath_id, features.n_tables, features.xid) == (0x1234, 254, 5)
    status = os_ken(codec.encode(m.PortStatus(m.PORT_ADD, m.Port(1, 0xA0000000001, "p1")), 0))
    assert (status.desc.port_no, status.desc.hw_addr, status.desc.name) == (1, "0a:00:00:00:00:01", b"p1")
    error = os_ken(codec.encode(m.Error(4, 9, b"quoted")))
    assert (error.type, error.code, error.data) == (4, 9, b"quoted")


def test_os_ken_reads_our_replies() -> None:
    flow = Flow(3, 4, match(in_port=5), (a.Output(7),), 9)
    stats = os_ken(codec.encode(m.MultipartReply("flow", (FlowStats(flow, 11, 22, 1.5, 0),))))
    (entry,) = stats.body
    assert (entry.table_id, entry.priority, entry.cookie, dict(entry.match.items())) == (3, 4, 9, {"in_port": 5})
    assert {"packet_count": 11, "byte_count": 22, "duration": (1, 500000000)}.items() <= dict(
        entry.stats.items()
    ).items()
    group = os_ken(codec.encode(m.MultipartReply("group_desc", (GroupDef(5, "all", ()),))))
    assert (group.body[0].group_id, group.body[0].type) == (5, ofproto_v1_5.OFPGT_ALL)
