"""The OpenFlow flows that a switch has, for tools that show them beside logical flows."""

import asyncio
import os
from collections.abc import Sequence

from pyovn.openflow.action_text import format_actions
from pyovn.openflow.flows import DEFAULT_PRIORITY, FlowStats
from pyovn.openflow.match_text import format_match
from pyovn.openflow.messages import ALL_COOKIES, FlowQuery
from pyovn.runtime.openflow import OpenFlowClient


def default_remote() -> str:
    """The management socket of the integration bridge."""
    return f"unix:{os.environ.get('OVS_RUNDIR', '/var/run/openvswitch')}/br-int.mgmt"


def flows_of(remote: str, cookies: Sequence[int] | None = None) -> list[FlowStats]:
    """The switch's flows, all or those with these cookies, in the order that a packet meets them.

    Raises OvnError or OSError where the switch cannot be asked.
    """
    queries = (
        [FlowQuery()] if cookies is None else [FlowQuery(cookie=each, cookie_mask=ALL_COOKIES) for each in cookies]
    )
    entries = asyncio.run(_ask(remote, queries))
    return sorted(entries, key=lambda each: (each.flow.table, -each.flow.priority, each.flow.match))


async def _ask(remote: str, queries: Sequence[FlowQuery]) -> list[FlowStats]:
    async with OpenFlowClient(remote) as client:
        return [entry for query in queries for entry in (await client.query("flow", query)).entries]


def plain(entry: FlowStats) -> str:
    """Table, match and actions."""
    flow = entry.flow
    match = format_match(flow.match)
    return f"table={flow.table}{' ' + match if match else ''} actions={format_actions(flow.actions)}"


def with_stats(entry: FlowStats) -> str:
    """A line of `ovs-ofctl dump-flows`."""
    flow = entry.flow
    idle = "" if entry.idle_age is None else f"idle_age={entry.idle_age}, "
    terms = [f"priority={flow.priority}"] if flow.priority != DEFAULT_PRIORITY else []
    match = ",".join([*terms, *filter(None, [format_match(flow.match)])])
    counted = f"duration={entry.duration:.3f}s, table={flow.table}, n_packets={entry.packets}, n_bytes={entry.bytes}"
    return f"cookie={flow.cookie:#x}, {counted}, {idle}{match} actions={format_actions(flow.actions)}"
