"""The database servers: their files made or brought up to date, then served.

start    file missing ─▶ created     other schema ─▶ backed up, converted     then ovsdb-server, and `init`
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pyovn.cli import nbctl, ovsdb_tool, sbctl
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ovsdb import offline
from pyovn.cli.ovsdb.files import read_schema
from pyovn.cli.service import processes
from pyovn.cli.service.processes import Process, say
from pyovn.cli.service.settings import Place, Settings
from pyovn.ovsdb.model import Database
from pyovn.ovsdb.schema import Schema
from pyovn.runtime.ovsdb_server.logfile import create_log
from pyovn.tables.icnb import IC_NORTHBOUND
from pyovn.tables.icsb import IC_SOUTHBOUND
from pyovn.tables.nb import NORTHBOUND
from pyovn.tables.sb import SOUTHBOUND

#: kinds of service that need servers which replicate
ELSEWHERE = ("cluster-local-addr", "sync-from-addr", "config-file")


class Kind(NamedTuple):
    """One of OVN's databases, as a service."""

    place: Place
    title: str  #: in status_ovsdb
    database: Database
    connections: str  #: the table whose column `connections` lists remotes
    init: Callable[[list[str]], int] | None  #: the tool whose `init` makes the row of that table


NB = Kind(Place("nb", "ovnnb_db", 6641), "OVN Northbound DB", NORTHBOUND, "NB_Global", nbctl.main)
SB = Kind(Place("sb", "ovnsb_db", 6642), "OVN Southbound DB", SOUTHBOUND, "SB_Global", sbctl.main)
IC_NB = Kind(Place("ic-nb", "ovn_ic_nb_db", 6645), "OVN IC-Northbound DB", IC_NORTHBOUND, "IC_NB_Global", None)
IC_SB = Kind(Place("ic-sb", "ovn_ic_sb_db", 6646), "OVN IC-Southbound DB", IC_SOUTHBOUND, "IC_SB_Global", None)


def process(kind: Kind, settings: Settings) -> Process:
    """The server of a database."""
    name = kind.place.name
    pidfile, control = settings[f"db-{name}-pidfile"], settings[f"db-{name}-ctrl-sock"]
    return Process(kind.place.file, "pyovn.daemons.ovsdb_server", Path(pidfile), Path(control))


def start(kind: Kind, settings: Settings) -> None:
    """Serve a database, unless that is done already; raises `OvnError`."""
    server = process(kind, settings)
    if server.pid is not None:
        return
    prepare(kind, settings)
    words = [*arguments(kind, settings), "--detach", "--monitor", *settings.extra, file_of(kind, settings)]
    wrapper = settings[f"ovsdb-{kind.place.name}-wrapper"]
    processes.start(server, f"ovsdb-{kind.place.name}", processes.command(server, words, wrapper=wrapper))
    if kind.init is not None:
        kind.init([f"--db=unix:{settings[f'db-{kind.place.name}-sock']}", "init"])


def run(kind: Kind, settings: Settings) -> None:
    """Become the server of a database, in the foreground."""
    prepare(kind, settings)
    words = [*arguments(kind, settings), *settings.extra, file_of(kind, settings)]
    line = processes.command(process(kind, settings), words, wrapper=settings[f"ovsdb-{kind.place.name}-wrapper"])
    os.execvp(line[0], line)


def stop(kind: Kind, settings: Settings) -> None:
    """End the server of a database."""
    processes.stop(process(kind, settings))


def status_line(kind: Kind, settings: Settings) -> None:
    """Say whether a database is served."""
    say(f"{kind.title} is {'running' if process(kind, settings).pid else 'not running'}.")


def status_word(kind: Kind, settings: Settings) -> None:
    """Say the same for cluster managers."""
    say("running/active" if process(kind, settings).pid else "not-running")


def file_of(kind: Kind, settings: Settings) -> str:
    """The file of a database."""
    return settings[f"db-{kind.place.name}-file"]


def prepare(kind: Kind, settings: Settings) -> None:
    """Make directories and the database's file, or bring it up to date; raises `OvnError`."""
    name = kind.place.name
    for what in ELSEWHERE:
        if settings[f"db-{name}-{what}"]:
            raise CtlError(f"--db-{name}-{what}: clusters and backups need Open vSwitch's own ovsdb-server")
    file = Path(file_of(kind, settings))
    for path in (file, Path(settings[f"db-{name}-sock"]), Path(settings[f"ovn-{name}-logfile"])):
        path.parent.mkdir(parents=True, exist_ok=True)
    given = settings[f"db-{name}-schema"]
    schema = read_schema(given) if given else Schema.parse(kind.database.schema())
    if file.exists():
        upgrade(file, schema)
        return
    say(f"{file} does not exist ... (warning).")
    say(f"Creating empty database {file}.")
    create_log(file, schema)


def upgrade(file: Path, schema: Schema) -> None:
    """Give a database another schema, after its file was backed up."""
    old = offline.schema(offline.contents(file), file)
    if old == schema:
        return
    backup = file.with_name(f"{file.name}.backup{old.version}-{old.cksum.split(' ')[0]}")
    say(f"Backing up database to {backup}.")
    shutil.copy2(file, backup)
    say("Converting database schema.")
    ovsdb_tool.convert_file(str(file), schema)


def arguments(kind: Kind, settings: Settings) -> list[str]:
    """The words of a server's command line, without those that detach it."""
    name, database = kind.place.name, kind.database.name
    words = [
        *settings[f"ovn-{name}-log"].split(),
        f"--log-file={settings[f'ovn-{name}-logfile']}",
        f"--remote=punix:{settings[f'db-{name}-sock']}",
        f"--pidfile={settings[f'db-{name}-pidfile']}",
        f"--unixctl={settings[f'db-{name}-ctrl-sock']}",
    ]
    if user := settings["ovn-user"]:
        words.append(f"--user={user}")
    if settings.says(f"db-{name}-use-remote-in-db"):
        words.append(f"--remote=db:{database},{kind.connections},connections")
    words += tls(settings, f"ovn-{name}-db")
    if settings.says(f"db-{name}-create-insecure-remote"):
        address = settings[f"db-{name}-addr"]
        words.append(f"--remote=ptcp:{settings[f'db-{name}-port']}:{address}")
    if settings.says("ovsdb-disable-file-column-diff"):
        words.append("--disable-file-column-diff")
    return words


#: setting → option of a daemon
TLS = {
    "ssl-key": "private-key", "ssl-cert": "certificate", "ssl-ca-cert": "ca-cert", "ssl-protocols": "ssl-protocols",
    "ssl-ciphers": "ssl-ciphers", "ssl-ciphersuites": "ssl-ciphersuites", "ssl-server-name": "ssl-server-name",
}  # fmt: skip


def tls(settings: Settings, whose: str) -> list[str]:
    """The TLS options of a daemon."""
    return [f"--{option}={value}" for name, option in TLS.items() if (value := settings[f"{whose}-{name}"])]
