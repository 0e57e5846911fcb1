"""A file that says what a server serves, and where; the alternative to arguments and commands.

    {"remotes":   {"punix:/run/nb.sock": {}, "pssl:6641": {"role": "ovn-controller", "inactivity-probe": 16000}},
     "databases": {"/var/lib/ovn/ovnnb_db.db": {"service-model": "standalone"}}}

`ovsdb-server/reload` reads it again: what is new is begun, what is gone ends, all else goes on as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pyovn.net.errors import Malformed
from pyovn.runtime.ovsdb_server.endpoints import Options

Json = Any

OFFERED = "standalone"

#: member of a remote: its name in `Options` (None: accepted, and without effect), and the type it must have
_MEMBERS: Mapping[str, tuple[str | None, type]] = {
    "inactivity-probe": ("probe_ms", int),
    "max-backoff": ("max_backoff_ms", int),
    "role": ("role", str),
    "read-only": ("read_only", bool),
    "dscp": (None, int),
}


class Configuration(NamedTuple):
    """What a server is to serve."""

    remotes: Mapping[str, Options]
    databases: tuple[Path, ...]


class ConfigurationFile(NamedTuple):
    """Where a configuration stands, and the directory that file names in it are relative to."""

    path: Path
    directory: Path

    def load(self) -> Configuration:
        """What the file says now; raises `Malformed`."""
        try:
            json = orjson.loads(self.path.read_bytes())
        except OSError as fault:
            raise Malformed(f"failed to open configuration file '{self.path}': {fault.strerror}") from None
        except ValueError as fault:
            raise Malformed(f"{self.path}: {fault}") from None
        return parse(json, self.directory)


def parse(json: Json, directory: Path) -> Configuration:
    """The configuration that `json` writes; raises `Malformed`."""
    if not isinstance(json, dict):
        raise Malformed("configuration in a file must be a JSON object")
    if unknown := sorted(json.keys() - {"remotes", "databases"}):
        raise Malformed(f"config: '{unknown[0]}' is not known")
    remotes = {text: _options(text, each) for text, each in _object(json, "remotes").items()}
    for name, each in _object(json, "databases").items():
        _check_model(name, each)
    return Configuration(remotes, tuple(directory / name for name in _object(json, "databases")))


def _object(json: dict[str, Json], name: str) -> dict[str, Json]:
    found = json.get(name, {})
    if not isinstance(found, dict):
        raise Malformed(f"config: '{name}' is not a JSON object")
    return found


def _options(text: str, json: Json) -> Options:
    if json is None:
        return Options()
    if not isinstance(json, dict):
        raise Malformed(f"config: {text}: options must be a JSON object")
    found: dict[str, Any] = {}
    for member, value in json.items():
        name, kind = _MEMBERS.get(member, (None, None))
        if kind is None:
            raise Malformed(f"config: {text}: there is no option '{member}'")
        if value.__class__ is not kind:
            raise Malformed(f"config: {text}: '{member}' must be of type {kind.__name__}")
        if name is not None:
            found[name] = value
    return Options(**found)


def _check_model(name: str, json: Json) -> None:
    if json is None:
        return
    if not isinstance(json, dict):
        raise Malformed(f"config: {name}: must be a JSON object")
    model = json.get("service-model", OFFERED)
    if model != OFFERED:
        raise Malformed(f"config: {name}: service model {model!r} is not offered, only '{OFFERED}'")
    if unknown := sorted(json.keys() - {"service-model"}):
        raise Malformed(f"config: {name}: '{unknown[0]}' is not for a {OFFERED} database")
