"""Whatever a client sends, the engine answers, refuses or hangs up; and everybody else goes on as before."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.ovsdb.errors import ProtocolFault
from pyovn.ovsdb.jsonrpc import parse
from tests.ovsdb.server.engine import Engine, insert, select
from tests.ovsdb.server.fuzz import messages

DEEP = b"[" * 900 + b"]" * 900


@settings(max_examples=60, deadline=None)
@given(st.lists(messages(), max_size=10))
def test_no_message_confuses_the_engine(conversation: list[dict[str, Any]]) -> None:
    talk(conversation)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(max_examples=5_000, deadline=None)
@given(st.lists(messages(), max_size=20))
def test_no_message_ever_confuses_the_engine(conversation: list[dict[str, Any]]) -> None:
    talk(conversation)


def talk(conversation: list[dict[str, Any]]) -> None:
    """Send messages, and then look whether another client finds everything in order."""
    engine = Engine()
    mad, sane = engine.client(), engine.client()
    sane.call("monitor_cond", "Rich", "m", {"Root": [{"columns": ["name"]}]})
    for message in conversation:
        try:
            mad.session.handle(orjson.loads(orjson.dumps(message)))
        except ProtocolFault:
            break
        for answer in mad.sent():
            assert {"id", "method", "params"} == answer.keys() or {"id", "result", "error"} == answer.keys()
    mad.session.close()
    sane.sent()
    results = sane.transact(insert(name="still here"), select("Root", ["name", "==", "still here"], columns=["name"]))
    assert results[1:] == [{"rows": [{"name": "still here"}]}]
    assert len(sane.before) == 1
    assert engine.server.sessions == {sane.session}


@pytest.mark.parametrize(
    "text",
    [
        b'{"id":1,"method":"echo","params":%b}',
        b'{"id":1,"method":"lock","params":%b}',
        b'{"id":1,"method":%b,"params":[]}',
        b'{"id":%b,"method":"list_dbs","params":[]}',
        b'{"id":1,"method":"convert","params":["Rich",%b]}',
        b'{"id":1,"method":"monitor_cond","params":["Rich",%b,{"Root":%b}]}',
        b'{"id":1,"method":"monitor_cond","params":["Rich",1,{"Root":[{"where":[["name","==",%b]]}]}]}',
        b'{"id":1,"method":"transact","params":["Rich",%b]}',
        b'{"id":1,"method":"transact","params":["Rich",{"op":"insert","table":"Root","row":{"name":%b}}]}',
        b'{"id":1,"method":"transact","params":["Rich",{"op":"insert","table":"Root","row":{"tags":["set",%b]}}]}',
        b'{"id":1,"method":"transact","params":["Rich",{"op":"select","table":"Root","where":[%b]}]}',
    ],
)
def test_no_depth_is_too_much(text: bytes) -> None:
    engine = Engine()
    client = engine.client()
    text = text.replace(b"%b", DEEP)
    try:
        client.session.handle(parse(orjson.loads, text))
    except ProtocolFault:
        pass
    else:
        assert client.session.outbox
