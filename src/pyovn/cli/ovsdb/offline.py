"""Database files read without a server: standalone ones as a database, clustered ones only recognized."""

import json
import mmap
from pathlib import Path
from typing import Any

from pyovn.net.errors import Malformed, OvnError
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.storage.log import Damage, scan
from pyovn.ovsdb.storage.records import recover
from pyovn.runtime.ovsdb_server.uuids import random_uuids

Json = Any
STANDALONE = b"OVSDB JSON "
CLUSTERED = b"OVSDB CLUSTER "


class FileFault(OvnError):
    """A file that is no database, or a damaged one."""


def contents(name: str | Path) -> bytes | memoryview:
    """A file's bytes, not yet read; raises `FileFault`."""
    try:
        with open(name, "rb") as file:
            if not Path(name).stat().st_size:
                return b""
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as fault:
        raise FileFault(f"I/O error: {name}: open failed ({fault.strerror})") from None


def is_clustered(data: bytes | memoryview, name: str | Path) -> bool:
    """True for the file of a cluster member; raises `FileFault` for what is no database at all."""
    if not data:
        raise FileFault(f"ovsdb error: {name}: cannot identify file type")
    if data[: len(CLUSTERED)] == CLUSTERED:
        return True
    if data[: len(STANDALONE)] != STANDALONE:
        raise FileFault(f"ovsdb error: {name}: unexpected file format")
    return False


def standalone(data: bytes | memoryview, name: str | Path) -> bytes | memoryview:
    """The bytes of a standalone database; raises `FileFault` for others."""
    if is_clustered(data, name):
        raise FileFault(f"ovsdb error: {name}: cannot apply this operation to clustered database file")
    return data


def cluster_header(data: bytes | memoryview, name: str | Path) -> Json:
    """What the first record of a cluster member's file says; raises `FileFault`."""
    head, _, rest = bytes(data).partition(b"\n")
    try:
        return json.loads(rest[: int(head.split()[2])])
    except (ValueError, IndexError) as fault:
        raise FileFault(f"ovsdb error: {name}: {fault}") from None


def schema(data: bytes | memoryview, name: str | Path) -> Schema:
    """The schema of a standalone database; raises `FileFault`."""
    first = next(iter(scan(standalone(data, name))))
    if isinstance(first, Damage):
        raise FileFault(f"I/O error: {name}: {first.reason}")
    try:
        return Schema.parse(json.loads(first.json))
    except (ValueError, Malformed) as fault:
        raise FileFault(f"ovsdb error: {name}: {fault}") from None


def recovered(data: bytes | memoryview, name: str | Path) -> Database:
    """The database in a file, which must be whole; raises `FileFault`."""
    data = standalone(data, name)
    for record in scan(data):
        if isinstance(record, Damage):
            raise FileFault(f"I/O error: {name}: {record.reason}")
    try:
        found = recover(data, random_uuids())
    except Malformed as fault:
        raise FileFault(f"ovsdb error: {name}: {fault}") from None
    if found.damage is not None:
        raise FileFault(f"ovsdb error: {name}: {found.damage.reason}")
    return found.database
