"""Lines of a log, written by vlog's patterns.

    %D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m   →   2026-11-21T06:30:24.123Z|00001|northd|INFO|…

    %A program   %c module   %D %d time in UTC, here   %E host   %m message   %N number of the message   %n new line
    %p level   %P process   %r milliseconds since start   %t %T thread   %B syslog priority   %% itself

Between `%` and the letter a width may stand, `-` before it to fill on the right, `0` to fill with zeros.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

LEVELS = {"off": 100, "emer": 50, "err": 40, "warn": 30, "info": 20, "dbg": 10}
LEVEL_NAMES = {number: name.upper() for name, number in LEVELS.items()}
FACILITIES = {
    name: number
    for number, name in enumerate(
        "kern user mail daemon auth syslog lpr news uucp clock authpriv ftp ntp audit alert clock2 "
        "local0 local1 local2 local3 local4 local5 local6 local7".split()
    )
}
_SEVERITIES = {50: 0, 40: 3, 30: 4, 20: 6, 10: 7}
_CONVERSION = re.compile(r"%(-?)(0?)(\d*)([A-Za-z%])(?:\{([^}]*)\})?")
_STARTED = time.monotonic()


class Stamped:
    """A record with what only the log as a whole knows about it."""

    __slots__ = ("count", "facility", "level", "module", "program", "record")

    def __init__(self, record: logging.LogRecord, module: str, count: int, program: str, facility: str) -> None:
        self.record = record
        self.module = module
        self.count = count
        self.program = program
        self.facility = facility
        self.level = max((level for level in _SEVERITIES if level <= record.levelno), default=10)

    @property
    def priority(self) -> int:
        """Facility and severity as syslog wants them."""
        return FACILITIES[self.facility] * 8 + _SEVERITIES[self.level]

    @property
    def thread(self) -> str:
        """The thread's name, empty for the main thread."""
        name = self.record.threadName
        return "" if name in (None, "MainThread") else str(name)

    @property
    def text(self) -> str:
        """The message, followed by the traceback of an exception if it has one."""
        if not self.record.exc_info:
            return self.record.getMessage()
        return f"{self.record.getMessage()}\n{logging.Formatter().formatException(self.record.exc_info)}"


_FIELDS: dict[str, Callable[[Stamped, str | None], str]] = {
    "A": lambda stamped, _: stamped.program,
    "B": lambda stamped, _: str(stamped.priority),
    "c": lambda stamped, _: stamped.module,
    "d": lambda stamped, format_: _date(format_, datetime.fromtimestamp(stamped.record.created)),
    "D": lambda stamped, format_: _date(format_, datetime.fromtimestamp(stamped.record.created, UTC)),
    "E": lambda stamped, _: socket.gethostname(),
    "m": lambda stamped, _: stamped.text,
    "N": lambda stamped, _: str(stamped.count),
    "n": lambda stamped, _: "\n",
    "p": lambda stamped, _: LEVEL_NAMES[stamped.level],
    "P": lambda stamped, _: str(os.getpid()),
    "r": lambda stamped, _: str(round((time.monotonic() - _STARTED) * 1000)),
    "t": lambda stamped, _: stamped.thread,
    "T": lambda stamped, _: f"({stamped.thread})" if stamped.thread else "",
    "%": lambda stamped, _: "%",
}


class Renderer:
    """Writes records as one pattern says."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __call__(self, stamped: Stamped) -> str:
        """The line for a record."""

        def converted(found: re.Match[str]) -> str:
            left, zero, width, letter, argument = found.groups()
            field = _FIELDS.get(letter)
            text = found.group() if field is None else field(stamped, argument)
            if not width:
                return text
            return text.ljust(int(width)) if left else text.rjust(int(width), "0" if zero else " ")

        return _CONVERSION.sub(converted, self._pattern)


def _date(format_: str | None, moment: datetime) -> str:
    """A time by `strftime`'s letters, `###` standing for milliseconds."""
    text = moment.strftime(format_ or "%Y-%m-%d %H:%M:%S.###")
    return text.replace("###", f"{moment.microsecond // 1000:03d}")
