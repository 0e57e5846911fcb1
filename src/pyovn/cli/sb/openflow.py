"""`lflow-list --ovs`: the OpenFlow flows of a switch that each logical flow became."""

import asyncio
import os

from pyovn.net.errors import OvnError
from pyovn.openflow.action_text import format_actions
from pyovn.openflow.flows import DEFAULT_PRIORITY, FlowStats
from pyovn.openflow.match_text import format_match
from pyovn.runtime.openflow import OpenFlowClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyovn.cli.ctl.call import Ctl


def flows_by_cookie(ctl: "Ctl", remote: str | None, *, stats: bool) -> dict[int, list[str]]:
    """The switch's flows as indented lines, by cookie; none, and a warning, where it cannot be asked."""
    remote = remote or f"unix:{os.environ.get('OVS_RUNDIR', '/var/run/openvswitch')}/br-int.mgmt"
    try:
        entries = asyncio.run(_flows(remote))
    except (OvnError, OSError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        ctl.program.warn("sbctl", f"{remote}: connection failed ({reason})")
        return {}
    found: dict[int, list[str]] = {}
    for entry in sorted(entries, key=lambda each: (each.flow.table, -each.flow.priority, each.flow.match)):
        found.setdefault(entry.flow.cookie, []).append("    " + (_with_stats(entry) if stats else _plain(entry)))
    return found


async def _flows(remote: str) -> tuple[FlowStats, ...]:
    async with OpenFlowClient(remote) as client:
        reply = await client.query("flow")
        return tuple(reply.entries)


def _plain(entry: FlowStats) -> str:
    flow = entry.flow
    match = format_match(flow.match)
    return f"table={flow.table}{' ' + match if match else ''} actions={format_actions(flow.actions)}"


def _with_stats(entry: FlowStats) -> str:
    """A line of `ovs-ofctl dump-flows`."""
    flow = entry.flow
    idle = "" if entry.idle_age is None else f"idle_age={entry.idle_age}, "
    terms = [f"priority={flow.priority}"] if flow.priority != DEFAULT_PRIORITY else []
    match = ",".join([*terms, *filter(None, [format_match(flow.match)])])
    counted = f"duration={entry.duration:.3f}s, table={flow.table}, n_packets={entry.packets}, n_bytes={entry.bytes}"
    return f"cookie={flow.cookie:#x}, {counted}, {idle}{match} actions={format_actions(flow.actions)}"
