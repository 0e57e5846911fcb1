"""The commands of a database server's control socket, as the C server has them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyovn.net.errors import OvnError
from pyovn.runtime import logging as vlog
from pyovn.runtime.commands import Command, CommandFailed

if TYPE_CHECKING:
    from pyovn.runtime.ovsdb_server.configuration import ConfigurationFile
    from pyovn.runtime.ovsdb_server.replication import Replication
    from pyovn.runtime.ovsdb_server.shell import Shell
    from pyovn.runtime.ovsdb_server.transaction_log import TransactionLog

LOG = vlog.module("ovsdb_server")

#: what a configuration file has the say in, if the server was started with one
CONFIGURED = (
    "add-remote", "remove-remote", "add-db", "remove-db", "set-active-ovsdb-server", "connect-active-ovsdb-server",
    "disconnect-active-ovsdb-server", "set-active-ovsdb-server-probe-interval", "set-sync-exclude-tables",
)  # fmt: skip


def commands(shell: Shell, file: ConfigurationFile | None = None) -> dict[str, Command]:
    """The commands that only this daemon has; `file` is what it was started with, if so."""
    found = _commands(shell)
    return found if file is None else {**found, **_file_commands(shell, file, found)}


def _file_commands(shell: Shell, file: ConfigurationFile, found: dict[str, Command]) -> dict[str, Command]:
    """The commands that are others where a file says what to serve."""

    async def reload(_words: list[str]) -> None:
        try:
            await shell.configure(file.load())
        except OvnError as fault:
            LOG.warning("%s", fault)
            raise CommandFailed("Configuration failed.  See the log file for details.") from None

    def refuse(_words: list[str]) -> None:
        raise CommandFailed(f"Update the {file.path} and use ovsdb-server/reload instead")

    names = (f"ovsdb-server/{name}" for name in CONFIGURED)
    refused = {name: replace(found[name], action=refuse) for name in names}
    return {**refused, "ovsdb-server/reload": Command(reload)}


def _commands(shell: Shell) -> dict[str, Command]:

    async def add_remote(words: list[str]) -> None:
        await shell.remotes.add(words[0])

    async def remove_remote(words: list[str]) -> None:
        if words[0] not in shell.remotes.configured:
            raise CommandFailed("no such remote")
        await shell.remotes.remove(words[0])

    return {
        **_database_commands(shell),
        "ovsdb-server/list-remotes": Command(lambda _: _lines(shell.remotes.configured)),
        "ovsdb-server/add-remote": Command(add_remote, "REMOTE", 1, 1),
        "ovsdb-server/remove-remote": Command(remove_remote, "REMOTE", 1, 1),
        "ovsdb-server/reconnect": Command(lambda _: shell.disconnect_all()),
        "ovsdb-server/memory-trim-on-compaction": Command(_trim_memory, "on|off", 1, 1),
        "ovsdb-server/disable-monitor-cond": Command(lambda _: shell.withhold_conditions()),
        **_transaction_log_commands(shell.transaction_log),
        **_replication_commands(shell.replication),
        "ovsdb-server/perf-counters-show": Command(lambda _: shell.counters_text()),
        "ovsdb-server/perf-counters-clear": Command(lambda _: shell.counters.clear()),
    }


def _database_commands(shell: Shell) -> dict[str, Command]:
    """The commands about databases and their files."""
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

    def storage_status(words: list[str]) -> str:
        if words[0] not in server.databases:
            raise CommandFailed("Failed to find the database.")
        return f"status: {shell.storage_fault(words[0]) or 'ok'}"

    def reload(_words: list[str]) -> None:
        raise CommandFailed("Configuration file was not specified on command line")

    return {
        "ovsdb-server/list-dbs": Command(lambda _: _lines(server.databases)),
        "ovsdb-server/add-db": Command(add_database, "DB", 1, 1),
        "ovsdb-server/remove-db": Command(remove_database, "DB", 1, 1),
        "ovsdb-server/compact": Command(compact, "", 0, 1),
        "ovsdb-server/get-db-storage-status": Command(storage_status, "DB", 1, 1),
        "ovsdb-server/reload": Command(reload),
    }


def _trim_memory(words: list[str]) -> None:
    """Accepted for compatibility: Python gives memory back by itself."""
    if words[0] not in ("on", "off"):
        raise CommandFailed("invalid argument")


def _transaction_log_commands(log: TransactionLog) -> dict[str, Command]:
    """The commands about whose changes are logged."""
    return {
        "ovsdb-server/tlog-set": Command(lambda words: log.switch(*words), "DB:TABLE on|off", 2, 2),
        "ovsdb-server/tlog-list": Command(lambda _: log.listing()),
    }


def _replication_commands(replication: Replication) -> dict[str, Command]:
    """The commands about who is active and who is the backup."""

    async def follow(_words: list[str]) -> str | None:
        if not replication.active_server:
            return "Unable to connect: active server is not specified.\n"  # no error, as with the C server
        await replication.follow()
        return None

    async def lead(_words: list[str]) -> None:
        await replication.lead()

    def set_active(words: list[str]) -> None:
        replication.active_server = words[0]

    async def exclude(words: list[str]) -> None:
        replication.exclude(words[0] if words else "")
        await replication.databases_changed()

    def set_probe(words: list[str]) -> None:
        replication.probe_ms = _interval(words[0])

    def probe_source(words: list[str]) -> None:
        _interval(words[0])  # what a relay asks its source for; none of these databases is a relay

    return {
        "ovsdb-server/set-active-ovsdb-server": Command(set_active, "", 1, 1),
        "ovsdb-server/get-active-ovsdb-server": Command(lambda _: f"{replication.active_server}\n"),
        "ovsdb-server/connect-active-ovsdb-server": Command(follow),
        "ovsdb-server/disconnect-active-ovsdb-server": Command(lead),
        "ovsdb-server/set-active-ovsdb-server-probe-interval": Command(set_probe, "", 1, 1),
        "ovsdb-server/set-relay-source-probe-interval": Command(probe_source, "", 1, 1),
        "ovsdb-server/set-sync-exclude-tables": Command(exclude, "", 0, 1),
        "ovsdb-server/get-sync-exclude-tables": Command(lambda _: ",".join(replication.excluded) + "\n"),
        "ovsdb-server/sync-status": Command(lambda _: replication.status()),
    }


def _interval(text: str) -> int:
    """Milliseconds; raises CommandFailed."""
    if not text.isdecimal():
        raise CommandFailed("Invalid probe interval, integer value expected")
    return int(text)


def _lines(names: object) -> str:
    return "".join(f"{name}\n" for name in sorted(names))  # type: ignore[call-overload]
