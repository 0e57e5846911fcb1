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
from pathlib import Path

from pyovn.net.errors import OvnError
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.commands import ANY_NUMBER, Command, counter_commands
from pyovn.runtime.control import ControlServer
from pyovn.runtime.counters import Counters
from pyovn.runtime.daemon import Daemon, Program
from pyovn.runtime.daemon import main as daemon_main
from pyovn.runtime.options import Arguments, Option, UsageFault
from pyovn.runtime.ovsdb_server.commands import commands
from pyovn.runtime.ovsdb_server.configuration import ConfigurationFile
from pyovn.runtime.ovsdb_server.descriptors import raise_limit, tell_of_lack
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
        Option("config-file", argument="PATH", doc="a file that says what to serve, in place of all of the above"),
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon with the C program's arguments; gives its exit status."""
    here = os.getcwd()  # file names are relative to where the user was, not to where a daemon goes

    async def body(daemon: Daemon) -> None:
        gc.set_threshold(*BULK_THRESHOLDS)
        raise_limit()
        asyncio.get_running_loop().set_exception_handler(tell_of_lack)
        found = daemon.arguments
        file = _configuration_file(found, Path(here))
        words = found.words or ([] if "no-dbs" in found or file else [DEFAULT_DATABASE])
        shell = Shell(tls=daemon.tls)
        daemon.counters.sizes = shell.sizes
        try:
            await shell.start(
                [os.path.join(here, word) for word in words], [text or "" for text in found.all("remote")]
            )
            if file is not None:
                await shell.configure(file.load())
            shell.replication.exclude(found.text("sync-exclude-tables"))
            shell.replication.active_server = found.text("sync-from")
            if "sync-from" in found and "active" not in found:
                await shell.replication.follow()
            gc.collect()
            gc.freeze()
            async with daemon.control(commands(shell, file)):
                daemon.ready()
                await daemon.stopped()
        finally:
            await shell.stop()

    return daemon_main(PROGRAM, argv, body)


def _configuration_file(found: Arguments, here: Path) -> ConfigurationFile | None:
    """The file that says what to serve, if there is one; raises `UsageFault` where arguments say so as well."""
    if "config-file" not in found:
        return None
    if found.words:
        raise UsageFault("Databases should be specified in a config file")
    for names in (("remote",), ("sync-from", "sync-exclude-tables", "active")):
        if any(name in found for name in names):
            listed = " and ".join(", ".join(f"--{name}" for name in names).rsplit(", ", 1))
            raise UsageFault(f"--config-file is mutually exclusive with {listed}")
    return ConfigurationFile(here / found.text("config-file"), here)


if __name__ == "__main__":
    raise SystemExit(main())
