"""`ping` in a guest: its options, and lines like iputils prints them."""

from collections.abc import Sequence
from typing import NamedTuple

from pyovn.net.errors import OvnError

DEFAULT_SIZE = 56
#: What ICMP and IPv4 add to the payload, as ping's first line counts it.
OVERHEAD = 28


class Usage(OvnError):
    """Words that are no ping command."""


class Ping(NamedTuple):
    """One ping command; `packets` None means until interrupted."""

    destination: str
    packets: int | None = None
    interval_s: float = 1.0
    timeout_s: float = 1.0
    size: int = DEFAULT_SIZE
    quiet: bool = False
    ttl: int = 64
    source: str | None = None
    discovery: str = "do"  #: guests never let their packets be cut into fragments


#: option → (field, converter)
OPTIONS = {
    "c": ("packets", int),
    "i": ("interval_s", float),
    "W": ("timeout_s", float),
    "s": ("size", int),
    "I": ("source", str),
    "t": ("ttl", int),
    "M": ("discovery", str),
}
IGNORED = ("n", "4", "6")


def parse(words: Sequence[str]) -> Ping:
    """The command that `words`, everything after `ping`, stand for.  Raises Usage."""
    settings: dict[str, object] = {}
    destination = None
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            destination = word
        elif word[1:] == "q":
            settings["quiet"] = True
        elif word[1:2] in OPTIONS:
            field, convert = OPTIONS[word[1]]
            try:
                settings[field] = convert(word[2:] or rest.pop(0))
            except (ValueError, IndexError):
                raise Usage(f"ping: invalid argument of option -{word[1]}") from None
        elif word[1:] not in IGNORED:
            raise Usage(f"ping: option {word} is not understood in a lab")
    if destination is None:
        raise Usage("ping: usage error: Destination address required")
    if not 0 < int(str(settings.get("ttl", 64))) < 256:
        raise Usage(f"ping: invalid argument: '{settings['ttl']}': out of range: 1 <= value <= 255")
    return Ping(destination)._replace(**settings)  # type: ignore[arg-type]  # the converters give each field's type


class Tally:
    """What one ping run saw, and its lines."""

    def __init__(self, command: Ping) -> None:
        self.command, self.sent, self.times_ms = command, 0, list[float]()

    def heading(self) -> str:
        """The first line."""
        size = self.command.size
        return (
            f"PING {self.command.destination} ({self.command.destination}) {size}({size + OVERHEAD}) bytes of data.\n"
        )

    def answered(self, sequence: int, ttl: int, time_ms: float) -> str:
        """The line of an answer."""
        self.times_ms.append(time_ms)
        if self.command.quiet:
            return ""
        size = self.command.size + 8
        return f"{size} bytes from {self.command.destination}: icmp_seq={sequence} ttl={ttl} time={time_ms:.3f} ms\n"

    def too_long(self, mtu: int) -> str:
        """The line of a request that could not be sent."""
        return f"ping: local error: message too long, mtu={mtu}\n"

    def summary(self, total_ms: float) -> str:
        """The closing lines."""
        received = len(self.times_ms)
        loss = 100 * (self.sent - received) // self.sent if self.sent else 0
        lines = [
            f"\n--- {self.command.destination} ping statistics ---",
            f"{self.sent} packets transmitted, {received} received, {loss}% packet loss, time {total_ms:.0f}ms",
        ]
        if self.times_ms:
            low, high = min(self.times_ms), max(self.times_ms)
            mean = sum(self.times_ms) / received
            deviation = (sum((time - mean) ** 2 for time in self.times_ms) / received) ** 0.5
            lines.append(f"rtt min/avg/max/mdev = {low:.3f}/{mean:.3f}/{high:.3f}/{deviation:.3f} ms")
        return "\n".join(lines) + "\n"
