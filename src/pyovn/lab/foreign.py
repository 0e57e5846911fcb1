"""Other programs in the place of a lab's own: a C ovn-northd, a C ovn-controller.

    Parts(northd=Path("/usr/bin/ovn-northd"), controllers={"hv2": Path("/usr/bin/ovn-controller")})

They find their sockets by the same options and environment as anywhere, so this is also how to try a new version of
one part in a network of others.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pyovn.lab.layout import HostLayout
from pyovn.net.errors import OvnError

PATIENCE_S = 5.0  #: between asking a program to end and ending it


class PartEnded(OvnError):
    """A program of the lab that ended by itself."""

    def __init__(self, program: Path, code: int, log: Path) -> None:
        last = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
        super().__init__(f"{program}: ended with exit code {code}\n" + "\n".join(last))


class Parts(NamedTuple):
    """Which parts are other programs."""

    northd: Path | None = None
    #: by hypervisor
    controllers: Mapping[str, Path] = MappingProxyType({})


async def run_northd(program: Path, northbound: str, southbound: str, host: HostLayout) -> None:
    """Run an ovn-northd until cancelled.  Raises PartEnded."""
    await run(program, "ovn-northd", [f"--ovnnb-db={northbound}", f"--ovnsb-db={southbound}"], host)


async def run_controller(program: Path, host: HostLayout) -> None:
    """Run an ovn-controller until cancelled.  Raises PartEnded."""
    await run(program, "ovn-controller", [f"unix:{host.database}"], host)


async def run(program: Path, name: str, words: Sequence[str], host: HostLayout) -> None:
    """Run a daemon in the foreground, with its files in the hypervisor's run directory."""
    rundir = str(host.rundir)
    log = host.rundir / f"{name}.log"
    places = {f"{family}_{kind}": rundir for family in ("OVS", "OVN") for kind in ("RUNDIR", "LOGDIR", "DBDIR")}
    with log.open("ab") as complaints:
        process = await asyncio.create_subprocess_exec(
            str(program),
            *words,
            f"--pidfile={host.rundir / name}.pid",
            f"--log-file={log}",
            "-vconsole:off",
            "-vsyslog:off",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=complaints,
            env={**os.environ, **places},
        )
    try:
        code = await process.wait()
    finally:
        await end(process)
    raise PartEnded(program, code, log)


async def end(process: asyncio.subprocess.Process) -> None:
    """Ask a program to end, and end it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                process.send_signal(number)
                async with asyncio.timeout(PATIENCE_S):
                    await process.wait()
