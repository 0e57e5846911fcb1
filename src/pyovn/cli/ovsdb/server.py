"""Which server and which database a command of `ovsdb-client` is about, and the connection to it.

dump tcp:10.0.0.1:6641 OVN_Northbound ACL      the first word names a server if it looks like a remote
dump OVN_Northbound                            the local server; the word after it, a database, if it has one
dump                                           its only database, or Open_vSwitch
"""

import os
from typing import Any

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.session import PROBE_S, ConnectionFailed, Session, dial, is_usable, reason
from pyovn.cli.tls import TlsFault
from pyovn.runtime.options import Arguments

Json = Any
USUAL_DATABASE = "Open_vSwitch"
KINDS = ("tcp", "unix", "ssl", "ptcp", "punix", "pssl")
FAMILY = "Address family not supported by protocol"


class Listener(Session):
    """A session that keeps every notification, in order, as (method, parameters)."""

    def __init__(self, stream: Any, remote: str) -> None:
        super().__init__(stream, remote)
        self.notes: list[tuple[str, Json]] = []

    def _attend(self, message: Json) -> None:
        method = message.get("method")
        if method == "echo":
            super()._attend(message)
        elif method is not None:
            self.notes.append((method, message["params"]))

    def wait_for_notes(self) -> None:
        """Return once there is a notification."""
        while not self.notes:
            self._attend(self._receive())

    def take_notes(self) -> list[tuple[str, Json]]:
        """The notifications that came since the last time."""
        taken, self.notes = self.notes, []
        return taken


def looks_like_remote(word: str) -> bool:
    """True for words such as `tcp:…`."""
    return word[:1].isalpha() and ":" in word


def default_server() -> str:
    """The local server of Open vSwitch."""
    return f"unix:{os.environ.get('OVS_RUNDIR') or '/var/run/openvswitch'}/db.sock"


def tls(options: Arguments) -> dict[str, str | None]:
    """The TLS options, as sessions want them."""
    return {f"--{name}": values[-1] for name, values in options.options.items()}


def reach(remotes: str, options: Arguments, database: str = "") -> Listener:
    """A session with the server; of several, with one that can serve `database`.  Raises `CtlError`."""
    choices = [remote.strip() for remote in remotes.split(",")]
    if len(choices) == 1:
        return _only(choices[0], options)
    choices.sort(key=lambda _: os.urandom(4))
    for remote in choices:
        try:
            stream = dial(remote, tls(options))
        except OSError:
            continue
        stream.settimeout(PROBE_S)
        session = Listener(stream, remote)
        try:
            if not database or is_usable(session, database, leader_only="no-leader-only" not in options):
                stream.settimeout(None)
                return session
        except ConnectionFailed:
            pass
        session.close()
    raise CtlError("no servers were available")


def _only(remote: str, options: Arguments) -> Listener:
    kind = remote.partition(":")[0]
    if kind not in KINDS:
        raise CtlError(f'failed to connect or listen to "{remote}" ({FAMILY})')
    try:
        return Listener(dial(remote, tls(options)), remote)
    except OSError as fault:
        raise CtlError(f'failed to connect to "{remote}" ({reason(fault)})') from None
    except TlsFault as fault:
        raise CtlError(f'failed to connect to "{remote}" ({fault})') from None


def choose_database(names: list[str], words: list[str], least: int) -> str:
    """The database that the words begin with, which is taken off them, or the usual one; raises `CtlError`."""
    if len(words) > least and words[0] in names:
        return words.pop(0)
    if USUAL_DATABASE in names:
        return USUAL_DATABASE
    served = [name for name in names if not name.startswith("_")]
    if len(served) != 1:
        raise CtlError("could not find a default database, please specify a database name")
    return served[0]
