"""ovn-northd and ovn-controller as services."""

from collections.abc import Sequence
from pathlib import Path

from pyovn.cli.ctl.errors import Leave
from pyovn.cli.service import databases, processes
from pyovn.cli.service.databases import NB, SB, tls
from pyovn.cli.service.processes import Process, say
from pyovn.cli.service.settings import Settings
from pyovn.runtime.daemon import directory

PARAMETERS = "ovn-northd-db-params.conf"  #: where databases are, if not here


def process(name: str) -> Process:
    """The daemon `northd` or `controller`."""
    return Process(f"ovn-{name}", f"pyovn.daemons.{name}", directory("OVN_RUNDIR") / f"ovn-{name}.pid")


def manages_databases(settings: Settings) -> bool:
    """True where databases start and stop with ovn-northd."""
    return settings.says("ovn-manage-ovsdb") and not settings.parameters(PARAMETERS)


def start_northd(settings: Settings) -> None:
    """Start ovn-northd, and the databases where they belong to it; raises `OvnError`.

    Words after `--` are for the database servers; what ovn-northd is to have besides is in `PARAMETERS`.
    """
    if manages_databases(settings):
        for kind in (NB, SB):
            databases.start(kind, settings)
    places = settings.parameters(PARAMETERS) or [
        f"--ovnnb-db={settings['ovn-northd-nb-db'] or 'unix:' + settings['db-nb-sock']}",
        f"--ovnsb-db={settings['ovn-northd-sb-db'] or 'unix:' + settings['db-sb-sock']}",
    ]
    threads = settings["ovn-northd-n-threads"]
    _start("northd", settings, [*places, *([f"--n-threads={threads}"] if threads != "1" else [])], extra=())


def start_controller(settings: Settings) -> None:
    """Start ovn-controller; raises `OvnError`."""
    bootstrap = settings["ovn-controller-ssl-bootstrap-ca-cert"]
    words = [f"unix:{settings['db-sock']}", *([f"--bootstrap-ca-cert={bootstrap}"] if bootstrap else [])]
    _start("controller", settings, words, extra=settings.extra)


def _start(name: str, settings: Settings, words: Sequence[str], *, extra: Sequence[str]) -> None:
    daemon = process(name)
    if daemon.pid is not None:
        say(f"{daemon.name} is already running.")
        return
    log = Path(settings[f"ovn-{name}-logfile"])
    for path in (daemon.pidfile, log):
        path.parent.mkdir(parents=True, exist_ok=True)
    user = settings["ovn-user"]
    line = [
        *words,
        *settings[f"ovn-{name}-log"].split(),
        *tls(settings, f"ovn-{name}"),
        *([f"--user={user}"] if user else []),
        "--no-chdir",
        f"--log-file={log}",
        f"--pidfile={daemon.pidfile}",
        "--detach",
        *(["--monitor"] if settings.says("monitor") else []),
        *extra,
    ]
    wrapper, priority = settings[f"ovn-{name}-wrapper"], settings[f"ovn-{name}-priority"]
    processes.start(daemon, daemon.name, processes.command(daemon, line, wrapper=wrapper, priority=priority))


def stop_northd(settings: Settings) -> None:
    """End ovn-northd, and the databases where they belong to it."""
    processes.stop(process("northd"))
    if manages_databases(settings):
        for kind in (NB, SB):
            databases.stop(kind, settings)


def stop_controller(settings: Settings) -> None:
    """End ovn-controller; it takes its chassis back unless it will be started again."""
    processes.stop(process("controller"), restart=settings.restart)


def status(name: str) -> None:
    """Say whether a daemon runs; raises `Leave` with 1 where it does not."""
    daemon = process(name)
    pid = daemon.pid
    if pid is None:
        say(f"{daemon.name} is not running")
        raise Leave(1)
    say(f"{daemon.name} is running with pid {pid}")
