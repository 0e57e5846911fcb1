"""`ovn-trace --detach`: a daemon that answers `trace [options] [DATAPATH] MICROFLOW` on its control socket.

Every answer is about the database as it is at that moment.
"""

import asyncio
from collections.abc import Sequence

from pyovn.cli.session import connect
from pyovn.cli.trace import default_database, request_of, split
from pyovn.runtime import logging as vlog
from pyovn.runtime.commands import Command
from pyovn.runtime.daemon import Daemon, Program
from pyovn.runtime.daemon import main as run_daemon
from pyovn.runtime.options import Option
from pyovn.trace.network import Network
from pyovn.trace.request import answer
from pyovn.trace.tables import DATABASE, read_tables

log = vlog.module("ovntrace")

PROGRAM = Program(
    "ovn-trace",
    "OVN trace utility",
    "ovn-trace 26.03.2\nOpen vSwitch Library 3.7.0\nDB Schema 21.8.0\n",
    (
        Option("db", argument="DATABASE", doc="connect to DATABASE"),
        Option("leader-only", doc="only accept the leader of a cluster"),
        Option("no-leader-only", doc="accept any cluster member, not just the leader"),
        Option("friendly-names"),
        Option("no-friendly-names", doc="do not substitute human friendly names for UUIDs"),
    ),
)

#: The control client's words: as many as anyone needs.
_MOST_WORDS = 64


async def body(daemon: Daemon) -> None:
    """Answer until told to stop."""

    def trace(words: list[str]) -> str:
        given, rest = split(words)
        request = request_of(given, rest, log.warning)
        session = connect(
            daemon.arguments.text("db") or default_database(),
            DATABASE,
            leader_only="no-leader-only" not in daemon.arguments,
        )
        try:
            tables = read_tables(session.call)
        finally:
            session.close()
        friendly = "no-friendly-names" not in daemon.arguments
        return answer(Network(tables, friendly_names=friendly, warn=log.warning), request)

    async def trace_aside(words: list[str]) -> str:
        return await asyncio.to_thread(trace, words)

    usage = "[options] [datapath] microflow"
    async with daemon.control({"trace": Command(trace_aside, usage, 1, _MOST_WORDS)}):
        daemon.ready()
        await daemon.stopped()


def serve(words: Sequence[str]) -> int:
    """Become the daemon; returns the exit status of the process that the user started."""
    return run_daemon(PROGRAM, words, body)
