"""What a switch says unasked: packet-ins and port changes, and another controller's conversation."""

from pyovn.cli.of.session import Session, remote_of
from pyovn.openflow import messages as m
from pyovn.openflow import text
from pyovn.openflow.action_text import REASONS
from pyovn.openflow.messages import Message
from pyovn.openflow.values import PortNames, number
from pyovn.packet.describe import describe
from pyovn.runtime.openflow import OpenFlowChannel

_PORT_REASONS = {m.PORT_ADD: "ADD", m.PORT_DELETE: "DEL", m.PORT_MODIFY: "MOD"}
_REMOVED = {
    m.IDLE_TIMEOUT: "idle",
    m.HARD_TIMEOUT: "hard",
    m.REMOVED_BY_DELETE: "delete",
    m.REMOVED_BY_GROUP: "group_delete",
    m.REMOVED_BY_METER: "meter_delete",
    m.EVICTION: "eviction",
}


def line(message: Message, names: PortNames) -> str:
    """A message for people."""
    match message:
        case m.PacketIn():
            return _packet_in(message, names)
        case m.PortStatus(reason, port):
            return f"OFPT_PORT_STATUS (OF1.5): {_PORT_REASONS.get(reason, reason)}:{text.format_port(port)}"
        case m.FlowRemoved(flow, reason, duration, packets, count):
            why = _REMOVED.get(reason, str(reason))
            what = text.format_flow(flow, names).partition(" actions=")[0]
            return f"OFPT_FLOW_REMOVED (OF1.5): {what} reason={why} duration{duration:.3f}s pkts{packets} bytes{count}"
        case m.FlowMod(command, flow):
            verb = ("ADD", "MOD", "MOD_STRICT", "DEL", "DEL_STRICT")[command]
            return f"OFPT_FLOW_MOD (OF1.5): {verb} {text.format_flow(flow, names)}"
        case m.BundleAdd(number, inner):
            return f"OFPT_BUNDLE_ADD_MESSAGE (OF1.5): bundle_id={number:#x} {line(inner, names)}"
        case _:
            return f"{type(message).__name__}{tuple(message)}"


def _packet_in(message: m.PacketIn, names: PortNames) -> str:
    cookie = f" cookie={message.cookie:#x}" if message.cookie is not None else ""
    userdata = f" userdata={message.userdata.hex('.')}" if message.userdata else ""
    paused = " paused" if message.continuation is not None else ""
    return (
        f"NXT_PACKET_IN2 (OF1.5): table_id={message.table}{cookie} total_len={message.total_len} "
        f"{text.format_match(message.match, names)} (via {REASONS.get(message.reason, message.reason)}){userdata}"
        f"{paused} data_len={len(message.packet)}\n{describe(message.packet)}"
    )


async def monitor(session: Session, miss_send_len: str = "65535", *_words: str) -> None:
    """Print packet-ins and other news until interrupted."""
    session.client.send(m.SetPacketInFormat(m.NXT_PACKET_IN2_FORMAT))
    session.client.send(m.SetConfig(0, number(miss_send_len)))
    await session.client.barrier()
    async for message in session.client:
        session.out(line(message, session.shown))


async def snoop(session: Session, switch: str) -> None:
    """Print what a switch and its controller say to each other until interrupted."""
    channel = await OpenFlowChannel.connect(remote_of(switch, "snoop"))
    try:
        async for message, _ in channel:
            session.out(line(message, session.shown))
    finally:
        await channel.close()
