"""A relay of the southbound database: takes the load of many controllers off the server that it relays."""

from pathlib import Path

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.service import processes
from pyovn.cli.service.clusters import c_program
from pyovn.cli.service.databases import SB, stored_tls
from pyovn.cli.service.processes import Process
from pyovn.cli.service.settings import Settings

NAME = "sb-relay"


def process(settings: Settings) -> Process:
    """The relay."""
    pidfile, control = settings["db-sb-relay-pidfile"], settings["db-sb-relay-ctrl-sock"]
    return Process("ovnsb_relay", "", Path(pidfile), Path(control))


def start(settings: Settings) -> None:
    """Start the relay, unless it runs; raises `CtlError`."""
    server = process(settings)
    if server.pid is None:
        line = _line(settings, "--detach", "--monitor")
        processes.start(server, f"ovsdb-{NAME}", line)


def run(settings: Settings) -> None:
    """Become the relay, in the foreground; raises `CtlError`."""
    processes.become(_line(settings))


def stop(settings: Settings) -> None:
    """End the relay."""
    processes.stop(process(settings))


def _line(settings: Settings, *more: str) -> list[str]:
    remote = settings["db-sb-relay-remote"]
    if not remote:
        raise CtlError("--db-sb-relay-remote must say which server to relay")
    program = c_program("ovsdb-server")
    words = [
        *settings["ovn-sb-relay-log"].split(),
        f"--log-file={settings['ovn-sb-relay-logfile']}",
        f"--remote=punix:{settings['db-sb-relay-sock']}",
        f"--pidfile={settings['db-sb-relay-pidfile']}",
        f"--unixctl={settings['db-sb-relay-ctrl-sock']}",
        *more,
    ]
    if settings.says("db-sb-relay-use-remote-in-db"):
        words.append(f"--remote=db:{SB.database.name},{SB.connections},connections")
    for what in ("ovn-sb-relay-logfile", "db-sb-relay-sock"):
        Path(settings[what]).parent.mkdir(parents=True, exist_ok=True)
    words += [*stored_tls(SB, settings, "ovn-sb-relay-db", program), *settings.extra]
    return processes.command(process(settings), [*words, f"relay:{SB.database.name}:{remote}"], program=program)
