"""The daemon as a process: its arguments, the C programs against it, and what survives its death."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.c_programs import need
from tests.support.rich_schema import RICH
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process, upstream_schema

NB, SB = "OVN_Northbound", "OVN_Southbound"
VERSIONS = ["23.03", "26.03"]


def output(program: Path, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb"), upstream_schema("vswitch")) as server:
        yield server


def test_the_process_detaches_when_it_is_ready_and_exits_when_told(tmp_path: Path) -> None:
    with server_process(RICH) as server:
        server.kill(signal.SIGTERM)
        assert server.process is None
        arguments = ["--detach", f"--pidfile={server.directory}/pid", f"--log-file={server.directory}/log"]
        command = [*server._command, *arguments, *map(str, server.files)]
        subprocess.run(command, check=True, timeout=10, cwd=server.directory)
        assert server.transact("Rich", {"op": "comment", "comment": "here"}) == [{}]
        pid = int((server.directory / "pid").read_text())
        with server.rpc() as rpc:
            rpc.send({"id": 1, "method": "echo", "params": []})
            rpc.receive()
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while (server.directory / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not (server.directory / "pid").exists()


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    with server_process(RICH) as server:
        done = subprocess.run(
            [*server._command[:4], "--unixctl=none", str(tmp_path / "nope")], capture_output=True, text=True, timeout=10
        )
        assert done.returncode == 1
        assert "nope: open failed (No such file or directory)" in done.stderr


# -- C programs ------------------------------------------------------------------------------------------------------


@pytest.mark.interop
@pytest.mark.parametrize("version", VERSIONS)
def test_ovn_nbctl_works(server: RunningServer, version: str) -> None:
    nbctl, name = need("ovn-nbctl", version), f"sw{version[:2]}"
    run = [f"--db={server.remote}", "--timeout=10"]
    output(nbctl, *run, "ls-add", name, "--", "lsp-add", name, f"{name}p1", "--", "lsp-add", name, f"{name}p2")
    output(nbctl, *run, "lsp-set-addresses", f"{name}p1", "00:00:00:00:00:01 10.0.0.1")
    output(nbctl, *run, "lsp-del", f"{name}p2")
    assert output(nbctl, *run, "lsp-list", name).count(f"{name}p") == 1
    assert output(nbctl, *run, "--bare", "--columns=name", "list", "Logical_Switch_Port").split() == [f"{name}p1"]
    assert output(nbctl, *run, "wait-until", "Logical_Switch", name) == ""
    output(nbctl, *run, "ls-del", name)
    assert output(nbctl, *run, "list", "Logical_Switch_Port") == ""


@pytest.mark.interop
@pytest.mark.parametrize("version", VERSIONS)
def test_ovn_sbctl_works(server: RunningServer, version: str) -> None:
    sbctl, run = need("ovn-sbctl", version), [f"--db={server.remote}", "--timeout=10"]
    output(sbctl, *run, "chassis-add", f"ch{version[:2]}", "geneve", "127.0.0.1")
    assert "Encap geneve" in output(sbctl, *run, "show")
    output(sbctl, *run, "chassis-del", f"ch{version[:2]}")
    assert output(sbctl, *run, "list", "Encap") == ""


@pytest.mark.interop
@pytest.mark.parametrize("version", VERSIONS)
def test_ovs_vsctl_works(server: RunningServer, version: str) -> None:
    vsctl, run = need("ovs-vsctl", version), [f"--db={server.remote}", "--timeout=10", "--no-wait"]
    bridge = f"br{version[:2]}"
    output(vsctl, *run, "add-br", bridge, "--", "add-port", bridge, f"{bridge}p", "--", "set", "Interface",
           f"{bridge}p", "external_ids:iface-id=x", "type=internal")  # fmt: skip
    assert output(vsctl, *run, "list-ports", bridge) == f"{bridge}p\n"
    assert output(vsctl, *run, "get", "Interface", f"{bridge}p", "external_ids:iface-id") == "x\n"
    output(vsctl, *run, "del-br", bridge)
    assert output(vsctl, *run, "--bare", "--columns=name", "list", "Interface") == ""


@pytest.mark.interop
@pytest.mark.parametrize("version", VERSIONS)
def test_ovsdb_client_works(server: RunningServer, version: str) -> None:
    client = need("ovsdb-client", version)
    assert output(client, "list-dbs", server.remote).split() == [NB, SB, "Open_vSwitch", "_Server"]
    assert json.loads(output(client, "get-schema", server.remote, NB)) == upstream_schema("ovn-nb")
    insert = {"op": "insert", "table": "Address_Set", "row": {"name": f"as{version[:2]}"}}
    assert "uuid" in json.loads(output(client, "transact", server.remote, json.dumps([NB, insert])))[0]
    assert f"as{version[:2]}" in output(client, "dump", server.remote, NB, "Address_Set")
    wait = {"op": "wait", "table": "Meter", "where": [], "columns": ["name"], "until": "!=", "rows": [], "timeout": 9}
    assert "timed out" in output(client, "transact", server.remote, json.dumps([NB, wait]))
    output(client, "wait", server.remote, NB, "connected")
    assert (
        "as"
        in subprocess.run(
            [client, "--timeout=1", "monitor", server.remote, NB, "Address_Set", "name"], capture_output=True, text=True
        ).stdout
    )
    assert (
        "locked"
        in subprocess.run([client, "--timeout=1", "lock", server.remote, "l"], capture_output=True, text=True).stdout
    )
    backup = subprocess.run([client, "backup", server.remote, NB], capture_output=True).stdout
    assert backup.startswith(b"OVSDB JSON ")


@pytest.mark.interop
@pytest.mark.parametrize("version", VERSIONS)
def test_ovsdb_client_converts(version: str, tmp_path: Path) -> None:
    client, schema = need("ovsdb-client", version), tmp_path / "schema"
    with server_process(RICH) as server:
        with server.rpc() as rpc:
            fill(rpc)
        schema.write_text(json.dumps({**RICH, "version": "1.3.0"}))
        assert output(client, "needs-conversion", server.remote, str(schema)) == "yes\n"
        output(client, "convert", server.remote, str(schema))
        assert output(client, "needs-conversion", server.remote, str(schema)) == "no\n"
        assert output(client, "get-schema-version", server.remote, "Rich") == "1.3.0\n"


@pytest.mark.interop
@pytest.mark.parametrize("version", VERSIONS)
def test_ovs_appctl_reaches_the_daemon(server: RunningServer, version: str) -> None:
    appctl = need("ovs-appctl", version)
    assert NB in output(appctl, "-t", server.control, "ovsdb-server/list-dbs")
    assert output(appctl, "-t", server.control, "ovsdb-server/sync-status") == "state: active\n"
    assert "ovsdb_server" in output(appctl, "-t", server.control, "vlog/list")


def fill(rpc: Rpc) -> None:
    """A few transactions of all kinds."""
    kid = {"op": "insert", "table": "Kid", "uuid-name": "k", "row": {"name": "k", "val": 5}}
    row = {"name": "a", "color": "red", "tags": ["set", ["x", "y"]], "map": ["map", [["k", "v"]]], "ratio": 0.1}
    root = {"op": "insert", "table": "Root", "row": {**row, "kid": ["named-uuid", "k"], "any": -(2**63)}}
    rpc.transact("Rich", kid, root, {"op": "comment", "comment": "zwei\nZeilen: ü"})
    for change in (
        {"tags": ["set", ["y", "z"]]},
        {"map": ["map", [["k", "w"]]]},
        {"level": 5, "pair": ["set", [1, 2]]},
    ):
        rpc.transact("Rich", {"op": "update", "table": "Root", "where": [], "row": change})
    rpc.transact("Rich", {"op": "insert", "table": "Root", "row": {"name": "gone", "color": "blue"}})
    rpc.transact("Rich", {"op": "delete", "table": "Root", "where": [["name", "==", "gone"]]})


def everything(rpc: Rpc) -> Any:
    """All rows but for `_version`."""
    rows = rpc.transact("Rich", *({"op": "select", "table": table, "where": []} for table in RICH["tables"]))
    return [sorted(({**row, "_version": 0} for row in each["rows"]), key=repr) for each in rows]


@pytest.mark.interop
@pytest.mark.parametrize("version", VERSIONS)
def test_the_c_server_and_tool_read_our_file_and_we_theirs(version: str) -> None:
    tool = need("ovsdb-tool", version)
    with server_process(RICH) as ours, c_server_process(RICH, version=version) as theirs:
        with ours.rpc() as rpc:
            fill(rpc)
            expected = everything(rpc)
        ours.kill()
        log = output(tool, "show-log", "-mm", str(ours.files[0]))
        assert "Zeilen" in log
        theirs.kill()
        theirs.files, ours.files = ours.files, theirs.files
        theirs.start()
        with theirs.rpc() as rpc:
            assert by_column(everything(rpc)) == by_column(expected)
            fill_again(rpc)
            changed = everything(rpc)
        theirs.kill()
        theirs.files, ours.files = ours.files, theirs.files
        ours.start()
        with ours.rpc() as rpc:
            assert by_column(everything(rpc)) == by_column(changed)


def fill_again(rpc: Rpc) -> None:
    rpc.transact("Rich", {"op": "update", "table": "Root", "where": [], "row": {"tags": "q", "level": ["set", []]}})


def by_column(tables: Any) -> Any:
    return [[dict(sorted(row.items())) for row in rows] for rows in tables]


@pytest.mark.interop
@pytest.mark.parametrize("version", VERSIONS)
def test_the_c_northd_compiles_between_databases_of_ours(server: RunningServer, version: str, tmp_path: Path) -> None:
    northd, nbctl, sbctl = (need(name, version) for name in ("ovn-northd", "ovn-nbctl", "ovn-sbctl"))
    appctl, control = need("ovs-appctl"), f"{server.directory}/n{version[:2]}"
    run = [f"--db={server.remote}", "--timeout=15"]
    process = subprocess.Popen(
        [northd, f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}", "-vconsole:warn", "-vsyslog:off",
         f"--unixctl={control}"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        output(nbctl, *run, "--wait=sb", "ls-add", "sw", "--", "lsp-add", "sw", "p1", "--", "lsp-add", "sw", "p2")
        flows = output(sbctl, *run, "lflow-list", "sw")
        assert flows.count("\n") > 50
        assert output(sbctl, *run, "--bare", "--columns=logical_port", "list", "Port_Binding").split() != []
        output(nbctl, *run, "--wait=sb", "ls-del", "sw")
        assert output(sbctl, *run, "list", "Port_Binding") == ""
        output(appctl, "-t", control, "exit")
        assert process.communicate(timeout=10)[1] == ""
    finally:
        process.kill()
        process.communicate()


@pytest.mark.interop
@pytest.mark.parametrize("version", VERSIONS)
def test_the_c_controller_registers_its_chassis_with_databases_of_ours(version: str) -> None:
    controller, vsctl, sbctl = (need(name, version) for name in ("ovn-controller", "ovs-vsctl", "ovn-sbctl"))
    with server_process(upstream_schema("ovn-sb"), upstream_schema("vswitch")) as server:
        ids = {"system-id": "ch", "ovn-remote": server.remote, "ovn-encap-type": "geneve", "ovn-encap-ip": "127.0.0.1"}
        settings = [f"external_ids:{name}={json.dumps(value)}" for name, value in ids.items()]
        output(vsctl, f"--db={server.remote}", "--no-wait", "init", "--", "set", "Open_vSwitch", ".", *settings)
        with server.rpc() as rpc:
            rpc.transact(SB, {"op": "insert", "table": "SB_Global", "row": {}})
        process = subprocess.Popen(
            [controller, server.remote, "-vconsole:off", "-vsyslog:off"],
            env={**os.environ, "OVN_RUNDIR": str(server.directory), "OVS_RUNDIR": str(server.directory)},
        )
        try:
            run = [f"--db={server.remote}", "--timeout=10"]
            output(sbctl, *run, "wait-until", "Chassis", "ch", "name=ch")
            assert "Encap geneve" in output(sbctl, *run, "show")
        finally:
            process.terminate()
            process.wait()
