"""What can be set with `--NAME=VALUE`, and what holds where nothing is.

directories   $OVN_RUNDIR  $OVN_LOGDIR  $OVN_DBDIR  $OVN_SYSCONFDIR, or where packages have them
--name        stands for --name=yes, --no-name for --name=no
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pyovn.cli.ctl.errors import CtlError
from pyovn.runtime.daemon import directory

DAEMON_LOG = "-vconsole:emer -vsyslog:err -vfile:info"
SERVER_LOG = "-vconsole:off -vfile:info"
#: options of every database; {name} is nb, sb, ic-nb or ic-sb
OF_DATABASES = {
    "db-{name}-sock": "{run}/{file}.sock",
    "db-{name}-pidfile": "{run}/{file}.pid",
    "db-{name}-pid": "{run}/{file}.pid",
    "db-{name}-ctrl-sock": "{run}/{file}.ctl",
    "db-{name}-file": "{db}/{file}.db",
    "db-{name}-schema": "",
    "db-{name}-addr": "0.0.0.0",
    "db-{name}-port": "{port}",
    "db-{name}-create-insecure-remote": "no",
    "db-{name}-use-remote-in-db": "yes",
    "db-{name}-config-file": "",
    "db-{name}-sync-from-addr": "",
    "db-{name}-sync-from-port": "{port}",
    "db-{name}-sync-from-proto": "tcp",
    "db-{name}-probe-interval-to-active": "60000",
    "db-{name}-cluster-local-addr": "",
    "db-{name}-cluster-local-port": "{cluster_port}",
    "db-{name}-cluster-local-proto": "tcp",
    "db-{name}-cluster-remote-addr": "",
    "db-{name}-cluster-remote-port": "{cluster_port}",
    "db-{name}-cluster-remote-proto": "tcp",
    "db-{name}-election-timer": "",
    "ovn-{name}-log": SERVER_LOG,
    "ovn-{name}-logfile": "{log}/ovsdb-server-{name}.log",
    "ovn-{name}-db-ssl-key": "",
    "ovn-{name}-db-ssl-cert": "",
    "ovn-{name}-db-ssl-ca-cert": "",
    "ovn-{name}-db-ssl-protocols": "",
    "ovn-{name}-db-ssl-ciphers": "",
    "ovn-{name}-db-ssl-ciphersuites": "",
    "ovn-{name}-db-ssl-server-name": "",
    "ovsdb-{name}-wrapper": "",
}
#: options of every other daemon; {name} is northd, controller, or one that is not part of pyovn
OF_DAEMONS = {
    "ovn-{name}-log": DAEMON_LOG,
    "ovn-{name}-logfile": "{log}/ovn-{name}.log",
    "ovn-{name}-priority": "-10",
    "ovn-{name}-wrapper": "",
    "ovn-{name}-ssl-key": "",
    "ovn-{name}-ssl-cert": "",
    "ovn-{name}-ssl-ca-cert": "",
    "ovn-{name}-ssl-bootstrap-ca-cert": "",
    "ovn-{name}-ssl-protocols": "",
    "ovn-{name}-ssl-ciphers": "",
    "ovn-{name}-ssl-ciphersuites": "",
    "ovn-{name}-ssl-server-name": "",
}
#: options of the relay of the southbound database
OF_RELAY = {
    "db-sb-relay-remote": "",
    "db-sb-relay-use-remote-in-db": "yes",
    "db-sb-relay-sock": "{run}/ovnsb_relay_db.sock",
    "db-sb-relay-pidfile": "{run}/ovnsb_relay_db.pid",
    "db-sb-relay-ctrl-sock": "{run}/ovnsb_relay_db.ctl",
    "ovn-sb-relay-log": DAEMON_LOG,
    "ovn-sb-relay-logfile": "{log}/ovsdb-server-sb-relay.log",
    "ovn-sb-relay-db-ssl-key": "",
    "ovn-sb-relay-db-ssl-cert": "",
    "ovn-sb-relay-db-ssl-ca-cert": "",
    "ovn-sb-relay-db-ssl-protocols": "",
    "ovn-sb-relay-db-ssl-ciphers": "",
    "ovn-sb-relay-db-ssl-ciphersuites": "",
    "ovn-sb-relay-db-ssl-server-name": "",
}
#: daemons that cannot be started here, whose options are known nevertheless: the command says why
MISSING = ("ic", "controller-vtep", "br-controller")
OTHERS = {
    "ovn-ic-nb-db": "",
    "ovn-ic-sb-db": "",
    "db-cluster-schema-upgrade": "no",
    "db-sock": "",
    "monitor": "yes",
    "ovn-manage-ovsdb": "yes",
    "ovn-northd-n-threads": "1",
    "ovn-northd-nb-db": "",
    "ovn-northd-sb-db": "",
    "ovn-user": "",
    "ovs-user": "",
    "ovsdb-disable-file-column-diff": "no",
}


class Place(NamedTuple):
    """What defaults of one database are made of: its name in options, its file's name, its usual ports."""

    name: str
    file: str
    port: int
    cluster_port: int


PLACES = {
    place.name: place
    for place in (
        Place("nb", "ovnnb_db", 6641, 6643),
        Place("sb", "ovnsb_db", 6642, 6644),
        Place("ic-nb", "ovn_ic_nb_db", 6645, 6647),
        Place("ic-sb", "ovn_ic_sb_db", 6646, 6648),
    )
}


def defaults() -> dict[str, str]:
    """Every setting with its default."""
    where = {"run": directory("OVN_RUNDIR"), "log": directory("OVN_LOGDIR"), "db": directory("OVN_DBDIR")}
    found = OTHERS | {name: value.format(**where) for name, value in OF_RELAY.items()}
    found["db-sock"] = f"{directory('OVS_RUNDIR')}/db.sock"
    for place in PLACES.values():
        about = {**where, **place._asdict()}
        found |= {name.format(**about): value.format(**about) for name, value in OF_DATABASES.items()}
    for daemon in ("northd", "controller", *MISSING):
        found |= {name.format(name=daemon): value.format(name=daemon, **where) for name, value in OF_DAEMONS.items()}
    return found


class Settings:
    """The settings of one run; `settings["db-nb-port"]`."""

    def __init__(self, values: dict[str, str], extra: Sequence[str] = (), *, restart: bool = False) -> None:
        self._values = values
        self.extra = tuple(extra)  #: words after `--`, for the daemon that is started
        self.restart = restart  #: the daemon that is stopped will be started again soon

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def says(self, name: str) -> bool:
        """True where a setting says yes."""
        return self._values[name] == "yes"

    def parameters(self, file: str) -> list[str]:
        """The words in a file of the configuration directory, which need not be there."""
        path = Path(os.environ.get("OVN_SYSCONFDIR", "/etc"), "ovn", file)
        return path.read_text(encoding="utf-8").split() if path.exists() else []


def read(words: Sequence[str]) -> tuple[str, Settings]:
    """The command and the settings of a command line; raises `CtlError`."""
    values, commands, restart = defaults(), [], False
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            break
        if word == "--restart":
            restart = True
        elif word.startswith("--"):
            name, value = _setting(word)
            if name not in values:
                raise CtlError(f'unknown option "{word}" (use --help for help)')
            values[name] = value
        elif word.startswith("-"):
            raise CtlError(f'unknown option "{word}" (use --help for help)')
        else:
            commands.append(word)
    if not commands:
        raise CtlError("missing command name (use --help for help)")
    if len(commands) > 1:
        raise CtlError("exactly one non-option argument required (use --help for help)")
    return commands[0], Settings(values, left, restart=restart)


def _setting(word: str) -> tuple[str, str]:
    name, equals, value = word[2:].partition("=")
    if equals:
        return name, value
    return (name[3:], "no") if name.startswith("no-") else (name, "yes")
