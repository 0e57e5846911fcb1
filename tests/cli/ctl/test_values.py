import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.values import Reader, from_json, parse, plain_uuid, quoted, to_json, value_text
from pyovn.ovsdb.schema import UNLIMITED, BaseType, ColumnType

STRING, INTEGER, UUID = BaseType("string"), BaseType("integer"), BaseType("uuid")
ONE_STRING = ColumnType(STRING)
STRINGS = ColumnType(STRING, None, 0, UNLIMITED)
NUMBER = ColumnType(INTEGER, None, 0, 1)
PAIRS = ColumnType(STRING, STRING, 0, UNLIMITED)
BOUNDED = ColumnType(BaseType("integer", None, 1, 9), None, 0, 1)
CHOICE = ColumnType(BaseType("string", ("a", "b")), None, 0, 1)

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))
uuids = st.uuids().map(str)
columns = st.one_of(
    st.tuples(st.just(ONE_STRING), texts),
    st.tuples(st.just(STRINGS), st.sets(texts).map(sorted)),
    st.tuples(st.just(NUMBER), st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))),
    st.tuples(st.just(PAIRS), st.dictionaries(texts, texts).map(lambda pairs: dict(sorted(pairs.items())))),
    st.tuples(st.just(ColumnType(UUID, None, 0, UNLIMITED)), st.sets(uuids).map(sorted)),
    st.tuples(st.just(ColumnType(BaseType("boolean"))), st.booleans()),
)


def symbols(name: str) -> str:
    return f"uuid of {name}"


@given(columns)
def test_what_is_printed_is_read_back(column: tuple[ColumnType, object]) -> None:
    type_, value = column
    assert parse(type_, value_text(type_, value), symbols) == value


@given(columns)
def test_json_is_read_back(column: tuple[ColumnType, object]) -> None:
    type_, value = column
    assert from_json(type_, to_json(type_, value, plain_uuid)) == value


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (STRINGS, "a,b", ["a", "b"]),
        (STRINGS, "[b a]", ["a", "b"]),
        (STRINGS, r"a\,b", ["a,b"]),
        (NUMBER, "3-3", 3),
        (NUMBER, "[]", None),
        (PAIRS, "a=b c=d,", {"a": "b", "c": "d"}),
        (ColumnType(UUID), "@x", "uuid of @x"),
    ],
)
def test_short_forms_are_understood(type_: ColumnType, text: str, value: object) -> None:
    assert parse(type_, text, symbols) == value


@pytest.mark.parametrize(
    ("type_", "text", "complaint"),
    [
        (STRINGS, "", 'use "[]" to specify the empty set'),
        (PAIRS, " ", 'use "{}" to specify the empty map'),
        (STRINGS, "[a", '[a: missing "]" at end of data'),
        (STRINGS, "a,a", "a,a: set contains duplicate value"),
        (PAIRS, "a=b,a=c", "a=b,a=c: map contains duplicate key"),
        (PAIRS, "a:b", 'a:b: syntax error at ":" expecting "="'),
        (NUMBER, "x", '"x" is not a valid integer or range'),
        (NUMBER, "1-4", "1-4: 4 value(s) specified but the maximum number is 1"),
        (BOUNDED, "0", "constraint violation: 0 is not in the valid range 1 to 9 (inclusive)"),
        (CHOICE, "c", "constraint violation: c is not one of the allowed values ([a, b])"),
        (ONE_STRING, '"a', '"a: quoted string extends past end of argument'),
        (ONE_STRING, '"\\q"', '"\\q": bad escape \\q'),
        (ONE_STRING, '"\\u0000"', '"\\u0000": null bytes not supported in quoted strings'),
        (ONE_STRING, '"\\ud800"', '"\\ud800": malformed escaped surrogate pair'),
        (ColumnType(UUID), "x", '"x" is not a valid UUID'),
        (ColumnType(BaseType("boolean")), "maybe", '"maybe" is not a valid boolean (use "true" or "false")'),
    ],
)
def test_nonsense_is_named(type_: ColumnType, text: str, complaint: str) -> None:
    with pytest.raises(CtlError) as caught:
        parse(type_, text, symbols)
    assert str(caught.value) == complaint


@given(texts)
def test_a_quoted_string_is_one_token(text: str) -> None:
    reader = Reader(quoted(text) + "=rest")
    assert reader.token() == quoted(text)
    assert reader.text[reader.at :] == "=rest"


def test_strings_that_look_like_something_else_are_quoted() -> None:
    assert [value_text(ONE_STRING, text) for text in ("a-b.c", "", "true", "1", "a b", "é")] == [
        "a-b.c",
        '""',
        '"true"',
        '"1"',
        '"a b"',
        '"é"',
    ]
