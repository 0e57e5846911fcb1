"""Daemons as processes: a small one of our own is started in every way that users start them."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyovn.runtime.daemon import Daemon, Program, arguments, directory, tls
from pyovn.runtime.options import Option, UsageFault
from tests.support.c_programs import need

DEMO = """
import asyncio, os, sys
from pyovn.runtime.commands import Command
from pyovn.runtime.daemon import Daemon, DaemonFault, Program, main
from pyovn.runtime.logging import module
from pyovn.runtime.options import Option

async def body(daemon):
    async with daemon.control({"pwd": Command(lambda _: os.getcwd())}):
        match daemon.arguments.text("mood"):
            case "refusing":
                raise DaemonFault("I would rather not")
            case "dying":
                os.abort()
        daemon.ready()
        module("demo").info("up")
        if daemon.arguments.text("mood") == "failing":
            raise ZeroDivisionError("odd")
        await asyncio.Event().wait()

OPTIONS = (Option("mood", argument="MOOD", doc="what to be like"),)
sys.exit(main(Program("demo", "a small daemon", "demo (pyovn) 0.1", OPTIONS), None, body))
"""


class Demo:
    """The demo daemon in a run directory of its own."""

    def __init__(self, rundir: Path) -> None:
        self.rundir = rundir
        self.script = rundir / "demo.py"
        self.script.write_text(DEMO)
        self.environment = {**os.environ, "OVN_RUNDIR": str(rundir), "OVN_LOGDIR": str(rundir)}

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, self.script, "-vsyslog:off", *options]
        return subprocess.run(
            command, env=self.environment, cwd=self.rundir, capture_output=True, text=True, timeout=20
        )

    @property
    def pid(self) -> int | None:
        path = self.rundir / "demo.pid"
        return int(path.read_text()) if path.exists() else None

    @property
    def log(self) -> str:
        return (self.rundir / "demo.log").read_text()

    def appctl(self, *command: str) -> str:
        """What the C client gets; `-t demo` finds the socket by way of the pidfile."""
        environment = {**self.environment, "OVS_RUNDIR": str(self.rundir)}
        return subprocess.run(
            [need("ovs-appctl"), "-t", "demo", *command], env=environment, check=True, capture_output=True, text=True
        ).stdout


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="ov") as rundir:
        running = Demo(Path(rundir))
        yield running
        if running.pid is not None and is_alive(running.pid):
            os.kill(running.pid, signal.SIGTERM)
            until(lambda: running.pid is None)


def test_the_process_that_the_user_started_exits_when_the_daemon_is_up(demo: Demo) -> None:
    done = demo.run("--detach", "--pidfile", "--log-file")
    assert (done.returncode, done.stderr.count("|up")) == (0, 0)
    pid = demo.pid
    assert pid is not None
    assert is_alive(pid)
    assert "|demo|INFO|up" in demo.log
    assert (demo.rundir / f"demo.{pid}.ctl").exists()
    os.kill(pid, signal.SIGTERM)
    until(lambda: not is_alive(pid))
    assert sorted(path.name for path in demo.rundir.iterdir()) == ["demo.log", "demo.py"]


def test_a_daemon_that_does_not_come_up_fails_for_the_user_to_see(demo: Demo) -> None:
    done = demo.run("--detach", "--pidfile", "--mood=refusing")
    assert (done.returncode, "demo: I would rather not" in done.stderr) == (1, True)
    done = demo.run("--detach", "--mood=dying")
    assert (done.returncode, "demo: could not start: killed by SIGABRT" in done.stderr) == (1, True)


def test_a_second_daemon_with_the_same_pidfile_does_not_start(demo: Demo) -> None:
    demo.run("--detach", "--pidfile")
    done = demo.run("--detach", "--pidfile")
    assert (done.returncode, f"demo.pid: already running as pid {demo.pid}, aborting" in done.stderr) == (1, True)


def test_a_daemon_that_is_killed_is_not_restarted_and_one_that_crashes_is(demo: Demo) -> None:
    demo.run("--detach", "--monitor", "--pidfile", "--log-file")
    daemon = demo.pid
    assert daemon is not None
    monitor = int(Path(f"/proc/{daemon}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(daemon, signal.SIGSEGV)
    until(lambda: f"demo: process {daemon} died (SIGSEGV), restarting" in demo.log)
    assert is_alive(monitor)
    os.kill(monitor, signal.SIGTERM)
    until(lambda: not is_alive(monitor))
    demo.run("--detach", "--monitor", "--pidfile", "--log-file")
    daemon = demo.pid
    assert daemon is not None
    os.kill(daemon, signal.SIGTERM)
    until(lambda: demo.pid is None)


def test_signals_to_the_monitor_end_the_daemon(demo: Demo) -> None:
    demo.run("--detach", "--monitor", "--pidfile")
    daemon = demo.pid
    assert daemon is not None
    monitor = int(Path(f"/proc/{daemon}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(monitor, signal.SIGTERM)
    until(lambda: not is_alive(daemon) and not is_alive(monitor))


def test_what_nobody_expected_is_logged_with_its_traceback(demo: Demo) -> None:
    done = demo.run("--log-file=demo.log", "-vconsole:off", "--mood=failing")
    assert done.returncode == 70
    assert re.search(r"\|daemon\|EMER\|demo failed\nTraceback(.|\n)*ZeroDivisionError: odd", demo.log)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--help"], "demo: a small daemon\nusage: demo [OPTIONS]\n\nOptions:\n  --mood=MOOD"),
        (["--version"], "demo (pyovn) 0.1\n"),
        (["--options"], "--mood=MOOD\n--detach\n"),
    ],
)
def test_questions_are_answered(demo: Demo, options: list[str], text: str) -> None:
    done = demo.run(*options)
    assert done.returncode == 0
    assert done.stdout.startswith(text)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--nosuch"], "demo: unrecognized option '--nosuch' (use --help for help)"),
        (["word"], "demo: too many arguments: word (use --help for help)"),
        (["-vfoo"], 'demo: no destination, level, or module "foo"'),
        (["--user=nobody-of-this-name"], "demo: cannot become user nobody-of-this-name"),
        (["--pidfile=/nowhere/x.pid"], "demo: /nowhere/x.pid.tmp: create failed (No such file or directory)"),
        (["--unixctl=/nowhere/x.ctl"], "demo: punix:/nowhere/x.ctl: listen failed (No such file or directory)"),
    ],
)
def test_what_is_wrong_with_a_command_line_is_said(demo: Demo, options: list[str], text: str) -> None:
    done = demo.run(*options)
    assert done.returncode == 1
    assert text in done.stderr


@pytest.mark.interop
def test_the_c_client_finds_a_daemon_by_its_name(demo: Demo) -> None:
    demo.run("--detach", "--pidfile", "--no-chdir")
    assert demo.appctl("version").strip() == "demo (pyovn) 0.1"
    assert demo.appctl("pwd").strip() == str(demo.rundir)
    assert "peak-rss-kB" in demo.appctl("memory/show")
    pid = demo.pid
    assert pid is not None
    demo.appctl("exit")
    until(lambda: not is_alive(pid))


PROGRAM = Program("demo", "", "", (Option("n", "n", argument="NAME"), Option("user", "u")), "[WORD]", 1)


def test_options_of_a_program_come_before_those_of_all() -> None:
    assert [option.usage for option in PROGRAM.all_options if option.name in ("user", "unixctl")] == [
        "-u, --user",
        "--unixctl=SOCKET",
    ]
    assert arguments(PROGRAM, ["word"]).words == ["word"]
    with pytest.raises(UsageFault, match="too many arguments: b c"):
        arguments(PROGRAM, ["a", "b", "c"])


def test_tls_settings_come_from_the_command_line() -> None:
    found = tls(arguments(PROGRAM, ["-p", "k", "-c", "c", "--bootstrap-ca-cert=a"]))
    assert (found.private_key, found.certificate, found.bootstrap_ca_cert) == ("k", "c", "a")


def test_directories_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVN_RUNDIR", "/here")
    monkeypatch.delenv("OVS_LOGDIR", raising=False)
    assert (directory("OVN_RUNDIR"), directory("OVS_LOGDIR")) == (Path("/here"), Path("/var/log/openvswitch"))
    daemon = Daemon(PROGRAM, arguments(PROGRAM, ["--unixctl=none"]))
    assert (daemon.control({}).path, daemon.stopping) == ("", False)
