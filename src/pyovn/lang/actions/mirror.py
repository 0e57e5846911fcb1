"""Port mirrors: `mirror("PORT");` sends a copy to a mirror port."""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from dataclasses import dataclass

from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.place import store, whole
from pyovn.lang.actions.scope import Scope, Statements
from pyovn.lang.symbols import OUTPORT
from pyovn.lang.text import quote
from pyovn.openflow.actions import OFPP_NONE, Clone, Resubmit


@dataclass(frozen=True, slots=True)
class Mirror:
    """Send a copy to a mirror port."""

    port: str

    def __str__(self) -> str:
        return f"mirror({quote(self.port)});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        key = env.lookup_port(self.port)
        if key is not None:
            body = store(whole("in_port"), OFPP_NONE), store(whole(OUTPORT), key), Resubmit(env.tables.remote_output)
            out.append(Clone(body))


def parse_mirror(scope: Scope) -> Mirror:
    tokens = scope.tokens
    tokens.force("(")
    port = tokens.take("str", "port name string")
    tokens.force(")")
    return Mirror(port)


STATEMENTS: Statements = {"mirror": parse_mirror}
