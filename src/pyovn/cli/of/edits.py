"""What is changed in a switch: flows, groups, meters, ports, options, and packets put in."""

import re
from collections.abc import Iterable

from pyovn.cli.of.queries import query_of
from pyovn.cli.of.session import NoSuchSwitch, Session, Usage, lines_of, remote_of
from pyovn.net.errors import Malformed, OvnError
from pyovn.openflow import messages as m
from pyovn.openflow import text
from pyovn.openflow.actions import OFPP_CONTROLLER, Actions
from pyovn.openflow.flows import GROUP_ALL, METER_ALL, TABLE_ALL, Flow, FlowKey, GroupDef, MeterDef
from pyovn.openflow.match import match
from pyovn.openflow.messages import Message
from pyovn.openflow.values import number, parse_port
from pyovn.runtime.openflow import OpenFlowClient


async def send(session: Session, messages: Iterable[Message]) -> None:
    """Send messages; raises Refused with what the switch says against the first one it refuses."""
    for message in messages:
        session.client.send(message)
    await session.client.barrier()
    session.client.complain()


async def send_bundle(session: Session, messages: Iterable[Message]) -> None:
    """Send messages that take effect together; raises Refused."""
    failures = await session.client.bundle(messages)
    for message, refusal in failures:
        what = text.format_flow(message.flow) if isinstance(message, m.FlowMod) else type(message).__name__
        raise OvnError(f"{refusal.name}: {what}")


# --- flows --------------------------------------------------------------------------------------------------------


async def add_flow(session: Session, flow: str) -> None:
    """Add a flow; `-` reads flows from standard input."""
    if flow == "-":
        await add_flows(session, flow)
    else:
        await send(session, [m.add_flow(session.flow(flow))])


async def add_flows(session: Session, path: str) -> None:
    """Add, modify or delete flows as the lines of a file say."""
    await send_bundle(session, [_line(session, line) for line in lines_of(path)])


_VERBS = {"add": m.ADD, "modify": m.MODIFY, "modify_strict": m.MODIFY_STRICT, "delete": m.DELETE} | {
    "delete_strict": m.DELETE_STRICT
}


def _line(session: Session, line: str) -> m.FlowMod:
    """A line of a flow file: a flow, perhaps with what to do with it in front."""
    word, _, rest = line.partition(" ")
    if word not in _VERBS:
        return m.add_flow(session.flow(line))
    command = _VERBS[word]
    return _mod(session, command, rest.strip(), actions=command in (m.ADD, m.MODIFY, m.MODIFY_STRICT))


def _mod(session: Session, command: int, words: str, *, actions: bool) -> m.FlowMod:
    """A change to the flows that `words` describe."""
    flow = session.flow(words, actions=True if actions else None)
    query = query_of(session, re.split(r"(?:^|[,\s])actions?=", words)[0])
    table = flow.table if actions and query.table == TABLE_ALL else query.table
    found = flow._replace(table=table, actions=flow.actions if actions else ())
    return m.FlowMod(command, found, query.cookie_mask, query.out_port, query.out_group)


async def mod_flows(session: Session, flow: str) -> None:
    """Change what matching flows do; add the flow if there are none."""
    command = m.MODIFY_STRICT if session.options.strict else m.MODIFY
    await send(session, [_mod(session, command, flow, actions=True)])


async def del_flows(session: Session, flow: str = "") -> None:
    """Delete matching flows, or all."""
    command = m.DELETE_STRICT if session.options.strict else m.DELETE
    await send(session, [_mod(session, command, flow, actions=False)])


Table = dict[FlowKey, Flow]


async def _held(client: OpenFlowClient) -> Table:
    return {stats.flow.key: stats.flow for stats in (await client.query("flow")).entries}


def _written(session: Session, path: str) -> Table:
    return {flow.key: flow for flow in map(session.flow, lines_of(path))}


def _same(left: Flow | None, right: Flow | None) -> bool:
    """Equal in what they do; the counters of a switch and the flags of a command do not count."""
    if left is None or right is None:
        return left is right
    return left._replace(flags=0) == right._replace(flags=0)


def difference(have: Table, want: Table) -> list[tuple[Flow | None, Flow | None]]:
    """(flow there, flow wanted) wherever they differ, by table, falling priority and match."""
    keys = sorted(have.keys() | want.keys(), key=lambda key: (key[0], -key[1], key[2]))
    pairs = ((have.get(key), want.get(key)) for key in keys)
    return [(old, new) for old, new in pairs if not _same(old, new)]


async def replace_flows(session: Session, path: str) -> None:
    """Make the flows those of a file, touching only what differs."""
    pairs = difference(await _held(session.client), _written(session, path))
    mods = [m.add_flow(new) if new else m.delete_flow(old) for old, new in pairs if old or new]  # type: ignore[arg-type]
    await send_bundle(session, mods)


async def diff_flows(session: Session, source: str) -> int:
    """Print how the flows of the switch differ from those of a file or another switch; 2 if they do."""
    have, want = await _held(session.client), await _table(session, source)
    pairs = difference(have, want)
    for old, new in pairs:
        for sign, flow in (("-", old), ("+", new)):
            if flow:
                session.out(f"{sign}{text.diff_line(flow, session.shown)}")
    return 2 if pairs else 0


async def _table(session: Session, source: str) -> Table:
    try:
        remote = remote_of(source) if "/" not in source else ""
    except NoSuchSwitch:
        remote = ""
    if not remote:
        return _written(session, source)
    async with OpenFlowClient(remote) as other:
        return await _held(other)


# --- groups and meters --------------------------------------------------------------------------------------------


async def add_group(session: Session, group: str) -> None:
    """Add a group."""
    command = m.GROUP_ADD_OR_MODIFY if session.options.may_create else m.ADD
    await send(session, [m.GroupMod(command, text.parse_group(group, session.numbers))])


async def add_groups(session: Session, path: str) -> None:
    """Add the groups of a file."""
    groups = (text.parse_group(line, session.numbers) for line in lines_of(path))
    await send_bundle(session, [m.GroupMod(m.ADD, group) for group in groups])


async def mod_group(session: Session, group: str) -> None:
    """Change a group, or add it with --may-create."""
    command = m.GROUP_ADD_OR_MODIFY if session.options.may_create else m.MODIFY
    await send(session, [m.GroupMod(command, text.parse_group(group, session.numbers))])


async def del_groups(session: Session, group: str = "") -> None:
    """Delete one group, or all."""
    wanted = group.partition("=")[2] or group
    group_id = number(wanted) if wanted and wanted != "all" else GROUP_ALL
    await send(session, [m.GroupMod(m.GROUP_DELETE, GroupDef(group_id, "all", ()))])


async def add_meter(session: Session, meter: str) -> None:
    """Add a meter."""
    await send(session, [m.MeterMod(m.ADD, text.parse_meter(meter))])


async def mod_meter(session: Session, meter: str) -> None:
    """Change a meter."""
    await send(session, [m.MeterMod(m.MODIFY, text.parse_meter(meter))])


async def del_meters(session: Session, meter: str = "") -> None:
    """Delete one meter, or all."""
    found = text.parse_meter(meter) if meter else MeterDef(METER_ALL, ())
    await send(session, [m.MeterMod(m.METER_DELETE, found)])


# --- the rest -----------------------------------------------------------------------------------------------------


async def packet_out(session: Session, *words: str) -> None:
    """Run actions on packets: `in_port=1,packet=…,actions=…`, or IN_PORT ACTIONS PACKET…."""
    if len(words) == 1:
        await send(session, [_packet_out(session, words[0])])
        return
    if len(words) < 3:
        raise Usage("packet-out takes one packet description, or a port, actions and packets")
    in_port, actions = parse_port(words[0], session.numbers), text.parse_actions(words[1], session.numbers)
    await send(session, [_out(_hex(packet), actions, in_port) for packet in words[2:]])


def _packet_out(session: Session, words: str) -> m.PacketOut:
    head, _, actions = words.partition("actions=")
    named = dict(part.strip().partition("=")[::2] for part in head.split(",") if part.strip())
    if "packet" not in named:
        raise Malformed("must specify a packet")
    in_port = parse_port(named["in_port"], session.numbers) if "in_port" in named else OFPP_CONTROLLER
    return _out(_hex(named["packet"]), text.parse_actions(actions, session.numbers), in_port)


def _out(packet: bytes, actions: Actions, in_port: int) -> m.PacketOut:
    return m.PacketOut(packet, actions, match(in_port=in_port))


def _hex(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise Malformed(f"{digits}: bad packet data") from None


_PORT_ACTIONS = {
    "up": (0, m.PORT_DOWN),
    "down": (m.PORT_DOWN, m.PORT_DOWN),
    "receive": (0, m.NO_RECV),
    "no-receive": (m.NO_RECV, m.NO_RECV),
    "forward": (0, m.NO_FWD),
    "no-forward": (m.NO_FWD, m.NO_FWD),
    "packet-in": (0, m.NO_PACKET_IN),
    "no-packet-in": (m.NO_PACKET_IN, m.NO_PACKET_IN),
}


async def mod_port(session: Session, port: str, action: str) -> None:
    """Change a port: up, down, [no-]receive, [no-]forward, [no-]packet-in."""
    if action not in _PORT_ACTIONS:
        raise Malformed(f"unknown mod-port command '{action}'")
    wanted = parse_port(port, session.numbers)
    for found in (await session.client.query("port_desc", wanted)).entries:
        if found.number == wanted:
            await send(session, [m.PortMod(wanted, found.mac, *_PORT_ACTIONS[action])])


_MAP = re.compile(r"\{class=(\w+),type=(\w+),len=(\w+)\}->tun_metadata(\d+)").fullmatch


async def add_tlv_map(session: Session, words: str) -> None:
    """Map Geneve options to fields: `{class=0x102,type=0x80,len=4}->tun_metadata0`."""
    await send(session, [m.TlvTableMod(m.TLV_ADD, _maps(words))])


async def del_tlv_map(session: Session, words: str = "") -> None:
    """Undo mappings, or all."""
    await send(session, [m.TlvTableMod(m.TLV_DELETE, _maps(words)) if words else m.TlvTableMod(m.TLV_CLEAR)])


def _maps(words: str) -> tuple[m.TlvMap, ...]:
    found = []
    for part in re.split(r",(?=\{)", words):
        fields = _MAP(part.strip())
        if not fields:
            raise Malformed(f"{part}: expected {{class=C,type=T,len=L}}->tun_metadataN")
        found.append(m.TlvMap(*map(number, fields.groups())))
    return tuple(found)


async def ct_flush_zone(session: Session, zone: str) -> None:
    """Forget the connections of a zone."""
    await send(session, [m.CtFlushZone(number(zone))])
