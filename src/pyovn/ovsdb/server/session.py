"""One client's conversation: what it may ask, and what it is sent.

    Session.handle(message)   one JSON-RPC message in
    Session.outbox            bytes to be sent, in order; a `Sync` among them holds back what follows until it is done

Nothing here reads a clock or a socket: `Server.now_ms` is what the shell last said, and `congested` is how it says
that the client does not keep up.  While congested a monitor sends nothing; it remembers which rows have changed, and
their difference goes out in one piece afterwards, so a slow reader costs at most one copy of what it watches.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from pyovn.ovsdb.errors import ProtocolFault, SchemaFault
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.atoms import is_identifier
from pyovn.ovsdb.server.errors import Refused, syntax_error
from pyovn.ovsdb.server.integrity import Changes
from pyovn.ovsdb.server.monitors import METHODS, View, read_changed_view, read_view
from pyovn.ovsdb.server.rbac import Guard

if TYPE_CHECKING:
    from pyovn.ovsdb.server.server import Server

Json = Any
MOST_MONITORS = 1_000  #: of one client
MOST_LOCKS = 1_000  #: that one client holds or waits for


class Sync:
    """A promise that what was written to a journal so far is safe on its disk."""

    __slots__ = ("broken", "done")

    def __init__(self) -> None:
        self.done = False
        self.broken = False  #: nobody knows what the disk holds


class Subscription:
    """One monitor of one session."""

    __slots__ = ("_head", "_missed", "id", "session", "view")

    def __init__(self, session: "Session", id: Json, view: View) -> None:
        self.session = session
        self.id = id
        self.view = view
        self._missed: Changes | None = None  #: what a congested client has not been told
        self._head = b'{"id":null,"method":"%b","params":[%b,' % (
            METHODS[view.format].encode(),
            orjson.dumps(id),
        )

    def tell(self, body: bytes, changes: Changes) -> None:
        """Send an update, or remember what it was about."""
        if self.session.congested or self._missed is not None:
            self._miss(changes)
        else:
            self._send(body)

    def catch_up(self) -> None:
        """Send what was missed."""
        if self._missed is None:
            return
        missed, self._missed = self._missed, None
        tables = self.view.database.tables
        changes = {
            name: {uuid: (old, tables[name].rows.get(uuid)) for uuid, (old, _) in rows.items()}
            for name, rows in missed.items()
        }
        self.send_changes(changes)

    def send_changes(self, changes: Changes, before: View | None = None) -> None:
        """Send what is news to the client."""
        body = self.view.updates(changes, before)
        if body is not None:
            self._send(body)

    def _miss(self, changes: Changes) -> None:
        missed = self._missed = self._missed or {}
        for name in changes.keys() & self.view.tables.keys():
            rows = missed.setdefault(name, {})
            for uuid, change in changes[name].items():
                earlier = rows.setdefault(uuid, change)
                if earlier[0] is None and change[1] is None:
                    del rows[uuid]  # came and went; to remember all of those would have no bound

    def _send(self, body: bytes) -> None:
        if self.view.format == 3:
            body = b'"%b",%b' % (self.view.database.history.last_id.encode(), body)
        self.session.send(b"%b%b]}" % (self._head, body))


class Session:
    """The server's side of one connection."""

    def __init__(self, server: "Server", name: str = "") -> None:
        self.server = server
        self.name = name
        self.outbox: deque[bytes | Sync] = deque()
        self.congested = False
        self.read_only = False
        self.role = ""  #: the role that restricts what the client may write; none for administrators
        self.identity: str | None = None  #: who the client is, by its certificate
        self.change_aware = False
        self.subscriptions: dict[bytes, Subscription] = {}
        self.queued = 0  #: bytes in `outbox`
        self.ending = False  #: the connection is to be closed when everything is sent

    # -- out ---------------------------------------------------------------------------------------------------------

    def send(self, message: bytes) -> None:
        """Queue one message."""
        self.outbox.append(message)
        self.queued += len(message)
        self.server.dirty.add(self)

    def take(self) -> bytes:
        """What may be sent now."""
        outbox = self.outbox
        if len(outbox) == 1 and outbox[0].__class__ is bytes:
            self.queued = 0
            return outbox.popleft()  # type: ignore[return-value]
        ready = []
        while outbox:
            item = outbox[0]
            if isinstance(item, Sync):
                if item.broken:
                    self._give_up()
                    break
                if not item.done:
                    break
            else:
                ready.append(item)
            outbox.popleft()
        taken = b"".join(ready)
        self.queued = max(0, self.queued - len(taken))
        return taken

    def _give_up(self) -> None:
        """Hang up on a client that waits for an answer which nobody can give."""
        self.outbox.clear()
        self.queued = 0
        self.end()

    def notify(self, method: str, *params: Json) -> None:
        """Queue a notification."""
        self.send(orjson.dumps({"id": None, "method": method, "params": params}))

    def reply(self, id: Json, result: Json) -> None:
        """Queue the answer to a request."""
        self.send(orjson.dumps({"id": id, "result": result, "error": None}))

    def reply_raw(self, id: Json, result: bytes) -> None:
        """Queue an answer whose result is JSON already."""
        self.send(b'{"id":%b,"result":%b,"error":null}' % (orjson.dumps(id), result))

    def refuse(self, id: Json, error: Json) -> None:
        """Queue an error as the answer to a request."""
        self.send(orjson.dumps({"id": id, "error": error, "result": None}))

    def uncongested(self) -> None:
        """The client keeps up again: tell it what it missed."""
        self.congested = False
        for subscription in self.subscriptions.values():
            subscription.catch_up()

    # -- in ----------------------------------------------------------------------------------------------------------

    def handle(self, message: dict[str, Json]) -> None:
        """Act on one message; raises `ProtocolFault` if the client must be cut off."""
        try:
            self._act(message)
        except (RecursionError, orjson.JSONEncodeError) as fault:
            raise ProtocolFault("message is nested too deeply") from fault

    def _act(self, message: dict[str, Json]) -> None:
        method = message.get("method")
        if method is None:
            self._handle_reply(message)
            return
        params = message.get("params")
        if method.__class__ is not str:
            raise ProtocolFault("method is not a JSON string")
        if params.__class__ is not list:
            raise ProtocolFault('request must have "params"' if params is None else "params must be JSON array")
        id = message.get("id")
        if method == "transact" and id is not None:
            self.server.transact(self, id, params)
        elif id is None:
            if method == "cancel" and params:
                self.server.cancel(self, params[0])
        else:
            self._call(method, id, params)

    def _handle_reply(self, message: dict[str, Json]) -> None:
        if "id" not in message or ("result" not in message and "error" not in message):
            raise ProtocolFault(
                'notification must have "method"' if message.get("id") is None else 'request must have "method"'
            )
        if message["id"] != "echo":
            raise ProtocolFault("received unexpected reply message")

    def _call(self, method: str, id: Json, params: list[Json]) -> None:
        answer = _METHODS.get(method)
        if answer is None:
            return self.refuse(id, "unknown method")
        try:
            answer(self, id, params)
        except Refused as refusal:
            self.refuse(id, refusal.json())

    def holds_lock(self, name: str) -> bool:
        """True where the client owns a lock."""
        return self.server.locks.owner(name) is self

    def end(self) -> None:
        """Ask the shell to close the connection."""
        self.ending = True
        self.server.dirty.add(self)

    def close(self) -> None:
        """Forget everything that was done for this client."""
        for subscription in self.subscriptions.values():
            self.server.unsubscribe(subscription)
        self.subscriptions.clear()
        self.server.forget(self)

    # -- methods -----------------------------------------------------------------------------------------------------

    def _list_dbs(self, id: Json, _params: list[Json]) -> None:
        self.reply(id, sorted(self.server.databases))

    def _get_schema(self, id: Json, params: list[Json]) -> None:
        self.reply(id, self.server.database(params, "get_schema").schema.json())

    def _convert(self, id: Json, params: list[Json]) -> None:
        database = self.server.database(params, "convert")
        if len(params) != 2:
            raise syntax_error("array expected", params)
        if database.read_only or self.read_only:
            raise Refused("not allowed", "convert not allowed when database server is in read only mode")
        try:
            schema = Schema.parse(params[1])
        except SchemaFault as fault:
            raise syntax_error(str(fault), params[1]) from fault
        if self.role:
            raise Guard(database.tables, self.role, self.identity).refuse_conversion(database.name)
        self.server.convert(database, schema)
        self.reply(id, {})

    def _get_server_id(self, id: Json, _params: list[Json]) -> None:
        self.reply(id, self.server.id)

    def _echo(self, id: Json, params: list[Json]) -> None:
        self.reply(id, params)

    def _set_db_change_aware(self, id: Json, params: list[Json]) -> None:
        if len(params) != 1 or not isinstance(params[0], bool):
            raise syntax_error("set_db_change_aware: true or false parameter expected", params)
        self.change_aware = params[0]
        self.reply(id, {})

    def _lock(self, id: Json, params: list[Json]) -> None:
        locks, name = self.server.locks, self._lock_name(params, "lock")
        self.reply(id, {"locked": locks.lock(name, self)})

    def _steal(self, id: Json, params: list[Json]) -> None:
        victim = self.server.locks.steal(name := self._lock_name(params, "steal"), self)
        if victim is not None:
            victim.notify("stolen", name)
        self.reply(id, {"locked": True})

    def _lock_name(self, params: list[Json], method: str) -> str:
        name = _single_identifier(params, method)
        if self.server.locks.wants(name, self):
            raise syntax_error(f'must issue "unlock" before new "{method}"', params)
        if len(self.server.locks.names(self)) >= MOST_LOCKS:
            raise Refused("resources exhausted", "too many locks")
        return name

    def _unlock(self, id: Json, params: list[Json]) -> None:
        name = _single_identifier(params, "unlock")
        if not self.server.locks.wants(name, self):
            raise syntax_error('unlock: "unlock" without "lock" or "steal"', params)
        self.server.unlock(name, self)
        self.reply(id, {})

    def _monitor(self, id: Json, params: list[Json]) -> None:
        self._start_monitor(id, params, "monitor", 1)

    def _monitor_cond(self, id: Json, params: list[Json]) -> None:
        self._start_monitor(id, params, "monitor_cond", 2)

    def _monitor_cond_since(self, id: Json, params: list[Json]) -> None:
        self._start_monitor(id, params, "monitor_cond_since", 3)

    def _start_monitor(self, id: Json, params: list[Json], method: str, format: int) -> None:
        if format > 1 and not self.server.knows_conditions:
            return self.refuse(id, "unknown method")
        database = self.server.database(params, method)
        if len(params) != (4 if format == 3 else 3):
            raise syntax_error("invalid parameters", params)
        if not isinstance(params[2], dict):
            raise syntax_error("monitor-requests must be object", params[2])
        key = _monitor_key(params[1])
        if key in self.subscriptions:
            raise syntax_error("duplicate monitor ID", params[1])
        if format == 3 and not isinstance(params[3], str):
            raise syntax_error("last-txn-id must be string", params[3])
        if len(self.subscriptions) >= MOST_MONITORS:
            raise Refused("resources exhausted", "too many monitors")
        view = self.server.shared(read_view(database, format, params[2]))
        subscription = self.subscriptions[key] = Subscription(self, params[1], view)
        view.subscriptions.append(subscription)
        if format == 3:
            self.reply_raw(id, self._since(view, params[3]))
        else:
            self.reply_raw(id, self.server.initials.of(view))
        return None

    def _since(self, view: View, last_id: str) -> bytes:
        """The answer to monitor_cond_since: what was missed if that is known, else everything."""
        history = view.database.history
        missed = history.since(last_id)
        if missed is None:
            return b'[false,"%b",%b]' % (history.last_id.encode(), self.server.initials.of(view))
        return b'[true,"%b",%b]' % (history.last_id.encode(), view.updates(missed) or b"{}")

    def _monitor_cond_change(self, id: Json, params: list[Json]) -> None:
        if len(params) != 3:
            raise syntax_error("invalid parameters", params)
        if not isinstance(params[2], dict):
            raise syntax_error("monitor-cond-change-requests must be object", params[2])
        subscription = self.subscriptions.get(_monitor_key(params[0]))
        if subscription is None:
            raise syntax_error("unknown monitor session", params[0])
        new_key = _monitor_key(params[1])
        if params[1] != params[0] and new_key in self.subscriptions:
            raise syntax_error("duplicate monitor ID", params[1])
        before = subscription.view
        view = self.server.shared(read_changed_view(before, params[2]))
        subscription.catch_up()
        changed = Subscription(self, params[1], view)
        view.subscriptions.append(changed)  # first: a view that nobody looks through any more is let go
        self.server.unsubscribe(subscription)
        del self.subscriptions[_monitor_key(params[0])]
        self.subscriptions[new_key] = changed
        changed.send_changes(view.differences(before), before)
        self.reply(id, {})

    def _monitor_cancel(self, id: Json, params: list[Json]) -> None:
        if len(params) != 1:
            return self.refuse(id, "invalid parameters")
        subscription = self.subscriptions.pop(_monitor_key(params[0]), None)
        if subscription is None:
            return self.refuse(id, "unknown monitor")
        self.server.unsubscribe(subscription)
        return self.reply(id, {})


def _monitor_key(id: Json) -> bytes:
    return orjson.dumps(id, option=orjson.OPT_SORT_KEYS)


def _single_identifier(params: list[Json], method: str) -> str:
    if len(params) != 1 or not isinstance(params[0], str) or not is_identifier(params[0]):
        raise syntax_error(f"{method} request params must be <id>", params)
    return params[0]


_METHODS: dict[str, Callable[[Session, Json, list[Json]], None]] = {
    "convert": Session._convert,
    "echo": Session._echo,
    "get_schema": Session._get_schema,
    "get_server_id": Session._get_server_id,
    "list_dbs": Session._list_dbs,
    "lock": Session._lock,
    "monitor": Session._monitor,
    "monitor_cancel": Session._monitor_cancel,
    "monitor_cond": Session._monitor_cond,
    "monitor_cond_change": Session._monitor_cond_change,
    "monitor_cond_since": Session._monitor_cond_since,
    "set_db_change_aware": Session._set_db_change_aware,
    "steal": Session._steal,
    "unlock": Session._unlock,
}
