"""A database's file: opened under a lock, appended to, synced, compacted.

    append    the record is written before its transaction counts; if that fails the file is cut back, the
              transaction refused, and the database is what it was
    sync      answers to durable transactions wait for the disk; one fdatasync serves all that came meanwhile
    compact   a new file is written beside the old one, receives what was committed meanwhile, and replaces it;
              a crash at any point leaves one of the two, whole; clients are served all the while

A transaction that was written but not synced survives the end of the process, though not that of the machine.
See docs/spec/ovsdb-server.md.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  # what threads need later, when there may be no descriptor left for it
import contextlib
import fcntl
import mmap
import os
import time
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
BREATH_S = 1e-6  #: how long a compaction pauses again and again, so that clients are served in between
LITTLE = 2**14  #: bytes of transactions committed during a compaction that may be left to its last step
MOST_ROUNDS = 10  #: in which a compaction tries to get there


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
        self._compaction: asyncio.Task[None] | None = None
        self._syncable = asyncio.Lock()  # held by a sync, and by the last steps of a compaction
        self._directory = os.open(
            path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        )  # now: later may be too late
        self._renamed = False  # it has to be synced before anything is safe

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
        except OSError as fault:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise Refused("I/O error", f"{self.path}: write failed ({fault.strerror})") from fault
        self._go_on_in(file, length)
        os.close(file)
        self._base = length
        self._tail = None  # a compaction under way has become pointless
        try:
            os.fsync(self._directory)
        except OSError as fault:
            self._fail(fault)

    def _go_on_in(self, file: int, length: int) -> None:
        """Append to another file from now on."""
        os.dup2(file, self._file, inheritable=False)  # a sync under way in a thread keeps the number that it knows
        self._length = length

    async def _safe(self) -> None:
        """Wait until what was written so far is on the disk; raises `StorageFault`."""
        sync = self.sync()
        while self._syncing is not None and not (sync.done or sync.broken):
            await asyncio.shield(self._syncing)
        if sync.broken:
            raise StorageFault(self._failure or "")

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
                await self._sync_file()
            except OSError as fault:
                self._fail(fault)
            for sync in waiting:
                sync.done, sync.broken = self._failure is None, self._failure is not None
            self.on_synced()
        self._syncing = None

    async def _sync_file(self) -> None:
        """Get to the disk what was written, and under which name."""
        async with self._syncable:
            renamed, self._renamed = self._renamed, False
            await asyncio.to_thread(os.fdatasync, self._file)
            if renamed:
                await asyncio.to_thread(os.fsync, self._directory)

    def _fail(self, fault: OSError) -> None:
        """Take note that nobody knows any more what the disk holds: nothing further may be acknowledged."""
        self._failure = f"{self.path}: sync failed ({fault.strerror})"
        LOG.error("%s; refusing further transactions", self._failure)

    # -- compaction --------------------------------------------------------------------------------------------------

    @property
    def wants_compaction(self) -> bool:
        """True where the file is mostly history."""
        return self._compaction is None and self._length > max(WORTH_COMPACTING, GROWTH * self._base)

    async def compact(self, database: Database, comment: str = "compacting database online") -> None:
        """Replace the file by a shorter one with the same rows, or wait until that is done; raises `StorageFault`."""
        if self._compaction is None:
            self._tail = []
            # Now, as the database may be another one, under another schema, when the task starts.
            self._compaction = asyncio.ensure_future(self._compact(Snapshot(database), self._tail, comment))
        await asyncio.shield(self._compaction)

    async def _compact(self, snapshot: Snapshot, tail: list[bytes], comment: str) -> None:
        temporary = self.path.with_name(self.path.name + ".tmp")
        try:
            date_ms = self._clock.wall_ms()
            file, base = await asyncio.to_thread(_write_snapshot, temporary, snapshot, date_ms, comment, _breathe)
            try:
                async with self._syncable:
                    length = await _catch_up(file, base, tail)
                    if self._tail is tail:
                        os.rename(temporary, self.path)
                        self._renamed, self._base, self._tail = True, base, None
                        self._go_on_in(file, length)
                    else:
                        temporary.unlink()
            finally:
                os.close(file)
            await self._safe()
        except OSError as fault:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise StorageFault(f"{self.path}: cannot compact: {fault.strerror}") from fault
        finally:
            self._compaction = None
            if self._tail is tail:
                self._tail = None

    async def close(self) -> None:
        """Finish what is under way and let go of the file."""
        self._tail = None  # no compaction replaces the file any more
        if self._compaction is not None:
            with contextlib.suppress(StorageFault):
                await self._compaction
        if self._syncing is not None:
            await asyncio.shield(self._syncing)
        self.abandon()

    def abandon(self) -> None:
        """Let go of a file that was opened in vain."""
        for file in (self._file, self._lock, self._directory):
            os.close(file)

    @property
    def failure(self) -> str | None:
        """Why nothing can be written any more, if that is so."""
        return self._failure

    @property
    def length(self) -> int:
        """How many bytes the file has."""
        return self._length


async def _catch_up(file: int, length: int, tail: list[bytes]) -> int:
    """Append what was committed while the snapshot was written, and goes on to be; gives the length of the file.

    What is safe in the old file must be so in the new one before that takes its name.  So nothing is declared safe
    while this goes on, and only the few transactions of its last moments are written without being synced.
    """
    for _ in range(MOST_ROUNDS):
        records = b"".join(tail)
        tail.clear()
        await asyncio.to_thread(_write_synced, file, records, length)
        length += len(records)
        if sum(map(len, tail)) <= LITTLE:
            break
    _write(file, b"".join(tail), length)
    return length + sum(map(len, tail))


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


def _breathe() -> None:
    """Let other threads run."""
    time.sleep(BREATH_S)


def _write_snapshot(
    path: Path, snapshot: Snapshot, date_ms: int, comment: str, breathe: Callable[[], None] = lambda: None
) -> tuple[int, int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        length = 0
        for piece in snapshot.records(date_ms, comment, breathe):
            _write(file, piece, length)
            length += len(piece)
        os.fdatasync(file)
    except BaseException:
        os.close(file)
        raise
    return file, length


def _write_synced(file: int, data: bytes, offset: int) -> None:
    _write(file, data, offset)
    os.fdatasync(file)


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
