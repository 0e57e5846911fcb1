"""The commands of a database server's control socket, given to ours and to C's: both say the same."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.clusters import eventually
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process, upstream_schema

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]

NB = "OVN_Northbound"
#: stopwatches are not kept by C's
OURS_ONLY = {"stopwatch/reset", "stopwatch/show"}

CONVERSATION = [
    "ovsdb-server/list-dbs",
    "ovsdb-server/list-remotes",
    f"ovsdb-server/get-db-storage-status {NB}",
    "ovsdb-server/get-db-storage-status nothing",
    "ovsdb-server/get-db-storage-status",
    "ovsdb-server/compact",
    f"ovsdb-server/compact {NB}",
    "ovsdb-server/compact _Server",
    "ovsdb-server/compact nothing",
    "ovsdb-server/add-remote ptcp:0:127.0.0.1",
    "ovsdb-server/list-remotes",
    "ovsdb-server/remove-remote ptcp:0:127.0.0.1",
    "ovsdb-server/remove-remote ptcp:0:127.0.0.1",
    f"ovsdb-server/add-remote db:{NB},NB_Global,connections",
    "ovsdb-server/list-remotes",
    f"ovsdb-server/remove-remote db:{NB},NB_Global,connections",
    "ovsdb-server/list-remotes",
    "ovsdb-server/add-db DIRECTORY/nothing",
    f"ovsdb-server/add-db DIRECTORY/{NB}.db",
    "ovsdb-server/remove-db _Server",
    "ovsdb-server/remove-db nothing",
    f"ovsdb-server/remove-db {NB}",
    "ovsdb-server/list-dbs",
    f"ovsdb-server/add-db DIRECTORY/{NB}.db",
    "ovsdb-server/list-dbs",
    "ovsdb-server/sync-status",
    "ovsdb-server/get-active-ovsdb-server",
    "ovsdb-server/connect-active-ovsdb-server",
    "ovsdb-server/disconnect-active-ovsdb-server",
    "ovsdb-server/set-active-ovsdb-server tcp:127.0.0.1:1",
    "ovsdb-server/get-active-ovsdb-server",
    "ovsdb-server/set-active-ovsdb-server-probe-interval x",
    "ovsdb-server/set-active-ovsdb-server-probe-interval 4000",
    "ovsdb-server/set-relay-source-probe-interval",
    "ovsdb-server/set-relay-source-probe-interval x",
    "ovsdb-server/set-relay-source-probe-interval 4000",
    f"ovsdb-server/set-sync-exclude-tables {NB}:ACL,{NB}:NAT",
    "ovsdb-server/get-sync-exclude-tables",
    "ovsdb-server/memory-trim-on-compaction on",
    "ovsdb-server/memory-trim-on-compaction off",
    "ovsdb-server/memory-trim-on-compaction maybe",
    "ovsdb-server/reload",
    "ovsdb-server/reconnect",
    "ovsdb-server/tlog-set nonsense on",
    "ovsdb-server/tlog-set nothing:ACL on",
    f"ovsdb-server/tlog-set {NB}:Nothing on",
    f"ovsdb-server/tlog-set {NB}:ACL maybe",
    f"ovsdb-server/tlog-set {NB}:ACL",
    f"ovsdb-server/tlog-set {NB}:ACL on",
    "ovsdb-server/tlog-list",
    f"ovsdb-server/tlog-set {NB}:ACL off",
    "ovsdb-server/tlog-list",
    "ovsdb-server/no-such-command",
    "ovsdb-server/list-dbs too many words",
]


@pytest.fixture
def pair() -> Iterator[tuple[RunningServer, RunningServer]]:
    schema = upstream_schema("ovn-nb")
    with server_process(schema) as ours, c_server_process(schema, version="26.03") as theirs:
        yield ours, theirs


def tell(server: RunningServer, line: str) -> Any:
    """What a command gives, or why it fails."""
    name, *words = line.replace("DIRECTORY", str(server.directory)).split()
    with eventually(lambda: Rpc(server.control)) as rpc:  # it listens there last of all
        answer = rpc.call(name, *words)
    parts = (str(answer.get(part) or "") for part in ("result", "error"))
    return [part.replace(str(server.directory), "DIRECTORY").rstrip("\n") for part in parts]  # ovs-appctl adds one


def test_commands_say_what_c_says(pair: tuple[RunningServer, RunningServer]) -> None:
    said, expected = ([(line, *tell(server, line)) for line in CONVERSATION] for server in pair)
    assert said == expected


def test_there_are_the_same_commands(pair: tuple[RunningServer, RunningServer]) -> None:
    ours, theirs = (set(re.findall(r"(?m)^  (\S+)", tell(server, "list-commands")[0])) for server in pair)
    assert theirs <= ours
    assert ours - theirs == OURS_ONLY


def test_conditional_monitors_can_be_withheld(pair: tuple[RunningServer, RunningServer]) -> None:
    zero = "00000000-0000-0000-0000-000000000000"
    transcripts = []
    for server in pair:
        said = []
        with server.rpc() as rpc:
            assert rpc.call("echo")["error"] is None
            tell(server, "ovsdb-server/disable-monitor-cond")
            assert rpc.receive() is None
        with server.rpc() as rpc:
            for method, *more in (("monitor_cond",), ("monitor_cond_since", zero), ("monitor",)):
                answer = rpc.call(method, NB, method, {"ACL": {}}, *more)
                said.append((answer.get("result"), answer["error"]))
        transcripts.append(said)
    assert transcripts[0] == transcripts[1]


def test_changes_are_logged_where_somebody_is_curious(pair: tuple[RunningServer, RunningServer]) -> None:
    insert = {"op": "insert", "table": "Address_Set", "row": {"name": "a", "addresses": "10.0.0.1"}}
    change = {"op": "update", "table": "Address_Set", "where": [], "row": {"external_ids": ["map", [["k", "v"]]]}}
    delete = {"op": "delete", "table": "Address_Set", "where": []}
    logged = []
    for server in pair:
        tell(server, "vlog/set transaction:console:info")
        tell(server, f"ovsdb-server/tlog-set {NB}:Address_Set on")
        for operation in (insert, change, delete, {**insert, "table": "Port_Group", "row": {"name": "p"}}):
            server.transact(NB, operation)
        eventually(lambda server=server: "op:deleted" in server.log())
        lines = re.findall(r"table:.*", server.log())
        logged.append([sorted(re.sub(r"[0-9a-f]{8}(-[0-9a-f]+)+", "UUID", line).split(",")) for line in lines])
    assert logged[0] == logged[1]
    assert len(logged[0]) == 3
