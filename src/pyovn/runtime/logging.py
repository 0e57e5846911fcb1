"""Logs in Open vSwitch's format (vlog), on top of the standard library's loggers.

    module("northd").info("…")  ──►  console   2026-11-21T06:30:24Z|00001|northd|INFO|…
                                ──►  syslog    ovs|00001|northd|INFO|…
                                ──►  file      2026-11-21T06:30:24.123Z|00001|northd|INFO|…

Every module has a level per destination; `apply` takes `-v`'s words (`northd:file:dbg`, `ANY:console:off`,
`PATTERN:file:%m`).  Until `start` is called, records go wherever the standard library sends them, so that tests and
programs that embed us keep their own logging.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import sys
from collections.abc import Iterable

from pyovn.net.errors import OvnError
from pyovn.runtime.clock import SYSTEM, Clock
from pyovn.runtime.log_lines import FACILITIES, LEVEL_NAMES, LEVELS, Renderer, Stamped

DESTINATIONS = ("console", "syslog", "file")
PATTERNS = {
    "console": "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
    "syslog": "ovs|%05N|%c%T|%p|%m",
    "file": "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
}
_ROOT = "pyovn"
_WORD_BREAK = re.compile(r"[ :,]+")

_modules: dict[str, logging.Logger] = {}


class LoggingFault(OvnError):
    """A logging setting that makes no sense, or a log file that cannot be written."""


def module(name: str) -> logging.Logger:
    """The logger of a module by its name in the log."""
    known = _modules.get(name)
    if known is None:
        known = _modules[name] = logging.getLogger(f"{_ROOT}.{name}")
        _vlog.include(name)
    return known


class Limited:
    """A logger that lets through `burst` messages at once and `per_minute` in the long run, and counts the rest."""

    def __init__(self, logger: logging.Logger, per_minute: float = 5, burst: float = 20, clock: Clock = SYSTEM) -> None:
        self._logger = logger
        self._rate = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._tokens = burst
        self._filled = clock.now()
        self._dropped = 0
        self._first_dropped = self._last_dropped = 0.0

    def debug(self, text: str, *args: object) -> None:
        """Log at level DBG, within the limit."""
        self.log(logging.DEBUG, text, *args)

    def info(self, text: str, *args: object) -> None:
        """Log at level INFO, within the limit."""
        self.log(logging.INFO, text, *args)

    def warning(self, text: str, *args: object) -> None:
        """Log at level WARN, within the limit."""
        self.log(logging.WARNING, text, *args)

    def error(self, text: str, *args: object) -> None:
        """Log at level ERR, within the limit."""
        self.log(logging.ERROR, text, *args)

    def log(self, level: int, text: str, *args: object) -> None:
        """Log at any level, within the limit."""
        if not self._logger.isEnabledFor(level):
            return
        now = self._clock.now()
        if not _vlog.is_limited(self._logger) or self._allows(now):
            self._report_dropped(level, now)
            self._logger.log(level, text, *args)
            return
        self._first_dropped = self._first_dropped if self._dropped else now
        self._last_dropped = now
        self._dropped += 1

    def _allows(self, now: float) -> bool:
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _report_dropped(self, level: int, now: float) -> None:
        if not self._dropped:
            return
        since, ago = now - self._first_dropped, now - self._last_dropped
        self._logger.log(
            level,
            "Dropped %d log messages in last %d seconds (most recently, %d seconds ago) due to excessive rate",
            self._dropped,
            since,
            ago,
        )
        self._dropped = 0


class _Vlog(logging.Handler):
    """Sends each record to the destinations whose level lets it through."""

    def __init__(self) -> None:
        super().__init__()
        self.program = _ROOT
        self.levels: dict[str, dict[str, int]] = {}
        self.defaults = dict.fromkeys(DESTINATIONS, logging.INFO)
        self.patterns: dict[str, str] = {}
        self.unlimited: set[str] = set()
        self.facility = "daemon"
        self.path: str | None = None
        self.count = 0
        self._renderers: dict[str, Renderer] = {}
        self._file: int | None = None
        self._syslog: socket.socket | None = None
        self._syslog_method = "libc"
        self._syslog_targets: list[tuple[socket.AddressFamily, str | tuple[str, int]]] = []
        for destination, pattern in PATTERNS.items():
            self.set_pattern(destination, pattern)

    # Settings

    def include(self, name: str) -> None:
        """Give a module its levels."""
        self.levels[name] = dict(self.defaults)
        self._fit(name)

    def is_limited(self, logger: logging.Logger) -> bool:
        """True where rate limits hold for this logger."""
        return _name_of(logger.name) not in self.unlimited

    def set_levels(self, names: Iterable[str], destinations: Iterable[str], level: int) -> None:
        """Set the level of modules at destinations."""
        for name in names:
            self.levels[name].update(dict.fromkeys(destinations, level))
            self._fit(name)

    def set_pattern(self, destination: str, pattern: str) -> None:
        """Set how lines look at a destination."""
        self.patterns[destination] = pattern
        self._renderers[destination] = Renderer(pattern)

    def fit_others(self) -> None:
        """Likewise for loggers that are not modules of ours by name."""
        root = logging.getLogger(_ROOT)
        if self in root.handlers:
            root.setLevel(min(self.defaults.values()))

    def _fit(self, name: str) -> None:
        """Have the standard library drop early what no destination wants."""
        if self in logging.getLogger(_ROOT).handlers:
            logging.getLogger(f"{_ROOT}.{name}").setLevel(min(self.levels[name].values()))

    def start(self, program: str) -> None:
        """Take over the records of all our modules."""
        self.program = program
        root = logging.getLogger(_ROOT)
        if self not in root.handlers:
            root.addHandler(self)
        root.propagate = False
        self.fit_others()
        for name in self.levels:
            self._fit(name)

    def stop(self) -> None:
        """Give the records back to the standard library, and forget all settings."""
        root = logging.getLogger(_ROOT)
        root.removeHandler(self)
        root.setLevel(logging.NOTSET)
        root.propagate = True
        self.close_file()
        self.unlimited.clear()
        self.defaults = dict.fromkeys(DESTINATIONS, logging.INFO)
        for name in self.levels:
            self.levels[name] = dict(self.defaults)
            logging.getLogger(f"{_ROOT}.{name}").setLevel(logging.NOTSET)
        for destination, pattern in PATTERNS.items():
            self.set_pattern(destination, pattern)

    # Destinations

    def open_file(self, path: str) -> None:
        """Write to a file from now on; raises `LoggingFault`."""
        self.close_file()
        self.path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        except OSError as fault:
            text = f"failed to open {path} for logging: {os.strerror(fault.errno or 0)}"
            module("vlog").warning(text)
            raise LoggingFault(text) from None
        module("vlog").info("opened log file %s", path)

    def close_file(self) -> None:
        """Stop writing to the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def use_syslog(self, method: str = "libc", target: str | None = None) -> None:
        """Choose how syslog is reached: `libc`, `null`, `unix:PATH` or `udp:IP:PORT`; and a UDP target besides."""
        kind, _, rest = method.partition(":")
        if kind not in ("libc", "null", "unix", "udp"):
            raise LoggingFault(f"{method}: unknown syslog method")
        self._syslog_method = method
        local: dict[str, list[tuple[socket.AddressFamily, str | tuple[str, int]]]] = {
            "libc": [(socket.AF_UNIX, "/dev/log")],
            "null": [],
            "unix": [(socket.AF_UNIX, rest)],
        }
        self._syslog_targets = local[kind] if kind in local else [(socket.AF_INET, _host_port(rest))]
        if target is not None:
            self._syslog_targets.append((socket.AF_INET, _host_port(target)))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record to every destination that wants it."""
        name = _name_of(record.name)
        levels = self.levels.get(name, self.defaults)
        wanted = [destination for destination in DESTINATIONS if record.levelno >= levels[destination]]
        if not wanted:
            return
        self.count += 1
        stamped = Stamped(record, _name_of(record.name), self.count, self.program, self.facility)
        for destination in wanted:
            with contextlib.suppress(OSError, ValueError):
                self._write(destination, stamped)

    def _write(self, destination: str, record: Stamped) -> None:
        match destination:
            case "console":
                sys.stderr.write(self._renderers[destination](record) + "\n")
                sys.stderr.flush()
            case "file" if self._file is not None:
                os.write(self._file, (self._renderers[destination](record) + "\n").encode(errors="replace"))
            case "syslog":
                self._to_syslog(record)

    def _to_syslog(self, record: Stamped) -> None:
        for family, address in self._syslog_targets:
            line = f"<{record.priority}>{self.program}: {self._renderers['syslog'](record)}"
            with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
                out.sendto(line.encode(errors="replace"), address)


def _name_of(logger_name: str) -> str:
    return logger_name.removeprefix(f"{_ROOT}.").replace(".", "_")


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal():
        raise LoggingFault(f"{text}: expected HOST:PORT")
    return host.strip("[]"), int(port)


_vlog = _Vlog()
start = _vlog.start
stop = _vlog.stop
open_file = _vlog.open_file
close_file = _vlog.close_file
use_syslog = _vlog.use_syslog


def apply(spec: str) -> None:
    """Apply one word of `-v` or `vlog/set`; raises `LoggingFault`."""
    kind, _, rest = spec.partition(":")
    if kind == "PATTERN":
        _set_pattern(rest)
    elif kind == "FACILITY":
        if rest not in FACILITIES:
            raise LoggingFault("invalid facility")
        _vlog.facility = rest
    else:
        _set_levels([word for word in _WORD_BREAK.split(spec) if word])


def _set_pattern(text: str) -> None:
    destination, colon, pattern = text.partition(":")
    chosen = destination.lower()
    if not destination:
        raise LoggingFault("missing destination")
    if chosen not in (*DESTINATIONS, "any"):
        raise LoggingFault(f'unknown destination "{destination}"')
    if not colon:
        raise LoggingFault("missing pattern")
    for each in DESTINATIONS if chosen == "any" else (chosen,):
        _vlog.set_pattern(each, pattern)


def _set_levels(words: list[str]) -> None:
    """Modules, destinations and a level, in any order; those not named mean all, and the finest level."""
    names: list[str] = []
    destinations: list[str] = []
    level = LEVELS["dbg"]
    everything = False
    for word in words:
        lower = word.lower()
        if lower == "any":
            everything = everything or bool(destinations) or not names
        elif lower in DESTINATIONS:
            destinations.append(lower)
        elif lower in LEVELS:
            level = LEVELS[lower]
        elif word.replace("-", "_") in _modules:
            names.append(word.replace("-", "_"))
        elif not _is_known_elsewhere(word):
            raise LoggingFault(f'no destination, level, or module "{word}"')
        else:
            return
    if not names:
        _vlog.defaults.update(dict.fromkeys(destinations or DESTINATIONS, level))
        _vlog.fit_others()
    _vlog.set_levels(names or list(_modules), destinations or DESTINATIONS, level)


#: modules of the C programs whose names scripts pass to `-v`; we have none like them, and say nothing
_ELSEWHERE = frozenset(
    "jsonrpc ovsdb_idl ovsdb_cs poll_loop timeval memory stream_ssl rconn vconn ofctrl inc_proc_eng main "
    "binding lflow physical pinctrl patch encaps chassis ovn_northd northd lflow_mgr unixctl".split()
)


def _is_known_elsewhere(word: str) -> bool:
    return word.replace("-", "_") in _ELSEWHERE


def listing() -> str:
    """The levels of all modules, as `vlog/list` shows them."""
    lines = ["                 console    syslog    file", "                 -------    ------    ------"]
    for name in sorted(_modules):
        levels = (LEVEL_NAMES[_vlog.levels[name][destination]] for destination in DESTINATIONS)
        note = "    (rate limiting disabled)" if name in _vlog.unlimited else ""
        lines.append(f"{name:<16}  " + "       ".join(f"{level:>4}" for level in levels) + note)
    return "\n".join(lines) + "\n"


def patterns() -> str:
    """The patterns of all destinations, as `vlog/list-pattern` shows them."""
    lines = ["         prefix                            format", "         ------                            ------"]
    prefixes = {"syslog": "<%B> %D{%h %e %T} %E %A:", "console": "none", "file": "none"}
    lines += [f"{name.upper():<7}  {prefix:<32}  {_vlog.patterns[name]}" for name, prefix in prefixes.items()]
    return "\n".join(lines) + "\n"


def reopen() -> None:
    """Open the log file anew, after it was moved away; raises `LoggingFault`."""
    if _vlog.path is None:
        raise LoggingFault("Logging to file not configured")
    module("vlog").info("closing log file")
    _vlog.open_file(_vlog.path)


def limit_rates(names: Iterable[str], *, limited: bool) -> None:
    """Let rate limits hold, or not, for the modules named (for all, if none is); raises `LoggingFault`."""
    chosen = list(names) or list(_modules)
    for name in chosen:
        if name not in _modules:
            raise LoggingFault(f'unknown module "{name}"')
    if limited:
        _vlog.unlimited.difference_update(chosen)
    else:
        _vlog.unlimited.update(chosen)


module("vlog")
