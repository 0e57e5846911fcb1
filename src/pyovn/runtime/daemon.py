"""What makes a program a daemon, the same for all of ours.

    main(program, argv, body)
      read the command line ─► fork, if --detach (and once more, if --monitor) ─► pidfile, log file, working directory
      ─► asyncio.run(body) ─► body says daemon.ready() ─► the process that the user started exits

The control socket, `exit` and the signals that end a daemon are here too.  Files lie in $OVN_RUNDIR and $OVN_LOGDIR
($OVS_… for the switch's daemons), or where Debian's packages have them.
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pwd
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyovn.net.errors import OvnError
from pyovn.runtime import logging as vlog
from pyovn.runtime import streams
from pyovn.runtime.commands import Command, counter_commands
from pyovn.runtime.control import ControlServer
from pyovn.runtime.counters import Counters
from pyovn.runtime.options import Arguments, Option, UsageFault, help_text, read
from pyovn.runtime.pidfile import DaemonFault, lock

COMMON = (
    Option("detach", doc="run in background as daemon"),
    Option("monitor", doc="creates a process to monitor this daemon"),
    Option("no-chdir", doc="do not chdir to '/'"),
    Option("pidfile", argument="FILE", optional=True, doc="create pidfile (default: NAME.pid in the run directory)"),
    Option("overwrite-pidfile", doc="with --pidfile, start even if already running"),
    Option("user", argument="USER[:GROUP]", doc="changes the effective daemon user:group"),
    Option("unixctl", "u", argument="SOCKET", doc="override default control socket name"),
    Option("verbose", "v", argument="SPEC", optional=True, many=True, doc="set logging levels; without SPEC, all"),
    Option("log-file", argument="FILE", optional=True, doc="enable logging to specified FILE"),
    Option("syslog-method", argument="METHOD", doc="libc, null, unix:FILE or udp:IP:PORT"),
    Option("syslog-target", argument="HOST:PORT", doc="also send syslog msgs to HOST:PORT via UDP"),
    Option("private-key", "p", argument="FILE", doc="file with private key"),
    Option("certificate", "c", argument="FILE", doc="file with certificate for private key"),
    Option("ca-cert", "C", argument="FILE", doc="file with peer CA certificate"),
    Option("bootstrap-ca-cert", argument="FILE", doc="file with peer CA certificate to read or create"),
    Option("ssl-protocols", argument="PROTOS", doc="list of SSL/TLS protocols to enable"),
    Option("ssl-ciphers", argument="CIPHERS", doc="list of SSL/TLS ciphers to enable with TLSv1.2"),
    Option("ssl-ciphersuites", argument="SUITES", doc="list of SSL/TLS ciphersuites to enable with TLSv1.3"),
    Option("ssl-server-name", argument="NAME", doc="server name to ask for (SNI), in place of the host"),
    Option("help", "h", doc="display this help message"),
    Option("options", "o", doc="list available options"),
    Option("version", "V", doc="display version information"),
)

CRASHED = 70  #: exit status after an exception that nobody expected
LEAST_LIFE_S = 10.0  #: a daemon that crashes sooner than this is restarted only after as long
_CRASH_SIGNALS = frozenset({signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV})
_DIRECTORIES = {
    "OVN_RUNDIR": "/var/run/ovn",
    "OVN_LOGDIR": "/var/log/ovn",
    "OVN_DBDIR": "/var/lib/ovn",
    "OVS_RUNDIR": "/var/run/openvswitch",
    "OVS_LOGDIR": "/var/log/openvswitch",
    "OVS_DBDIR": "/var/lib/openvswitch",
}

log = vlog.module("daemon")


@dataclass(frozen=True, slots=True)
class Program:
    """A daemon's name, what it is, and the options and words that only it knows."""

    name: str
    title: str
    version: str
    options: tuple[Option, ...] = ()
    words: str = ""  #: what the other words on the command line are called, as "[OVS-DATABASE]"
    most_words: int = 0
    family: str = "OVN"  #: OVN or OVS: whose directories are used

    def directory(self, kind: str) -> Path:
        """The directory for "RUN", "LOG" or "DB" files."""
        return directory(f"{self.family}_{kind}DIR")

    @property
    def all_options(self) -> tuple[Option, ...]:
        """Our own options before those that all daemons share; an own one replaces a shared one of its name."""
        names = {option.name for option in self.options}
        shorts = {option.short for option in self.options}
        shared = [option for option in COMMON if option.name not in names]
        without = [
            Option(o.name, "", o.argument, o.doc, o.optional, o.many) if o.short and o.short in shorts else o
            for o in shared
        ]
        return (*self.options, *without)

    def help(self) -> str:
        """The text of `--help`."""
        own = f"Options:\n{help_text(self.options)}\n" if self.options else ""
        usage = f"usage: {self.name} [OPTIONS] {self.words}".rstrip()
        common = help_text([option for option in self.all_options if option not in self.options])
        return f"{self.name}: {self.title}\n{usage}\n\n{own}Options of all daemons:\n{common}"


def directory(variable: str) -> Path:
    """The directory that an environment variable (`OVN_RUNDIR`, `OVS_LOGDIR`, …) names, or its default."""
    return Path(os.environ.get(variable) or _DIRECTORIES[variable])


def arguments(program: Program, argv: Sequence[str]) -> Arguments:
    """The command line of a daemon; raises `UsageFault`."""
    found = read(program.all_options, argv)
    if len(found.words) > program.most_words:
        raise UsageFault(f"too many arguments: {' '.join(found.words[program.most_words :])}")
    return found


def tls(found: Arguments) -> streams.Tls:
    """The TLS settings that a command line gives."""
    return streams.Tls(
        found.text("private-key"),
        found.text("certificate"),
        found.text("ca-cert"),
        found.text("ssl-protocols"),
        found.text("ssl-ciphers"),
        found.text("ssl-ciphersuites"),
        found.text("bootstrap-ca-cert"),
        found.text("ssl-server-name"),
    )


Body = Callable[["Daemon"], Awaitable[None]]


def main(program: Program, argv: Sequence[str] | None, body: Body) -> int:
    """Run a daemon; gives its exit status."""
    words = sys.argv[1:] if argv is None else argv
    try:
        found = arguments(program, words)
        if _informed(program, found):
            return 0
        return _start(program, found, body)
    except OvnError as fault:
        hint = " (use --help for help)" if isinstance(fault, UsageFault) else ""
        print(f"{program.name}: {fault}{hint}", file=sys.stderr)
        return 1


def _informed(program: Program, found: Arguments) -> bool:
    """True where the command line only asks for information, which is then printed."""
    if "help" in found:
        print(program.help(), end="")
    elif "options" in found:
        print("\n".join(option.usage for option in program.all_options))
    elif "version" in found:
        print(program.version)
    else:
        return False
    return True


def _start(program: Program, found: Arguments, body: Body) -> int:
    _configure_logging(program, found)
    notify: int | None = None
    if "detach" in found:
        notify = _fork_and_wait(program)
        os.setsid()
    if "monitor" in found:
        notify = _watch(program, notify, leave_terminal="detach" in found)
    if "user" in found:
        _become(found.text("user"))
    daemon = Daemon(program, found, notify)
    with daemon.pidfile():
        if "detach" in found and "no-chdir" not in found:
            os.chdir("/")
        return daemon.run(body)


def _configure_logging(program: Program, found: Arguments) -> None:
    vlog.start(program.name)
    for spec in found.all("verbose"):
        vlog.apply(spec or "ANY:ANY:DBG")
    vlog.use_syslog(found.text("syslog-method", "libc"), found.get("syslog-target"))
    if "log-file" in found:
        default = program.directory("LOG") / f"{program.name}.log"
        with contextlib.suppress(vlog.LoggingFault):
            vlog.open_file(os.path.abspath(found.get("log-file") or default))


def _become(text: str) -> None:
    """Go on as another user, and group; raises `DaemonFault`."""
    user, _, group = text.partition(":")
    try:
        account = pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())
        gid = grp.getgrnam(group).gr_gid if group else account.pw_gid
        os.setgroups([])
        os.setgid(gid)
        os.setuid(account.pw_uid)
    except (KeyError, OSError) as fault:
        raise DaemonFault(f"cannot become user {text}: {fault}") from None


def _leave_terminal() -> None:
    """Point standard input and outputs nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _fork_and_wait(program: Program) -> int:
    """Fork: the child goes on with a descriptor to say that it is ready, the parent exits when it does."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        return writing
    os.close(writing)
    said = os.read(reading, 1)
    if said:
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        print(f"{program.name}: could not start: killed by {signal.Signals(-code).name}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(code if code > 0 else 1)


def _watch(program: Program, notify: int | None, *, leave_terminal: bool) -> int | None:
    """Fork a daemon, and another one each time that it crashes; only the daemons return from here."""
    ward = _Ward()
    while True:
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            ward.release()
            return notify
        if notify is not None:
            os.close(notify)
            notify = None
        if leave_terminal:
            _leave_terminal()
        ward.guard(child)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        ward.child = None
        if code != CRASHED and (code >= 0 or signal.Signals(-code) not in _CRASH_SIGNALS):
            os._exit(max(code, 0))
        why = f"exit status {code}" if code > 0 else signal.Signals(-code).name
        log.error("%s: process %d died (%s), restarting", program.name, child, why)
        time.sleep(max(0.0, LEAST_LIFE_S - (time.monotonic() - began)))


class _Ward:
    """Has the signals that end a monitor end its daemon, or the monitor itself while there is none."""

    ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def __init__(self) -> None:
        self.child: int | None = None

    def guard(self, child: int) -> None:
        """Pass signals on to `child` from now on."""
        self.child = child
        for number in self.ENDING:
            signal.signal(number, self._pass_on)

    def release(self) -> None:
        """Take signals as usual, in the daemon itself."""
        for number in self.ENDING:
            signal.signal(number, signal.SIG_DFL)

    def _pass_on(self, number: int, _: object) -> None:
        if self.child is None:
            os._exit(0)
        os.kill(self.child, number)


@dataclass(slots=True)
class Daemon:
    """A running daemon, as its body sees it."""

    program: Program
    arguments: Arguments
    notify: int | None = None
    counters: Counters = field(default_factory=Counters)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _is_ready: bool = False

    @property
    def tls(self) -> streams.Tls:
        """The TLS settings of the command line."""
        return tls(self.arguments)

    def ready(self) -> None:
        """Let the process that the user started exit: we are up."""
        if "detach" in self.arguments and not self._is_ready:
            _leave_terminal()
        self._is_ready = True
        if self.notify is not None:
            os.write(self.notify, b"\0")
            os.close(self.notify)
            self.notify = None

    def stop(self) -> None:
        """End the daemon, as the command `exit` and signals do."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """True once the daemon is to end."""
        return self._stopping.is_set()

    async def stopped(self) -> None:
        """Wait until the daemon is to end."""
        await self._stopping.wait()

    def control(self, commands: Mapping[str, Command]) -> ControlServer:
        """The control server, with these commands besides those that every daemon has.

        `--unixctl=none` gives one that listens nowhere.
        """
        everything = {"exit": Command(lambda _: self.stop()), **counter_commands(self.counters), **commands}
        return ControlServer(self._control_path(), everything, version=self.program.version)

    def _control_path(self) -> str:
        given = self.arguments.get("unixctl")
        if given == "none":
            return ""
        rundir = self.program.directory("RUN")
        return os.path.join(rundir, given or f"{self.program.name}.{os.getpid()}.ctl")

    @contextlib.contextmanager
    def pidfile(self) -> Iterator[None]:
        """Hold the pidfile that the command line asks for, if it does; raises `DaemonFault`."""
        if "pidfile" not in self.arguments:
            yield
            return
        name = self.arguments.get("pidfile") or f"{self.program.name}.pid"
        path = os.path.join(self.program.directory("RUN"), name)
        descriptor = lock(path, overwrite="overwrite-pidfile" in self.arguments)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            os.close(descriptor)

    def run(self, body: Body) -> int:
        """Run the body until it ends, or a signal ends it."""
        try:
            asyncio.run(self._run(body))
        except OvnError as fault:
            log.critical("%s", fault)
            print(f"{self.program.name}: {fault}", file=sys.stderr)
            return 1
        except Exception:
            log.critical("%s failed", self.program.name, exc_info=True)
            return CRASHED
        return 0

    async def _run(self, body: Body) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)
        working = asyncio.ensure_future(body(self))
        stopping = asyncio.ensure_future(self.stopped())
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
