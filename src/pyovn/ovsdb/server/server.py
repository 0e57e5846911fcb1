"""The server as a whole: databases, the sessions of its clients, and transactions that wait.

    transact ─→ execute ─→ results and commit → monitors first, then the reply
                   └─ NotYet → waiting; run again when a table it waits on changes, or its time is up

`now_ms` and `date_ms` are set by the shell before it hands in messages; `deadline_ms` says when `expire` is due.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.columns import UUID_AT
from pyovn.ovsdb.server.convert import converted
from pyovn.ovsdb.server.database import Commit, Database
from pyovn.ovsdb.server.errors import Refused, syntax_error
from pyovn.ovsdb.server.locks import Locks
from pyovn.ovsdb.server.monitors import Initials, View
from pyovn.ovsdb.server.operations import Caller, NotYet, execute, waits_on
from pyovn.ovsdb.server.rbac import Guard
from pyovn.ovsdb.server.server_schema import SERVER_SCHEMA, database_row
from pyovn.ovsdb.server.session import Session, Subscription, Sync
from pyovn.ovsdb.server.tables import Row
from pyovn.ovsdb.server.transaction import Transaction

Json = Any


MOST_WAITING = 1_000  #: transactions of one client that may wait at a time


class Waiting(NamedTuple):
    """A transaction whose `wait` does not hold yet."""

    session: Session
    id: Json
    database: Database
    operations: list[Json]
    started_ms: int
    deadline_ms: int | None
    tables: frozenset[str]


class Server:
    """Everything that the clients of one server share."""

    def __init__(self, uuids: Iterator[Uuid]) -> None:
        self.uuids = uuids
        self.id = next(uuids)
        self.now_ms = 0
        self.locks: Locks[Session] = Locks()
        self.databases: dict[str, Database] = {}
        self.sessions: set[Session] = set()
        self.dirty: set[Session] = set()  #: sessions with something to send
        self.counters: dict[str, int] = {}
        self.initials = Initials()
        self.knows_conditions = True  #: in monitors; to try how clients do without
        self._views: dict[str, dict[Any, View]] = {}
        self._waiting: list[Waiting] = []
        self._changed: set[tuple[str, str]] = set()
        self.add_database(Database(SERVER_SCHEMA, read_only=True))

    # -- databases ---------------------------------------------------------------------------------------------------

    def add_database(self, database: Database) -> None:
        """Serve a database; raises `Refused` if one of that name is served already."""
        if database.name in self.databases:
            raise Refused("duplicate database", f"{database.name}: database already served")
        self.databases[database.name] = database
        self._views[database.name] = {}
        database.listeners.append(self._publish)
        self._describe(database)
        self._cut_off_unaware()

    def remove_database(self, name: str) -> Database:
        """Serve a database no longer: its monitors end, its waiting transactions fail."""
        database = self.databases.pop(name)
        self._release(database)
        del self._views[name]
        self._undescribe(name)
        self._cut_off_unaware()
        return database

    def convert(self, old: Database, schema: Schema) -> None:
        """Serve a database under another schema from now on; raises `Refused` if its rows do not fit it."""
        new = converted(old, schema, self.uuids)
        if old.journal is not None:
            old.journal.rewrite(new, "converted by ovsdb-server")
        new.journal, new.listeners = old.journal, old.listeners
        self._release(old)
        self.databases[old.name] = new
        self._describe(new)
        self._cut_off_unaware()

    def _release(self, database: Database) -> None:
        """End what clients have under way with a database."""
        for view in list(self._views[database.name].values()):
            for subscription in list(view.subscriptions):
                self._cancel_monitor(subscription)
        for waiting in [each for each in self._waiting if each.database is database]:
            self._waiting.remove(waiting)
            waiting.session.refuse(waiting.id, "canceled")

    def _cut_off_unaware(self) -> None:
        """Have clients start anew that would not notice that databases come, go or change their schema."""
        for session in self.sessions:
            if not session.change_aware:
                session.end()

    def database(self, params: list[Json], method: str) -> Database:
        """The database that a request is about; raises `Refused`."""
        if not params or not isinstance(params[0], str):
            raise syntax_error(f"{method} request params must begin with <db-name>", params)
        database = self.databases.get(params[0])
        if database is None:
            raise Refused("unknown database", f"{method} request specifies unknown database {params[0]}", params)
        return database

    def _describe(self, database: Database) -> None:
        """Give a database its row in `_Server`, or bring that up to date."""
        own = self.databases[SERVER_SCHEMA.name]
        transaction = own.transaction(self.uuids)
        table = own.tables["Database"]
        values = table.read_row(database_row(database.schema), None)
        if row := self._description(database.name):
            transaction.update(table, row, [(column.place, value) for column, value in values])
        else:
            transaction.insert(table, next(self.uuids), values)
        own.commit(transaction)

    def _undescribe(self, name: str) -> None:
        own = self.databases[SERVER_SCHEMA.name]
        transaction = own.transaction(self.uuids)
        if row := self._description(name):
            transaction.delete(own.tables["Database"], row[UUID_AT])
        own.commit(transaction)

    def _description(self, name: str) -> Row | None:
        table = self.databases[SERVER_SCHEMA.name].tables["Database"]
        place = table.by_name["name"].place
        return next((row for row in table.rows.values() if row[place] == name), None)

    # -- sessions ----------------------------------------------------------------------------------------------------

    def open(self, name: str = "") -> Session:
        """The session of a new client."""
        session = Session(self, name)
        self.sessions.add(session)
        return session

    def forget(self, session: Session) -> None:
        """Release what a client that left had locked and was waiting for."""
        self.sessions.discard(session)
        self.dirty.discard(session)
        self._waiting = [waiting for waiting in self._waiting if waiting.session is not session]
        for name in self.locks.names(session):
            self.unlock(name, session)

    def unlock(self, name: str, session: Session) -> None:
        """Give up a lock and tell its next owner."""
        heir = self.locks.unlock(name, session)
        if heir is not None:
            heir.notify("locked", name)

    # -- transactions ------------------------------------------------------------------------------------------------

    def transact(self, session: Session, id: Json, params: list[Json]) -> None:
        """Run a transaction and queue its reply, or keep it waiting."""
        try:
            database = self.database(params, "transact")
            if self._waiting:
                mine = [each.id for each in self._waiting if each.session is session]
                if id in mine:
                    raise syntax_error("transact: duplicate request ID", params)
                if len(mine) >= MOST_WAITING:
                    raise Refused("resources exhausted", "too many transactions are waiting")
        except Refused as refusal:
            session.refuse(id, refusal.json())
            return
        operations = params[1:]
        try:
            self._run(session, id, database, operations, 0)
        except NotYet as not_yet:
            deadline = None if not_yet.timeout_ms is None else self.now_ms + not_yet.timeout_ms
            self._waiting.append(
                Waiting(session, id, database, operations, self.now_ms, deadline, waits_on(operations))
            )
        if self._waiting:
            self._wake()

    def cancel(self, session: Session, id: Json) -> None:
        """Give up a waiting transaction."""
        for waiting in self._waiting:
            if waiting.session is session and waiting.id == id:
                self._waiting.remove(waiting)
                session.refuse(id, "canceled")
                return

    @property
    def is_waiting(self) -> bool:
        """True where some transaction waits."""
        return bool(self._waiting)

    @property
    def waiting(self) -> int:
        """How many transactions wait."""
        return len(self._waiting)

    @property
    def deadline_ms(self) -> int | None:
        """When `expire` has something to do."""
        return min((each.deadline_ms for each in self._waiting if each.deadline_ms is not None), default=None)

    def expire(self) -> None:
        """Run the waiting transactions whose time is up for the last time."""
        for waiting in [each for each in self._waiting if (each.deadline_ms or self.now_ms + 1) <= self.now_ms]:
            self._retry(waiting)
        self._wake()

    def write(self, database: Database, transaction: Transaction) -> None:
        """Commit a transaction of the server itself; raises `Refused`."""
        database.commit(transaction)
        if self._waiting:
            self._wake()

    def _run(self, session: Session, id: Json, database: Database, operations: list[Json], waited_ms: int) -> None:
        transaction = database.transaction(self.uuids)
        caller = Caller(
            session.holds_lock,
            database.read_only or session.read_only,
            waited_ms,
            Guard(database.tables, session.role, session.identity) if session.role else None,
        )
        results, succeeded = execute(transaction, operations, caller)
        if succeeded:
            commit = self._commit(database, transaction, results)
            if commit is not None and commit.durable and database.journal is not None:
                sync = database.journal.sync()
                if sync is not None:
                    session.outbox.append(sync)
        session.reply(id, results)

    def _commit(self, database: Database, transaction: Transaction, results: list[Json]) -> Commit | None:
        if not transaction.pending:
            return None
        try:
            return database.commit(transaction)
        except Refused as refusal:
            results.append(refusal.json())
            return None

    def _retry(self, waiting: Waiting) -> None:
        try:
            self._run(
                waiting.session, waiting.id, waiting.database, waiting.operations, self.now_ms - waiting.started_ms
            )
        except NotYet:
            return
        self._waiting.remove(waiting)

    def _wake(self) -> None:
        """Try again what waits on tables that have changed, until nothing changes any more."""
        while self._changed and self._waiting:
            changed, self._changed = self._changed, set()
            for waiting in list(self._waiting):
                if waiting in self._waiting and any(
                    (waiting.database.name, table) in changed for table in waiting.tables
                ):
                    self._retry(waiting)
        self._changed.clear()

    # -- monitors ----------------------------------------------------------------------------------------------------

    def shared(self, view: View) -> View:
        """The view that shows the same as `view` to other clients already, or `view` itself."""
        return self._views[view.database.name].setdefault(view.key, view)

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a monitor."""
        view = subscription.view
        view.subscriptions.remove(subscription)
        views = self._views.get(view.database.name, {})
        if not view.subscriptions and views.get(view.key) is view:
            del views[view.key]
            self.initials.forget(view)

    def _cancel_monitor(self, subscription: Subscription) -> None:
        session = subscription.session
        for key, mine in list(session.subscriptions.items()):
            if mine is subscription:
                del session.subscriptions[key]
        self.unsubscribe(subscription)
        session.notify("monitor_canceled", subscription.id)

    def _publish(self, database: Database, commit: Commit) -> None:
        if self._waiting:
            self._changed.update((database.name, table) for table in commit.changes)
        for view in self._views[database.name].values():
            if view.tables.keys().isdisjoint(commit.changes):
                continue
            self.initials.forget(view)
            body = view.updates(commit.changes)
            if body is not None:
                for subscription in view.subscriptions:
                    subscription.tell(body, commit.changes)


__all__ = ["Server", "Session", "Sync", "Waiting"]
