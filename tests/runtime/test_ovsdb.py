"""The client against the C `ovsdb-server`, of OVN 26.03 and of Debian, and against ours."""

import asyncio
import contextlib
import copy
import json
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyovn.net.uuids import Uuid, uuid_text
from pyovn.ovsdb.errors import Disconnected, TransactionFailed
from pyovn.ovsdb.model import Database, Row
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.txn import Txn, clause
from pyovn.runtime import streams
from pyovn.runtime.ovsdb import Client
from pyovn.tables.nb import ACL, NORTHBOUND, LogicalSwitch, LogicalSwitchPort, NBGlobal
from pyovn.tables.sb import SOUTHBOUND, DatapathBinding, LogicalFlow, PortBinding
from pyovn.tables.vswitch import OPEN_VSWITCH
from tests.support.c_programs import need
from tests.support.certificates import certificates
from tests.support.loops import asynchronous
from tests.support.servers import RunningServer, c_server_process, server_process

interop = pytest.mark.interop
Tables = dict[type[Row], Any]
NB = NORTHBOUND.name
EVERYTHING: Tables = dict.fromkeys(NORTHBOUND.tables)
SWITCHES: Tables = {LogicalSwitch: None, LogicalSwitchPort: None}


@pytest.fixture(params=["ours", pytest.param("26.03", marks=interop), pytest.param("23.03", marks=interop)])
def server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    schema = NORTHBOUND.schema()
    ours = request.param == "ours"
    with server_process(schema) if ours else c_server_process(schema, version=request.param) as running:
        yield running


@contextlib.asynccontextmanager
async def client(
    server: RunningServer | str, tables: Tables, database: str = NB, **options: Any
) -> AsyncIterator[Client]:
    """A client that is up to date."""
    remote = server if isinstance(server, str) else server.remote
    made = Client(remote, database, tables, **options)
    running = asyncio.ensure_future(made.run())
    try:
        await made.synced()
        made.take_changes()
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def add_switch(made: Client, name: str, **columns: Any) -> Uuid:
    txn = Txn()
    uuid = txn.insert(LogicalSwitch, name=name, **columns)
    await made.transact(txn)
    return txn.uuids[uuid]


async def changed_rows(made: Client, cls: type[Row]) -> dict[Any, Any]:
    """The next changes of a table."""
    while not (changes := await made.changes()).get(cls):
        pass
    return changes[cls]


def names(made: Client) -> set[str]:
    return {row.name for row in made.replica.rows(LogicalSwitch).values()}


@asynchronous
async def test_what_is_written_is_read_again(server: RunningServer) -> None:
    async with client(server, EVERYTHING) as made:
        txn = Txn()
        columns = {"tag": 5, "addresses": frozenset({"unknown", "dynamic"}), "options": {"a": "b c"}, "up": True}
        port = txn.insert(LogicalSwitchPort, name="p1", **columns)
        txn.insert(LogicalSwitch, name="sw0", ports=frozenset({port}))
        txn.comment("two rows")
        await made.transact(txn)
        changes = await made.changes()
        assert {cls.__name__ for cls in changes} == {"LogicalSwitch", "LogicalSwitchPort"}
        (switch,) = made.replica.where(LogicalSwitch, name="sw0")
        (found,) = switch.ports
        row = made.replica.get(LogicalSwitchPort, found)
        assert row == LogicalSwitchPort(uuid=txn.uuids[port], name="p1", **columns)


@asynchronous
async def test_edits_arrive_as_old_and_new_rows(server: RunningServer) -> None:
    async with client(server, SWITCHES) as made:
        uuid = await add_switch(made, "sw0", external_ids={"a": "1", "b": "2"})
        ((_, switch),) = (await changed_rows(made, LogicalSwitch)).values()
        txn = Txn()
        txn.mutate(switch, "external_ids", "insert", {"c": "3"})
        txn.mutate(switch, "external_ids", "delete", "a")
        txn.update(switch, name="sw1")
        await made.transact(txn)
        old, new = (await changed_rows(made, LogicalSwitch))[uuid]
        assert (old, new.name, new.external_ids) == (switch, "sw1", {"b": "2", "c": "3"})
        txn = Txn()
        txn.delete(new)
        await made.transact(txn)
        assert await changed_rows(made, LogicalSwitch) == {uuid: (new, None)}


@asynchronous
async def test_failures_name_what_was_attempted(server: RunningServer) -> None:
    async with client(server, SWITCHES) as made:
        await add_switch(made, "sw0")
        (switch,) = made.replica.where(LogicalSwitch, name="sw0")
        range_, index, stale = Txn(), Txn(), Txn()
        range_.mutate(switch, "acls", "insert", range_.insert(ACL, match="ip4", priority=99999))
        ports = frozenset({index.insert(LogicalSwitchPort, name="p"), index.insert(LogicalSwitchPort, name="p")})
        index.update(switch, ports=ports)
        stale.wait(switch, name="other")
        for txn, text in (
            (range_, 'insert into ACL (match="ip4"): constraint violation: 99999 is not in the valid range'),
            (index, 'insert into Logical_Switch_Port (name="p"): constraint violation: Transaction causes'),
            (stale, f"wait of Logical_Switch {switch.uuid}: timed out"),
        ):
            with pytest.raises(TransactionFailed) as refused:
                await made.transact(txn)
            assert str(refused.value).startswith(text)
        assert names(made) == {"sw0"}


@asynchronous
async def test_rows_can_be_asked_for_without_being_monitored(server: RunningServer) -> None:
    async with client(server, {NBGlobal: None}) as made:
        await add_switch(made, "sw0")
        await add_switch(made, "sw1")
        rows = await made.select(LogicalSwitch, [clause(LogicalSwitch, "name", "==", "sw1")], ["name"])
        assert [row.name for row in rows] == ["sw1"]
        assert len(await made.select(LogicalSwitch)) == 2
        assert NB in await made.call("list_dbs", [])
        with pytest.raises(TransactionFailed, match="unknown method"):
            await made.call("dance", [])


@asynchronous
async def test_a_lock_has_one_owner_and_can_be_stolen(server: RunningServer) -> None:
    async with client(server, SWITCHES, lock="l") as one, client(server, SWITCHES, lock="l") as two:
        await one.locked()
        assert not two.has_lock
        with pytest.raises(TransactionFailed, match="lock l: not owner"):
            await add_switch(two, "no")
        await add_switch(one, "yes")
        two.steal_lock()
        await two.locked()
        await lost(one)
        await add_switch(two, "two")
        two.set_lock(None)
        await one.locked()
        assert names(one) == {"yes", "two"}


async def lost(made: Client) -> None:
    while made.has_lock:
        await made.changed_state()


@asynchronous
async def test_what_changed_while_the_server_was_away_arrives_as_changes(server: RunningServer) -> None:
    async with client(server, SWITCHES, lock="l") as made:
        kept = await add_switch(made, "kept")
        edited = await add_switch(made, "edited")
        gone = await add_switch(made, "gone")
        await made.locked()
        made.take_changes()
        before = dict(made.replica.rows(LogicalSwitch))
        server.kill()
        while made.connected:
            await made.changed_state()
        with pytest.raises(Disconnected):
            await add_switch(made, "no")
        assert not made.has_lock
        assert names(made) == {"kept", "edited", "gone"}
        server.start()
        where = [["_uuid", "==", ["uuid", edited]]]
        server.transact(
            NB,
            {"op": "delete", "table": "Logical_Switch", "where": [["_uuid", "==", ["uuid", gone]]]},
            {"op": "update", "table": "Logical_Switch", "where": where, "row": {"name": "new"}},
            {"op": "insert", "table": "Logical_Switch", "row": {"name": "added"}},
        )
        await made.synced()
        await made.locked()
        changed = await changed_rows(made, LogicalSwitch)
        assert made.generation == 2
        assert kept not in changed
        assert changed[gone] == (before[gone], None)
        assert changed[edited][0] == before[edited]
        assert sorted(new.name for _, new in changed.values() if new) == ["added", "new"]


@asynchronous
async def test_a_transaction_under_way_when_the_server_dies_is_told(server: RunningServer) -> None:
    async with client(server, SWITCHES) as made:
        assert server.process is not None
        server.process.send_signal(19)
        waiting = asyncio.ensure_future(add_switch(made, "sw0"))
        await asyncio.sleep(0)
        server.kill()
        with pytest.raises(Disconnected, match="connection to the OVN_Northbound database lost"):
            await waiting


@asynchronous
async def test_a_server_that_falls_silent_is_given_up(server: RunningServer) -> None:
    async with client(server, SWITCHES, probe_ms=100) as made:
        assert server.process is not None
        server.process.send_signal(19)
        while made.connected:
            await made.changed_state()
        server.process.send_signal(18)
        await made.synced()
        assert made.connected


@asynchronous
async def test_a_server_that_talks_nonsense_is_left_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nonsense = iter([b"hello", b'{"id":1,"result":7,"error":null}', b'{"id":5}', b'{"method":1}', b'{"id":{}}{"id":'])
    done = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        if text := next(nonsense, b""):
            writer.write(text)
        else:
            done.set()
        await streams.close(writer)

    remotes = [f"{tmp_path}/{number}" for number in range(6)]
    servers = [await streams.listen(streams.Remote("punix", path=path), answer) for path in remotes]
    made = Client(",".join(f"unix:{path}" for path in remotes), NB, SWITCHES)
    running = asyncio.ensure_future(made.run())
    await done.wait()
    running.cancel()
    await asyncio.wait((running,))
    for each in servers:
        each.close()
    assert caplog.text.count("WARNING") >= 3


@asynchronous
async def test_the_next_remote_is_tried_when_one_fails(server: RunningServer) -> None:
    remotes = f"unix:{server.directory}/nobody,tcp:127.0.0.1:1,{server.remote}"
    async with client(remotes, SWITCHES) as made:
        assert made.remote == server.remote
        made.set_remotes(f"{server.remote},unix:/nowhere")
        assert made.connected
        made.set_remotes(f"unix:/nowhere,unix:{server.directory}/./s")
        while made.connected:
            await made.changed_state()
        await made.synced()


@asynchronous
async def test_rows_may_be_given_their_uuids(server: RunningServer) -> None:
    async with client(server, SWITCHES) as made:
        txn = Txn()
        port = txn.insert_as(LogicalSwitchPort, uuid_text(7), name="p1")
        txn.insert(LogicalSwitch, name="sw0", ports=frozenset({port}))
        await made.transact(txn)
        (switch,) = made.replica.where(LogicalSwitch, name="sw0")
        assert switch.ports == {uuid_text(7)}


@asynchronous
async def test_databases_are_reached_through_tls(server: RunningServer, tmp_path: Path) -> None:
    tls, port = certificates(tmp_path), free_port()
    files = (f"--private-key={tls.private_key}", f"--certificate={tls.certificate}", f"--ca-cert={tls.ca_cert}")
    server.kill()
    server.start(*files, f"--remote=pssl:{port}:127.0.0.1")
    async with client(f"ssl:127.0.0.1:{port}", SWITCHES, tls=tls) as made:
        await add_switch(made, "sw0")
        assert names(made) == {"sw0"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port: int = holder.getsockname()[1]
    return port


@asynchronous
async def test_only_rows_that_satisfy_the_conditions_are_here(server: RunningServer) -> None:
    one = [clause(LogicalSwitch, "name", "==", "sw1")]
    async with client(server, SWITCHES, conditions={LogicalSwitch: one}) as made:
        for number in range(3):
            await add_switch(made, f"sw{number}")
        assert names(made) == {"sw1"}
        made.set_condition(LogicalSwitch, [*one, clause(LogicalSwitch, "name", "==", "sw2")])
        assert not made.conditions_in_force
        await made.conditions_applied()
        assert names(made) == {"sw1", "sw2"}
        made.set_condition(LogicalSwitch, True)
        await made.conditions_applied()
        assert len(names(made)) == 3
        made.set_condition(LogicalSwitch, [])
        await made.conditions_applied()
        assert names(made) == set()


@asynchronous
async def test_a_raw_table_goes_to_its_handler_and_not_to_the_replica(server: RunningServer) -> None:
    heard: list[Any] = []
    raw = {LogicalSwitch: lambda rows, update: heard.append((update.fresh, rows))}
    async with client(server, {LogicalSwitchPort: None}, raw=raw) as made:
        uuid = await add_switch(made, "sw0")
        assert heard == [(True, {}), (False, {uuid: {"insert": {"name": "sw0"}}})]
        assert list(made.replica.classes) == [LogicalSwitchPort]


@asynchronous
async def test_a_large_table_comes_in_parts(server: RunningServer) -> None:
    async with client(server, {NBGlobal: None}) as made:
        assert [row for part in await made.contents(LogicalSwitch, ["name"]) for row in part] == []
        txn = Txn()
        for number in range(2000):
            txn.insert(LogicalSwitch, name=f'"{{{number}}}')
        await made.transact(txn)
        found = list(await made.contents(LogicalSwitch, ["name", "ports"]))
        rows = {uuid: row["initial"] for part in found for uuid, row in part.items()}
        assert len(found) > 1
        assert rows == {txn.uuids[name]: {"name": f'"{{{number}}}'} for number, name in enumerate(txn.uuids)}


@asynchronous
async def test_kinds_of_change_can_be_left_out(server: RunningServer) -> None:
    async with client(server, SWITCHES) as writer:
        await add_switch(writer, "before")
        select = {LogicalSwitch: {"initial": False}}
        async with client(server, SWITCHES, select=select) as made:
            await add_switch(writer, "after")
            await changed_rows(made, LogicalSwitch)
            assert names(made) == {"after"}


@interop
@asynchronous
async def test_a_database_with_an_older_schema_is_read_as_far_as_it_goes() -> None:
    schema = copy.deepcopy(SOUTHBOUND.schema())
    tables = schema["tables"]
    for name in ("nb_uuid", "type"):
        del tables["Datapath_Binding"]["columns"][name]
    del tables["ECMP_Nexthop"], tables["Advertised_Route"], tables["Learned_Route"], tables["Advertised_MAC_Binding"]
    tables["Port_Binding"]["columns"]["colour"] = {"type": "string"}
    tables["Colours"] = {"columns": {"name": {"type": "string"}}, "isRoot": True}
    with c_server_process(schema) as server:
        everything: Tables = dict.fromkeys(SOUTHBOUND.tables)
        async with client(server, everything, SOUTHBOUND.name) as made:
            assert "ECMP_Nexthop" not in made.server_schema
            server.transact(
                SOUTHBOUND.name,
                {"op": "insert", "table": "Datapath_Binding", "uuid-name": "d", "row": {"tunnel_key": 7}},
                {
                    "op": "insert",
                    "table": "Port_Binding",
                    "row": {
                        "datapath": ["named-uuid", "d"],
                        "tunnel_key": 1,
                        "colour": "red",
                        "gateway_chassis": ["set", []],
                    },
                },
            )
            await changed_rows(made, PortBinding)
            (datapath,) = made.replica.rows(DatapathBinding).values()
            assert (datapath.tunnel_key, datapath.nb_uuid, datapath.type) == (7, None, None)
            assert [row.tunnel_key for row in await made.select(DatapathBinding)] == [7]


@interop
@pytest.mark.parametrize(
    ("file", "database"),
    [("ovn/ovn-nb", NORTHBOUND), ("ovn/ovn-sb", SOUTHBOUND), ("openvswitch/vswitch", OPEN_VSWITCH)],
)
@asynchronous
async def test_databases_of_debians_older_ovn_are_read(file: str, database: Database) -> None:
    path = Path(f"/usr/share/{file}.ovsschema")
    if not path.exists():
        pytest.skip(f"{path}: not installed")
    tables = dict.fromkeys(database.tables)
    with c_server_process(json.loads(path.read_text())) as server:
        async with client(server, tables, database.name) as made:
            assert made.connected
            assert set(made.server_schema) <= set(database.by_name)


@contextlib.contextmanager
def cluster_of_one(schema: dict[str, Any]) -> Iterator[RunningServer]:
    """A C server with a RAFT database, of which it is the only member."""
    program, tool = need("ovsdb-server"), need("ovsdb-tool")
    with tempfile.TemporaryDirectory(prefix="ov") as name:
        directory = Path(name)
        (directory / "schema").write_text(json.dumps(schema))
        command = [tool, "create-cluster", directory / "db", directory / "schema", f"unix:{directory}/r"]
        subprocess.run(command, check=True, capture_output=True)
        running = RunningServer(directory, [directory / "db"], [program, "-vconsole:warn", "-vsyslog:off"])
        running.start()
        yield running
        running.kill()


@interop
@asynchronous
async def test_a_clustered_database_resumes_where_it_was() -> None:
    with cluster_of_one(NORTHBOUND.schema()) as server:
        async with client(server, SWITCHES, leader_only=True) as made:
            await add_switch(made, "one")
            made.reconnect()
            while made.connected:
                await made.changed_state()
            server.transact(NB, {"op": "insert", "table": "Logical_Switch", "row": {"name": "two"}})
            await made.synced()
            assert made.generation == 1
            assert names(made) == {"one", "two"}


@interop
@asynchronous
async def test_a_schema_that_is_upgraded_under_way_is_taken_up() -> None:
    old = copy.deepcopy(NORTHBOUND.schema())
    del old["tables"]["Logical_Switch"]["columns"]["copp"]
    with c_server_process(old) as server:
        async with client(server, SWITCHES) as made:
            await add_switch(made, "one")
            assert "copp" not in made.server_schema["Logical_Switch"].columns
            with server.rpc() as rpc:
                assert rpc.call("convert", NB, NORTHBOUND.schema())["result"] == {}
            while "copp" not in made.server_schema["Logical_Switch"].columns or not made.connected:
                await made.changed_state()
            await add_switch(made, "two")
            assert names(made) == {"one", "two"}


@asynchronous
async def test_the_wrong_database_is_never_synced(server: RunningServer) -> None:
    made = Client(server.remote, "Nothing", {})
    running = asyncio.ensure_future(made.run())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(made.synced(), 0.3)
    running.cancel()
    await asyncio.wait((running,))


def test_the_server_writes_our_schema_as_we_do(server: RunningServer) -> None:
    with server.rpc() as rpc:
        given = rpc.call("get_schema", NB)["result"]
    ours = NORTHBOUND.schema()
    given.pop("cksum", None)
    ours.pop("cksum", None)
    assert given == ours
    assert Schema.parse(given).tables == NORTHBOUND.typed_schema().tables


@asynchronous
async def test_bulk_inserts_arrive_whole() -> None:
    with server_process(SOUTHBOUND.schema()) as southbound:
        async with client(southbound, {DatapathBinding: None, LogicalFlow: None}, SOUTHBOUND.name) as made:
            txn = Txn()
            datapath = txn.insert(DatapathBinding, tunnel_key=1)
            for number in range(5000):
                row = b'{"logical_datapath":["named-uuid","%b"],"pipeline":"ingress","match":"%d","actions":"next;"}'
                txn.raw_insert("Logical_Flow", row % (datapath.encode(), number))
            await made.transact(txn)
            flows = made.replica.rows(LogicalFlow).values()
            assert {flow.match for flow in flows} == {str(number) for number in range(5000)}
            assert {flow.logical_datapath for flow in flows} == {txn.uuids[datapath]}
