"""A connection to an OVSDB server that is kept up: sockets and timers around `ovsdb.session`.

    client = Client("unix:/run/ovn/ovnsb_db.sock", "OVN_Southbound", {Chassis: None, LogicalFlow: ("match", "actions")})
    group.create_task(client.run())
    await client.synced()
    while True:
        for cls, rows in (await client.changes()).items():
            …
        await client.transact(txn)

`tables` maps the classes to monitor to the columns wanted of each (None: all).  What else may be chosen per table:

    conditions  rows wanted: a list of clauses (`txn.clause`), True for all, False or [] for none; `set_condition` later
    select      kinds of change wanted, as {"modify": False}
    raw         a function that gets the table's updates as the server's JSON, instead of typed rows in the replica:
                handler(updates, update) with updates = UUID → {"insert" | "initial" | "modify" | "delete": …};
                where `update.fresh`, rows not mentioned are gone; where not `update.is_difference`, a server that knows
                only RFC 7047's monitor wrote them as {"old": …, "new": …}

`run` goes on for ever, over as many connections as it takes; `changes` bridges gaps, as it gives the whole difference
between what was last seen and what is there now.  `generation` counts the times that contents came from scratch.

Several remotes are the members of a cluster: each client tries them in an order of its own (`shuffle`), so that they
share the load.  A transaction whose answer was lost with the connection is never sent again from here: whether it was
applied is unknown, and only who made it can tell, from the contents that come after.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import orjson

from pyovn.net.errors import OvnError
from pyovn.net.uuids import Uuid
from pyovn.ovsdb import jsonrpc
from pyovn.ovsdb.datum import RowReader
from pyovn.ovsdb.errors import Disconnected, remote_error
from pyovn.ovsdb.model import Row, columns, table_name
from pyovn.ovsdb.parts import is_answer, parts
from pyovn.ovsdb.replica import Changes, Replica, Update, merge
from pyovn.ovsdb.session import (
    Answered,
    Changed,
    Conditions,
    Effect,
    GiveUp,
    Interest,
    Lock,
    Ready,
    SchemaKnown,
    Send,
    Session,
    Where,
)
from pyovn.ovsdb.txn import Txn
from pyovn.runtime import streams
from pyovn.runtime.bulk import uncollected
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.logging import module
from pyovn.runtime.reconnect import Do, Reconnect

Json = Any
R = TypeVar("R", bound=Row)
RawHandler = Callable[[Mapping[str, Json], Update], None]

BULK_BYTES = 4_000_000  #: a message from which on collecting garbage while it is decoded costs more than it frees
READ_BYTES = 2**20
SLOWEST_CHECK_S = 5.0  #: how often the probe interval is looked at where it is off

log = module("reconnect")


class Client:
    """One database, its replica, and transactions on it."""

    def __init__(
        self,
        remotes: str,
        database: str,
        tables: Mapping[type[Row], Sequence[str] | None],
        *,
        lock: str | None = None,
        leader_only: bool = False,
        shuffle: bool = True,
        probe_ms: int = 5000,
        max_backoff_ms: int = 8000,
        tls: streams.Tls | None = None,
        raw: Mapping[type[Row], RawHandler] | None = None,
        conditions: Mapping[type[Row], Where] | None = None,
        select: Mapping[type[Row], Mapping[str, bool]] | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._raw = {table_name(cls): handler for cls, handler in (raw or {}).items()}
        everything = {**tables, **{cls: None for cls in raw or {} if cls not in tables}}
        interests = {
            table_name(cls): Interest(
                list(columns(cls)) if names is None else names,
                (conditions or {}).get(cls, True),
                (select or {}).get(cls),
            )
            for cls, names in everything.items()
        }
        self.replica = Replica({cls: names for cls, names in everything.items() if table_name(cls) not in self._raw})
        self.generation = 0
        self.lock = lock
        self._session = Session(database, interests, lock=lock, leader_only=leader_only)
        self._clock = clock
        self._tls = tls
        self._shuffle = shuffle
        self._remotes = self._ordered(remotes)
        self._reconnect = Reconnect(
            list(self._remotes), clock.now(), probe_s=probe_ms / 1000, max_backoff_s=max_backoff_ms / 1000
        )
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._undecoded: dict[int, str] = {}  # requests whose answer is wanted as it came: for a table's contents
        self._changes: Changes = {}
        self._news = asyncio.Event()
        self._state_changed: list[asyncio.Future[None]] = []
        self._give_up: str | None = None

    # What is known

    @property
    def database(self) -> str:
        """The name of the database."""
        return self._session.database

    def sizes(self) -> dict[str, int]:
        """How much of the database is held here."""
        return {f"idl-cells-{self.database}": self.replica.cells()}

    @property
    def connected(self) -> bool:
        """True where the replica is up to date with a server."""
        return self._session.is_ready

    @property
    def has_lock(self) -> bool:
        """True where we own our lock."""
        return self._session.has_lock

    @property
    def remote(self) -> str:
        """The remote in use, or to be tried next."""
        return self._reconnect.remote

    @property
    def conditions_in_force(self) -> bool:
        """True where the server applies the conditions that were last set, and their rows are here."""
        return self._session.conditions_in_force

    @property
    def has_news(self) -> bool:
        """True where `changes` would return at once."""
        return self._news.is_set()

    @property
    def server_schema(self) -> Mapping[str, Any]:
        """The tables that the server's schema has, by name; empty before the first connection."""
        return {} if self._session.schema is None else self._session.schema.tables

    # What may be waited for and asked

    async def synced(self) -> None:
        """Wait until the replica holds what the server holds."""
        await self._until(lambda: self.connected)

    async def locked(self) -> None:
        """Wait until we own our lock."""
        await self._until(lambda: self.has_lock)

    async def conditions_applied(self) -> None:
        """Wait until the conditions that were last set are in force and their rows are here."""
        await self._until(lambda: self.conditions_in_force)

    async def changed_state(self) -> None:
        """Wait until the connection, the lock or the conditions change in any way."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._state_changed.append(waiter)
        await waiter

    async def changes(self) -> Changes:
        """Wait for changes; gives all there were since the last call, each row from its first state to its last.

        Gaining, losing or resuming a connection ends the wait too, perhaps with nothing changed.
        """
        await self._news.wait()
        return self.take_changes()

    def take_changes(self) -> Changes:
        """The changes since the last call, without waiting."""
        self._news.clear()
        changes, self._changes = self._changes, {}
        return changes

    async def transact(self, txn: Txn, *, unlocked: bool = False) -> list[dict[str, Json]]:
        """Apply a transaction; gives the results of its operations.

        Where the client has a lock, the transaction applies only while we own it, unless `unlocked`.  Raises
        `TransactionFailed`, naming the operation and the row at fault, or `Disconnected`.
        """
        lock = None if unlocked else self.lock
        params = txn.params(self.database, orjson.dumps, lock)
        results = await self._call_encoded("transact", params)
        if lock is not None and isinstance(results, list) and results:
            if isinstance(results[0], dict) and "error" in results[0]:
                raise remote_error(results[0], f"lock {lock}", 0)
            results = results[1:]
        return txn.settle(results)

    async def select(self, cls: type[R], where: Json = (), names: Sequence[str] | None = None) -> list[R]:
        """Rows of a table as they are on the server now, monitored or not; columns not asked for take defaults."""
        server = self.server_schema.get(table_name(cls))
        chosen = columns(cls) if names is None else names
        present = [name for name in chosen if server is None or name in server.columns]
        txn = Txn()
        txn.select(cls, where, present)
        (result,) = await self.transact(txn, unlocked=True)
        read = RowReader(cls, server, present).read
        return [read(row["_uuid"][1], row) for row in result["rows"]]

    async def contents(self, cls: type[R], names: Sequence[str]) -> Iterable[Mapping[Uuid, Json]]:
        """Every row of a table as it is on the server now, a part at a time: UUID → {"initial": columns, as JSON}.

        Columns that have their default are left out.  The parts are decoded as they are looked at.
        """
        name, table = ["pyovn", "contents"], table_name(cls)
        once = {"initial": True, "insert": False, "delete": False, "modify": False}
        params = [self.database, name, {table: [{"columns": names, "select": once}]}]
        id_, answer = await self._ask("monitor_cond", orjson.dumps(params), undecoded=table)
        await self.call("monitor_cancel", [name])
        return parts(answer, id_, table, orjson.loads) if isinstance(answer, bytes) else [answer.get(table, {})]

    async def call(self, method: str, params: Json) -> Json:
        """The result of any request; raises `TransactionFailed` where the server answers with an error."""
        return await self._call_encoded(method, orjson.dumps(params))

    def set_condition(self, cls: type[Row], where: Where) -> None:
        """Monitor only rows that satisfy one of the clauses from now on (True: all, False: none)."""
        self._do(self._session.set_condition(table_name(cls), where))

    def set_lock(self, name: str | None) -> None:
        """Want another lock, or none."""
        self.lock = name
        self._do(self._session.set_lock(name))

    def steal_lock(self) -> None:
        """Take our lock from whoever has it."""
        if self.lock is not None:
            self._do(self._session.steal_lock(self.lock))

    def set_probe_interval(self, milliseconds: int) -> None:
        """Ask a silent server for a sign of life after this time, 0 for never."""
        self._reconnect.probe_s = milliseconds / 1000

    def set_remotes(self, remotes: str) -> None:
        """Use other remotes; a connection to one that is no longer among them is closed."""
        parsed = self._ordered(remotes)
        if parsed.keys() != self._remotes.keys():
            keep = self._reconnect.remote
            self._remotes = parsed
            self._reconnect.use(list(parsed))
            if keep not in parsed:
                self.reconnect()

    def _ordered(self, remotes: str) -> dict[str, streams.Remote]:
        """The remotes by name, in the order to try them."""
        parsed = list(streams.remotes(remotes))
        if self._shuffle:
            random.shuffle(parsed)
        return {remote.text: remote for remote in parsed}

    def forget_cluster(self) -> None:
        """Connect anew, to a server with older contents too: the cluster was made again from a backup."""
        self._session.forget_cluster()
        self.reconnect()

    def reconnect(self) -> None:
        """Drop the connection, to make another."""
        self._give_up = self._give_up or "reconnection was asked for"
        if self._writer is not None:
            self._writer.close()

    # The connection

    async def run(self) -> None:
        """Keep the connection up; ends only by being cancelled."""
        try:
            while True:
                await self._connect_when_due()
        finally:
            self._lost()

    async def _connect_when_due(self) -> None:
        machine = self._reconnect
        deadline = machine.deadline
        if deadline is not None and (pause := deadline - self._clock.now()) > 0:
            await asyncio.sleep(pause)
        remote = self._remotes[machine.remote]
        machine.connecting(self._clock.now())
        self._logged("%s: connecting...", remote)
        try:
            async with asyncio.timeout(max(0.0, (machine.deadline or 0.0) - self._clock.now())):
                reader, writer = await streams.connect(remote, self._tls)
        except (streams.StreamFault, TimeoutError) as fault:
            text = str(fault) or "Connection timed out"
            self._logged("%s: connection attempt failed (%s)", remote, text, level="warning")
            machine.lost(self._clock.now())
            return
        log.info("%s: connected", remote)
        machine.connected(self._clock.now())
        try:
            await self._converse(remote, reader, writer)
        finally:
            machine.lost(self._clock.now())
            self._lost()
            await streams.close(writer)

    def _logged(self, text: str, remote: streams.Remote, *details: object, level: str = "info") -> None:
        """Log the first tries to connect, then only now and then."""
        if self._reconnect.backoff_s < self._reconnect.max_backoff_s or self._reconnect.attempts % 64 == 0:
            getattr(log, level)(text, remote, *details)

    async def _converse(
        self, remote: streams.Remote, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Talk until either side ends it."""
        self._writer, self._give_up = writer, None
        splitter = jsonrpc.Splitter()
        try:
            self._do(self._session.opened())
            while self._give_up is None and (piece := await self._read(reader)):
                self._reconnect.received(self._clock.now())
                for text in splitter.feed(piece):
                    self._take(text)
            log.info("%s: %s", remote, self._give_up or "connection closed by peer")
        except OvnError as fault:
            log.warning("%s: %s", remote, fault)
        except OSError as fault:
            log.info("%s: connection dropped (%s)", remote, streams.reason(fault))

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        """The next bytes; a silent server is asked for a sign of life, and given up if it gives none."""
        machine = self._reconnect
        while True:
            deadline = machine.deadline
            pause = SLOWEST_CHECK_S if deadline is None else max(0.0, deadline - self._clock.now())
            try:
                async with asyncio.timeout(pause):
                    return await reader.read(READ_BYTES)
            except TimeoutError:
                match machine.due(self._clock.now()):
                    case Do.PROBE:
                        machine.probed(self._clock.now())
                        self._send(orjson.dumps(jsonrpc.request("echo", [], "echo")))
                    case Do.DISCONNECT:
                        self._give_up = f"no response to inactivity probe after {machine.probe_s:g} seconds"
                        return b""

    def _take(self, text: bytes) -> None:
        """Handle one message; while a large one is decoded, garbage is not collected."""
        with uncollected() if len(text) > BULK_BYTES else contextlib.nullcontext():
            self._do(self._session.received(self._as_it_came(text) or jsonrpc.parse(orjson.loads, text)))

    def _as_it_came(self, text: bytes) -> jsonrpc.Message | None:
        """A message whose result is the whole text, where that is wanted."""
        wanted = (id_ for id_, table in self._undecoded.items() if is_answer(text, id_, table))
        return next((jsonrpc.reply(text, id_) for id_ in wanted), None)

    def _do(self, effects: Iterator[Effect]) -> None:
        """Carry out what the session wants."""
        for effect in effects:
            match effect:
                case Send():
                    self._send(orjson.dumps(effect.message))
                case Changed():
                    self._changed(effect.update)
                case Answered():
                    self._answered(effect)
                case SchemaKnown():
                    self.replica.adopt(effect.schema)
                case Ready():
                    self.generation += not effect.resumed
                    self._notify()
                case Lock() | Conditions():
                    self._notify()
                case GiveUp():
                    self._give_up = f"{effect.reason}; trying another server"
                    if self._writer is not None:
                        self._writer.close()

    def _changed(self, update: Update) -> None:
        """Take in contents: into the replica, or to the tables' own handlers."""
        for name, handler in self._raw.items():
            rows = update.tables.get(name)
            if rows or update.fresh:
                handler(rows or {}, update)
        changes = self.replica.apply(update)
        if self._changes:
            merge(self._changes, changes)
        else:
            self._changes = changes
        if changes:
            self._news.set()

    def _answered(self, answer: Answered) -> None:
        waiting = self._answers.pop(answer.id, None)
        if waiting is not None and not waiting.done():
            if answer.error is None:
                waiting.set_result(answer.result)
            else:
                waiting.set_exception(remote_error(answer.error))

    async def _call_encoded(self, method: str, params: bytes) -> Json:
        _, result = await self._ask(method, params)
        return result

    async def _ask(self, method: str, params: bytes, undecoded: str = "") -> tuple[int, Json]:
        """The id of a request and its result; the text of the answer if it is the contents of the table `undecoded`."""
        if not self.connected:
            raise Disconnected(f"not connected to the {self.database} database")
        id_ = self._session.new_id()
        answer = self._answers[id_] = asyncio.get_running_loop().create_future()
        if undecoded:
            self._undecoded[id_] = undecoded
        self._send(b'{"id":%d,"method":"%b","params":%b}' % (id_, method.encode(), params))
        try:
            if self._writer is not None:
                with contextlib.suppress(OSError):
                    await self._writer.drain()
            return id_, await answer
        finally:
            self._answers.pop(id_, None)
            self._undecoded.pop(id_, None)

    def _send(self, message: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(message)

    def _lost(self) -> None:
        """The connection is gone: those who wait for answers learn it."""
        self._writer = None
        self._do(self._session.closed())
        answers, self._answers = self._answers, {}
        for waiting in answers.values():
            if not waiting.done():
                waiting.set_exception(Disconnected(f"connection to the {self.database} database lost"))
        self._notify()

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self.changed_state()

    def _notify(self) -> None:
        """Wake all who wait for the state of the connection."""
        self._news.set()
        waiters, self._state_changed = self._state_changed, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
