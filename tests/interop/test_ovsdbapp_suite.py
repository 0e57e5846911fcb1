"""ovsdbapp's own functional tests, which its package contains, against databases and a northd of ours.

They were written for the C programs, and drive the servers as Neutron does: an event-driven IDL over all tables,
commands in transactions of their own, locks that tell one worker to handle events, reconnections.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.c_programs import need
from tests.support.servers import UPSTREAM, upstream_schema

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("ovsdbapp")]

OURS = {
    "ovsdb-server": "pyovn.daemons.ovsdb_server",
    "ovsdb-tool": "pyovn.cli.ovsdb_tool",
    "ovn-northd": "pyovn.daemons.northd",
}
THEIRS = ("ovn-controller", "ovn-nbctl", "ovn-sbctl", "ovs-vsctl", "ovs-vswitchd")
SUITE = "ovsdbapp.tests.functional"
NORTHBOUND = f"{SUITE}.schema.ovn_northbound.test_impl_idl"

#: begins with a reconnection and waits to be told of a row that it knows: so do standalone C servers, which have no
#: history.  Ours tell only what was missed, as clustered ones do.
NEEDS_A_SERVER_THAT_FORGETS = {"test_force_reconnect"}


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """The environment in which the suite finds programs and schemas."""
    for name in (SUITE.partition(".")[0], "oslotest", "testscenarios"):
        pytest.importorskip(name, reason=f"{name}: not installed (extra dev)")
    programs, schemas = tmp_path / "bin", tmp_path / "schemas"
    programs.mkdir()
    schemas.mkdir()
    for name, module in OURS.items():
        code = f"import sys; from {module} import main; sys.exit(main())"
        (programs / name).write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}' \"$@\"\n")
        (programs / name).chmod(0o755)
    for name in THEIRS:
        (programs / name).symlink_to(need(name))
    for name in UPSTREAM:
        (schemas / f"{name}.ovsschema").write_text(json.dumps(upstream_schema(name)))
    path = f"{programs}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "OVN_SRCDIR": str(schemas)}


def run(places: dict[str, str], *names: str) -> tuple[int, set[str]]:
    """How many tests of these names there were, and which of them failed."""
    command = [sys.executable, "-W", "ignore", "-m", "unittest", "-q", *names]
    done = subprocess.run(command, env=places, capture_output=True, text=True, timeout=1500, check=False)
    count = re.search(r"Ran (\d+) tests", done.stderr)
    assert count, done.stderr
    failed = set(re.findall(r"(?m)^(?:FAIL|ERROR): [\w.]*?(\w+)(?: |\(|$)", done.stderr))
    if failed - NEEDS_A_SERVER_THAT_FORGETS:
        print(done.stderr)
    return int(count[1]), failed - NEEDS_A_SERVER_THAT_FORGETS


@pytest.mark.timeout(120)
def test_what_neutron_leans_on_most(places: dict[str, str]) -> None:
    classes = ("TestAclOps", "TestHAChassisGroup")
    locks = f"{SUITE}.backend.ovs_idl.test_connection.TestLockNotify"
    found = run(places, locks, *(f"{NORTHBOUND}.{name}" for name in classes))
    assert found[1] == set()
    assert found[0] > 20


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_all_of_it(places: dict[str, str]) -> None:
    schemas = ("ovn_northbound", "ovn_southbound", "open_vswitch")
    modules = [f"{SUITE}.schema.{name}.test_impl_idl" for name in schemas]
    backend = [f"{SUITE}.backend.ovs_idl.{name}" for name in ("test_connection", "test_indexing", "test_rowview")]
    found = run(places, *modules, *backend)
    assert found[1] == set()
    assert found[0] > 400


def test_the_suite_is_run_with_our_programs(places: dict[str, str]) -> None:
    for name in OURS:
        program = shutil.which(name, path=places["PATH"])
        assert program is not None
        assert "pyovn" in subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
