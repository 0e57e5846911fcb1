"""TLS settings of a server, which may stand in its databases and change at any time.

    --certificate=FILE                      a file
    --certificate=db:DB,TABLE,COLUMN        what the first row of TABLE says in COLUMN, if anything

Files are looked at again when they change, as renewed certificates do.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING

from pyovn.net.errors import Malformed
from pyovn.runtime.ovsdb_server.places import locate
from pyovn.runtime.streams import Tls

if TYPE_CHECKING:
    from pyovn.ovsdb.server.database import Database

State = tuple[Tls, tuple[int, ...]]  #: settings, and when their files were last written


class TlsSettings:
    """What the command line says about TLS, and what databases and files say in turn."""

    def __init__(self, databases: dict[str, Database], given: Tls) -> None:
        self.given = given
        self._databases = databases
        self._contexts: dict[bool, tuple[State, ssl.SSLContext]] = {}

    @property
    def state(self) -> State:
        """What the settings are at present; different once any of them, or a file, has changed."""
        settings = Tls(*(self._resolve(text) for text in astuple(self.given)))
        files = (settings.private_key, settings.certificate, settings.ca_cert, settings.bootstrap_ca_cert)
        return settings, tuple(_written(file) for file in files)

    def tables(self) -> Iterator[tuple[str, str]]:
        """The databases and tables that settings come from."""
        for text in astuple(self.given):
            if text.startswith("db:"):
                with contextlib.suppress(Malformed):
                    database, table, _ = locate(self._databases, text)
                    yield database.name, table.name

    def context(self, *, server: bool) -> ssl.SSLContext:
        """The settings for one side; raises `StreamFault`."""
        state = self.state
        if server not in self._contexts or self._contexts[server][0] != state:
            self._contexts[server] = state, state[0].context(server=server)
        return self._contexts[server][1]

    def _resolve(self, text: str) -> str:
        if not text.startswith("db:"):
            return text
        try:
            _, table, column = locate(self._databases, text)
        except Malformed:
            return ""
        members = (member for row in table.rows.values() for member in column.members(row[column.place]))
        return str(next((member for member in members if member), ""))


def _written(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns if path else 0
    except OSError:
        return 0
