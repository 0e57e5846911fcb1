"""Where a lab keeps its sockets, and the environment in which OVN's tools find them.

    ROOT/ovnnb_db.sock ovnsb_db.sock                    the central databases
    ROOT/HOST/db.sock br-int.mgmt DAEMON.PID.ctl        one directory per hypervisor; ovn-northd runs on the first
    ROOT/bin                                            `ovs-vsctl`, `ip`, … that act on the lab
    ROOT/lab.sock                                       the lab's own commands

Paths are kept short: a Unix socket's path may have 107 bytes.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pyovn.net.errors import OvnError

#: Names the running lab for the tools in ROOT/bin and for `pyovn lab`.
ROOT_VARIABLE = "PYOVN_LAB"
#: Names the hypervisor on which `ovs-vsctl` and `ip` act.
HOST_VARIABLE = "PYOVN_HOST"
DEFAULT_ROOT = Path(tempfile.gettempdir()) / f"pyovn-lab-{os.getuid()}"
LONGEST_ROOT = 60


class UnusableRoot(OvnError):
    """A directory that cannot hold a lab."""

    def __init__(self, root: Path, reason: str) -> None:
        self.root, self.reason = root, reason
        super().__init__(f"{root}: {reason}")


class HostLayout(NamedTuple):
    """One hypervisor's run directory."""

    name: str
    rundir: Path

    @property
    def database(self) -> Path:
        """The socket of its Open_vSwitch database."""
        return self.rundir / "db.sock"

    def announce(self, daemon: str) -> Path:
        """Note that a daemon runs here, as its pidfile would; returns its unixctl socket, where `appctl -t` looks."""
        (self.rundir / f"{daemon}.pid").write_text(f"{os.getpid()}\n")
        return self.rundir / f"{daemon}.{os.getpid()}.ctl"


class Layout(NamedTuple):
    """A lab's directory."""

    root: Path

    @property
    def northbound(self) -> Path:
        """The northbound database's socket."""
        return self.root / "ovnnb_db.sock"

    @property
    def southbound(self) -> Path:
        """The southbound database's socket."""
        return self.root / "ovnsb_db.sock"

    @property
    def control(self) -> Path:
        """The socket on which the lab takes its own commands."""
        return self.root / "lab.sock"

    @property
    def bin(self) -> Path:
        """The directory of tools that act on this lab."""
        return self.root / "bin"

    def host(self, name: str) -> HostLayout:
        """The run directory of hypervisor `name`."""
        return HostLayout(name, self.root / name)

    def prepare(self, hosts: Sequence[str]) -> None:
        """Make the directories.

        Raises UnusableRoot where the path is too long for sockets beneath it.
        """
        if len(str(self.root)) > LONGEST_ROOT:
            raise UnusableRoot(self.root, f"longer than {LONGEST_ROOT} bytes: sockets beneath it would not work")
        for directory in (self.bin, *(self.host(name).rundir for name in hosts)):
            directory.mkdir(parents=True, exist_ok=True)

    def environment(self, host: str, path: str) -> Mapping[str, str]:
        """The variables with which OVN's and OVS's tools reach this lab, seen from hypervisor `host`."""
        rundir = str(self.host(host).rundir)
        return {
            ROOT_VARIABLE: str(self.root),
            HOST_VARIABLE: host,
            "OVN_NB_DB": f"unix:{self.northbound}",
            "OVN_SB_DB": f"unix:{self.southbound}",
            "OVN_RUNDIR": rundir,
            "OVS_RUNDIR": rundir,
            "PATH": with_first(str(self.bin), path),
        }


def with_first(directory: str, path: str) -> str:
    """The search path with `directory` at its head, once, and no other lab's directory in it."""
    rest = [entry for entry in path.split(os.pathsep) if entry != directory]
    return os.pathsep.join([directory, *rest])


def exports(environment: Mapping[str, str]) -> Iterator[str]:
    """Shell lines that set `environment`."""
    for name, value in environment.items():
        quoted = "'" + value.replace("'", "'\\''") + "'"
        yield f"export {name}={quoted}"
