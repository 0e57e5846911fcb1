"""Events for the CMS: `trigger_event(event = "empty_lb_backends", vip = "…", protocol = "tcp", load_balancer = "…");`

userdata   event (4 bytes) · options as code (2), length (2), value
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.put_options import Setting, settings
from pyovn.lang.actions.scope import Scope, Statements
from pyovn.lang.actions.userdata import Opcode, punt
from pyovn.lang.options import Option
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse
from pyovn.net.uuids import is_uuid

EMPTY_LB_BACKENDS = "empty_lb_backends"
_EVENTS = (EMPTY_LB_BACKENDS,)
_OPTIONS = {
    "vip": Option("vip", 1, "str"),
    "protocol": Option("protocol", 2, "str"),
    "load_balancer": Option("load_balancer", 3, "str"),
}
_NAMES = {option.code: option.name for option in _OPTIONS.values()}


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """Record that something happened in Controller_Event."""

    event: str
    settings: tuple[Setting, ...]

    def __str__(self) -> str:
        settings_text = "".join(f", {setting}" for setting in self.settings)
        return f'trigger_event(event = "{self.event}"{settings_text});'

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        arguments = _EVENTS.index(self.event).to_bytes(4, "big") + b"".join(_encoded(self.settings))
        out.append(punt(Opcode.EVENT, arguments, meter=env.controller_meter))


def _encoded(chosen: tuple[Setting, ...]) -> Iterator[bytes]:
    for setting in chosen:
        value = setting.string.encode()
        yield setting.option.code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def read_event(arguments: bytes) -> tuple[str, dict[str, str]]:
    """(event, its options by name); raises Malformed."""
    number = int.from_bytes(arguments[:4], "big")
    if len(arguments) < 4 or number >= len(_EVENTS):
        raise Malformed("unknown event")
    found = {}
    at = 4
    while at + 4 <= len(arguments):
        code, length = int.from_bytes(arguments[at : at + 2], "big"), int.from_bytes(arguments[at + 2 : at + 4], "big")
        if code in _NAMES:
            found[_NAMES[code]] = arguments[at + 4 : at + 4 + length].decode(errors="replace")
        at += 4 + length
    return _EVENTS[number], found


def _is_vip(text: str) -> bool:
    """`ADDRESS` or `ADDRESS:PORT`, IPv6 addresses with a port in brackets."""
    address, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "")
    try:
        ip_parse(address.strip("[]"))
    except Malformed:
        return False
    return not port or (port.isdigit() and int(port) < 1 << 16)


_CHECKS: dict[str, tuple[Callable[[str], bool], str]] = {
    "vip": (_is_vip, "Invalid load balancer VIP '{}'"),
    "protocol": (
        lambda text: text in ("tcp", "udp", "sctp"),
        "Load balancer protocol '{}' is not 'tcp', 'udp', or 'sctp'",
    ),
    "load_balancer": (is_uuid, "Load balancer '{}' is not a UUID"),
}


def parse_trigger_event(scope: Scope) -> TriggerEvent:
    tokens = scope.tokens
    tokens.force("(")
    if not tokens.accept_word("event"):
        tokens.syntax_fault("Expecting 'event' option")
    tokens.force("=")
    if tokens.kind != "str":
        tokens.syntax_fault("Expecting string")
    event = tokens.value
    if event not in _EVENTS:
        tokens.syntax_fault("Unknown event '-1'")
    tokens.at += 1
    tokens.accept(",")
    chosen = settings(scope, _OPTIONS, f"{event} option")
    for setting in chosen:
        holds, complaint = _CHECKS[setting.option.name]
        if not holds(setting.string):
            tokens.fault(complaint.format(setting.string))
    return TriggerEvent(event, chosen)


STATEMENTS: Statements = {"trigger_event": parse_trigger_event}
