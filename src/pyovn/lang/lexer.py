"""Text → tokens, for matches and actions.

    inport == "p1" && ip4.src == $as   →   id == str && id == set end

A token is three parallel list items: kind, value, start.  Kinds are the punctuation itself, or

    id      identifier, dots included           str     string, unescaped
    num     `Constant`                          $ @ ^   address set, port group, template: the name
    end     after the last character            error   the sentence to say when the parser gets there
"""

import re
from typing import Any, Final, NoReturn

from pyovn.lang.errors import SyntaxFault
from pyovn.lang.text import parse_number, unquote

_BODY = r"[0-9A-Za-z:]*(?:\.(?!\.)[0-9A-Za-z]*)*"
_TOKEN = re.compile(
    rf"""[ \t\n\v\f\r]*(?:
    (?P<num>(?=[0-9]|::|[0-9A-Fa-f]+:){_BODY}(?:/(?![/*])(?:{_BODY}))?)
  | (?P<id>[A-Za-z_][A-Za-z0-9_.]*)
  | (?P<punct><->|\.\.|==|!=|<=|>=|&&|\|\||--|[(){{}}\[\]<>!=,;:-])
  | "(?P<str>[^"\\\n\r]*(?:\\[^\n\r][^"\\\n\r]*)*)"
  | (?P<sigil>[$@^][A-Za-z_.][A-Za-z0-9_.]*)
  | (?P<comment>//[^\n]*|/\*(?:(?!\*/)[^\n])*\*/)
  | (?P<end>\Z)
  | (?P<error>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_STRING_START = re.compile(r'"[^\n\r]*')

_STRAY = {
    "&": "`&' is only valid as part of `&&'.",
    "|": "`|' is only valid as part of `||'.",
    ".": "`.' is only valid as part of `..' or a number.",
    "/": "`/' is only valid as part of `//' or `/*'.",
    '"': "Input ends inside quoted string.",
    "$": "`$' must be followed by a valid identifier.",
    "@": "`@' must be followed by a valid identifier.",
    "^": "`^' must be followed by a valid identifier.",
}


class Tokens:
    """The tokens of a text and the place a parser has got to."""

    __slots__ = ("at", "kinds", "source", "starts", "values")

    def __init__(self, source: str) -> None:
        self.source: Final = source
        self.kinds: Final[list[str]] = []
        self.values: Final[list[Any]] = []
        self.starts: Final[list[int]] = []
        self.at = 0
        self._scan()

    def _scan(self) -> None:
        # One pass with local names: half of the time it takes to compile a flow was spent here.
        kinds, values, starts = self.kinds.append, self.values.append, self.starts.append
        for found in _TOKEN.finditer(self.source):
            group = found.lastgroup
            if group == "comment":
                continue
            text = found.group(group)  # type: ignore[arg-type]  # every alternative has a name
            starts(found.start(group) if group != "str" else found.start(group) - 1)  # type: ignore[arg-type]
            if group == "punct":
                kinds(text)
                values(text)
            elif group == "id" or group == "end":
                kinds(group)
                values(text)
            elif group == "num" or group == "str":
                try:
                    values((parse_number if group == "num" else unquote)(text))
                    kinds(group)
                except SyntaxFault as fault:
                    kinds("error")
                    values(fault.text)
            elif group == "sigil":
                kinds(text[0])
                values(text[1:])
            else:
                kinds("error")
                values(self._stray(found.start("error")))
                return

    def _stray(self, start: int) -> str:
        """What is wrong with the character that starts no token."""
        character = self.source[start]
        if character == "/" and self.source.startswith("/*", start):
            return "`/*' without matching `*/'."
        return _STRAY.get(character, f"Invalid character `{character}' in input.")

    @property
    def kind(self) -> str:
        """Kind of the token that is next."""
        return self.kinds[self.at]

    @property
    def value(self) -> Any:
        """Value of the token that is next."""
        return self.values[self.at]

    def accept(self, kind: str) -> bool:
        """Step over the next token if it is of this kind."""
        if self.kinds[self.at] == kind:
            self.at += 1
            return True
        return False

    def accept_word(self, word: str) -> bool:
        """Step over the next token if it is this identifier."""
        if self.kinds[self.at] == "id" and self.values[self.at] == word:
            self.at += 1
            return True
        return False

    def take(self, kind: str, what: str) -> Any:
        """Step over a token of this kind and give its value; anything else is a syntax error."""
        if self.kinds[self.at] != kind:
            self.expected(what)
        self.at += 1
        return self.values[self.at - 1]

    def force(self, punctuation: str) -> None:
        """Step over this punctuation; anything else is a syntax error."""
        if self.kinds[self.at] != punctuation:
            self.expected(f"`{punctuation}'")
        self.at += 1

    def token_text(self, index: int) -> str:
        """A token as it was written."""
        following = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.source)
        return _one_token(self.source, self.starts[index], following)

    def expected(self, what: str) -> NoReturn:
        """Complain that the next token is not `what`."""
        self.syntax_fault(f"expecting {what}")

    def syntax_fault(self, why: str = "") -> NoReturn:
        """Complain about the next token, saying why if there is more to say."""
        where = "end of input" if self.kind == "end" else f"`{self.token_text(self.at)}'"
        self.fault(f"Syntax error at {where} {why}." if why else f"Syntax error at {where}.")

    def fault(self, text: str) -> NoReturn:
        """Complain; but a token that is no token at all is the earlier fault."""
        if self.kinds[self.at] == "error":
            text = self.values[self.at]
        raise SyntaxFault(text, self.source, self.starts[self.at])


def _one_token(source: str, start: int, stop: int) -> str:
    """The text of the token at `start`, without the white space and comments after it."""
    found = _TOKEN.match(source, start, stop)
    return found.group().strip() if found else source[start:stop]
