import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyovn.runtime import logging as vlog
from pyovn.runtime.clock import ManualClock
from pyovn.runtime.log_lines import Renderer, Stamped

log = vlog.module("trial")


@pytest.fixture(autouse=True)
def started() -> Iterator[None]:
    """Logging as a daemon has it, but not to this machine's syslog."""
    vlog.start("demo")
    vlog.use_syslog("null")
    yield
    vlog.stop()


def test_a_line_in_the_file_is_as_open_vswitch_writes_it(tmp_path: Path) -> None:
    vlog.open_file(str(tmp_path / "log"))
    log.warning("port %s", "p1")
    line = (tmp_path / "log").read_text().splitlines()[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|\d{5}\|trial\|WARN\|port p1", line)


def test_a_line_on_the_console_has_no_milliseconds(capsys: pytest.CaptureFixture[str]) -> None:
    log.error("x")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|\d{5}\|trial\|ERR\|x\n", capsys.readouterr().err)


def test_lines_are_numbered_one_by_one(tmp_path: Path) -> None:
    vlog.open_file(str(tmp_path / "log"))
    for _ in range(3):
        log.info("x")
    log.debug("not counted, as nobody sees it")
    log.info("x")
    numbers = [int(line.split("|")[1]) for line in (tmp_path / "log").read_text().splitlines()[1:]]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


def test_each_destination_has_its_own_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vlog.open_file(str(tmp_path / "log"))
    vlog.apply("trial:console:off")
    vlog.apply("file,trial:dbg")
    log.debug("fine")
    log.critical("worst")
    assert capsys.readouterr().err.count("trial") == 0
    assert [line.split("|", 3)[2] for line in (tmp_path / "log").read_text().splitlines()[-2:]] == ["trial"] * 2
    assert "|EMER|worst" in (tmp_path / "log").read_text()


def test_settings_for_all_hold_for_modules_that_come_later(capsys: pytest.CaptureFixture[str]) -> None:
    vlog.apply("ANY:console:err")
    vlog.module("latecomer").warning("x")
    vlog.module("latecomer").error("y")
    assert [line.rpartition("|")[2] for line in capsys.readouterr().err.splitlines()] == ["y"]


def test_loggers_that_are_no_modules_are_heard_too(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("pyovn.some.place").info("x")
    vlog.apply("ANY:ANY:dbg")
    logging.getLogger("pyovn.some.place").debug("y")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("|", 2)[2] for line in lines] == ["some_place|INFO|x", "some_place|DBG|y"]


def test_patterns_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    vlog.apply("PATTERN:console:%A %-6p|%m%%")
    log.info("x")
    assert capsys.readouterr().err == "demo INFO  |x%\n"
    vlog.apply("PATTERN:ANY:%m")
    assert "FILE     none                              %m" in vlog.patterns()


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("foo", 'no destination, level, or module "foo"'),
        ("dbg:foo:bar", 'no destination, level, or module "foo"'),
        ("PATTERN", "missing destination"),
        ("PATTERN:xx:%m", 'unknown destination "xx"'),
        ("PATTERN:file", "missing pattern"),
        ("FACILITY:foo", "invalid facility"),
    ],
)
def test_settings_that_make_no_sense_are_refused(spec: str, text: str) -> None:
    with pytest.raises(vlog.LoggingFault) as refused:
        vlog.apply(spec)
    assert str(refused.value) == text


def test_modules_that_only_the_c_programs_have_are_passed_over() -> None:
    vlog.apply("jsonrpc:file:dbg")


def test_levels_are_listed() -> None:
    vlog.apply("trial:file:dbg")
    vlog.limit_rates(["trial"], limited=False)
    header, dashes, *lines = vlog.listing().splitlines()
    assert (header, dashes) == (
        "                 console    syslog    file",
        "                 -------    ------    ------",
    )
    assert "trial             INFO       INFO        DBG    (rate limiting disabled)" in lines


def test_the_file_can_be_moved_away_and_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    vlog.open_file(str(path))
    path.rename(tmp_path / "old")
    vlog.reopen()
    log.info("new")
    assert "closing log file" in (tmp_path / "old").read_text()
    assert "|new" in path.read_text()
    vlog.close_file()
    log.info("nowhere")
    assert "nowhere" not in path.read_text()


def test_a_file_that_cannot_be_opened_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(vlog.LoggingFault, match="failed to open /nowhere/log for logging: No such file"):
        vlog.open_file("/nowhere/log")
    assert "|vlog|WARN|failed to open /nowhere/log" in capsys.readouterr().err


def test_exceptions_come_with_their_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        log.exception("failed")
    text = capsys.readouterr().err
    assert "|trial|ERR|failed\nTraceback" in text
    assert "ValueError: odd" in text


@pytest.mark.parametrize("form", ["unix", "udp"])
def test_syslog_gets_datagrams(form: str, tmp_path: Path) -> None:
    family = socket.AF_UNIX if form == "unix" else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(5)
        receiver.bind(str(tmp_path / "s") if form == "unix" else ("127.0.0.1", 0))
        name = receiver.getsockname()
        target = None if form == "unix" else f"127.0.0.1:{name[1]}"
        vlog.use_syslog(f"unix:{name}" if form == "unix" else "null", target)
        vlog.apply("FACILITY:local0")
        log.warning("x")
        assert re.fullmatch(rb"<132>demo: ovs\|\d{5}\|trial\|WARN\|x", receiver.recv(1000))
        vlog.apply("FACILITY:daemon")


def test_methods_of_reaching_syslog_that_make_no_sense_are_refused() -> None:
    for method in ("pigeon", "udp:nowhere"):
        with pytest.raises(vlog.LoggingFault):
            vlog.use_syslog(method)


def test_too_many_messages_are_counted_instead(capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock()
    limited = vlog.Limited(log, per_minute=60, burst=2, clock=clock)
    for _ in range(5):
        limited.warning("x")
        clock.advance(0.1)
    clock.advance(2)
    limited.warning("y")
    lines = [line.rpartition("|")[2] for line in capsys.readouterr().err.splitlines()]
    text = "Dropped 3 log messages in last 2 seconds (most recently, 2 seconds ago) due to excessive rate"
    assert lines == ["x", "x", text, "y"]


def test_limits_can_be_lifted(capsys: pytest.CaptureFixture[str]) -> None:
    limited = vlog.Limited(log, burst=1, clock=ManualClock())
    vlog.limit_rates([], limited=False)
    for write in (limited.error, limited.warning, limited.info, limited.debug):
        write("x")
    assert len(capsys.readouterr().err.splitlines()) == 3
    vlog.limit_rates(["trial"], limited=True)
    with pytest.raises(vlog.LoggingFault, match='unknown module "foo"'):
        vlog.limit_rates(["foo"], limited=True)


def test_every_conversion_of_a_pattern() -> None:
    record = logging.LogRecord("pyovn.trial", logging.INFO, "", 0, "text", None, None)
    record.created, record.threadName = 0.25, "helper"
    render = Renderer("%D{%H:%M:%S.###} %c%T %t %p %06N %m %B %A%n%Q %-4P%E%r%d{x}")
    line = render(Stamped(record, "trial", 7, "demo", "daemon"))
    assert line.startswith("00:00:00.250 trial(helper) helper INFO 000007 text 30 demo\n%Q ")


def test_until_it_is_started_records_go_where_the_standard_library_sends_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    vlog.stop()
    with caplog.at_level(logging.INFO):
        log.info("seen by others")
    assert "seen by others" in caplog.text
