"""Our ovsdb-client and C's, on the same server: what they print, say and return."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pyovn.cli.ovsdb_client import main
from tests.support.c_programs import need
from tests.support.clusters import eventually
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process, upstream_schema

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]

OURS = (sys.executable, "-c", "import sys; from pyovn.cli.ovsdb_client import main; sys.exit(main())")
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|.*\n", re.MULTILINE)
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")

PLAY: dict[str, Any] = {
    "name": "Play",
    "version": "1.2.3",
    "cksum": "123 456",
    "tables": {
        "A": {
            "columns": {
                "name": {"type": "string"},
                "n": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
                "o": {"type": {"key": {"type": "uuid", "refTable": "B"}, "min": 0, "max": 1}},
                "m": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
                "r": {"type": "real"},
                "b": {"type": "boolean"},
                "e": {"type": "string", "ephemeral": True},
                "w": {
                    "type": {
                        "key": {"type": "uuid", "refTable": "B", "refType": "weak"},
                        "min": 0,
                        "max": "unlimited",
                    }
                },
            },
            "indexes": [["name"]],
            "isRoot": True,
        },
        "B": {
            "columns": {
                "x": {"type": {"key": {"type": "string", "enum": ["set", ["p", "q"]]}}},
                "i": {"type": {"key": {"type": "integer", "minInteger": 0, "maxInteger": 9}}},
            }
        },
    },
}
NEXT = json.loads(json.dumps(PLAY))
NEXT["version"] = "1.3.0"
NEXT["tables"]["A"]["columns"]["new"] = {"type": "string"}
del NEXT["tables"]["A"]["columns"]["e"]

ROWS = (
    {"op": "insert", "table": "B", "uuid-name": "b", "row": {"x": "p", "i": 3}},
    {
        "op": "insert",
        "table": "A",
        "row": {
            "name": "one two",
            "n": ["set", [1, 2, 3]],
            "o": ["named-uuid", "b"],
            "m": ["map", [["k", "v"], ["k2", 'a,b"c']]],
            "r": 1.5,
            "b": True,
            "e": "kept nowhere",
            "w": ["set", [["named-uuid", "b"]]],
        },
    },
    {"op": "insert", "table": "A", "row": {"name": "ü", "n": 7}},
)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with c_server_process(PLAY, upstream_schema("ovn-nb")) as running:
        running.transact("Play", *ROWS)
        yield running


@pytest.fixture(scope="module")
def files() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sc") as name:
        directory = Path(name)
        broken = {**PLAY, "tables": {**PLAY["tables"], "B": {"columns": {"x": {"type": "integer"}}}}}
        for file, schema in (("same", PLAY), ("next", NEXT), ("broken", broken), ("other", {**PLAY, "name": "Zip"})):
            (directory / file).write_text(json.dumps(schema))
        (directory / "empty").touch()
        (directory / "garbage").write_text("garbage\n")
        yield directory


def run(
    program: Sequence[str], words: Sequence[str], directory: Path, stdin: bytes | None = None
) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as file:
        file.write(stdin or b"")
        file.seek(0)
        done = subprocess.run(
            [*program, *words], stdin=file, capture_output=True, timeout=30, check=False, cwd=directory,
            env={**os.environ, "OVS_RUNDIR": "/nowhere"},
        )  # fmt: skip
    return done.returncode, done.stdout.decode(), LOG_LINE.sub("", done.stderr.decode())


def run_here(words: Sequence[str]) -> tuple[int, str, str]:
    """Run ours in this process, which is faster."""
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    old = signal.getsignal(signal.SIGINT)
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            status = main(list(words))
            stdout.flush()
    finally:
        signal.signal(signal.SIGINT, old)
    return status, stdout.buffer.getvalue().decode(), LOG_LINE.sub("", stderr.getvalue())  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def place(files: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with (files / "empty").open() as stdin:
        monkeypatch.chdir(files)
        monkeypatch.setenv("OVS_RUNDIR", "/nowhere")
        monkeypatch.setattr(sys, "stdin", stdin)
        yield


def both(server: RunningServer, files: Path, words: Sequence[str]) -> tuple[Any, Any]:
    words = [word.replace("SERVER", server.remote) for word in words]
    c_program = str(need("ovsdb-client", "26.03"))
    with ThreadPoolExecutor() as pool:
        running = pool.submit(run, [c_program], words, files)
        ours = run(OURS, words, files) if "-t1" in words else run_here(words)
        theirs = running.result()
    theirs = (theirs[0], theirs[1], theirs[2].replace(f"{c_program}: ", "ovsdb-client: "))
    ours = (ours[0], ours[1], ours[2].replace(" (use --help for help)", "") if "option" in ours[2] else ours[2])
    return theirs, ours


LOOKS = [
    [*form, *data, "dump", "SERVER", "Play"]
    for form in (["-f", "table"], ["-f", "list"], ["--format=csv"], ["-fhtml"], ["-f", "json"], [])
    for data in ([], ["-d", "bare"], ["--data=json"])
    if "-fhtml" not in form or "--data=json" not in data
]


@pytest.mark.parametrize(
    "words",
    [
        ["list-dbs", "SERVER"],
        ["get-schema", "SERVER", "Play"],
        ["--pretty", "get-schema", "SERVER", "Play"],
        ["get-schema", "SERVER", "OVN_Northbound"],
        ["get-schema", "SERVER", "_Server"],
        ["get-schema-version", "SERVER", "Play"],
        ["get-schema-cksum", "SERVER", "Play"],
        *LOOKS,
        ["--bare", "dump", "SERVER", "Play"],
        ["--no-headings", "dump", "SERVER", "Play"],
        ["--pretty", "-f", "json", "dump", "SERVER", "Play"],
        ["dump", "SERVER", "Play", "A"],
        ["dump", "SERVER", "Play", "A", "r", "name", "-f", "csv"],
        ["dump", "SERVER", "Play", "A", "n", "name"],
        ["dump", "SERVER", "Play", "A", "_uuid"],
        ["dump", "SERVER", "OVN_Northbound"],
        ["dump", "SERVER", "Play", "Z"],
        ["dump", "SERVER", "Play", "A", "zz"],
        ["dump", "SERVER"],
        ["dump", "SERVER", "Zip"],
        ["transact", "SERVER", '["Play",{"op":"select","table":"A","where":[],"columns":["name","m","w"]}]'],
        ["--pretty", "transact", "SERVER", '["Play",{"op":"select","table":"A","where":[]}]'],
        ["transact", "SERVER", '["Play",{"op":"insert","table":"Nope","row":{}}]'],
        ["transact", "SERVER", '["Nope"]'],
        ["transact", "SERVER", "xx"],
        ["transact", "SERVER", "{}"],
        ["transact", "SERVER", "[]"],
        ["transact", "SERVER", "[1]"],
        ["transact", "SERVER"],
        ["transact"],
        ["query", "SERVER", '["Play",{"op":"select","table":"A","where":[],"columns":["name"]}]'],
        ["query", "SERVER", '["Play",{"op":"delete","table":"A","where":[]}]'],
        ["query", "SERVER", '["Play",{"op":"comment","comment":"x"},{"op":"abort"}]'],
        ["needs-conversion", "SERVER", "same"],
        ["needs-conversion", "SERVER", "next"],
        ["needs-conversion", "SERVER", "none"],
        ["convert", "SERVER", "none"],
        ["convert", "SERVER", "garbage"],
        ["convert", "SERVER"],
        ["restore", "SERVER", "Play"],
        ["backup", "SERVER", "Zip"],
        ["wait", "SERVER", "Play", "connected"],
        ["wait", "SERVER", "Play", "added"],
        ["wait", "SERVER", "Zip", "removed"],
        ["wait", "SERVER", "Zip", "strange"],
        ["wait", "SERVER", "Zip"],
        ["-t1", "wait", "SERVER", "Zip", "added"],
        ["lock", "SERVER"],
        ["list-dbs"],
        ["list-dbs", "unix:/nope"],
        ["list-dbs", "foo:/nope"],
        ["list-dbs", "tcp:127.0.0.1:1"],
        ["list-dbs", "unix:/nope,unix:/nope2"],
        ["list-dbs", "SERVER", "a", "b"],
        ["list-tables", "SERVER", "Play", "x"],
        ["dump", "Play"],
        ["-t", "x", "list-dbs", "SERVER"],
        ["-t0", "list-dbs", "SERVER"],
        ["-f", "xml", "dump", "SERVER", "Play"],
        ["-d", "xml", "dump", "SERVER", "Play"],
        ["--timeout"],
        ["--zip"],
        [],
        ["nope"],
        ["-t1", "monitor", "SERVER", "Play", "ALL"],
        ["-t1", "--timestamp", "monitor", "SERVER", "Play", "ALL"],
        ["monitor", "SERVER", "Play", "A", "zz"],
        ["monitor", "SERVER", "Play", "Z"],
        ["monitor", "SERVER", "Play", "A", "name", "name"],
        ["monitor", "SERVER", "Play"],
        ["monitor-cond", "SERVER", "Play", "zz", "A"],
        ["monitor-cond-since", "SERVER", "Play", "[]", "Z"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_says_what_c_says(server, files, words):
    theirs, ours = both(server, files, words)
    if "--timestamp" in words:
        theirs, ours = (tuple(TIME.sub("TIME", str(part)) for part in each) for each in (theirs, ours))
    if "monitor" in words:  # rows come in any order
        theirs, ours = ((each[0], sorted(each[1].splitlines()), each[2]) for each in (theirs, ours))
    assert ours == theirs


@pytest.mark.parametrize(
    "words", [["list-tables"], ["list-columns"], ["-f", "csv", "list-columns"], ["-fjson", "list-tables"]]
)
@pytest.mark.parametrize("rest", [["SERVER", "Play"], ["SERVER", "OVN_Northbound"]])
def test_lists_what_c_lists_sorted(server, files, words, rest):
    theirs, ours = both(server, files, [*words, *rest])
    assert (ours[0], sorted(ours[1].strip()), ours[2]) == (theirs[0], sorted(theirs[1].strip()), theirs[2])


CHANGES = (
    [{"op": "insert", "table": "A", "row": {"name": "new"}}],
    [{"op": "update", "table": "A", "where": [["name", "==", "new"]], "row": {"r": 2.5, "n": ["set", [5, 6]]}}],
    [{"op": "mutate", "table": "A", "where": [["name", "==", "new"]], "mutations": [["n", "delete", 5]]}],
    [{"op": "delete", "table": "A", "where": [["name", "==", "new"]]}],
)


@pytest.mark.parametrize(
    "words",
    [
        ["monitor", "A"],
        ["monitor", "A", "name,r", "n"],
        ["monitor", "A", "name,!initial", "n,!modify"],
        ["monitor", "A", "!insert,!delete"],
        ["monitor", "ALL"],
        ["-f", "list", "monitor", "A", "name", "r"],
        ["-f", "csv", "monitor", "A", "name", "r", "o"],
        ["-f", "json", "monitor", "A", "name", "n", "o"],
        ["-f", "html", "monitor", "A"],
        ["--no-headings", "monitor", "A", "name"],
        ["--timestamp", "monitor", "A", "name"],
        ["-f", "json", "--timestamp", "monitor", "A", "name"],
        ["monitor-cond", '[["name","!=","old"]]', "A", "name,r"],
        ["monitor-cond", "[]", "A"],
        ["monitor-cond-since", "[]", "A", "name,n"],
        ["monitor-cond-since", "00000000-0000-4000-8000-000000000000", "[]", "A", "name,!modify"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_monitors_as_c_does(words):
    with c_server_process(PLAY) as server:
        server.transact("Play", ROWS[0], ROWS[1])
        at = next(place for place, word in enumerate(words) if word.startswith("monitor"))
        words = [*words[: at + 1], server.remote, "Play", *words[at + 1 :]]
        with tempfile.TemporaryDirectory() as place:
            programs = ([str(need("ovsdb-client", "26.03"))], OURS)
            outputs = [Path(place) / "theirs", Path(place) / "ours"]
            watchers = []
            for program, output in zip(programs, outputs, strict=True):
                with output.open("wb") as file:
                    watchers.append(subprocess.Popen([*program, *words], stdout=file, stderr=subprocess.DEVNULL))
            settle(outputs, [0, 0])
            for operations in CHANGES:
                sizes = [output.stat().st_size for output in outputs]
                server.transact("Play", *operations)
                settle(outputs, sizes)
            for watcher in watchers:
                watcher.send_signal(signal.SIGTERM)
                watcher.wait()
            theirs, ours = (TIME.sub("TIME", output.read_text()) for output in outputs)
        assert ours == theirs
        assert len(theirs) > 100


def settle(outputs: Sequence[Path], sizes: Sequence[int]) -> None:
    """Wait until both have printed more, the same number of lines; some changes are not to be seen."""

    def level() -> bool:
        one, two = (output.read_text().count("\n") for output in outputs)
        grown = [output.stat().st_size > size for output, size in zip(outputs, sizes, strict=True)]
        return one == two and (all(grown) or (not any(grown) and time.monotonic() > deadline))

    deadline = time.monotonic() + (0.2 if any(sizes) else 10)
    eventually(level)


def test_backups_of_ours_are_restored_by_c_and_the_other_way_round(server, files):
    c_program = str(need("ovsdb-client", "26.03"))
    with server_process(PLAY) as mine, c_server_process(PLAY) as yours:
        for program, other, target in ((OURS, [c_program], yours), ([c_program], OURS, mine)):
            taken = run(program, ["backup", server.remote, "Play"], files)
            assert (taken[0], taken[2]) == (0, "")
            assert run(other, ["restore", target.remote, "Play"], files, taken[1].encode()) == (0, "", "")
            words = ["dump", target.remote, "Play", "A", "name", "n", "m", "r", "b", "e"]
            found = run(program, words, files)[1]
            assert "one two" in found
            assert "kept nowhere" not in found
            assert run(other, words, files)[1] == found


def test_a_backup_of_another_version_is_restored_only_by_force(server, files):
    backup = run(OURS, ["backup", server.remote, "Play"], files)[1].encode()
    c_program = str(need("ovsdb-client", "26.03"))
    with c_server_process(NEXT) as target:
        said = [run(program, ["restore", target.remote, "Play"], files, backup) for program in ([c_program], OURS)]
        assert said[0] == said[1]
        assert run(OURS, ["--force", "restore", target.remote, "Play"], files, backup) == (0, "", "")
        assert len(target.transact("Play", {"op": "select", "table": "A", "where": []})[0]["rows"]) == 2


@pytest.mark.parametrize("kind", [server_process, c_server_process])
def test_converts_and_tells_those_who_monitor(files, kind):
    with kind(PLAY) as server:
        server.transact("Play", *ROWS)
        watcher = subprocess.Popen(
            [*OURS, "monitor", server.remote, "A", "name"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert watcher.stdout is not None
        for _ in range(4):
            watcher.stdout.readline()
        assert run(OURS, ["convert", server.remote, "next"], files) == (0, "", "")
        assert run(OURS, ["get-schema-version", server.remote], files) == (0, "1.3.0\n", "")
        watcher.stdout.read()
        _, said = watcher.communicate()
        assert (watcher.returncode, said) == (1, f"ovsdb-client: {server.remote}: Play database was removed\n")


def test_locks_change_hands(files):
    with c_server_process(PLAY) as server, Rpc(server.path) as owner:
        owner.call("lock", "L")
        asking = subprocess.Popen([*OURS, "lock", server.remote, "L"], stdout=subprocess.PIPE, text=True)
        assert asking.stdout is not None
        assert asking.stdout.readline() == '{"locked":false}\n'
        owner.call("unlock", "L")
        assert [asking.stdout.readline() for _ in range(2)] == ["locked\n", '["L"]\n']
        owner.call("steal", "L")
        assert [asking.stdout.readline() for _ in range(2)] == ["stolen\n", '["L"]\n']
        server.kill()
        asking.stdout.close()
        assert asking.wait() == 1


def test_detaches_after_the_first_contents(files):
    with c_server_process(PLAY) as server, tempfile.TemporaryDirectory(prefix="oc") as name:
        server.transact("Play", *ROWS)
        words = ["--detach", "--pidfile", "-f", "csv", "monitor", server.remote, "A", "name"]
        done = subprocess.run(
            [*OURS, *words], capture_output=True, text=True, timeout=20, check=False,
            env={**os.environ, "OVS_RUNDIR": name},
        )  # fmt: skip
        assert (done.returncode, done.stderr, done.stdout.splitlines()[0]) == (0, "", "row,action,name")
        pidfile = Path(name) / "ovsdb-client.pid"
        os.kill(int(pidfile.read_text()), signal.SIGTERM)
        eventually(lambda: not pidfile.exists())
