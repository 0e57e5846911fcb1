"""The match language: parse, annotate, simplify, normalise, evaluate, compile.

text ─parse→ Expr ─annotate→ Expr over fields ─simplify→ only == ─normalise→ OR of ANDs ─compile→ flows
              └─evaluate(packet) → bool
"""

from pyovn.lang.match.annotate import annotate
from pyovn.lang.match.ast import And, Compare, Expr, IsPort, Literal, Or, Resident
from pyovn.lang.match.compile import Clause, Template, compile_match, template
from pyovn.lang.match.evaluate import evaluate
from pyovn.lang.match.normalise import normalise
from pyovn.lang.match.parse import parse
from pyovn.lang.match.simplify import simplify

__all__ = [
    "And",
    "Clause",
    "Compare",
    "Expr",
    "IsPort",
    "Literal",
    "Or",
    "Resident",
    "Template",
    "annotate",
    "compile_match",
    "evaluate",
    "normalise",
    "parse",
    "simplify",
    "template",
]
