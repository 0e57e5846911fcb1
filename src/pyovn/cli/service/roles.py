"""Active and backup database servers, and which a server is.

backup   --db-nb-sync-from-addr, or the file ovnnb-active.conf, names the active server
promote  the backup becomes active          demote   the active one becomes the backup of another
"""

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.service.databases import Kind, active_server, process
from pyovn.cli.service.processes import ask, say
from pyovn.cli.service.settings import Settings


def promote(kind: Kind, settings: Settings) -> None:
    """Make a backup server the active one; raises `CtlError`."""
    ask(process(kind, settings), "ovsdb-server/disconnect-active-ovsdb-server")


def demote(kind: Kind, settings: Settings) -> None:
    """Make an active server the backup of the one that is named; raises `CtlError`."""
    active = active_server(kind, settings)
    if not active:
        raise CtlError(f"--db-{kind.place.name}-sync-from-addr must say which server is active now")
    server = process(kind, settings)
    ask(server, "ovsdb-server/set-active-ovsdb-server", active)
    ask(
        server,
        "ovsdb-server/set-active-ovsdb-server-probe-interval",
        settings[f"db-{kind.place.name}-probe-interval-to-active"],
    )
    ask(server, "ovsdb-server/connect-active-ovsdb-server")


def status(kind: Kind, settings: Settings) -> None:
    """Say for cluster managers whether a server runs, and in which role."""
    server = process(kind, settings)
    if server.pid is None:
        say("not-running")
        return
    lines = ask(server, "ovsdb-server/sync-status").splitlines()
    roles = [line.removeprefix("state: ") for line in lines if line.startswith("state: ")]
    say(f"running/{roles[0] if roles else 'active'}")
