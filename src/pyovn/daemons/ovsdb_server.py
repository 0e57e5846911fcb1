"""`ovsdb-server`: databases in files, or in memory, served to OVSDB clients.

    ovsdb-server --remote=punix:/run/db.sock --remote=db:OVN_Northbound,NB_Global,connections ovnnb_db.db

`main` takes the C program's arguments.  `OvsdbServer` is the same as an object, for the lab and for tests, which can
do without files: a schema in place of a file name gives a database that lives as long as its server.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Sequence

from pyovn.net.errors import OvnError
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.control import ANY_NUMBER, Command, CommandFailed, ControlServer, counter_commands
from pyovn.runtime.counters import Counters
from pyovn.runtime.daemon import Daemon, Program
from pyovn.runtime.daemon import main as daemon_main
from pyovn.runtime.options import Option
from pyovn.runtime.ovsdb_server.replication import Replication
from pyovn.runtime.ovsdb_server.shell import Shell, Source
from pyovn.runtime.streams import Tls

PROGRAM = Program(
    name="ovsdb-server",
    title="Open vSwitch database server",
    version="ovsdb-server (pyovn, Open vSwitch compatible) 3.7.0",
    options=(
        Option("remote", argument="REMOTE", many=True, doc="connect or listen to REMOTE"),
        Option("sync-from", argument="SERVER", doc="be the backup of SERVER"),
        Option("sync-exclude-tables", argument="DB:TABLE,...", doc="tables that a backup keeps to itself"),
        Option("active", doc="with --sync-from, start as the active server"),
        Option("no-dbs", doc="start without a database"),
        Option("disable-file-column-diff", doc="accepted for compatibility; differences are what all versions read"),
        Option("disable-file-no-data-conversion", doc="accepted for compatibility"),
    ),
    words="[DATABASE...]",
    most_words=ANY_NUMBER,
    family="OVS",
)
DEFAULT_DATABASE = "/etc/openvswitch/conf.db"
BULK_THRESHOLDS = (50_000, 20, 50)  #: of the garbage collector; rows hold no cycles, so it hardly ever finds anything


class OvsdbServer:
    """A server with its databases, remotes and commands."""

    def __init__(
        self,
        databases: Sequence[Source],
        remotes: Sequence[str] = (),
        *,
        control: str | None = None,
        tls: Tls | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self.shell = Shell(tls=tls, clock=clock)
        self._databases = databases
        self._remotes = remotes
        self._control_path = control
        self._control: ControlServer | None = None
        self._exit = asyncio.Event()

    async def start(self) -> None:
        """Open everything; raises `OvnError`."""
        try:
            await self.shell.start(self._databases, self._remotes)
            if self._control_path is not None:
                counters = Counters()
                counters.sizes = self.shell.sizes
                own = {"exit": Command(lambda _: self._exit.set()), **counter_commands(counters)}
                self._control = ControlServer(
                    self._control_path, {**own, **commands(self.shell)}, version=PROGRAM.version
                )
                await self._control.start()
        except OvnError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything."""
        if self._control is not None:
            await self._control.stop()
        await self.shell.stop()

    async def run(self, ready: asyncio.Event | None = None) -> None:
        """Serve until told to exit, or cancelled."""
        await self.start()
        try:
            if ready is not None:
                ready.set()
            await self._exit.wait()
        finally:
            await self.stop()


async def serve(
    databases: Sequence[Source],
    remotes: Sequence[str],
    control: str | None = None,
    *,
    ready: asyncio.Event | None = None,
) -> None:
    """Serve databases until cancelled."""
    await OvsdbServer(databases, remotes, control=control).run(ready)


def commands(shell: Shell) -> dict[str, Command]:
    """The commands of the control socket that only this daemon has."""
    server = shell.server

    async def add_database(words: list[str]) -> None:
        shell.add_database(words[0])
        await shell.replication.databases_changed()

    async def remove_database(words: list[str]) -> None:
        if words[0].startswith("_"):
            raise CommandFailed("Cannot remove reserved database.")
        if words[0] not in server.databases:
            raise CommandFailed("Failed to find the database.")
        await shell.remove_database(words[0])

    async def compact(words: list[str]) -> None:
        if words and words[0].startswith("_"):
            raise CommandFailed("cannot compact built-in databases")
        if words and words[0] not in server.databases:
            raise CommandFailed("no database by that name")
        for name in words or list(shell.logs):
            await shell.compact(name)

    async def add_remote(words: list[str]) -> None:
        await shell.remotes.add(words[0])

    async def remove_remote(words: list[str]) -> None:
        if words[0] not in shell.remotes.configured:
            raise CommandFailed("no such remote")
        await shell.remotes.remove(words[0])

    return {
        "ovsdb-server/list-dbs": Command(lambda _: _lines(server.databases)),
        "ovsdb-server/add-db": Command(add_database, "DB", 1, 1),
        "ovsdb-server/remove-db": Command(remove_database, "DB", 1, 1),
        "ovsdb-server/compact": Command(compact, "[DB]", 0, 1),
        "ovsdb-server/list-remotes": Command(lambda _: _lines(shell.remotes.configured)),
        "ovsdb-server/add-remote": Command(add_remote, "REMOTE", 1, 1),
        "ovsdb-server/remove-remote": Command(remove_remote, "REMOTE", 1, 1),
        "ovsdb-server/reconnect": Command(lambda _: shell.disconnect_all()),
        "ovsdb-server/memory-trim-on-compaction": Command(_trim_memory, "on|off", 1, 1),
        **_replication_commands(shell.replication),
        "ovsdb-server/perf-counters-show": Command(lambda _: shell.counters_text()),
        "ovsdb-server/perf-counters-clear": Command(lambda _: shell.counters.clear()),
    }


def _trim_memory(words: list[str]) -> None:
    """Accepted for compatibility: Python gives memory back by itself."""
    if words[0] not in ("on", "off"):
        raise CommandFailed("invalid argument")


def _replication_commands(replication: Replication) -> dict[str, Command]:
    """The commands about who is active and who is the backup."""

    async def follow(_words: list[str]) -> None:
        if not replication.active_server:
            raise CommandFailed("Unable to connect: active server is not specified.")
        await replication.follow()

    async def lead(_words: list[str]) -> None:
        await replication.lead()

    def set_active(words: list[str]) -> None:
        replication.active_server = words[0]

    async def exclude(words: list[str]) -> None:
        replication.exclude(words[0] if words else "")
        await replication.databases_changed()

    def set_probe(words: list[str]) -> None:
        if not words[0].isdecimal():
            raise CommandFailed("Invalid probe interval, integer value expected")
        replication.probe_ms = int(words[0])

    return {
        "ovsdb-server/set-active-ovsdb-server": Command(set_active, "", 1, 1),
        "ovsdb-server/get-active-ovsdb-server": Command(lambda _: f"{replication.active_server}\n"),
        "ovsdb-server/connect-active-ovsdb-server": Command(follow),
        "ovsdb-server/disconnect-active-ovsdb-server": Command(lead),
        "ovsdb-server/set-active-ovsdb-server-probe-interval": Command(set_probe, "", 1, 1),
        "ovsdb-server/set-sync-exclude-tables": Command(exclude, "", 0, 1),
        "ovsdb-server/get-sync-exclude-tables": Command(lambda _: ",".join(replication.excluded) + "\n"),
        "ovsdb-server/sync-status": Command(lambda _: replication.status()),
    }


def _lines(names: object) -> str:
    return "".join(f"{name}\n" for name in sorted(names))  # type: ignore[call-overload]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon with the C program's arguments; gives its exit status."""
    here = os.getcwd()  # file names are relative to where the user was, not to where a daemon goes

    async def body(daemon: Daemon) -> None:
        gc.set_threshold(*BULK_THRESHOLDS)
        found = daemon.arguments
        words = found.words or ([] if "no-dbs" in found else [DEFAULT_DATABASE])
        shell = Shell(tls=daemon.tls)
        daemon.counters.sizes = shell.sizes
        try:
            await shell.start(
                [os.path.join(here, word) for word in words], [text or "" for text in found.all("remote")]
            )
            shell.replication.exclude(found.text("sync-exclude-tables"))
            shell.replication.active_server = found.text("sync-from")
            if "sync-from" in found and "active" not in found:
                await shell.replication.follow()
            gc.collect()
            gc.freeze()
            async with daemon.control(commands(shell)):
                daemon.ready()
                await daemon.stopped()
        finally:
            await shell.stop()

    return daemon_main(PROGRAM, argv, body)


if __name__ == "__main__":
    raise SystemExit(main())
