"""Our tools on our server."""

import threading
from collections.abc import Iterator

import pytest

from pyovn.cli import nbctl, sbctl, vsctl
from tests.cli.twins import Outcome, run, session, wipe
from tests.support.servers import server_process, upstream_schema

DATABASES = ("OVN_Northbound", "OVN_Southbound", "Open_vSwitch")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with server_process(*(upstream_schema(name) for name in ("ovn-nb", "ovn-sb", "vswitch"))) as found:
        yield found.remote


@pytest.fixture
def remote(server: str) -> str:
    for database in DATABASES:
        wipe(server, database)
    return server


def nb(remote: str, *words: str) -> Outcome:
    return run(nbctl.PROGRAM, [f"--db={remote}", *words])


def transact(remote: str, database: str, *operations: object) -> list[dict[str, object]]:
    with session(remote) as opened:
        results: list[dict[str, object]] = opened.call("transact", database, *operations)
        return results


def test_a_switch_is_shown(remote: str) -> None:
    made = nb(remote, "ls-add", "sw0", "--", "lsp-add", "sw0", "p0", "--", "lsp-set-addresses", "p0", "unknown")
    assert made == (0, "", "")
    first, *rest = nb(remote, "show").stdout.splitlines()
    assert first.startswith("switch ")
    assert first.endswith(" (sw0)")
    assert rest == ["    port p0", '        addresses: ["unknown"]']


def test_a_failing_command_leaves_nothing_behind(remote: str) -> None:
    assert (
        nb(remote, "ls-add", "sw0", "--", "lsp-add", "nope", "p0").stderr == "ovn-nbctl: nope: switch name not found\n"
    )
    assert nb(remote, "ls-list").stdout == ""


def test_a_dry_run_changes_nothing(remote: str) -> None:
    assert nb(remote, "--dry-run", "ls-add", "sw0").status == 0
    assert nb(remote, "ls-list").stdout == ""


def test_create_prints_the_uuid_the_row_got(remote: str) -> None:
    uuid = nb(remote, "create", "Logical_Switch", "name=x").stdout.strip()
    assert nb(remote, "get", "Logical_Switch", uuid, "name").stdout == "x\n"


def test_the_server_refusing_is_told(remote: str) -> None:
    nb(remote, "pg-add", "g")
    outcome = nb(remote, "pg-add", "g")
    assert outcome.status == 1
    assert outcome.stderr.startswith('ovn-nbctl: transaction error: {"details":"')


def test_stale_data_is_tried_again(remote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another client replaces the connections while we do: the first attempt must not win by luck."""
    from pyovn.cli.ctl import program

    nb(remote, "set-connection", "ptcp:1")
    attempts = []
    commit = program.Run._commit

    def interfered(self: program.Run, view: object) -> dict[str, str]:
        attempts.append(view)
        if len(attempts) == 1:
            other = {"op": "insert", "table": "Connection", "row": {"target": "ptcp:2"}, "uuid-name": "c"}
            add = ["connections", "insert", ["named-uuid", "c"]]
            transact(
                remote, DATABASES[0], other, {"op": "mutate", "table": "NB_Global", "where": [], "mutations": [add]}
            )
        return commit(self, view)  # type: ignore[arg-type]

    monkeypatch.setattr(program.Run, "_commit", interfered)
    assert nb(remote, "set-connection", "ptcp:3") == (0, "", "")
    assert len(attempts) == 2
    assert nb(remote, "get-connection").stdout == "ptcp:3\n"


def test_wait_until_waits(remote: str) -> None:
    nb(remote, "ls-add", "sw0")
    update = {"op": "update", "table": "Logical_Switch", "where": [], "row": {"name": "sw1"}}
    later = threading.Timer(0.2, transact, (remote, DATABASES[0], update))
    later.start()
    assert nb(remote, "wait-until", "Logical_Switch", "sw1").status == 0
    later.join()


def test_waiting_for_northd_ends_when_it_has_caught_up(remote: str) -> None:
    nb(remote, "init")
    caught_up = {"op": "update", "table": "NB_Global", "where": [], "row": {"sb_cfg": 1}}
    later = threading.Timer(0.2, transact, (remote, DATABASES[0], caught_up))
    later.start()
    outcome = nb(remote, "--wait=sb", "--print-wait-time", "ls-add", "sw0")
    later.join()
    first, *times = outcome.stdout.splitlines()
    assert first == "Time spent on processing nb_cfg 1:"
    assert [line.split(":")[0] for line in times] == [
        "\tovn-northd delay before processing",
        "\tovn-northd completion",
    ]
    assert nb(remote, "get", "NB_Global", ".", "nb_cfg").stdout == "1\n"


def test_waiting_without_a_change_is_over_at_once(remote: str) -> None:
    nb(remote, "init")
    assert nb(remote, "--wait=hv", "ls-list") == (0, "", "")


def test_an_older_server_without_a_column_is_served(remote: str) -> None:
    schema = upstream_schema("ovn-nb")
    del schema["tables"]["Logical_Switch_Port"]["columns"]["peer"]
    del schema["tables"]["ACL"]["columns"]["tier"]
    with server_process(schema) as old:
        nb(
            old.remote,
            "ls-add",
            "sw0",
            "--",
            "lsp-add",
            "sw0",
            "p0",
            "--",
            "acl-add",
            "sw0",
            "to-lport",
            "1",
            "ip",
            "drop",
        )
        assert "port p0" in nb(old.remote, "show").stdout
        assert nb(old.remote, "acl-list", "sw0").stdout == "  to-lport     1 (ip) drop\n"
        refused = nb(old.remote, "lsp-set-type", "p0", "switch", "peer=x").stderr
        assert refused == "ovn-nbctl: the server's Logical_Switch_Port table has no column peer\n"


def test_a_port_is_bound_to_a_chassis(remote: str) -> None:
    def sb(*words: str) -> Outcome:
        return run(sbctl.PROGRAM, [f"--db={remote}", *words])

    sb("chassis-add", "hv1", "geneve", "10.0.0.1")
    sb("--id=@d", "create", "Datapath_Binding", "tunnel_key=1", "--",
       "create", "Port_Binding", "logical_port=p0", "tunnel_key=1", "datapath=@d")  # fmt: skip
    assert sb("lsp-bind", "p0", "hv1").status == 0
    assert sb("show").stdout == (
        'Chassis hv1\n    Encap geneve\n        ip: "10.0.0.1"\n        options: {csum="true"}\n    Port_Binding p0\n'
    )


def test_a_bridge_is_configured(remote: str) -> None:
    def vs(*words: str) -> Outcome:
        return run(vsctl.PROGRAM, [f"--db={remote}", "--no-wait", *words])

    assert (
        vs("add-br", "br0", "--", "add-port", "br0", "vm1", "--", "set", "Interface", "vm1", "type=internal").status
        == 0
    )
    assert vs("list-ports", "br0").stdout == "vm1\n"
    assert vs("br-exists", "nope").status == 2


def test_vsctl_waits_for_the_switch(remote: str) -> None:
    caught_up = {"op": "update", "table": "Open_vSwitch", "where": [], "row": {"cur_cfg": 1}}
    later = threading.Timer(0.2, transact, (remote, DATABASES[2], caught_up))
    later.start()
    assert run(vsctl.PROGRAM, [f"--db={remote}", "add-br", "br0"]).status == 0
    later.join()


def test_an_interface_that_cannot_be_set_up_is_told(remote: str) -> None:
    refused = {
        "op": "update",
        "table": "Interface",
        "where": [["name", "==", "p0"]],
        "row": {"ofport": -1, "error": "no"},
    }
    caught_up = {"op": "update", "table": "Open_vSwitch", "where": [], "row": {"cur_cfg": 1}}
    run(vsctl.PROGRAM, [f"--db={remote}", "--no-wait", "add-br", "br0"])
    later = threading.Timer(0.2, transact, (remote, DATABASES[2], refused, caught_up))
    later.start()
    outcome = run(vsctl.PROGRAM, [f"--db={remote}", "add-port", "br0", "p0"])
    later.join()
    assert outcome.status == 65
    assert outcome.stderr.splitlines()[0] == (
        "ovs-vsctl: Error detected while setting up 'p0': no.  See ovs-vswitchd log for details."
    )
