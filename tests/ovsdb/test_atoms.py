from typing import Any

import pytest

from pyovn.net.uuids import uuid_text
from pyovn.ovsdb.atoms import atom_json, atom_text, check_atom, parse_atom, quoted
from pyovn.ovsdb.errors import ValueFault
from pyovn.ovsdb.schema import BaseType

U = uuid_text(1)


@pytest.mark.parametrize(
    ("type_", "json", "atom"),
    [
        ("integer", 5, 5),
        ("integer", 5.0, 5),
        ("real", 5, 5.0),
        ("boolean", True, True),
        ("string", "x", "x"),
        ("uuid", ["uuid", U.upper()], U),
        ("uuid", ["named-uuid", "a"], "a"),
    ],
)
def test_an_atom_is_read(type_: str, json: Any, atom: Any) -> None:
    read = parse_atom(BaseType(type_), json)
    assert (read, type(read)) == (atom, type(atom))


@pytest.mark.parametrize(
    ("base", "json", "text"),
    [
        (BaseType("integer"), "x", "syntax error: expected integer"),
        (BaseType("integer"), 1.5, "syntax error: expected integer"),
        (BaseType("integer"), True, "syntax error: expected integer"),
        (BaseType("integer"), 2**63, "syntax error: expected integer"),
        (BaseType("integer"), 1e300, "syntax error: expected integer"),
        (BaseType("real"), True, "syntax error: expected real"),
        (BaseType("boolean"), 1, "syntax error: expected boolean"),
        (BaseType("string"), None, "syntax error: expected string"),
        (BaseType("uuid"), "x", 'syntax error: expected ["uuid", <string>]'),
        (BaseType("uuid"), ["uuid", "x"], 'syntax error: "x" is not a valid UUID'),
        (BaseType("integer", low=0, high=9), 10, "10 is not in the valid range 0 to 9 (inclusive)"),
        (BaseType("integer", low=0), -1, "-1 is less than minimum allowed value 0"),
        (BaseType("integer", high=9), 10, "10 is greater than maximum allowed value 9"),
        (BaseType("real", high=0.5), 1.25, "1.25 is greater than maximum allowed value 0.5"),
        (BaseType("string", low=2), "a", '"a" length 1 is less than minimum allowed length 2'),
        (BaseType("string", high=2), "abc", '"abc" length 3 is greater than maximum allowed length 2'),
        (BaseType("string", enum=("a-b", "c d")), 'x"y', '"x\\"y" is not one of the allowed values ([a-b, "c d"])'),
    ],
)
def test_an_atom_that_does_not_fit_is_refused(base: BaseType, json: Any, text: str) -> None:
    with pytest.raises(ValueFault) as refused:
        parse_atom(base, json)
    assert text in str(refused.value)


def test_an_atom_within_its_constraints_passes() -> None:
    check_atom(BaseType("string", low=1, high=2), "é")
    check_atom(BaseType("string", enum=("a", "b")), "a")
    check_atom(BaseType("integer", low=0, high=9), 9)


@pytest.mark.parametrize(
    ("atom", "text"),
    [
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        (1e21, "1e+21"),
        ("from-lport", "from-lport"),
        ("true", '"true"'),
        ("5", '"5"'),
        ("", '""'),
        ("a b", '"a b"'),
        (U, f'"{U}"'),
    ],
)
def test_the_text_of_an_atom(atom: Any, text: str) -> None:
    assert atom_text(atom) == text


def test_control_characters_are_escaped() -> None:
    assert quoted('a"\\\n\x01') == '"a\\"\\\\\\n\\u0001"'


def test_the_json_of_an_atom() -> None:
    assert [atom_json("uuid", U), atom_json("uuid", "row1"), atom_json("string", "x")] == [
        ["uuid", U],
        ["named-uuid", "row1"],
        "x",
    ]
