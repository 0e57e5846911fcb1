import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pyovn.cli.appctl import main
from pyovn.runtime.commands import Command, CommandFailed
from pyovn.runtime.control import ControlServer


def fail(_: list[str]) -> str:
    raise CommandFailed("it is broken")


COMMANDS = {"say": Command(lambda words: " ".join(words), "WORD...", 0, 9), "fail": Command(fail)}


@pytest.fixture(scope="module")
def control() -> Iterator[Path]:
    """A daemon's control socket."""
    with TemporaryDirectory() as name:
        path = Path(name) / f"daemon.{os.getpid()}.ctl"
        (Path(name) / "daemon.pid").write_text(f"{os.getpid()}\n")
        ready, done = threading.Event(), threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(serve(str(path), ready, done)))
        thread.start()
        ready.wait()
        yield path
        done.set()
        thread.join()


async def serve(path: str, ready: threading.Event, done: threading.Event) -> None:
    async with ControlServer(path, COMMANDS, version="daemon 1.0"):
        ready.set()
        await asyncio.to_thread(done.wait)


def test_an_answer_is_printed(control: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-t", str(control), "say", "hello", "there"]) == 0
    assert capsys.readouterr().out == "hello there\n"


def test_a_daemon_is_found_by_its_name(
    control: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVN_RUNDIR", str(control.parent))
    assert main(["--target=daemon", "version"]) == 0
    assert capsys.readouterr().out == "daemon 1.0\n"


def test_a_refusal_is_status_2(control: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-t", str(control), "fail"]) == 2
    assert capsys.readouterr().err == f"it is broken\novn-appctl: {control}: server returned an error\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "at least one non-option argument is required (use --help for help)"),
        (["-t", "/nonexistent", "version"], 'cannot connect to "/nonexistent" (No such file or directory)'),
        (["-T", "0", "version"], "value 0 on -T or --timeout is invalid"),
        (["--nope"], "unrecognized option '--nope'"),
    ],
)
def test_errors_are_status_1(words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert capsys.readouterr().err == f"ovn-appctl: {complaint}\n"


def test_a_daemon_that_does_not_run_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVN_RUNDIR", str(tmp_path))
    assert main(["-t", "gone", "version"]) == 1
    expected = f'ovn-appctl: cannot read pidfile "{tmp_path}/gone.pid" (No such file or directory)\n'
    assert capsys.readouterr().err == expected
