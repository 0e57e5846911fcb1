"""Our ovsdb-tool and C's: each says the same about the same files, and reads what the other wrote."""

import contextlib
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyovn.cli.ovsdb_tool import main
from tests.interop.test_ovsdb_client import LOG_LINE, NEXT, PLAY, ROWS
from tests.support.c_programs import need

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\([0-9a-f]{8}\)|row [0-9a-f]{8}")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")
Outcome = tuple[int, str, str]
Runner = Callable[..., Outcome]

SELECT = {"op": "select", "table": "A", "where": [["b", "==", True]], "columns": ["name", "n", "m", "r", "b", "e"]}
HISTORY: tuple[tuple[Any, ...], ...] = (
    (*ROWS, {"op": "comment", "comment": "hello\nworld"}),
    ({"op": "update", "table": "A", "where": [["name", "==", "ü"]], "row": {"n": ["set", [1, 9]], "name": "three"}},),
    ({"op": "insert", "table": "A", "row": {"name": "x"}},),
    ({"op": "delete", "table": "A", "where": [["name", "==", "x"]]},),
)


def ours(*words: str) -> Outcome:
    stdout, stderr = io.StringIO(), io.StringIO()
    old = signal.getsignal(signal.SIGINT)
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            status = main(list(words))
    finally:
        signal.signal(signal.SIGINT, old)
    return status, stdout.getvalue(), LOG_LINE.sub("", stderr.getvalue())


def theirs(*words: str, version: str = "26.03") -> Outcome:
    program = str(need("ovsdb-tool", version))
    done = subprocess.run([program, *words], capture_output=True, timeout=20, check=False)
    return done.returncode, done.stdout.decode(), LOG_LINE.sub("", done.stderr.decode()).replace(program, "ovsdb-tool")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OVS_DBDIR", "/nowhere")
    bad = json.loads(json.dumps(PLAY))
    bad["tables"]["B"]["columns"]["i"]["type"]["key"]["maxInteger"] = 2
    schemas = {"play": PLAY, "next": NEXT, "bad": bad, "other": {**PLAY, "name": "Zip"}}
    for name, schema in schemas.items():
        Path(name).write_text(json.dumps(schema))
    Path("garbage").write_text("garbage\n")
    Path("empty").touch()
    return


def history(tool: Runner, file: str) -> None:
    """Make a database that has been through something."""
    assert tool("create", file, "play") == (0, "", "")
    for operations in HISTORY:
        assert tool("transact", file, json.dumps(["Play", *operations]))[::2] == (0, "")


def blurred(outcome: Outcome) -> tuple[int, list[str], str]:
    """Without UUIDs and times; lines in order, because rows are in none."""
    status, stdout, stderr = outcome
    return status, sorted(UUID.sub("UUID", TIME.sub("TIME", stdout)).splitlines()), stderr


UNREADABLE = ("none", "garbage", "empty")
QUESTIONS = [
    ["query", "FILE", json.dumps(["Play", SELECT])],
    ["query", "FILE", json.dumps(["Play", {"op": "select", "table": "Z", "where": []}])],
    ["query", "FILE", '["Nope"]'],
    ["query", "FILE", "{}"],
    ["query", "FILE", "zz"],
    ["show-log", "FILE"],
    ["-m", "show-log", "FILE"],
    ["show-log", "FILE", "-mm"],
    ["-m", "-m", "-m", "show-log", "FILE"],
    *([name, "FILE"] for name in ("db-name", "db-version", "db-cksum", "db-is-standalone", "db-is-clustered")),
    *([name, "FILE"] for name in ("db-cid", "db-sid", "db-local-address")),
    ["needs-conversion", "FILE", "play"],
    ["needs-conversion", "FILE", "next"],
]


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
@pytest.mark.parametrize("author", [ours, theirs], ids=["our file", "their file"])
def test_sees_in_a_file_what_c_sees(author, words):
    history(author, "db")
    words = [word.replace("FILE", "db") for word in words]
    assert blurred(ours(*words)) == blurred(theirs(*words))


@pytest.mark.parametrize(
    "words",
    [
        *([name, file] for name in ("db-name", "db-is-clustered", "show-log", "db-cid") for file in UNREADABLE),
        *([name, file] for name in ("schema-name", "schema-version", "schema-cksum") for file in ("play", *UNREADABLE)),
        ["query", "none", '["Play"]'],
        ["transact", "none", '["Play"]'],
        ["create", "db", "none"],
        ["create", "play", "play"],
        ["create", "db", "garbage"],
        ["create", "a", "b", "c"],
        ["transact"],
        ["transact", "a", "b", "c"],
        ["join-cluster", "a"],
        ["compare-versions", "1"],
        *(["compare-versions", *text.split()] for text in (
            "1.2.3 < 1.3.0", "1.2.3 == 1.2.3", "1.2 < 1.2.3", "1.2.3 >= 1.10.0", "1.2.3 ~ 1.2.3", "1.2.3 != 1.2.3",
        )),
        [],
        ["nope"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_says_what_c_says(words):
    assert ours(*words) == theirs(*words)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "insert", "table": "Zip", "row": {"name": "x"}},
        {"op": "wait", "table": "B", "timeout": 0, "where": [], "columns": ["i"], "until": "!=", "rows": []},
        {"op": "wait", "table": "B", "where": [], "columns": ["i"], "until": "!=", "rows": []},
        {"op": "assert", "lock": "x"},
        {"op": "abort"},
        {"op": "commit", "durable": True},
        {"op": "insert", "table": "A", "row": {"name": "one two"}},
    ],
    ids=str,
)
def test_answers_transactions_as_c_does(operation):
    history(theirs, "one")
    history(theirs, "two")
    transaction = json.dumps(["Play", operation])
    assert blurred(ours("transact", "one", transaction)) == blurred(theirs("transact", "two", transaction))


@pytest.mark.parametrize(("writer", "reader"), [(ours, theirs), (theirs, ours)], ids=["C reads ours", "we read C's"])
@pytest.mark.parametrize(
    "words", [["compact", "db"], ["compact", "db", "new"], ["convert", "db", "next"], ["convert", "db", "next", "new"],
              ["convert", "db", "other"]], ids=" ".join,
)  # fmt: skip
def test_rewrites_files(writer, reader, words):
    history(reader, "db")
    name, question = (
        ("Zip" if "other" in words else "Play"),
        {**SELECT, "where": [], "columns": ["name", "n", "m", "r", "b"]},
    )
    before = json.loads(reader("query", "db", json.dumps(["Play", question]))[1])[0]["rows"]
    assert writer(*words) == (0, "", "")
    file = "new" if "new" in words else "db"
    after = json.loads(reader("query", file, json.dumps([name, question]))[1])[0]["rows"]
    assert sorted(map(str, after)) == sorted(map(str, before))
    assert len(reader("show-log", file)[1].strip().splitlines()) == 3
    assert reader("db-version", file)[1] == ("1.3.0\n" if "next" in words else "1.2.3\n")


def test_does_not_convert_to_a_schema_that_the_rows_do_not_fit():
    history(ours, "db")
    assert ours("convert", "db", "bad") == theirs("convert", "db", "bad")
    assert ours("db-version", "db")[1] == "1.2.3\n"


def test_debians_tool_reads_what_ours_writes_and_the_other_way_round():
    def debians(*words: str) -> Outcome:
        return theirs(*words, version="23.03")

    for writer, reader, file in ((ours, debians, "one"), (debians, ours, "two")):
        history(writer, file)
        question = ("query", file, json.dumps(["Play", SELECT]))
        assert blurred(reader(*question)) == blurred(writer(*question))


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_refuses_damaged_files_and_leaves_them_alone(cut):
    history(theirs, "whole")
    data = Path("whole").read_bytes()[:-cut]
    for words in (["show-log"], ["query"], ["transact"], ["compact"]):
        Path("db").write_bytes(data)
        words = [
            *words,
            "db",
            *(['["Play",{"op":"comment","comment":"x"}]'] if words[0] in ("query", "transact") else []),
        ]
        assert ours(*words) == theirs(*words)
        assert Path("db").read_bytes() == data


LOCKER = """
import fcntl, time
file = open(".db.~lock~", "r+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(20)
"""


def test_keeps_away_from_files_in_use():
    history(ours, "db")
    with subprocess.Popen([sys.executable, "-c", LOCKER], stdout=subprocess.PIPE) as locker:
        assert locker.stdout is not None
        locker.stdout.readline()
        for words in (["transact", "db", '["Play"]'], ["compact", "db"], ["convert", "db", "next"]):
            assert ours(*words) == theirs(*words)
        assert ours("query", "db", '["Play"]') == (0, "[]\n", "")
        locker.kill()


def test_recognizes_cluster_members():
    assert theirs("create-cluster", "db", "play", "tcp:127.0.0.1:9999") == (0, "", "")
    for words in (["db-name"], ["db-cid"], ["db-sid"], ["db-local-address"], ["db-is-clustered"], ["db-is-standalone"],
                  ["db-version"], ["compact"], ["query"], ["transact"], ["needs-conversion"]):  # fmt: skip
        more = {"query": ['["Play"]'], "transact": ['["Play"]'], "needs-conversion": ["play"]}.get(words[0], [])
        assert ours(*words, "db", *more) == theirs(*words, "db", *more)
    status, _, said = ours("create-cluster", "new", "play", "tcp:127.0.0.1:9998")
    assert status == 1
    assert "not supported" in said
