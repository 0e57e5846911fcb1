"""The database servers: their files made or brought up to date, then served.

start    file missing ─▶ created     other schema ─▶ backed up, converted     then ovsdb-server, and `init`
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pyovn.cli import nbctl, ovsdb_tool, sbctl
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ovsdb import offline
from pyovn.cli.ovsdb.files import read_schema
from pyovn.cli.service import clusters, processes
from pyovn.cli.service.processes import Process, say
from pyovn.cli.service.settings import PLACES, Place, Settings
from pyovn.ovsdb.model import Database
from pyovn.ovsdb.schema import Schema
from pyovn.runtime.ovsdb_server.logfile import create_log
from pyovn.tables.icnb import IC_NORTHBOUND
from pyovn.tables.icsb import IC_SOUTHBOUND
from pyovn.tables.nb import NORTHBOUND
from pyovn.tables.sb import SOUTHBOUND


class Kind(NamedTuple):
    """One of OVN's databases, as a service."""

    place: Place
    title: str  #: in status_ovsdb
    database: Database
    connections: str  #: the table whose column `connections` lists remotes
    init: Callable[[list[str]], int] | None  #: the tool whose `init` makes the row of that table
    active_file: str  #: of the configuration directory, with the remote of the active server


def _kind(name: str, title: str, database: Database, holder: str, init: Callable[[list[str]], int] | None) -> Kind:
    place = PLACES[name]
    active_file = name if name.startswith("ic-") else place.file.removesuffix("_db")
    return Kind(place, title, database, holder, init, f"{active_file}-active.conf")


NB = _kind("nb", "OVN Northbound DB", NORTHBOUND, "NB_Global", nbctl.main)
SB = _kind("sb", "OVN Southbound DB", SOUTHBOUND, "SB_Global", sbctl.main)
IC_NB = _kind("ic-nb", "OVN IC-Northbound DB", IC_NORTHBOUND, "IC_NB_Global", None)
IC_SB = _kind("ic-sb", "OVN IC-Southbound DB", IC_SOUTHBOUND, "IC_SB_Global", None)


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
    processes.start(server, f"ovsdb-{kind.place.name}", line(kind, settings, "--detach", "--monitor"))
    if clusters.is_clustered(kind, settings):
        clusters.settle(kind, settings)
    if kind.init is not None and not active_server(kind, settings):
        kind.init(["--no-leader-only", f"--db=unix:{settings[f'db-{kind.place.name}-sock']}", "init"])


def run(kind: Kind, settings: Settings) -> None:
    """Become the server of a database, in the foreground."""
    prepare(kind, settings)
    processes.become(line(kind, settings))


def line(kind: Kind, settings: Settings, *more: str) -> list[str]:
    """The command line of a database's server: ours, or Open vSwitch's for members of clusters."""
    program = clusters.c_program("ovsdb-server") if clusters.is_clustered(kind, settings) else ""
    words = [*arguments(kind, settings, program), *more, *settings.extra, file_of(kind, settings)]
    wrapper = settings[f"ovsdb-{kind.place.name}-wrapper"]
    return processes.command(process(kind, settings), words, wrapper=wrapper, program=program)


def active_server(kind: Kind, settings: Settings) -> str:
    """The remote of the active server; empty where none is named, for then it is this one."""
    name = kind.place.name
    address, port, protocol = (settings[f"db-{name}-sync-from-{what}"] for what in ("addr", "port", "proto"))
    if address:
        return f"{protocol}:{address}:{port}"
    return " ".join(settings.parameters(kind.active_file))


def stop(kind: Kind, settings: Settings) -> None:
    """End the server of a database."""
    processes.stop(process(kind, settings))


def status_line(kind: Kind, settings: Settings) -> None:
    """Say whether a database is served."""
    say(f"{kind.title} is {'running' if process(kind, settings).pid else 'not running'}.")


def file_of(kind: Kind, settings: Settings) -> str:
    """The file of a database."""
    return settings[f"db-{kind.place.name}-file"]


def prepare(kind: Kind, settings: Settings) -> None:
    """Make directories and the database's file, or bring it up to date; raises `OvnError`."""
    name = kind.place.name
    if settings[f"db-{name}-config-file"]:
        raise CtlError(f"--db-{name}-config-file is not supported; use the other options")
    file = Path(file_of(kind, settings))
    for path in (file, Path(settings[f"db-{name}-sock"]), Path(settings[f"ovn-{name}-logfile"])):
        path.parent.mkdir(parents=True, exist_ok=True)
    if clusters.is_clustered(kind, settings):
        clusters.create(kind, settings)
        return
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


def arguments(kind: Kind, settings: Settings, program: str = "") -> list[str]:
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
    words += stored_tls(kind, settings, f"ovn-{name}-db", program)
    if settings.says(f"db-{name}-create-insecure-remote"):
        address = settings[f"db-{name}-addr"]
        words.append(f"--remote=ptcp:{settings[f'db-{name}-port']}:{address}")
    if active := active_server(kind, settings):
        words.append(f"--sync-from={active}")
    if settings.says("ovsdb-disable-file-column-diff"):
        words.append("--disable-file-column-diff")
    return words


#: setting → option of a daemon
TLS = {
    "ssl-key": "private-key", "ssl-cert": "certificate", "ssl-ca-cert": "ca-cert", "ssl-protocols": "ssl-protocols",
    "ssl-ciphers": "ssl-ciphers", "ssl-ciphersuites": "ssl-ciphersuites", "ssl-server-name": "ssl-server-name",
}  # fmt: skip


#: options of a server that may be in the database, and their columns of the SSL table
STORED = {
    "private-key": "private_key", "certificate": "certificate", "ca-cert": "ca_cert", "ssl-protocols": "ssl_protocols",
    "ssl-ciphers": "ssl_ciphers", "ssl-ciphersuites": "ssl_ciphersuites",
}  # fmt: skip


def stored_tls(kind: Kind, settings: Settings, whose: str, program: str = "") -> list[str]:
    """The TLS options of a database's server: as set, or as the database has them."""
    given = {option: settings[f"{whose}-{name}"] for name, option in TLS.items()}
    known = [option for option in STORED if not program or clusters.knows(program, f"--{option}")]
    stored = {option: f"db:{kind.database.name},SSL,{STORED[option]}" for option in known}
    return [f"--{option}={value}" for option, value in (stored | {k: v for k, v in given.items() if v}).items()]


def tls(settings: Settings, whose: str) -> list[str]:
    """The TLS options of a daemon."""
    return [f"--{option}={value}" for name, option in TLS.items() if (value := settings[f"{whose}-{name}"])]
