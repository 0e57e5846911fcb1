"""`traceroute` in a guest: its options, and lines like traceroute(8) prints them."""

from collections.abc import Sequence
from typing import NamedTuple

from pyovn.lab.guest import Probed
from pyovn.net.errors import OvnError

FIRST_PORT = 33434
SIZE = 60


class Usage(OvnError):
    """Words that are no traceroute command."""


class Traceroute(NamedTuple):
    """One traceroute command."""

    destination: str
    hops: int = 30
    probes: int = 3
    timeout_s: float = 5.0


#: option → (field, converter)
OPTIONS = {"m": ("hops", int), "q": ("probes", int), "w": ("timeout_s", float)}
IGNORED = ("n", "4", "6")


def parse(words: Sequence[str]) -> Traceroute:
    """The command that `words`, everything after `traceroute`, stand for.  Raises Usage."""
    settings: dict[str, object] = {}
    destination, rest = None, list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            destination = word
        elif word[1:2] in OPTIONS:
            field, convert = OPTIONS[word[1]]
            try:
                settings[field] = convert(word[2:] or rest.pop(0))
            except (ValueError, IndexError):
                raise Usage(f"traceroute: invalid argument of option -{word[1]}") from None
        elif word[1:] not in IGNORED:
            raise Usage(f"traceroute: option {word} is not understood in a lab")
    if destination is None:
        raise Usage('traceroute: Specify "host" missing argument.')
    return Traceroute(destination)._replace(**settings)  # type: ignore[arg-type]  # as the converters give


def heading(command: Traceroute) -> str:
    """The first line."""
    name = command.destination
    return f"traceroute to {name} ({name}), {command.hops} hops max, {SIZE} byte packets\n"


def line(hop: int, answers: Sequence[Probed | None]) -> str:
    """The line of one hop; None is a probe without an answer."""
    parts, known = [f"{hop:2d} "], ""
    for answer in answers:
        if answer is None:
            parts.append(" *")
            continue
        if answer.source != known:
            parts.append(f" {answer.source}")
            known = answer.source
        parts.append(f"  {answer.time_ms:.3f} ms{answer.mark}")
    return "".join(parts) + "\n"
