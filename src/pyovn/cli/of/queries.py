"""What a switch is asked: flows, groups, meters, ports, tables, and what it is."""

from collections.abc import Awaitable, Callable
from typing import Any

from pyovn.cli.of.session import Session
from pyovn.openflow import messages as m
from pyovn.openflow import text
from pyovn.openflow.actions import OFPP_ANY
from pyovn.openflow.flows import GROUP_ANY, TABLE_ALL, FlowStats
from pyovn.openflow.values import number, parse_port

_CAPABILITIES = (
    (m.FLOW_STATS, "FLOW_STATS"),
    (m.TABLE_STATS, "TABLE_STATS"),
    (m.PORT_STATS, "PORT_STATS"),
    (m.GROUP_STATS, "GROUP_STATS"),
    (m.IP_REASM, "IP_REASM"),
    (m.QUEUE_STATS, "QUEUE_STATS"),
    (m.PORT_BLOCKED, "PORT_BLOCKED"),
    (m.BUNDLES, "BUNDLES"),
    (m.FLOW_MONITORING, "FLOW_MONITORING"),
)
_FRAGMENTS = {0: "normal", 1: "drop", 2: "reassemble", 3: "nx-match"}


async def show(session: Session) -> None:
    """The switch and its ports."""
    features = await session.client.request(m.FeaturesRequest())
    assert isinstance(features, m.FeaturesReply)
    words = " ".join(word for bit, word in _CAPABILITIES if features.capabilities & bit)
    session.out(f"{session.heading('OFPT_FEATURES_REPLY')}: dpid:{features.datapath_id:016x}")
    session.out(f"n_tables:{features.n_tables}, n_buffers:{features.n_buffers}\ncapabilities: {words}")
    await ports(session)
    config = await session.client.request(m.GetConfigRequest())
    assert isinstance(config, m.GetConfigReply)
    heading = session.heading("OFPT_GET_CONFIG_REPLY")
    session.out(f"{heading}: frags={_FRAGMENTS.get(config.flags & 3)} miss_send_len={config.miss_send_len}")


async def ports(session: Session, port: str | None = None) -> None:
    """The ports."""
    wanted = None if port is None else parse_port(port, session.numbers)
    reply = await session.client.query("port_desc", wanted)
    session.out(f"{session.heading('OFPST_PORT_DESC reply')}:")
    for entry in sorted(reply.entries):
        session.out(text.format_port(entry))


async def description(session: Session) -> None:
    """Who made the switch."""
    (desc,) = (await session.client.query("desc")).entries
    session.out(f"{session.heading('OFPST_DESC reply')}:")
    labels = "Manufacturer", "Hardware", "Software", "Serial Num", "DP Description"
    session.out("\n".join(f"{label}: {value}" for label, value in zip(labels, desc, strict=True)))


def query_of(session: Session, wanted: str) -> m.FlowQuery:
    """The request that a flow argument stands for."""
    flow = session.flow(wanted, actions=False)
    words = dict(part.partition("=")[::2] for part in wanted.replace(" ", ",").split(",") if "=" in part)
    cookie, slash, mask = words.get("cookie", "").partition("/")
    return m.FlowQuery(
        number(words["table"]) if "table" in words else TABLE_ALL,
        flow.match,
        number(cookie) if cookie else 0,
        (number(mask) if slash and mask != "-1" else m.ALL_COOKIES) if cookie else 0,
        parse_port(words["out_port"], session.numbers) if "out_port" in words else OFPP_ANY,
        number(words["out_group"]) if "out_group" in words else GROUP_ANY,
    )


async def flows(session: Session, wanted: str = "") -> None:
    """The flows, all or those a match selects."""
    found: tuple[FlowStats, ...] = (await session.client.query("flow", query_of(session, wanted))).entries
    options = session.options
    heading = f"{session.heading('OFPST_FLOW reply')}:"
    if options.sort is not None:
        found = tuple(sorted(found, key=_sort_key(options.sort), reverse=options.descending))
    elif options.stats and not options.names:
        session.out(heading)
    for stats in found:
        line = text.format_stats(stats, session.shown) if options.stats else text.format_flow(stats.flow, session.shown)
        session.out(f" {line}")


def _sort_key(by: str) -> Callable[[FlowStats], Any]:
    """Table and falling priority, or the value of a field (flows without it first)."""
    if by in ("", "priority"):
        return lambda stats: (-stats.flow.priority if not by else stats.flow.priority, stats.flow.table)
    return lambda stats: next(((1, value) for name, value, _ in stats.flow.match if name == by), (0, 0))


async def aggregate(session: Session, wanted: str = "") -> None:
    """Sums over flows."""
    (sums,) = (await session.client.query("aggregate", query_of(session, wanted))).entries
    heading = session.heading("OFPST_AGGREGATE reply")
    session.out(f"{heading}: packet_count={sums.packets} byte_count={sums.bytes} flow_count={sums.flows}")


async def port_stats(session: Session, port: str | None = None) -> None:
    """Counters of ports."""
    wanted = None if port is None else parse_port(port, session.numbers)
    reply = await session.client.query("port_stats", wanted)
    session.out(f"{session.heading('OFPST_PORT reply')}: {len(reply.entries)} ports")
    for stats in reply.entries:
        session.out(text.format_port_stats(stats, session.shown))


async def queues(session: Session) -> None:
    """Counters of queues."""
    reply = await session.client.query("queue_stats")
    session.out(f"{session.heading('OFPST_QUEUE reply')}: {len(reply.entries)} queues")
    for stats in reply.entries:
        session.out(f"  {text.format_queue_stats(stats, session.shown)}")


async def tables(session: Session) -> None:
    """How many flows each table holds and what was looked up there."""
    reply = await session.client.query("table")
    session.out(f"{session.heading('OFPST_TABLE reply')}:")
    session.out(text.format_tables(reply.entries).removesuffix("\n"))


def _listed(
    kind: str, heading: str, line: Callable[[Session, Any], str], gap: str = "\n"
) -> Callable[[Session, str | None], Awaitable[None]]:
    """A command that prints entries of a reply, all or the one an argument names."""

    async def listing(session: Session, wanted: str | None = None) -> None:
        chosen = None if wanted is None else number(wanted.partition("=")[2] or wanted)
        reply = await session.client.query(kind, chosen)
        session.out(f"{session.heading(heading)}:")
        if reply.entries:
            session.out(gap.join(line(session, entry) for entry in reply.entries))

    return listing


groups = _listed("group_desc", "OFPST_GROUP_DESC reply", lambda s, group: f" {text.format_group(group, s.shown)}")
group_stats = _listed("group_stats", "OFPST_GROUP reply", lambda _, stats: f" {text.format_group_stats(stats)}")
meters = _listed("meter_desc", "OFPST_METER_CONFIG reply", lambda _, meter: text.format_meter(meter), "\n\n")
meter_stats = _listed("meter_stats", "OFPST_METER reply", lambda _, stats: text.format_meter_stats(stats), "\n\n")


async def tlv_map(session: Session) -> None:
    """Which Geneve option appears in which field."""
    reply = await session.client.request(m.TlvTableRequest())
    assert isinstance(reply, m.TlvTableReply)
    session.out(f"{session.heading('NXT_TLV_TABLE_REPLY')}:")
    session.out(f" max option space={reply.max_space} max fields={reply.max_fields}")
    session.out(f" allocated option space={sum(each.length for each in reply.maps)}\n\n mapping table:")
    session.out("  class  type  length  match field\n ------  ----  ------  --------------")
    for each in reply.maps:
        row = f"{each.cls:#x}".rjust(7), f"{each.type:#x}".rjust(5), str(each.length).rjust(7)
        session.out(f"{row[0]} {row[1]} {row[2]}  tun_metadata{each.number}")


async def probe(session: Session) -> None:
    """Is it there?"""
    await session.client.request(m.EchoRequest())
