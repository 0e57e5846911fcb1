"""Services started and stopped as `ovn-ctl` does it, in directories of their own."""

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyovn.cli import nbctl, ovsdb_tool
from pyovn.cli.ovn_ctl import main
from pyovn.cli.service.processes import lives
from pyovn.cli.service.settings import defaults, read
from pyovn.tables.sb import SOUTHBOUND
from tests.support.c_programs import need

pytestmark = [pytest.mark.timeout(90), pytest.mark.xdist_group("ovn-ctl")]
EASY = "--ovn-northd-priority=0"
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
        (["promote_ovnnb"], "backup servers need Open vSwitch's own ovsdb-server"),
        (["start_sb_relay_ovsdb"], "relays need Open vSwitch's own ovsdb-server"),
    ],
)
def test_complains_of(words, complaint, capfd):
    assert main(words) == 1
    assert capfd.readouterr().err == f"ovn-ctl: {complaint}\n"


def test_a_cluster_is_left_to_those_who_can(place, capfd):
    assert main(["start_nb_ovsdb", "--db-nb-cluster-local-addr=10.0.0.1"]) == 1
    assert "need Open vSwitch's own ovsdb-server" in capfd.readouterr().err


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
