"""Active-backup pairs of servers, ours and C's in either role."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from tests.ovsdb.server.engine import delete, insert, named, select, update
from tests.support.c_programs import need
from tests.support.clusters import eventually
from tests.support.rich_schema import RICH
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process

Json = Any
Start = Callable[..., AbstractContextManager[RunningServer]]
OURS_OR_C = [
    pytest.param((server_process, server_process), id="ours follows ours"),
    pytest.param((c_server_process, server_process), id="ours follows C", marks=pytest.mark.interop),
    pytest.param((server_process, c_server_process), id="C follows ours", marks=pytest.mark.interop),
]


def names(server: RunningServer) -> set[str]:
    (found,) = server.transact("Rich", select("Root", columns=["name"]))
    return {row["name"] for row in found["rows"]}


def kids(server: RunningServer) -> int:
    return len(server.transact("Rich", select("Kid"))[0]["rows"])


def control(server: RunningServer, command: str, *words: str) -> str:
    with eventually(lambda: Rpc(server.control)) as rpc:  # it may be a moment later than the databases
        answer = rpc.call(f"ovsdb-server/{command}", *words)
    return str(answer["result"] if answer.get("error") is None else answer["error"])


@pytest.fixture(params=OURS_OR_C)
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[RunningServer, RunningServer]]:
    active, backup = request.param
    with active(RICH) as one, backup(RICH) as other:
        one.transact("Rich", insert(name="a", kid=named("k")), insert("Kid", "k"))
        other.transact("Rich", insert(name="stale"))
        other.kill(signal.SIGTERM)
        other.start(f"--sync-from={one.remote}")
        eventually(lambda: names(other) == {"a"})
        yield one, other


def test_a_backup_becomes_and_stays_the_same(pair: tuple[RunningServer, RunningServer]) -> None:
    active, backup = pair
    active.transact("Rich", insert(name="b"), update("Root", {"tags": ["set", ["x", "y"]]}, ["name", "==", "a"]))
    eventually(lambda: names(backup) == {"a", "b"})
    (mine,), (theirs,) = (server.transact("Rich", select("Root", ["name", "==", "a"])) for server in pair)
    for row in (mine["rows"][0], theirs["rows"][0]):
        del row["_version"]
    assert mine == theirs
    assert kids(backup) == 1
    active.transact("Rich", delete("Root", ["name", "==", "a"]))
    eventually(lambda: names(backup) == {"b"})
    assert kids(backup) == 0


def test_a_backup_refuses_writes_until_it_is_active(pair: tuple[RunningServer, RunningServer]) -> None:
    active, backup = pair
    (refused,) = backup.transact("Rich", insert(name="mine"))
    assert refused["error"] == "not allowed"
    status = control(backup, "sync-status").split("\n")
    status = status[status[0] == "database: Rich" :]  # older servers do not begin with it
    assert status[:2] == ["state: backup", f"replicating: {active.remote}"]
    active.kill()
    assert names(backup) == {"a"}
    control(backup, "disconnect-active-ovsdb-server")
    assert "state: active" in control(backup, "sync-status")
    assert "uuid" in backup.transact("Rich", insert(name="mine"))[0]
    active.start()
    control(backup, "connect-active-ovsdb-server")
    eventually(lambda: names(backup) == {"a"})


def test_excluded_tables_stay_as_they_are() -> None:
    with server_process(RICH) as active, server_process(RICH) as backup:
        active.transact("Rich", insert(name="a"))
        backup.transact("Rich", insert(name="own"))
        backup.kill()
        backup.start(f"--sync-from={active.remote}", "--sync-exclude-tables=Rich:Root", "--active")
        assert "state: active" in control(backup, "sync-status")
        control(backup, "connect-active-ovsdb-server")
        eventually(lambda: "exclude: Rich:Root" in control(backup, "sync-status"))
        assert names(backup) == {"own"}
        assert control(backup, "get-sync-exclude-tables") == "Rich:Root\n"
        assert "expected DB:TABLE" in control(backup, "set-sync-exclude-tables", "nonsense")


def test_a_server_does_not_follow_itself() -> None:
    with server_process(RICH) as server:
        server.transact("Rich", insert(name="a"))
        control(server, "set-active-ovsdb-server", server.remote)
        assert control(server, "get-active-ovsdb-server") == f"{server.remote}\n"
        control(server, "connect-active-ovsdb-server")
        eventually(lambda: "the server itself" in server.log())
        control(server, "disconnect-active-ovsdb-server")
        assert names(server) == {"a"}


@pytest.mark.interop
def test_the_status_reads_as_that_of_the_c_server() -> None:
    need("ovsdb-server", "26.03")  # older ones say the same in another order
    answers = []
    with server_process(RICH) as active:
        for start in (server_process, c_server_process):
            with start(RICH) as server:
                answers.append([control(server, "sync-status"), control(server, "get-active-ovsdb-server")])
                server.kill(signal.SIGTERM)
                server.start(f"--sync-from={active.remote}", "--active")
                answers[-1].append(control(server, "sync-status"))
                control(server, "connect-active-ovsdb-server")
                answers[-1].append(eventually(partial(replicating, server)))
    ours, theirs = ([each.rstrip("\n") for each in answer] for answer in answers)
    assert ours == theirs


def replicating(server: RunningServer) -> str:
    """The status of a backup, once it is one."""
    status = control(server, "sync-status")
    return status if "replicating" in status else ""


def test_a_bad_place_to_sync_from_is_an_error() -> None:
    with server_process(RICH) as server:
        server.kill()
        command = [*server._command, "--sync-from=ptcp:1", *map(str, server.files)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        assert done.returncode == 1
        assert "not one to connect to" in done.stderr
