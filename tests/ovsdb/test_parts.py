import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.ovsdb import parts as module
from pyovn.ovsdb.errors import ProtocolFault
from pyovn.ovsdb.parts import is_answer, parts

TEXT = st.text(st.sampled_from('{}"\\:,[] initalé'), max_size=20) | st.just('":{"initial":{')
ROWS = st.dictionaries(st.uuids().map(str), st.dictionaries(st.sampled_from(["match", "initial", "x"]), TEXT))


def answer(rows: dict[str, Any]) -> bytes:
    tables = {"T": {uuid: {"initial": row} for uuid, row in rows.items()}}
    return json.dumps({"id": 7, "result": tables, "error": None}, separators=(",", ":"), ensure_ascii=False).encode()


@given(ROWS, st.integers(0, 200))
def test_the_parts_of_an_answer_are_all_of_its_rows(rows: dict[str, Any], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PART", size)
        text = answer(rows)
        assert is_answer(text, 7, "T")
        found = list(parts(text, 7, "T", json.loads))
    assert [pair for part in found for pair in part.items()] == [(uuid, {"initial": row}) for uuid, row in rows.items()]
    assert size > 0 or len(found) == len(rows)


@pytest.mark.parametrize(
    "text",
    [
        answer({}).replace(b":7", b":8"),
        answer({}).replace(b'"T"', b'"U"'),
        b'{"error":null,"id":7,"result":{"T":{}}}',
        b'{"id":7,"result":{},"error":null}',
        b'{"id":7,"result":null,"error":{"error":"no"}}',
    ],
)
def test_other_messages_are_no_such_answers(text: bytes) -> None:
    assert not is_answer(text, 7, "T")


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ProtocolFault):
        list(parts(answer({"x": {}}).replace(b"{}", b"{"), 7, "T", json.loads))
