"""The systemd units of `packaging/`, run as systemd would run them, where there is no systemd: by a small stand-in.

Type=simple     the process that is started is the service, from its start to its end
Type=forking    the command returns when the service is up, whose main process PIDFile names
Type=oneshot    the command returns, and is all there is
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import pytest

from pyovn.cli import nbctl
from pyovn.cli.service.processes import lives
from tests.support.clusters import eventually

pytestmark = [pytest.mark.timeout(90), pytest.mark.xdist_group("ovn-ctl")]
UNITS = Path(__file__).parents[2] / "packaging" / "systemd"
CENTRAL = ("ovn-ovsdb-server-nb", "ovn-ovsdb-server-sb", "ovn-northd")
DIRECTORIES = {"RuntimeDirectory": "run", "LogsDirectory": "log", "StateDirectory": "lib"}


class Machine:
    """Directories of a machine, and what marks its processes, as a control group would."""

    def __init__(self, place: Path, options: str) -> None:
        self.place = place
        self.mark = f"PYOVN_TEST_MACHINE={uuid.uuid4()}"
        (place / "default").write_text(f'# options for all of them\nOVN_CTL_OPTS="{options}"\n')
        self.tool = place / "ovn-ctl"
        code = "import sys; from pyovn.cli.ovn_ctl import main; sys.exit(main())"
        self.tool.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}' \"$@\"\n")
        self.tool.chmod(0o755)
        variables = {"RUN": "run", "LOG": "log", "DB": "lib", "SYSCONF": "etc"}
        self.environment = {f"OVN_{name}DIR": str(place / where) for name, where in variables.items()}
        self.environment |= {"OVS_RUNDIR": str(place / "ovs"), "PATH": os.environ["PATH"]}
        self.environment |= dict([self.mark.split("=")])

    def processes(self) -> set[int]:
        """Everything that was started here and still lives."""
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                marked = self.mark.encode() in (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if marked and lives(int(entry.name)):
                found.add(int(entry.name))
        return found


class Unit:
    """A service."""

    def __init__(self, machine: Machine, name: str) -> None:
        parser = RawConfigParser(strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(UNITS / f"{name}.service")
        self.machine, self.settings = machine, dict(parser["Service"])
        self.before: set[int] = set()
        self.main: int | None = None
        self._simple: subprocess.Popen[bytes] | None = None

    def _words(self, setting: str) -> list[str]:
        """A command line; a variable that is a word by itself becomes the words in it."""
        environment = self._environment()
        found = []
        for word in self.settings[setting].split():
            found += shlex.split(environment.get(word[1:], "")) if word.startswith("$") else [word]
        assert found[0] == "/usr/bin/ovn-ctl"
        return [str(self.machine.tool), *found[1:]]

    def _environment(self) -> dict[str, str]:
        found = dict(self.machine.environment)
        if file := self.settings.get("EnvironmentFile"):
            assert file == "-/etc/default/ovn"
            lines = (self.machine.place / "default").read_text().splitlines()
            found |= dict(word.split("=", 1) for line in lines for word in shlex.split(line, comments=True))
        return found

    def _run(self, setting: str) -> None:
        done = subprocess.run(self._words(setting), env=self._environment(), timeout=60, check=False)
        assert done.returncode == 0, setting

    def start(self) -> None:
        """Start it, and know its main process."""
        for setting, directory in DIRECTORIES.items():
            if setting in self.settings:
                (self.machine.place / directory).mkdir(exist_ok=True)
        if self.settings["Type"] == "simple":
            self._simple = subprocess.Popen(self._words("ExecStart"), env=self._environment())
            self.main = self._simple.pid
            return
        self._run("ExecStart")
        if self.settings["Type"] == "forking":
            file = self.settings["PIDFile"].removeprefix("/run/ovn/")
            self.main = int((self.machine.place / "run" / file).read_text())
            assert self.runs

    @property
    def runs(self) -> bool:
        """True while the main process lives."""
        return self.main is not None and lives(self.main)

    def stop(self) -> None:
        """Stop it in good order; nothing of it is left."""
        self._run("ExecStop")
        if self._simple is not None:
            assert self._simple.wait(10) in (0, -signal.SIGTERM)
        eventually(lambda: not self.runs)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def machine() -> Iterator[Machine]:
    easy = "--ovn-northd-priority=0 --ovn-controller-priority=0"
    ports = f"--db-nb-create-insecure-remote=yes --db-nb-port={free_port()}"
    with tempfile.TemporaryDirectory(prefix="un") as name:
        found = Machine(Path(name), f"{easy} {ports}")
        yield found
        left = found.processes()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert left == set()


def test_units_start_work_fail_start_again_and_stop(machine: Machine) -> None:
    units = {name: Unit(machine, name) for name in (*CENTRAL, "ovn-controller")}
    nb = f"--db=unix:{machine.place}/run/ovnnb_db.sock"
    for unit in units.values():
        unit.start()
    eventually(lambda: nbctl.main([nb, "init"]) == 0)
    assert nbctl.main([nb, "--wait=sb", "ls-add", "sw0"]) == 0
    port = next(word for word in (machine.place / "default").read_text().split() if "nb-port" in word)
    assert nbctl.main([f"--db=tcp:127.0.0.1:{port.partition('=')[2].strip(chr(34))}", "ls-list"]) == 0
    assert {unit.main for unit in units.values()} == machine.processes()  # and no monitors
    northd, server = units["ovn-northd"], units["ovn-ovsdb-server-nb"]
    for unit in (northd, server):
        assert unit.main is not None
        os.kill(unit.main, signal.SIGKILL)
        eventually(lambda unit=unit: not unit.runs)
        unit.start()
    eventually(lambda: nbctl.main([nb, "init"]) == 0)
    assert nbctl.main([nb, "--wait=sb", "lsp-add", "sw0", "p1"]) == 0
    Unit(machine, "ovn-central").start()
    for unit in reversed(units.values()):
        unit.stop()


@pytest.mark.parametrize("name", [*CENTRAL, "ovn-controller"])
def test_units_that_stop_alone_leave_nothing(machine: Machine, name: str) -> None:
    unit = Unit(machine, name)
    unit.start()
    eventually(lambda: unit.settings["Type"] == "forking" or any((machine.place / "run").glob("*.ctl")))
    unit.stop()
    assert machine.processes() == set()
    assert [path for path in (machine.place / "run").glob("*") if path.suffix in (".pid", ".sock", ".ctl")] == []


def test_every_unit_is_run_here() -> None:
    assert {path.stem for path in UNITS.glob("*.service")} == {*CENTRAL, "ovn-controller", "ovn-central"}
