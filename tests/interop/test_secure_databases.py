"""TLS and roles between C programs and ours, in both directions, and what they say to forbidden writes."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyovn.runtime.streams import Remote, Tls
from tests.support.c_programs import need
from tests.support.certificates import Authority, options
from tests.support.clusters import eventually
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process, upstream_schema

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]

NB, SB = "OVN_Northbound", "OVN_Southbound"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NBCTL = [sys.executable, "-c", "import sys; from pyovn.cli.nbctl import main; sys.exit(main())"]
CLIENT = [sys.executable, "-c", "import sys; from pyovn.cli.ovsdb_client import main; sys.exit(main())"]
Json = Any


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with tempfile.TemporaryDirectory(prefix="ca") as name:
        yield Authority(Path(name))


def tls_of(schema: str) -> list[str]:
    """Arguments that have a server take its TLS settings from its database."""
    columns = {"private-key": "private_key", "certificate": "certificate", "ca-cert": "ca_cert"}
    columns |= {name: name.replace("-", "_") for name in ("ssl-protocols", "ssl-ciphers")}
    return [f"--{option}=db:{schema},SSL,{column}" for option, column in columns.items()]


@contextmanager
def secure(server: RunningServer, database: str, tls: Tls, **connection: Json) -> Iterator[str]:
    """The server, restarted to listen for TLS as its database says; gives the remote for clients."""
    root = {NB: "NB_Global", SB: "SB_Global"}[database]
    port = free_port()
    server.kill()
    server.start(f"--remote=db:{database},{root},connections", *tls_of(database))
    target = {"target": f"pssl:{port}:127.0.0.1", **connection}
    row = {"private_key": tls.private_key, "certificate": tls.certificate, "ca_cert": tls.ca_cert}
    references = {"ssl": ["named-uuid", "s"], "connections": ["named-uuid", "c"]}
    results = server.transact(
        database,
        {"op": "insert", "table": "SSL", "uuid-name": "s", "row": row},
        {
            "op": "insert",
            "table": "Connection",
            "uuid-name": "c",
            "row": target,
        },
        {"op": "insert", "table": root, "row": references},
    )
    assert "error" not in results[-1]

    with eventually(lambda: socket.create_connection(("127.0.0.1", port))):
        pass
    yield f"ssl:127.0.0.1:{port}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def run(program: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*program, *words], capture_output=True, text=True, timeout=20, check=False)


def c_program(name: str, version: str = "any") -> list[str]:
    return [str(need(name, version))]


@pytest.fixture(scope="module")
def ours(authority: Authority) -> Iterator[str]:
    with server_process(upstream_schema("ovn-nb")) as server, secure(server, NB, authority.issue("server")) as remote:
        yield remote


@pytest.fixture(scope="module")
def theirs(authority: Authority) -> Iterator[str]:
    with c_server_process(upstream_schema("ovn-nb")) as server, secure(server, NB, authority.issue("cs")) as remote:
        yield remote


@pytest.mark.parametrize("version", ["23.03", "26.03"])
def test_c_tools_speak_tls_with_our_server(ours: str, authority: Authority, version: str) -> None:
    words = options(authority.issue(f"c{version[:2]}"))
    nbctl, client = c_program("ovn-nbctl", version), c_program("ovsdb-client", version)
    done = run(nbctl, *words, f"--db={ours}", "--timeout=9", "ls-add", f"s{version[:2]}", "--", "ls-list")
    assert f"(s{version[:2]})" in done.stdout, done.stderr
    assert NB in run(client, *words, "list-dbs", ours).stdout


def test_our_tools_speak_tls_with_the_c_server(theirs: str, authority: Authority) -> None:
    words = options(authority.issue("p"))
    done = run(NBCTL, *words, f"--db={theirs}", "--timeout=9", "ls-add", "s", "--", "ls-list")
    assert "(s)" in done.stdout, done.stderr
    assert NB in run(CLIENT, *words, "list-dbs", theirs).stdout


@pytest.mark.parametrize("server", ["ours", "theirs"])
def test_strangers_are_kept_out(server: str, authority: Authority, request: pytest.FixtureRequest) -> None:
    remote = request.getfixturevalue(server)
    stranger = Authority(authority.directory, f"stranger-{server}").issue("impostor")
    words = options(replace(stranger, ca_cert=authority.certificate))
    for client in (c_program("ovsdb-client"), CLIENT):
        done = run(client, *words, "--timeout=5", "list-dbs", remote)
        assert done.returncode == 1
        assert NB not in done.stdout


@pytest.mark.parametrize("server", ["ours", "theirs"])
@pytest.mark.parametrize("program", ["ours", "theirs"])
def test_clients_learn_the_authority(
    server: str, program: str, authority: Authority, request: pytest.FixtureRequest
) -> None:
    remote = request.getfixturevalue(server)
    file = authority.directory / f"boot-{server}-{program}"
    words = options(replace(authority.issue(f"b{server}{program}"), ca_cert="", bootstrap_ca_cert=str(file)))
    client = CLIENT if program == "ours" else c_program("ovsdb-client")
    first = run(client, *words, "list-dbs", remote)
    if program == "ours":
        assert NB in first.stdout, first.stderr
    assert file.read_text().split() == Path(authority.certificate).read_text().split()
    assert NB in run(client, *words, "list-dbs", remote).stdout


def test_every_protocol_that_c_clients_may_ask_for_is_agreed_on(ours: str, authority: Authority) -> None:
    words = options(authority.issue("v"))
    for protocols in ("TLSv1.2", "TLSv1.3"):
        done = run(c_program("ovsdb-client", "26.03"), *words, f"--ssl-protocols={protocols}", "list-dbs", ours)
        assert NB in done.stdout, (protocols, done.stderr)


# -- roles -----------------------------------------------------------------------------------------------------------


def insert(table: str, /, **row: Json) -> Json:
    return {"op": "insert", "table": table, "row": row}


def named(table: str, called: str, /, **row: Json) -> Json:
    return {**insert(table, **row), "uuid-name": called}


def permission(name: str, authorization: str, columns: str, *, insert_delete: bool = True) -> Json:
    row = {"table": name, "authorization": authorization, "insert_delete": insert_delete}
    return named("RBAC_Permission", name, **row, update=["set", columns.split()])


GRANTED = ("Chassis", "Encap", "Port_Binding", "MAC_Binding", "Service_Monitor")
ROLES = [
    permission("Chassis", "name", "nb_cfg external_ids encaps other_config transport_zones"),
    permission("Encap", "chassis_name", "type options ip"),
    permission("Port_Binding", "", "chassis up options", insert_delete=False),
    permission("MAC_Binding", "", "logical_port ip mac datapath"),
    permission("Service_Monitor", "chassis_name", "status", insert_delete=False),
    insert("RBAC_Role", name="ovn-controller", permissions=["map", [[n, ["named-uuid", n]] for n in GRANTED]]),
    named("Datapath_Binding", "dp", tunnel_key=1),
    insert("Port_Binding", logical_port="p", tunnel_key=1, datapath=["named-uuid", "dp"]),
    insert("Service_Monitor", chassis_name="ch1", port=7, protocol="tcp"),
    insert("Service_Monitor", chassis_name="ch2", port=8, protocol="tcp"),
]


def own_chassis(name: str, encap_of: str) -> list[Json]:
    encap = named("Encap", "e", type="geneve", ip="1.1.1.1", chassis_name=encap_of)
    return [encap, insert("Chassis", name=name, encaps=["named-uuid", "e"])]


def edit(op: str, table: str, where: list[Json], **more: Json) -> list[Json]:
    return [{"op": op, "table": table, "where": where, **more}]


CH1, CH2, NONE = ([["name", "==", name]] for name in ("ch1", "ch2", "none"))
ATTEMPTS = [
    own_chassis("ch1", "ch2"),
    own_chassis("ch2", "ch1"),
    own_chassis("ch1", "ch1"),
    [insert("SB_Global")],
    [insert("Port_Binding")],
    [insert("Port_Binding", tunnel_key=9, logical_port="q")],
    edit("update", "Chassis", CH1, row={"nb_cfg": 3}),
    edit("update", "Chassis", CH1, row={"nb_cfg": 3, "hostname": "h"}),
    edit("update", "Chassis", CH1, row={"hostname": 5}),
    edit("update", "Chassis", CH1, row={}),
    edit("update", "Chassis", NONE, row={"hostname": "h"}),
    edit("update", "Chassis", [], row={"nb_cfg": 4}),
    edit("update", "DNS", [], row={}),
    edit("update", "Port_Binding", [], row={"up": True}),
    edit("update", "Port_Binding", [], row={"up": True, "mac": "m"}),
    edit("update", "Service_Monitor", [], row={"status": "online"}),
    edit("update", "Service_Monitor", [["port", "==", 7]], row={"status": "online"}),
    edit("mutate", "Chassis", CH1, mutations=[["nb_cfg", "+=", 1], ["transport_zones", "insert", "z"]]),
    edit("mutate", "SB_Global", [], mutations=[]),
    edit("mutate", "SB_Global", [], mutations=[["nb_cfg", "+=", 1]]),
    edit("mutate", "DNS", [], mutations=[["external_ids", "insert", ["map", [["a", "b"]]]]]),
    edit("delete", "Port_Binding", []),
    edit("delete", "Port_Binding", [["tunnel_key", "==", 77]]),
    edit("delete", "DNS", []),
    [{"op": "comment", "comment": "x"}, *edit("delete", "SB_Global", [["nb_cfg", "==", 77]])],
    edit("select", "SB_Global", [], columns=["nb_cfg"]),
    edit("delete", "Chassis", CH2),
    edit("delete", "Chassis", CH1),
]


@pytest.mark.parametrize("connection", [{"role": "ovn-controller"}, {"role": "nobody"}, {"read_only": True}, {}])
def test_both_servers_allow_and_refuse_the_same(authority: Authority, connection: Json) -> None:
    client, words = c_program("ovsdb-client", "26.03"), options(authority.issue("ch1"))
    transcripts = []
    with server_process(upstream_schema("ovn-sb")) as one, c_server_process(upstream_schema("ovn-sb")) as other:
        for server in (one, other):
            assert "error" not in server.transact(SB, *ROLES)[-1]
            with secure(server, SB, authority.issue("server"), **connection) as remote:
                done = [run(client, *words, "transact", remote, json.dumps([SB, *each])) for each in ATTEMPTS]
                transcripts.append([UUID.sub("-", each.stdout + each.stderr) for each in done])
    for attempt, said, expected in zip(ATTEMPTS, *transcripts, strict=True):
        assert said == expected, attempt


def test_a_client_without_a_certificate_may_not_write_in_a_role() -> None:
    answers = []
    with server_process(upstream_schema("ovn-sb")) as one, c_server_process(upstream_schema("ovn-sb")) as other:
        for server in (one, other):
            server.transact(SB, *ROLES)
            server.kill()
            server.start(f"--remote=db:{SB},SB_Global,connections")
            row = {"target": f"punix:{server.directory}/guests", "role": "ovn-controller"}
            server.transact(SB, named("Connection", "c", **row), insert("SB_Global", connections=["named-uuid", "c"]))
            eventually((server.directory / "guests").exists)
            guest = Remote.parse(f"unix:{server.directory}/guests")
            update = json.dumps([SB, *edit("update", "Port_Binding", [], row={"up": True})])
            answers.append(run(c_program("ovsdb-client"), "transact", str(guest), update).stdout)
    assert answers[0] == answers[1]
    assert "permission error" in answers[0]


# -- controllers in their role ---------------------------------------------------------------------------------------

SHELLS = {
    name: [sys.executable, "-c", f"import sys; from pyovn.{module} import main; sys.exit(main())"]
    for name, module in (
        ("northd", "daemons.northd"),
        ("controller", "daemons.controller"),
        ("vswitchd", "daemons.vswitchd"),
        ("vsctl", "cli.vsctl"),
    )
}
QUIET = ("-vconsole:warn", "-vsyslog:off")


@contextmanager
def daemon(directory: Path, name: str, command: list[str], *words: str) -> Iterator[subprocess.Popen[str]]:
    """A daemon whose warnings are in `<name>.log`."""
    places = {**os.environ, "OVN_RUNDIR": str(directory), "OVS_RUNDIR": str(directory)}
    with open(directory / f"{name}.log", "w") as log:
        words = (*QUIET, f"--unixctl={directory}/{name}.ctl", *words)
        process = subprocess.Popen([*command, *words], env=places, cwd=directory, stderr=log, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("program", ["ours", "C"])
def test_a_controller_works_in_its_role(program: str, authority: Authority) -> None:
    """The role is the one that northd writes; the controller registers, claims, learns and reports within it."""
    command = SHELLS["controller"] if program == "ours" else c_program("ovn-controller", "26.03")
    with (
        server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")) as central,
        server_process(upstream_schema("vswitch")) as host,
        secure(central, SB, authority.issue("server"), role="ovn-controller") as remote,
        daemon(host.directory, "northd", SHELLS["northd"], f"--ovnnb-db={central.remote}",
               f"--ovnsb-db={central.remote}"),
        daemon(host.directory, "vswitchd", SHELLS["vswitchd"], host.remote),
    ):  # fmt: skip
        nbctl = [*NBCTL, f"--db={central.remote}", "--timeout=20"]
        run(nbctl, "ls-add", "s", "--", "lsp-add", "s", "p", "--", "lsp-set-addresses", "p", "unknown")
        vsctl = [*SHELLS["vsctl"], f"--db={host.remote}", "--timeout=20"]
        run(vsctl, "init", "--", "set", "open", ".", "external_ids:system-id=ch1", f"external_ids:ovn-remote={remote}",
            "external_ids:ovn-encap-type=geneve", "external_ids:ovn-encap-ip=127.0.0.1")  # fmt: skip
        run(vsctl, "add-br", "br-int", "--", "add-port", "br-int", "vif", "--", "set", "interface", "vif", "type=dummy",
            "external_ids:iface-id=p")  # fmt: skip
        with daemon(host.directory, "controller", [*command, *options(authority.issue("ch1"))], host.remote):
            eventually(lambda: column(central, "Port_Binding", "up") == [True])
            assert column(central, "Chassis", "name") == column(central, "Chassis_Private", "name") == ["ch1"]
            assert column(central, "Encap", "chassis_name") == ["ch1"]
            assert run(nbctl, "--wait=hv", "sync").stderr == ""
            frame = "arp,dl_src=00:00:00:00:00:07,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_spa=10.0.0.7,arp_tpa=10.0.0.8"
            with Rpc(f"{host.directory}/vswitchd.ctl") as control:
                assert control.call("netdev-dummy/receive", "vif", frame)["error"] is None
            eventually(lambda: column(central, "FDB", "mac") == ["00:00:00:00:00:07"])
        assert "permission error" not in (host.directory / "controller.log").read_text()


def column(server: RunningServer, table: str, name: str) -> list[Json]:
    (found,) = server.transact(SB, {"op": "select", "table": table, "where": [], "columns": [name]})
    return [row[name] for row in found["rows"]]
