"""ACL logging: `log(name="…", verdict=allow, severity=info, meter="…");`

userdata   verdict (1) · severity (1) · name
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from dataclasses import dataclass

from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.scope import Scope, Statements, one_word
from pyovn.lang.actions.userdata import Opcode, punt
from pyovn.lang.text import quote
from pyovn.net.errors import Malformed

VERDICTS = ("allow", "drop", "reject", "pass")
#: by syslog number
SEVERITIES = {"alert": 1, "warning": 4, "notice": 5, "info": 6, "debug": 7}
_SEVERITY_NAMES = {number: name for name, number in SEVERITIES.items()}
MAX_NAME = 63


@dataclass(frozen=True, slots=True)
class Log:
    """Write a line about the packet to the controller's log."""

    verdict: str
    severity: str = "info"
    name: str | None = None
    meter: str | None = None

    def __str__(self) -> str:
        name = "" if self.name is None else f"name={quote(self.name)}, "
        meter = "" if self.meter is None else f", meter={quote(self.meter)}"
        return f"log({name}verdict={self.verdict}, severity={self.severity}{meter});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        header = bytes((VERDICTS.index(self.verdict), SEVERITIES[self.severity]))
        meter = env.named_meter(self.meter) if self.meter is not None else None
        out.append(punt(Opcode.LOG, header + (self.name or "").encode(), meter=meter))


def read_log(arguments: bytes) -> Log:
    """What to log; raises Malformed."""
    if len(arguments) < 2 or arguments[0] >= len(VERDICTS) or arguments[1] not in _SEVERITY_NAMES:
        raise Malformed("log action with unknown verdict or severity")
    name = arguments[2:].decode(errors="replace")
    return Log(VERDICTS[arguments[0]], _SEVERITY_NAMES[arguments[1]], name or None)


def parse_log(scope: Scope) -> Log:
    tokens = scope.tokens
    tokens.force("(")
    found: dict[str, str] = {}
    while not tokens.accept(")"):
        key = tokens.value if tokens.kind == "id" else ""
        if key not in _READERS:
            tokens.syntax_fault()
        tokens.at += 1
        tokens.force("=")
        found[key] = _READERS[key](scope)
        tokens.accept(",")
    if "verdict" not in found:
        tokens.expected("verdict")
    return Log(found["verdict"], found.get("severity", "info"), found.get("name"), found.get("meter"))


def _verdict(scope: Scope) -> str:
    verdict = one_word(scope, VERDICTS)
    if verdict is None:
        scope.tokens.syntax_fault("unknown verdict")
    return verdict


def _severity(scope: Scope) -> str:
    severity = one_word(scope, SEVERITIES)
    if severity is None:
        scope.tokens.syntax_fault("unknown severity")
    return severity


def _string(scope: Scope) -> str:
    found: str = scope.tokens.take("str", "string")
    return found


def _name(scope: Scope) -> str:
    tokens = scope.tokens
    if tokens.kind == "str" and len(tokens.value.encode()) > MAX_NAME:
        tokens.syntax_fault("name must be shorter than 64 characters")
    return _string(scope)


_READERS = {"verdict": _verdict, "severity": _severity, "name": _name, "meter": _string}

STATEMENTS: Statements = {"log": parse_log}
