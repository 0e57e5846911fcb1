"""A client's conversation with an OVSDB server, as a machine without sockets or clocks.

    opened()        ──►                     ┌──► Send        a message for the server
    received(msg)   ──►      Session   ─────┼──► Changed     contents of monitored tables
    closed()        ──►                     ├──► Answered    the answer to a request of ours
    transact, …     ──►                     └──► …           Ready, SchemaKnown, Lock, Conditions, GiveUp

      server-schema ──► server ──► schema ──► monitor ──► ready
      does it tell      is it the  what does  the best of monitor_cond_since,
      about itself?     right one? it know?   monitor_cond and monitor

The server's own database, `_Server`, says whether it serves our database now, and leads its cluster; if not, the
session gives up, and the shell tries the next remote.  After a reconnect the session asks only for what it missed
since the last transaction it knows of; a server that cannot tell sends everything.

Conditions may change while rows are monitored.  What the replica holds belongs to the conditions the server has
acknowledged, so these are what a reconnected session asks for first; if it was cut off in between, it starts afresh.
(RFC 7047 §4, ovsdb-server(7) §4.1.)
"""

from pyovn.net.uuids import ZERO
from pyovn.ovsdb import jsonrpc
from pyovn.ovsdb.errors import OvsdbError, ProtocolFault
from pyovn.ovsdb.replica import Update
from pyovn.ovsdb.schema import Schema, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    Json = Any
    Message = dict[str, Any]
    Where = list[Any] | bool
    Then = Callable[[Any, Any], "Iterator[Effect]"]
else:
    Where = list

SERVER = "_Server"
VERSION = "_version"  #: the column that every table has and no schema mentions; it tells that a row changed, not how
_MONITORS = ("monitor_cond_since", "monitor_cond", "monitor")
_ABOUT = ("name", "model", "connected", "leader", "schema", "cid", "sid", "index")


class Effect:
    """Something for the shell to do or to know."""

    __slots__ = ()


class Send(Effect):
    """A message for the server."""

    __slots__ = ("message",)

    def __init__(self, message: "Message") -> None:
        self.message = message


class SchemaKnown(Effect):
    """The schema that the server has for our database; sent before contents that follow it."""

    __slots__ = ("schema",)

    def __init__(self, schema: Schema) -> None:
        self.schema = schema


class Changed(Effect):
    """Contents of monitored tables."""

    __slots__ = ("update",)

    def __init__(self, update: Update) -> None:
        self.update = update


class Ready(Effect):
    """What the replica holds is now what the server holds; `resumed` where only the missed changes were sent."""

    __slots__ = ("resumed",)

    def __init__(self, *, resumed: bool) -> None:
        self.resumed = resumed


class Lock(Effect):
    """We own our lock now, or no longer."""

    __slots__ = ("held",)

    def __init__(self, *, held: bool) -> None:
        self.held = held


class Conditions(Effect):
    """The server applies the conditions that were last set, and all rows that they select have arrived."""

    __slots__ = ()


class Answered(Effect):
    """The answer to a request of the shell's: a result, or an error."""

    __slots__ = ("error", "id", "result")

    def __init__(self, id: int, result: "Json", error: "Json") -> None:
        self.id = id
        self.result = result
        self.error = error


class GiveUp(Effect):
    """This server will not do: the connection should be closed and the next remote tried."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Interest:
    """What to monitor of one table: columns (None: those the server has of `known`), rows, and kinds of change."""

    __slots__ = ("columns", "select", "where")

    def __init__(
        self, columns: "Sequence[str]", where: "Where" = True, select: "Mapping[str, bool] | None" = None
    ) -> None:
        self.columns = tuple(columns)
        self.where = where
        self.select = select


class Session:
    """The client's side of the protocol, over any number of successive connections."""

    def __init__(
        self,
        database: str,
        interests: "Mapping[str, Interest]",
        *,
        lock: str | None = None,
        leader_only: bool = False,
    ) -> None:
        self.database = database
        self.state = "closed"
        self.schema: Schema | None = None
        self.has_lock = False
        self.last_id: str = ZERO
        self._interests = dict(interests)
        self._lock = lock
        self._leader_only = leader_only
        self._next_id = 0
        self._pending: dict[Json, Then] = {}
        self._monitor_id: Json = None
        self._monitors_asked = 0
        self._server_rows: dict[str, Json] = {}
        self._least_index = 0
        self._wanted: dict[str, Where] = {name: interest.where for name, interest in interests.items()}
        self._acknowledged = dict(self._wanted)
        self._asked: dict[str, Where] | None = None
        self._conditional = True

    # Events

    def opened(self) -> "Iterator[Effect]":
        """A connection was made."""
        self._forget()
        self.state = "server-schema"
        return self._request("get_schema", [SERVER], self._server_schema)

    def closed(self) -> "Iterator[Effect]":
        """The connection went away; the shell fails its own requests."""
        if self._asked is not None:
            self.last_id = ZERO
        self._forget()
        self.state = "closed"
        return self._set_lock(held=False)

    def received(self, message: "Message") -> "Iterator[Effect]":
        """A message came from the server; raises `ProtocolFault` for one that makes no sense."""
        try:
            match jsonrpc.kind(message):
                case "notification":
                    yield from self._notified(message["method"], message["params"])
                case "request":
                    yield from self._asked_by_server(message)
                case _:
                    yield from self._answered(message)
        except (TypeError, LookupError, AttributeError) as fault:
            raise ProtocolFault(f"server sent what makes no sense: {fault!r}") from fault

    # What the shell may ask

    @property
    def is_ready(self) -> bool:
        """True where the replica is up to date with a server."""
        return self.state == "ready"

    @property
    def conditions_in_force(self) -> bool:
        """True where the server applies the conditions that were last set."""
        return self.is_ready and (not self._conditional or self._acknowledged == self._wanted)

    def new_id(self) -> int:
        """The id for a request that the shell sends by itself; its answer comes as `Answered`."""
        self._next_id += 1
        id_ = self._next_id
        self._pending[id_] = lambda result, error: iter((Answered(id_, result, error),))
        return id_

    def set_condition(self, table: str, where: "Where") -> "Iterator[Effect]":
        """Monitor only rows that satisfy one of the clauses from now on (True: all of them)."""
        if table not in self._wanted:
            raise OvsdbError(f"{table} is not monitored")
        self._wanted[table] = where
        return self._send_conditions()

    def steal_lock(self, name: str) -> "Iterator[Effect]":
        """Take a lock from whoever has it."""
        old, self._lock = self._lock, name
        if self.is_ready:
            if old is not None:
                yield from self._request("unlock", [old], _ignored)
            yield from self._request("steal", [name], self._locked)

    def forget_cluster(self) -> None:
        """Take contents that are older than what was seen, too."""
        self._least_index = 0

    def set_lock(self, name: str | None) -> "Iterator[Effect]":
        """Want a lock, or want none."""
        old, self._lock = self._lock, name
        if not self.is_ready or old == name:
            return
        if old is not None:
            yield from self._set_lock(held=False)
            yield from self._request("unlock", [old], _ignored)
        if name is not None:
            yield from self._request("lock", [name], self._locked)

    # Sending and matching answers

    def _request(self, method: str, params: "Json", then: "Then") -> "Iterator[Effect]":
        self._next_id += 1
        self._pending[self._next_id] = then
        yield Send(jsonrpc.request(method, params, self._next_id))

    def _answered(self, message: "Message") -> "Iterator[Effect]":
        id_ = message["id"]
        then = self._pending.pop(id_, None) if isinstance(id_, int | str) else None
        return iter(()) if then is None else then(message.get("result"), message.get("error"))

    def _asked_by_server(self, message: "Message") -> "Iterator[Effect]":
        if message["method"] == "echo":
            yield Send(jsonrpc.reply(message["params"], message["id"]))
        else:
            yield Send(jsonrpc.error("unknown method", message["id"]))

    def _notified(self, method: str, params: "Json") -> "Iterator[Effect]":
        match method, params:
            case "update3", [id_, str(last_id), dict(tables)] if id_ == self._monitor_id:
                self.last_id = last_id
                yield Changed(Update(tables))
            case "update2", [id_, dict(tables)] if id_ == self._monitor_id:
                yield Changed(Update(tables))
            case "update", [id_, dict(tables)] if id_ == self._monitor_id:
                yield Changed(Update(tables, is_difference=False))
            case "update", [["pyovn", "_Server"], dict(tables)]:
                yield from self._server_changed(tables)
            case "monitor_canceled", [id_, *_] if id_ == self._monitor_id:
                self.last_id = ZERO
                yield from self._ask_schema()
            case (("locked" | "stolen"), [str(name), *_]) if name == self._lock:
                yield from self._set_lock(held=method == "locked")
            case (("update3" | "update2" | "update"), [id_, *_, dict()]) if id_ != self._monitor_id:
                pass  # of a monitor that has been given up meanwhile
            case (("update3" | "update2" | "update"), _):
                raise ProtocolFault(f"{method} with parameters that make no sense")

    # Is this the server we want?

    def _server_schema(self, result: "Json", error: "Json") -> "Iterator[Effect]":
        if error is not None:
            yield from self._ask_schema()
            return
        columns = Schema.parse(result).tables["Database"].columns
        monitored = {"Database": {"columns": [name for name in _ABOUT if name in columns]}}
        self.state = "server"
        yield from self._request("set_db_change_aware", [True], _ignored)
        yield from self._request("monitor", [SERVER, ["pyovn", SERVER], monitored], self._server_monitored)

    def _server_monitored(self, result: "Json", error: "Json") -> "Iterator[Effect]":
        if error is not None:
            yield from self._ask_schema()
        else:
            yield from self._server_changed(result)

    def _server_changed(self, tables: "Json") -> "Iterator[Effect]":
        for uuid, row in tables.get("Database", {}).items():
            if "new" in row:
                self._server_rows[uuid] = row["new"]
            else:
                self._server_rows.pop(uuid, None)
        objection = self._objection()
        if objection is not None:
            yield GiveUp(objection)
        elif self.state == "server":
            yield from self._ask_schema()

    def _objection(self) -> str | None:
        """Why this server will not do, if it will not."""
        rows = [row for row in self._server_rows.values() if row.get("name") == self.database]
        if not rows:
            return f"server does not have {self.database} database"
        row = rows[0]
        if not row.get("connected", True):
            return f"{self.database} database server is disconnected from its cluster or source"
        if row.get("model") != "clustered":
            return None
        if self._leader_only and not row.get("leader", True):
            return "database server is not cluster leader and therefore cannot be used"
        index = row.get("index")
        if isinstance(index, int):
            if index < self._least_index:
                return f"{self.database} database on this server has stale data"
            self._least_index = index
        return None

    # What does it know, and what do we want of it?

    def _ask_schema(self) -> "Iterator[Effect]":
        self.state = "schema"
        return self._request("get_schema", [self.database], self._schema_known)

    def _schema_known(self, result: "Json", error: "Json") -> "Iterator[Effect]":
        if error is not None:
            yield GiveUp(f"server does not have {self.database} database")
            return
        schema = Schema.parse(result)
        if self.schema is not None and schema != self.schema:
            self.last_id = ZERO
        self.schema = schema
        yield SchemaKnown(schema)
        self.state = "monitor"
        if self._lock is not None:
            yield from self._request("lock", [self._lock], self._locked)
        yield from self._monitor(_MONITORS)

    def _monitor(self, methods: "Sequence[str]") -> "Iterator[Effect]":
        """Ask for contents by the first of `methods`, and if the server does not know it by the next."""
        method, *others = methods
        if self.last_id == ZERO:
            self._acknowledged = dict(self._wanted)
        self._conditional = method != "monitor"
        wanted = self._monitor_requests()
        self._monitors_asked += 1
        self._monitor_id = ["pyovn", self.database, self._monitors_asked]
        params = [self.database, self._monitor_id, wanted]
        if method == "monitor_cond_since":
            params.append(self.last_id)

        def then(result: "Json", error: "Json") -> "Iterator[Effect]":
            if error is None:
                yield from self._monitored(method, result)
            elif others:
                self.last_id = ZERO
                yield from self._monitor(others)
            else:
                yield GiveUp(f"server refused to monitor {self.database}: {error}")

        yield from self._request(method, params, then)

    def _monitor_requests(self) -> "Json":
        """The monitor requests for what the server has of our interests."""
        tables = {} if self.schema is None else self.schema.tables
        requests: dict[str, Any] = {}
        for name, interest in self._interests.items():
            if name not in tables:
                continue
            known = tables[name].columns
            request: dict[str, Any] = {
                "columns": [each for each in interest.columns if each in known or each == VERSION]
            }
            if interest.select is not None:
                request["select"] = dict(interest.select)
            if self._conditional and self._acknowledged[name] is not True:
                request["where"] = _where_json(self._acknowledged[name], tables[name])
            requests[name] = [request]
        return requests

    def _monitored(self, method: str, result: "Json") -> "Iterator[Effect]":
        resumed = False
        match method, result:
            case "monitor_cond_since", [bool(found), str(last_id), dict(tables)]:
                resumed, self.last_id = found, last_id
            case (("monitor_cond" | "monitor"), dict(tables)):
                self.last_id = ZERO
            case _:
                raise ProtocolFault(f"reply to {method} makes no sense")
        self.state = "ready"
        yield Changed(Update(tables, is_difference=method != "monitor", fresh=not resumed))
        yield Ready(resumed=resumed)
        yield from self._send_conditions()

    # Conditions

    def _send_conditions(self) -> "Iterator[Effect]":
        if not self.is_ready or self._asked is not None:
            return
        if self.conditions_in_force or self.schema is None:
            yield Conditions()
            return
        different = {
            name: [{"where": _where_json(where, self.schema.tables[name])}]
            for name, where in self._wanted.items()
            if where != self._acknowledged[name] and name in self.schema.tables
        }
        self._asked = dict(self._wanted)
        params = [self._monitor_id, self._monitor_id, different]
        yield from self._request("monitor_cond_change", params, self._conditions_changed)

    def _conditions_changed(self, result: "Json", error: "Json") -> "Iterator[Effect]":
        if error is not None:
            yield GiveUp(f"server refused a condition: {error}")
            return
        if self._asked is not None:
            self._acknowledged, self._asked = self._asked, None
        yield from self._send_conditions()

    # Locks

    def _locked(self, result: "Json", error: "Json") -> "Iterator[Effect]":
        if error is not None:
            raise ProtocolFault(f"lock: {error}")
        return self._set_lock(held=bool(result.get("locked")))

    def _set_lock(self, *, held: bool) -> "Iterator[Effect]":
        if held != self.has_lock:
            self.has_lock = held
            yield Lock(held=held)

    def _forget(self) -> None:
        """Drop what belongs to one connection only."""
        self._pending.clear()
        self._server_rows.clear()
        self._monitor_id = None
        self._asked = None


def _where_json(where: "Where", table: Table) -> "Json":
    """A condition as the server wants it: True for all rows, False for none.

    All rows also where the server's schema lacks a column that the condition looks at.
    """
    if isinstance(where, bool):
        return [where]
    unknown = [clause for clause in where if isinstance(clause, list) and clause[0] not in (*table.columns, "_uuid")]
    return [True] if unknown else where or [False]


def _ignored(result: "Json", error: "Json") -> "Iterator[Effect]":
    return iter(())
