import pytest

from pyovn.lang.errors import SyntaxFault
from pyovn.lang.lexer import Tokens


def kinds(text: str) -> list[str]:
    return Tokens(text).kinds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b ..c", ["id", "..", "id", "end"]),
        ("1.2.3.4:80", ["num", ":", "num", "end"]),
        ("[::1]:80", ["[", "num", "]", ":", "num", "end"]),
        ("1..2", ["num", "..", "num", "end"]),
        ("<-> <= < - > -- == =", ["<->", "<=", "<", "-", ">", "--", "==", "=", "end"]),
        ("$as @pg ^t", ["$", "@", "^", "end"]),
        ("a /* b */ c // d", ["id", "id", "end"]),
        ("1/* x */2//", ["num", "num", "end"]),
        ("fe80::1 abba", ["num", "id", "end"]),
    ],
)
def test_texts_are_cut_into_tokens(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a & b", "`&' is only valid as part of `&&'."),
        ("a | b", "`|' is only valid as part of `||'."),
        (".", "`.' is only valid as part of `..' or a number."),
        ("/", "`/' is only valid as part of `//' or `/*'."),
        ("/* a", "`/*' without matching `*/'."),
        ("/* a\n*/", "`/*' without matching `*/'."),
        ('"a', "Input ends inside quoted string."),
        ("~", "Invalid character `~' in input."),
        ("$1", "`$' must be followed by a valid identifier."),
        ("@", "`@' must be followed by a valid identifier."),
        ("^ ", "`^' must be followed by a valid identifier."),
        ('"\\q"', "bad escape \\q"),
        ("07", "Decimal constants must not have leading zeros."),
    ],
)
def test_what_is_no_token_says_why(text: str, sentence: str) -> None:
    tokens = Tokens(text)
    tokens.at = tokens.kinds.index("error")
    with pytest.raises(SyntaxFault) as caught:
        tokens.expected("anything")
    assert str(caught.value) == sentence


def test_a_fault_knows_where_it_is() -> None:
    tokens = Tokens("tcp.dst  ==  x")
    tokens.at = 2
    with pytest.raises(SyntaxFault) as caught:
        tokens.expected("constant")
    assert caught.value.position == 13
    assert caught.value.pointed().splitlines()[2].index("^") == 4 + 13
