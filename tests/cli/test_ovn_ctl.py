"""Services started and stopped as `ovn-ctl` does it, in directories of their own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyovn.cli import nbctl, ovsdb_tool, sbctl
from pyovn.cli.ovn_ctl import COMMANDS, main
from pyovn.cli.service import clusters, databases
from pyovn.cli.service.processes import lives
from pyovn.cli.service.settings import defaults, read
from pyovn.tables.nb import NORTHBOUND
from pyovn.tables.sb import SOUTHBOUND
from tests.support.c_programs import need
from tests.support.certificates import Authority, options
from tests.support.clusters import eventually

pytestmark = [pytest.mark.timeout(90), pytest.mark.xdist_group("ovn-ctl")]
EASY = "--ovn-northd-priority=0"
PACKAGING = Path(__file__).parents[2] / "packaging"
QUIET = "--ovn-controller-priority=0"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="oc") as name:
        directory = Path(name)
        for variable in ("OVN_RUNDIR", "OVN_LOGDIR", "OVN_DBDIR", "OVN_SYSCONFDIR", "OVS_RUNDIR"):
            monkeypatch.setenv(variable, str(directory / variable[4:7].lower()))
        (directory / "run").mkdir()
        yield directory
        main(["stop_northd"])
        main(["stop_controller"])


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    return lambda: capfd.readouterr().out


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_databases_and_northd_start_work_and_stop(place, said):
    nb, sb = free_port(), free_port()
    assert main(["status_northd"]) == 1
    ports = [f"--db-nb-port={nb}", f"--db-sb-port={sb}"]
    insecure = ["--db-nb-create-insecure-remote=yes", "--db-sb-create-insecure-remote=yes"]
    said()
    assert main(["start_ovsdb", *insecure, *ports]) == 0
    assert said().splitlines() == [
        line
        for name in ("nb", "sb")
        for line in (
            f"{place}/dbd/ovn{name}_db.db does not exist ... (warning).",
            f"Creating empty database {place}/dbd/ovn{name}_db.db.",
            f"Starting ovsdb-{name}.",
        )
    ]
    assert main(["status_ovsdb"]) == 0
    assert said() == "OVN Northbound DB is running.\nOVN Southbound DB is running.\n"
    assert main(["start_northd", EASY]) == 0
    assert said() == "Starting ovn-northd.\n"
    assert main(["status_northd"]) == 0
    pid = int((place / "run" / "ovn-northd.pid").read_text())
    assert said() == f"ovn-northd is running with pid {pid}\n"
    assert nbctl.main([f"--db=tcp:127.0.0.1:{nb}", "--wait=sb", "ls-add", "sw0"]) == 0
    assert main(["start_northd", EASY]) == 0
    assert said() == "ovn-northd is already running.\n"
    assert main(["stop_northd"]) == 0
    assert [line.split(" (")[0] for line in said().splitlines()] == [
        "Exiting ovn-northd",
        "Exiting ovnnb_db",
        "Exiting ovnsb_db",
    ]
    assert not lives(pid)
    assert main(["status_ovsdb"]) == 0
    assert said() == "OVN Northbound DB is not running.\nOVN Southbound DB is not running.\n"
    assert {"ovn-northd.log", "ovsdb-server-nb.log", "ovsdb-server-sb.log"} <= set(os.listdir(place / "log"))


def test_what_was_configured_is_there_after_a_restart(place, said):
    main(["start_nb_ovsdb"])
    local = f"--db=unix:{place}/run/ovnnb_db.sock"
    assert nbctl.main([local, "ls-add", "kept"]) == 0
    assert main(["restart_nb_ovsdb"]) == 0
    said()
    assert nbctl.main([local, "ls-list"]) == 0
    assert "(kept)" in said()
    assert main(["status_ovnnb"]) == 0
    assert said() == "running/active\n"
    assert main(["status_ovnsb"]) == 0
    assert said() == "not-running\n"


def test_an_old_database_is_converted_and_kept_aside(place, said):
    old = SOUTHBOUND.schema() | {"version": "20.0.0"}
    (place / "dbd").mkdir()
    file = place / "dbd" / "ovnsb_db.db"
    (place / "schema").write_text(json.dumps(old))
    assert ovsdb_tool.main(["create", str(file), str(place / "schema")]) == 0
    assert main(["start_sb_ovsdb"]) == 0
    words = said()
    assert "Backing up database" in words
    assert "Converting database schema." in words
    assert ovsdb_tool.main(["db-version", str(file)]) == 0
    assert said() == f"{SOUTHBOUND.version}\n"
    assert list(file.parent.glob("ovnsb_db.db.backup20.0.0-*"))
    main(["stop_sb_ovsdb"])


def test_the_controller_starts_before_its_database(place, said):
    assert main(["start_controller", QUIET]) == 0
    assert main(["status_controller"]) == 0
    assert "Starting ovn-controller.\novn-controller is running with pid " in said()
    assert main(["restart_controller", QUIET]) == 0
    assert main(["stop_controller"]) == 0
    assert main(["stop_controller"]) == 0
    assert said().endswith("ovn-controller is not running.\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "missing command name (use --help for help)"),
        (["nope"], 'unknown command "nope" (use --help for help)'),
        (["--zip=3", "status_northd"], 'unknown option "--zip=3" (use --help for help)'),
        (["status_northd", "extra"], "exactly one non-option argument required (use --help for help)"),
        (["promote_ovnnb"], "ovnnb_db is not running"),
        (["demote_ovnnb"], "--db-nb-sync-from-addr must say which server is active now"),
        (["start_sb_relay_ovsdb"], "--db-sb-relay-remote must say which server to relay"),
        (["start_ic", "--ovn-ic-nb-db=tcp:10.0.0.1:6641"], "ovn-ic is not part of pyovn"),
        (["start_controller_vtep"], "ovn-controller-vtep is not part of pyovn"),
        (["restart_br_controller"], "ovn-br-controller is not part of pyovn"),
        (["start_ovnbr_ovsdb"], "ovn-br-controller is not part of pyovn"),
        (
            ["start_nb_ovsdb", "--db-nb-config-file=f"],
            "--db-nb-config-file is not supported; use the other options",
        ),
    ],
)
def test_complains_of(place, words, complaint, capfd):
    assert main(words) == 1
    assert capfd.readouterr().err == f"ovn-ctl: {complaint}\n"


def test_a_misspelt_command_is_guessed(capfd):
    assert main(["start_nothd"]) == 1
    assert "\nDid you mean 'start_northd'" in capfd.readouterr().err


def test_a_cluster_is_left_to_those_who_can(place, capfd, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(clusters, "SYSTEM_DIRECTORIES", ())
    assert main(["start_nb_ovsdb", "--db-nb-cluster-local-addr=10.0.0.1"]) == 1
    assert "need Open vSwitch's own ovsdb-tool, which is not installed here" in capfd.readouterr().err


@contextmanager
def elsewhere(place, monkeypatch, name):
    """A second machine, as far as directories go."""
    with monkeypatch.context() as there:
        for variable in ("OVN_RUNDIR", "OVN_LOGDIR", "OVN_DBDIR"):
            there.setenv(variable, str(place / name / variable[4:7].lower()))
        (place / name / "run").mkdir(parents=True, exist_ok=True)
        yield f"--db=unix:{place}/{name}/run/ovnnb_db.sock"


def test_a_backup_follows_the_active_server_until_it_is_promoted(place, said, monkeypatch):
    ports = [free_port(), free_port()]
    local = f"--db=unix:{place}/run/ovnnb_db.sock"
    start = ["start_nb_ovsdb", "--db-nb-create-insecure-remote=yes"]
    active = ["--db-nb-sync-from-addr=127.0.0.1", f"--db-nb-sync-from-port={ports[0]}"]
    assert main([*start, f"--db-nb-port={ports[0]}"]) == 0
    with elsewhere(place, monkeypatch, "b") as backup:
        assert main([*start, f"--db-nb-port={ports[1]}", *active]) == 0
        said()
        assert main(["status_ovnnb"]) == 0
        assert said() == "running/backup\n"
        assert nbctl.main([local, "ls-add", "early"]) == 0
        assert nbctl.main([backup, "wait-until", "Logical_Switch", "early"]) == 0
        assert nbctl.main([backup, "ls-add", "refused"]) == 1
        main(["promote_ovnnb"])
        assert nbctl.main([backup, "ls-add", "late"]) == 0
        said()
        main(["status_ovnnb"])
        assert said() == "running/active\n"
    now = ["--db-nb-sync-from-addr=127.0.0.1", f"--db-nb-sync-from-port={ports[1]}"]
    assert main(["demote_ovnnb", *now]) == 0
    assert nbctl.main([local, "wait-until", "Logical_Switch", "late"]) == 0
    main(["stop_nb_ovsdb"])
    with elsewhere(place, monkeypatch, "b"):
        main(["stop_nb_ovsdb"])


def test_a_file_may_name_the_active_server(place):
    etc = place / "sys" / "ovn"
    etc.mkdir(parents=True)
    (etc / "ovnsb-active.conf").write_text("tcp:10.0.0.9:6642\n")
    _, settings = read(["start_sb_ovsdb"])
    assert "--sync-from=tcp:10.0.0.9:6642" in databases.arguments(databases.SB, settings)
    assert not [word for word in databases.arguments(databases.NB, settings) if "--sync-from" in word]


@pytest.mark.interop
def test_members_of_a_cluster_start_join_and_restart(place, said, monkeypatch):
    need("ovsdb-server", "23.03")
    first, second = free_port(), free_port()
    local = f"--db=unix:{place}/run/ovnnb_db.sock"
    where = ["--db-nb-cluster-local-addr=127.0.0.1"]
    try:
        assert (
            main(["start_nb_ovsdb", *where, f"--db-nb-cluster-local-port={first}", "--db-nb-election-timer=2000"]) == 0
        )
        assert "Creating cluster database" in said()
        assert nbctl.main([local, "ls-add", "kept"]) == 0
        with elsewhere(place, monkeypatch, "b") as other:
            join = ["--db-nb-cluster-remote-addr=127.0.0.1", f"--db-nb-cluster-remote-port={first}"]
            assert main(["start_nb_ovsdb", *where, f"--db-nb-cluster-local-port={second}", *join]) == 0
            assert "Joining" in said()
            wait = ["--no-leader-only", "wait-until", "Logical_Switch", "kept"]
            assert nbctl.main([other, *wait]) == 0
        assert main(["status_ovnnb"]) == 0
        assert said() == "running/active\n"
        assert main(["restart_nb_ovsdb"]) == 0  # the file says that it is a cluster's
        assert nbctl.main([local, "--no-leader-only", "wait-until", "Logical_Switch", "kept"]) == 0
    finally:
        main(["stop_nb_ovsdb"])
        with elsewhere(place, monkeypatch, "b"):
            main(["stop_nb_ovsdb"])


@pytest.fixture
def older_schema(place):
    """A northbound schema of the past: without a column and a table that there are now, under a lower number."""
    schema = NORTHBOUND.schema()
    del schema["tables"]["Logical_Switch"]["columns"]["copp"]
    del schema["tables"]["Chassis_Template_Var"]
    path = place / "old.ovsschema"
    path.write_text(json.dumps(schema | {"version": "7.0.0", "cksum": "1 1"}))
    return path


@pytest.mark.interop
def test_a_member_that_joined_upgrades_the_schema_of_its_cluster(place, said, monkeypatch, older_schema):
    need("ovsdb-server", "23.03")
    first, second = free_port(), free_port()
    local, here = f"--db=unix:{place}/run/ovnnb_db.sock", "--db-nb-cluster-local-addr=127.0.0.1"
    old = ["start_nb_ovsdb", here, f"--db-nb-schema={older_schema}"]
    there = ["--db-nb-cluster-remote-addr=127.0.0.1", f"--db-nb-cluster-remote-port={first}"]
    try:
        assert main([*old, f"--db-nb-cluster-local-port={first}"]) == 0
        assert nbctl.main([local, "ls-add", "kept"]) == 0
        with elsewhere(place, monkeypatch, "b"):
            new = ["start_nb_ovsdb", here, "--db-cluster-schema-upgrade=yes"]
            assert main([*new, f"--db-nb-cluster-local-port={second}", *there]) == 0
        assert nbctl.main([local, "--no-leader-only", "list", "Chassis_Template_Var"]) == 0
        assert nbctl.main([local, "--no-leader-only", "list", "Logical_Switch", "kept"]) == 0
    finally:
        main(["stop_nb_ovsdb"])
        with elsewhere(place, monkeypatch, "b"):
            main(["stop_nb_ovsdb"])


@pytest.mark.interop
def test_a_cluster_gets_a_newer_schema_when_asked_to(place, said, older_schema):
    need("ovsdb-server", "23.03")
    where = ["--db-nb-cluster-local-addr=127.0.0.1", "--db-sb-cluster-local-addr=127.0.0.1"]
    where += [f"--db-{name}-cluster-local-port={free_port()}" for name in ("nb", "sb")]
    local = f"--db=unix:{place}/run/ovnnb_db.sock"
    try:
        assert main(["start_ovsdb", *where, f"--db-nb-schema={older_schema}"]) == 0
        assert nbctl.main([local, "ls-add", "kept"]) == 0
        assert nbctl.main([local, "list", "Chassis_Template_Var"]) == 1
        assert main(["restart_ovsdb"]) == 0
        assert nbctl.main([local, "list", "Chassis_Template_Var"]) == 1
        assert main(["restart_ovsdb", "--db-cluster-schema-upgrade=yes"]) == 0
        assert nbctl.main([local, "list", "Chassis_Template_Var"]) == 0
        said()
        assert nbctl.main([local, "--bare", "--columns=name,copp", "list", "Logical_Switch"]) == 0
        assert said() == "kept\n\n"
        assert main(["start_northd", EASY, "--ovn-manage-ovsdb=no"]) == 0
        assert nbctl.main([local, "--wait=sb", "sync"]) == 0
        assert main(["status_ovsdb"]) == 0
    finally:
        main(["stop_northd"])
        main(["stop_ovsdb"])


@contextmanager
def foreground(*words):
    """`ovn-ctl` that becomes what it runs."""
    code = "import sys; from pyovn.cli.ovn_ctl import main; sys.exit(main())"
    process = subprocess.Popen([sys.executable, "-c", code, *words], env=os.environ)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(10) in (0, -signal.SIGTERM)


@pytest.mark.interop
def test_databases_and_relays_run_in_the_foreground(place, capfd):
    need("ovsdb-server", "23.03")
    port = free_port()
    database, relay = (f"--db=unix:{place}/run/{name}.sock" for name in ("ovnsb_db", "ovnsb_relay_db"))
    with foreground("run_sb_ovsdb", "--db-sb-create-insecure-remote=yes", f"--db-sb-port={port}") as server:
        eventually(lambda: sbctl.main([database, "init"]) == 0)
        assert int((place / "run/ovnsb_db.pid").read_text()) == server.pid
        with foreground("run_sb_relay_ovsdb", f"--db-sb-relay-remote=tcp:127.0.0.1:{port}") as process:
            eventually(lambda: sbctl.main([relay, "chassis-add", "ch1", "geneve", "10.0.0.1"]) == 0)
            assert int((place / "run/ovnsb_relay_db.pid").read_text()) == process.pid
            assert sbctl.main([database, "wait-until", "Chassis", "ch1"]) == 0


@pytest.mark.interop
def test_a_relay_serves_what_its_server_has(place, said):
    need("ovsdb-server", "23.03")
    port = free_port()
    assert main(["start_sb_ovsdb", "--db-sb-create-insecure-remote=yes", f"--db-sb-port={port}"]) == 0
    try:
        assert main(["start_sb_relay_ovsdb", f"--db-sb-relay-remote=tcp:127.0.0.1:{port}"]) == 0
        relay = f"--db=unix:{place}/run/ovnsb_relay_db.sock"
        assert sbctl.main([relay, "chassis-add", "ch1", "geneve", "10.0.0.1"]) == 0
        assert sbctl.main([f"--db=unix:{place}/run/ovnsb_db.sock", "wait-until", "Chassis", "ch1"]) == 0
    finally:
        main(["stop_sb_relay_ovsdb"])
        main(["stop_sb_ovsdb"])


def test_tls_is_configured_in_the_database(place, said):
    authority = Authority(place)
    files, port = authority.issue("server"), free_port()
    assert main(["start_nb_ovsdb"]) == 0
    local = f"--db=unix:{place}/run/ovnnb_db.sock"
    ssl = ["set-ssl", files.private_key, files.certificate, files.ca_cert]
    assert nbctl.main([local, *ssl, "--", "set-connection", f"pssl:{port}:127.0.0.1"]) == 0
    try:
        client = options(authority.issue("client"))
        assert nbctl.main([local, "wait-until", "Connection", f"pssl:{port}:127.0.0.1", "is_connected=false"]) == 0
        assert eventually(lambda: nbctl.main([f"--db=ssl:127.0.0.1:{port}", *client, "ls-list"]) == 0)
    finally:
        main(["stop_nb_ovsdb"])


def test_a_crashed_northd_is_started_again(place, said):
    assert main(["start_northd", EASY]) == 0
    pidfile = place / "run" / "ovn-northd.pid"
    crashed = int(pidfile.read_text())
    os.kill(crashed, signal.SIGSEGV)
    assert eventually(lambda: int(pidfile.read_text()) != crashed and lives(int(pidfile.read_text())))
    assert nbctl.main([f"--db=unix:{place}/run/ovnnb_db.sock", "--wait=sb", "ls-add", "sw0"]) == 0


def test_logs_are_rotated_as_the_logrotate_file_says(place, said):
    assert main(["start_northd", EASY]) == 0
    logs = place / "log"
    names = {path.name for path in logs.iterdir()}
    for path in list(logs.iterdir()):
        path.rename(path.with_suffix(".log.1"))
    text = (PACKAGING / "logrotate" / "ovn").read_text()
    script = text.split("postrotate\n")[1].split("endscript")[0]
    tools = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["sh", "-eu", "-c", script], env=os.environ | {"PATH": tools}, capture_output=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert eventually(lambda: {path.name for path in logs.glob("*.log")} == names)


@pytest.mark.parametrize("unit", sorted(PACKAGING.glob("systemd/*.service")), ids=lambda path: path.name)
def test_units_start_what_there_is(unit, tmp_path):
    lines = [line.partition("=") for line in unit.read_text().splitlines() if line.startswith("Exec")]
    for _, _, command in lines:
        tool, *words = command.split()
        assert tool == "/usr/bin/ovn-ctl"
        name, _ = read([word for word in words if word != "$OVN_CTL_OPTS"])
        assert name in COMMANDS
    verify = shutil.which("systemd-analyze") or pytest.skip("systemd-analyze: not installed")
    for each in PACKAGING.glob("systemd/*"):
        (tmp_path / each.name).write_text(each.read_text().replace("/usr/bin/ovn-ctl", "/bin/true"))
    done = subprocess.run(
        [verify, "verify", "--man=no", tmp_path / unit.name], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_options_stand_for_yes_and_no():
    _, settings = read(
        ["--db-nb-create-insecure-remote", "--no-ovn-manage-ovsdb", "start_northd", "--", "--n-threads=3"]
    )
    assert settings.says("db-nb-create-insecure-remote")
    assert not settings.says("ovn-manage-ovsdb")
    assert settings.extra == ("--n-threads=3",)


def test_every_default_is_in_a_directory_of_its_kind(place):
    found = defaults()
    assert found["db-sb-sock"] == f"{place}/run/ovnsb_db.sock"
    assert found["ovn-ic-nb-logfile"] == f"{place}/log/ovsdb-server-ic-nb.log"
    assert found["db-ic-sb-port"] == "6646"


@pytest.mark.interop
def test_the_c_tools_find_what_was_started(place, said):
    assert main(["start_northd", EASY]) == 0
    local = f"--db=unix:{place}/run/ovnnb_db.sock"
    sync = [need("ovn-nbctl"), local, "--wait=sb", "--timeout=10", "sync"]
    assert subprocess.run(sync, timeout=20, check=False).returncode == 0
    ask = [need("ovn-appctl"), "-t", "ovn-northd", "status"]
    assert subprocess.run(ask, capture_output=True, text=True, timeout=20, check=False).stdout == "Status: active\n"
