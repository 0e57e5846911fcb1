"""A tool as a daemon: it keeps a copy of the database and carries out the commands that come to its control socket.

    ovn-nbctl ls-add sw0 ── run ──▶ ┌───────────┐ ◀── updates ── database
    ovn-appctl -t … exit ──────────▶ │ Residence │ ── transact ─▶ server
                                     └───────────┘
One command is carried out at a time, in the order they come.
"""

import gc
import json
import os
import sys
from select import POLLIN, poll
from socket import AF_UNIX, SOCK_STREAM
from socket import socket as Socket

from pyovn.cli.ctl.call import Call
from pyovn.cli.ctl.errors import CtlError, Leave
from pyovn.cli.ctl.forward import FORWARDED
from pyovn.cli.ctl.frame import address, parse, reach
from pyovn.cli.ctl.options import chain
from pyovn.cli.ctl.output import Style
from pyovn.cli.ctl.program import Run
from pyovn.cli.ctl.view import Schema, View
from pyovn.cli.session import ConnectionFailed, Refused, reason
from pyovn.net.errors import OvnError
from pyovn.runtime import logging as vlog
from pyovn.runtime.commands import ANY_NUMBER, Command, Commands, Conversation, counter_commands, whole_lines
from pyovn.runtime.counters import Counters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyovn.cli.ctl.options import Options
    from pyovn.cli.ctl.program import Program
    from pyovn.cli.session import Session

    Json = Any

CHUNK = 1 << 16


class Residence:
    """The copy of the database, and the way to it."""

    def __init__(self, program: "Program", options: "Options") -> None:
        self.program = program
        self.options = options
        self.session: Session
        self.job: Run
        self.log = vlog.module(program.name.replace("-", "_"))
        self.counters = Counters()
        self.connect()

    def connect(self) -> None:
        """Fetch the whole database."""
        self.session = reach(self.program, self.options)
        self.job = Run(self.program, self.session, {}, [])
        schema = self.job.schema = Schema(self.session.call("get_schema", self.program.database))
        self.job.view = View(schema, {})
        everything: Json = {table: {"columns": [*schema.columns(table)]} for table in schema.names}
        try:
            contents = self.session.call("monitor_cond", self.program.database, None, everything)
        except Refused:  # an older server: its updates tell whole rows
            contents = self.session.call("monitor", self.program.database, None, everything)
        self.job.apply(contents)

    def follow(self) -> None:
        """Take in what the database sent; after a lost connection, start anew."""
        try:
            self.session.absorb()
            self.job.refresh()
        except ConnectionFailed as fault:
            self.log.warning("%s: connection lost (%s), connecting again", self.options["--db"], fault)
            self.counters.count("reconnections")
            self.session.close()
            self.connect()

    def run(self, words: list[str]) -> str:
        """Carry a command line out; raises `OvnError`."""
        self.log.debug("running %s", " ".join(words))
        self.counters.count("command_lines")
        allowed = {name: how for name, how in self.program.options.items() if name in (*FORWARDED, "--bare")}
        options, first, rest = parse(self.program, words, allowed)
        calls = [Call(*each) for each in chain(first, rest, self.program.find)]
        Style(options)
        self.follow()
        job = Run(self.program, self.session, options, calls)
        job.schema, job.view = self.job.schema, self.job.view
        try:
            return job.go() + job.finish()
        except Leave as answer:
            raise CtlError(f"exit status {answer.status}") from None


class Desk:
    """The control socket: listens, reads requests, answers them."""

    def __init__(self, residence: Residence, path: str, version: str) -> None:
        self.path = path
        self._residence = residence
        own = {"run": Command(residence.run, most=ANY_NUMBER), "exit": Command(self._exit)}
        self._commands = Commands({**counter_commands(residence.counters), **own}, version=version)
        self._clients: dict[int, tuple[Socket, str, Conversation]] = {}
        self._is_open = True
        self._listener = Socket(AF_UNIX, SOCK_STREAM)
        if os.path.exists(path):
            os.unlink(path)
        try:
            self._listener.bind(path)
        except OSError as fault:
            raise CtlError(f"{path}: binding failed ({reason(fault)})") from None
        self._is_listed = True
        self._listener.listen(64)

    def serve(self) -> None:
        """Answer until told to exit."""
        while self._is_open:
            watch = poll()
            for descriptor in (self._listener.fileno(), self._residence.session.stream.fileno(), *self._clients):
                watch.register(descriptor, POLLIN)
            for descriptor, _ in watch.poll():
                if descriptor == self._listener.fileno():
                    client, _ = self._listener.accept()
                    self._clients[client.fileno()] = (client, "", Conversation(self._commands))
                elif descriptor in self._clients:
                    self._attend(descriptor)
                else:
                    self._residence.follow()
        self.close()

    def close(self) -> None:
        """Hang up and remove the socket."""
        for client, _, _ in self._clients.values():
            client.close()
        self._listener.close()
        self._withdraw()

    def _withdraw(self) -> None:
        """Remove the socket, once: its name may be another daemon's by now."""
        if self._is_listed:
            self._is_listed = False
            os.unlink(self.path)

    def _attend(self, descriptor: int) -> None:
        """Read from a client and answer every request that is whole."""
        client, text, conversation = self._clients[descriptor]
        try:
            data = client.recv(CHUNK)
        except OSError:
            data = b""
        text += data.decode("utf-8", "surrogateescape")
        while data and text:
            try:
                request, end = json.JSONDecoder().raw_decode(text)
            except ValueError:
                break
            text = text[end:].lstrip()
            client.sendall(json.dumps(_answer(conversation, request)).encode())
        if data:
            self._clients[descriptor] = (client, text, conversation)
        else:
            del self._clients[descriptor]
            client.close()

    def _exit(self, _: list[str]) -> str:
        self._is_open = False
        self._withdraw()  # before the answer: whoever has it finds nobody here any more
        return ""


def _answer(client: Conversation, request: "Json") -> "Json":
    try:
        name, words = request["method"], [str(word) for word in request["params"]]
        text = client.carry_out(name, words) or ""
        assert isinstance(text, str), "nothing here takes its time"
        return {"id": request["id"], "error": None, "result": client.shown(name, text)}
    except OvnError as fault:
        return {"id": request.get("id"), "error": whole_lines(str(fault)), "result": None}


def detach(program: "Program", options: "Options", words: list[str]) -> int:
    """Start the daemon in the background and print its control socket, once it is ready; raises `OvnError`."""
    if words:
        raise CtlError("non-option arguments not supported with --detach (use --help for help)")
    residence_options = {**options, "--db": address(program, options)}
    _log(program, options)
    readable, writable = os.pipe()
    if os.fork():
        return _await(readable, writable)
    os.close(readable)
    os.setsid()
    gc.enable()
    try:
        residence = Residence(program, residence_options)
        desk = Desk(residence, _control_path(program, options), program.version.partition("\nDB")[0])
        pidfile = _pidfile(program, options)
    except OvnError as fault:
        os.write(writable, f"!{fault}".encode())
        os._exit(1)
    os.write(writable, desk.path.encode())
    os.close(writable)
    _leave_terminal("--no-chdir" in options)
    try:
        desk.serve()
    finally:
        desk.close()
        if pidfile:
            os.unlink(pidfile)
    os._exit(0)


def _await(readable: int, writable: int) -> int:
    """What the parent does: says where the daemon listens, or why there is none."""
    os.close(writable)
    with open(readable, encoding="utf-8", errors="surrogateescape") as pipe:
        text = pipe.read()
    if not text or text.startswith("!"):
        raise CtlError(text[1:] or "the daemon died")
    sys.stdout.write(f"{text}\n")
    return 0


def _log(program: "Program", options: "Options") -> None:
    """Log where and what the options say; raises `OvnError`."""
    vlog.start(program.name)
    for spec in (options["--verbose"] or "").split("\n") if "--verbose" in options else ():
        vlog.apply(spec or "ANY:ANY:DBG")
    vlog.use_syslog(options.get("--syslog-method") or "libc", options.get("--syslog-target"))
    if "--no-syslog" in options:
        vlog.apply("ANY:syslog:off")
    if "--log-file" in options:
        directory = os.environ.get("OVN_LOGDIR") or "/var/log/ovn"
        vlog.open_file(os.path.abspath(options["--log-file"] or f"{directory}/{program.name}.log"))


def _rundir(program: "Program") -> str:
    variable, usual, _ = program.socket
    return os.environ.get(variable) or usual


def _control_path(program: "Program", options: "Options") -> str:
    return options.get("--unixctl") or f"{_rundir(program)}/{program.name}.{os.getpid()}.ctl"


def _pidfile(program: "Program", options: "Options") -> str | None:
    """Write the pidfile that was asked for."""
    if "--pidfile" not in options:
        return None
    from pyovn.runtime.pidfile import lock

    path = options["--pidfile"] or f"{program.name}.pid"
    path = path if "/" in path else f"{_rundir(program)}/{path}"
    lock(path, overwrite="--overwrite-pidfile" in options)
    return path


def _leave_terminal(stay: bool) -> None:
    """Let go of the directory and the terminal; end in good order on SIGTERM."""
    import signal

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if not stay:
        os.chdir("/")
    void = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(void, descriptor)
