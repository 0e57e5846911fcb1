"""A real ovs-vswitchd of our own, without root: dummy datapath, its own database and run directory.

    with RealSwitch(tmp) as switch:
        switch.vsctl("add-br", "br-int")            a bridge; `switch.mgmt("br-int")` is its OpenFlow socket
        switch.add_port("br-int", "p1", 1)          a dummy port with that OpenFlow number
        switch.ofctl("dump-flows", "br-int")        C ovs-ofctl, OpenFlow 1.5
        switch.appctl("ofproto/trace", "br-int", "in_port=1")

The dummy datapath forwards nothing by itself: `netdev-dummy/receive` puts frames in.
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.c_programs import need

DEBIAN_SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
START_S = 20.0


class RealSwitch:
    """An ovsdb-server and an ovs-vswitchd, alive inside `with`."""

    def __init__(self, tmp: Path | None = None, version: str = "any") -> None:
        """Use `tmp` (a short path: sockets live there) or a directory of its own; `version` as in `c_programs`."""
        self.programs = {
            name: need(name, version)
            for name in ("ovsdb-server", "ovsdb-tool", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")
        }
        self.version = version
        self._scratch = None if tmp else tempfile.TemporaryDirectory(prefix="ovs-")
        self.rundir = tmp or Path(self._scratch.name if self._scratch else "")
        self.db_socket = self.rundir / "db.sock"
        self.database = f"unix:{self.db_socket}"
        self.control = self.rundir / "vswitchd.ctl"
        self._daemons: list[subprocess.Popen[bytes]] = []
        keys = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")
        self.environment = {**os.environ, **{key: str(self.rundir) for key in keys}}

    def __enter__(self) -> Self:
        """Start both daemons and wait until they answer."""
        conf = self.rundir / "conf.db"
        self._run("ovsdb-tool", "create", str(conf), str(self._schema()))
        self._start("ovsdb-server", str(conf), f"--remote=punix:{self.db_socket}", f"--unixctl={self.rundir}/db.ctl")
        self._wait(self.db_socket.exists, "ovsdb-server")
        self.vsctl("--no-wait", "init")
        self._start(
            "ovs-vswitchd", self.database, f"--unixctl={self.control}", "--enable-dummy=system", "--disable-system"
        )
        self._wait(self.control.exists, "ovs-vswitchd")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """End the daemons we started."""
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        if self._scratch:
            self._scratch.cleanup()

    def vsctl(self, *words: str) -> str:
        """What C ovs-vsctl prints."""
        return self._run("ovs-vsctl", f"--db={self.database}", "--timeout=20", *words)

    def ofctl(self, *words: str, version: str = "OpenFlow15", check: bool = True) -> str:
        """What C ovs-ofctl prints."""
        return self._run("ovs-ofctl", "-O", version, *words, check=check)

    def appctl(self, *words: str) -> str:
        """What ovs-vswitchd answers on its control socket."""
        return self._run("ovs-appctl", "-t", str(self.control), *words)

    def mgmt(self, bridge: str) -> str:
        """The OpenFlow remote of a bridge."""
        return f"unix:{self.rundir}/{bridge}.mgmt"

    def add_bridge(self, bridge: str, *settings: str) -> None:
        """A bridge that forwards nothing until it has flows."""
        self.vsctl("add-br", bridge, "--", "set", "bridge", bridge, "fail_mode=secure", *settings)

    def add_port(self, bridge: str, port: str, number: int, *settings: str) -> None:
        """A port with a given OpenFlow number, dummy unless `settings` give it another type."""
        kind = () if any(word.startswith("type=") for word in settings) else ("type=dummy",)
        request = f"ofport_request={number}"
        self.vsctl("add-port", bridge, port, "--", "set", "interface", port, *kind, request, *settings)

    @property
    def pid(self) -> int:
        """The process of ovs-vswitchd."""
        return self._daemons[-1].pid

    @property
    def log(self) -> str:
        """What ovs-vswitchd logged."""
        return (self.rundir / "ovs-vswitchd.err").read_text()

    def _schema(self) -> Path:
        if "usr" in self.programs["ovs-vswitchd"].parts and DEBIAN_SCHEMA.exists():
            return DEBIAN_SCHEMA
        from pyovn.tables.vswitch import OPEN_VSWITCH

        path = self.rundir / "vswitch.ovsschema"
        path.write_text(json.dumps(OPEN_VSWITCH.schema()))
        return path

    def _start(self, name: str, *words: str) -> None:
        with open(self.rundir / f"{name}.err", "wb") as log:
            self._daemons.append(
                subprocess.Popen(
                    [self.programs[name], "--no-chdir", "-vconsole:warn", *words],
                    env=self.environment,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    cwd=self.rundir,
                )
            )

    def _wait(self, ready: object, name: str) -> None:
        deadline = time.monotonic() + START_S
        while not ready():  # type: ignore[operator]
            log = (self.rundir / f"{name}.err").read_text()
            assert self._daemons[-1].poll() is None, f"{name} ended: {log}"
            assert time.monotonic() < deadline, f"{name} did not start: {log}"
            time.sleep(0.02)

    def _run(self, name: str, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            [self.programs[name], *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.rundir,
        )
        assert not check or done.returncode == 0, f"{name} {' '.join(words)}: {done.stderr}"
        return done.stdout if check else done.stdout + done.stderr
