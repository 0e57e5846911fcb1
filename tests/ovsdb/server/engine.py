"""A server without sockets or files, to be asked directly."""

import itertools
from collections.abc import Iterator
from typing import Any

import orjson

from pyovn.net.uuids import Uuid, uuid_text
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.database import Database, Journal
from pyovn.ovsdb.server.server import Server
from pyovn.ovsdb.server.session import Session
from tests.support.rich_schema import RICH

Json = Any


def counted_uuids() -> Iterator[Uuid]:
    """UUIDs in an order that can be foretold."""
    return (uuid_text(number) for number in itertools.count(1))


class Engine:
    """A server with the rich schema and clients that are sessions."""

    def __init__(self, schema: Json = RICH, journal: Journal | None = None) -> None:
        self.server = Server(counted_uuids())
        self.database = Database(Schema.parse(schema), journal)
        self.server.add_database(self.database)
        self.name = self.database.name

    def client(self) -> "Client":
        return Client(self.server.open(), self.name)


class Client:
    """One session, and what it was sent."""

    def __init__(self, session: Session, database: str) -> None:
        self.session = session
        self._database = database
        self._id = 0

    def sent(self) -> list[Json]:
        """The messages that arrived since the last look."""
        text = self.session.take()
        return orjson.loads(b"[" + text.replace(b'}{"id":', b'},{"id":') + b"]") if text else []

    def request(self, method: str, *params: Json) -> int:
        self._id += 1
        self.session.handle(orjson.loads(orjson.dumps({"id": self._id, "method": method, "params": params})))
        return self._id

    def call(self, method: str, *params: Json) -> Json:
        """The answer to a request, which must be the last that arrives."""
        id = self.request(method, *params)
        *self.before, answer = self.sent()
        assert answer["id"] == id
        return answer["result"] if answer["error"] is None else answer["error"]

    def transact(self, *operations: Json) -> Json:
        return self.call("transact", self._database, *operations)


def insert(table: str = "Root", called: str = "", /, **row: Json) -> Json:
    """An insert operation; a row of Root gets what it must have."""
    if table == "Root":
        row = {"color": "red"} | row
    operation = {"op": "insert", "table": table, "row": row}
    return {**operation, "uuid-name": called} if called else operation


def update(table: str, row: Json, *where: Json) -> Json:
    return {"op": "update", "table": table, "where": where, "row": row}


def mutate(table: str, mutations: list[Json], *where: Json) -> Json:
    return {"op": "mutate", "table": table, "where": where, "mutations": mutations}


def delete(table: str, *where: Json) -> Json:
    return {"op": "delete", "table": table, "where": where}


def select(table: str, *where: Json, columns: list[str] | None = None) -> Json:
    operation = {"op": "select", "table": table, "where": where}
    return operation if columns is None else {**operation, "columns": columns}


def named(name: str) -> list[str]:
    return ["named-uuid", name]
