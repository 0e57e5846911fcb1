"""A database's file: opened under a lock, appended to, synced, compacted.

    append    the record is written before its transaction counts; if that fails the file is cut back, the
              transaction refused, and the database is what it was
    sync      answers to durable transactions wait for the disk; one fdatasync serves all that came meanwhile
    compact   a new file is written beside the old one, receives what was committed meanwhile, and replaces it;
              a crash at any point leaves one of the two, whole

A transaction that was written but not synced survives the end of the process, though not that of the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pyovn.net.errors import Malformed, OvnError
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.database import Commit, Database
from pyovn.ovsdb.server.errors import Refused
from pyovn.ovsdb.server.session import Sync
from pyovn.ovsdb.storage.records import Recovered, Snapshot, recover, schema_record, transaction_record
from pyovn.runtime import logging as vlog
from pyovn.runtime.clock import SYSTEM, Clock

LOG = vlog.module("ovsdb_file")

WORTH_COMPACTING = 10 * 2**20  #: bytes below which a file is left as it is
GROWTH = 4  #: a file is compacted when it is that many times as long as after the last time


class StorageFault(OvnError):
    """A database file that cannot be used; the text says why."""


class LogFile:
    """The journal of one database, on a disk."""

    def __init__(self, path: Path, file: int, lock: int, length: int, base: int, clock: Clock) -> None:
        self.path = path
        self.on_synced: Callable[[], None] = lambda: None
        self._file = file
        self._lock = lock
        self._length = length
        self._base = base
        self._clock = clock
        self._failure: str | None = None
        self._waiting: list[Sync] = []
        self._syncing: asyncio.Task[None] | None = None
        self._tail: list[bytes] | None = None  # records written while a compaction is under way

    # -- the engine's side -------------------------------------------------------------------------------------------

    def append(self, commit: Commit, database: Database) -> None:
        """Write a transaction down; raises `Refused` if that fails."""
        if self._failure is not None:
            raise Refused("I/O error", self._failure)
        record = transaction_record(database, commit, self._clock.wall_ms())
        if record is None:
            return
        try:
            _write(self._file, record, self._length)
        except OSError as fault:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._length)
            LOG.error("%s: cannot write: %s", self.path, fault.strerror)
            raise Refused("I/O error", f"{self.path}: write failed ({fault.strerror})") from fault
        self._length += len(record)
        if self._tail is not None:
            self._tail.append(record)

    def rewrite(self, database: Database, comment: str) -> None:
        """Write down a database in the place of all before; raises `Refused`."""
        temporary = self.path.with_name(self.path.name + ".new")
        try:
            file, length = _write_snapshot(temporary, Snapshot(database), self._clock.wall_ms(), comment)
            os.rename(temporary, self.path)
            _sync_directory(self.path)
        except OSError as fault:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise Refused("I/O error", f"{self.path}: write failed ({fault.strerror})") from fault
        os.dup2(file, self._file, inheritable=False)  # a sync under way in a thread keeps the number that it knows
        os.close(file)
        self._length = self._base = length
        self._tail = None  # a compaction under way has become pointless

    def sync(self) -> Sync:
        """A promise that what was written so far is on the disk."""
        sync = Sync()
        self._waiting.append(sync)
        if self._syncing is None:
            self._syncing = asyncio.ensure_future(self._sync_all())
        return sync

    async def _sync_all(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(os.fdatasync, self._file)
            except OSError as fault:
                # What the disk holds is unknown now: nothing further may be acknowledged.
                self._failure = f"{self.path}: sync failed ({fault.strerror})"
                LOG.error("%s; refusing further transactions", self._failure)
                break
            for sync in waiting:
                sync.done = True
            self.on_synced()
        self._syncing = None

    # -- compaction --------------------------------------------------------------------------------------------------

    @property
    def wants_compaction(self) -> bool:
        """True where the file is mostly history."""
        return self._tail is None and self._length > max(WORTH_COMPACTING, GROWTH * self._base)

    async def compact(self, database: Database, comment: str = "compacting database online") -> None:
        """Replace the file by a shorter one with the same rows; raises `StorageFault`."""
        if self._tail is not None:
            return
        tail: list[bytes] = []
        self._tail = tail
        temporary = self.path.with_name(self.path.name + ".tmp")
        try:
            snapshot = Snapshot(database)
            file, length = await asyncio.to_thread(_write_snapshot, temporary, snapshot, self._clock.wall_ms(), comment)
            if self._tail is not tail:
                os.close(file)
                temporary.unlink()
                return
            self._base = length
            for record in tail:
                _write(file, record, length)
                length += len(record)
            os.fdatasync(file)
            os.rename(temporary, self.path)
            _sync_directory(self.path)
        except OSError as fault:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise StorageFault(f"{self.path}: cannot compact: {fault.strerror}") from fault
        finally:
            self._tail = None
        os.dup2(file, self._file, inheritable=False)  # a sync under way in a thread keeps the number that it knows
        os.close(file)
        self._length = length

    async def close(self) -> None:
        """Finish syncing and let go of the file."""
        if self._syncing is not None:
            await asyncio.shield(self._syncing)
        self.abandon()

    def abandon(self) -> None:
        """Let go of a file that was opened in vain."""
        os.close(self._file)
        os.close(self._lock)

    @property
    def failure(self) -> str | None:
        """Why nothing can be written any more, if that is so."""
        return self._failure

    @property
    def length(self) -> int:
        """How many bytes the file has."""
        return self._length


def open_log(path: Path, uuids: Iterator[Uuid], clock: Clock = SYSTEM) -> tuple[Database, LogFile]:
    """The database in a file and the journal that continues it; raises `StorageFault`.

    A damaged end is cut off, after it was copied to a file beside it, and said so.
    """
    lock = _take_lock(path)
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as fault:
        os.close(lock)
        raise StorageFault(f"I/O error: {path}: open failed ({fault.strerror})") from fault
    try:
        recovered = _read(file, uuids)
        if recovered.damage is not None:
            _set_aside(path, file, recovered)
    except (OSError, OvnError) as fault:
        os.close(file)
        os.close(lock)
        raise StorageFault(f"{path}: {fault}") from fault
    log = LogFile(path, file, lock, recovered.length, recovered.base, clock)
    recovered.database.journal = log
    return recovered.database, log


def create_log(path: Path, schema: Schema) -> None:
    """Make a new file for an empty database; raises `StorageFault`."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    except OSError as fault:
        raise StorageFault(f"I/O error: {path}: create failed ({fault.strerror})") from fault
    try:
        _write(file, schema_record(schema), 0)
        os.fsync(file)
    finally:
        os.close(file)
    _sync_directory(path)


def _read(file: int, uuids: Iterator[Uuid]) -> Recovered:
    size = os.fstat(file).st_size
    if not size:
        raise Malformed("file is empty")
    return recover(memoryview(mmap.mmap(file, size, access=mmap.ACCESS_READ)), uuids)


def _set_aside(path: Path, file: int, recovered: Recovered) -> None:
    """Cut off what cannot be read and keep a copy of it."""
    damage, length = recovered.damage, recovered.length
    assert damage is not None
    size = os.fstat(file).st_size
    copy = path.with_name(f"{path.name}.damaged-{length}")
    LOG.warning("%s: %s", path, damage.reason)
    copy.write_bytes(os.pread(file, size - length, length))
    os.ftruncate(file, length)
    os.fsync(file)
    LOG.warning(
        "%s: recovered up to byte offset %d; the %d bytes after it are lost to the database and were moved to %s",
        path, length, size - length, copy,
    )  # fmt: skip


def _take_lock(path: Path) -> int:
    """Keep other servers, ours and the C one, away from a file."""
    lock_path = path.with_name(f".{path.name}.~lock~")
    try:
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise StorageFault(f"I/O error: {path}: open failed ({fault.strerror})") from fault
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        os.close(lock)
        raise StorageFault(f"I/O error: {path}: failed to lock lockfile ({fault.strerror})") from fault
    return lock


def _write_snapshot(path: Path, snapshot: Snapshot, date_ms: int, comment: str) -> tuple[int, int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        records = snapshot.records(date_ms, comment)
        _write(file, records, 0)
        os.fdatasync(file)
    except BaseException:
        os.close(file)
        raise
    return file, len(records)


def _write(file: int, data: bytes, offset: int) -> None:
    written = os.pwrite(file, data, offset)
    while written < len(data):
        written += os.pwrite(file, memoryview(data)[written:], offset + written)


def _sync_directory(path: Path) -> None:
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
