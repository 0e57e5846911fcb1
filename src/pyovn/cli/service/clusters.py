"""Clusters and relays, which Open vSwitch's own ovsdb-server serves: found on this machine, started like ours.

--db-nb-cluster-local-addr           the file is made: the first member of a new cluster
--db-nb-cluster-remote-addr too      … or one that joins the cluster of that member
the file is a cluster's already      it is served as it is
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pyovn.cli import ovsdb_client
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.service.processes import say
from pyovn.cli.service.settings import Settings

if TYPE_CHECKING:
    from pyovn.cli.service.databases import Kind

SYSTEM_DIRECTORIES = ("/usr/sbin", "/usr/local/sbin")
CLUSTERED = b"OVSDB CLUSTER"  #: how files of clusters begin
WAIT_S = 60  #: for a member to find its cluster


def is_clustered(kind: "Kind", settings: Settings) -> bool:
    """True where the database is, or is to be, a member of a cluster."""
    file = Path(settings[f"db-{kind.place.name}-file"])
    if not file.exists():
        return bool(settings[f"db-{kind.place.name}-cluster-local-addr"])
    with file.open("rb") as opened:
        return opened.read(len(CLUSTERED)) == CLUSTERED


def c_program(name: str) -> str:
    """The path of one of Open vSwitch's programs; raises `CtlError`."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_DIRECTORIES))
    found = shutil.which(name, path=path)
    if found is None:
        raise CtlError(f"clusters and relays need Open vSwitch's own {name}, which is not installed here")
    return found


def create(kind: "Kind", settings: Settings) -> None:
    """Make the file of a new member, unless it is there; raises `CtlError`."""
    name = kind.place.name
    file = settings[f"db-{name}-file"]
    if Path(file).exists():
        return
    local, remote = (_address(name, side, settings) for side in ("local", "remote"))
    if remote:
        say(f"Joining {file} to cluster.")
        _run("join-cluster", file, kind.database.name, local, remote)
        return
    say(f"Creating cluster database {file}.")
    timer = settings[f"db-{name}-election-timer"]
    with schema_file(kind, settings) as schema:
        _run(*([f"--election-timer={timer}"] if timer else []), "create-cluster", file, schema, local)


def _address(name: str, side: str, settings: Settings) -> str:
    """Where a member listens for the others; empty where it is not said."""
    address, port, protocol = (settings[f"db-{name}-cluster-{side}-{what}"] for what in ("addr", "port", "proto"))
    return f"{protocol}:{address}:{port}" if address else ""


def _run(*words: str) -> None:
    done = subprocess.run([c_program("ovsdb-tool"), *words], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CtlError(done.stderr.strip().removeprefix("ovsdb-tool: "))


@contextmanager
def schema_file(kind: "Kind", settings: Settings) -> Iterator[str]:
    """A file with the schema that the database is to have."""
    given = settings[f"db-{kind.place.name}-schema"]
    if given:
        yield given
        return
    with tempfile.NamedTemporaryFile("w", suffix=".ovsschema", encoding="utf-8") as file:
        json.dump(kind.database.schema(), file)
        file.flush()
        yield file.name


def settle(kind: "Kind", settings: Settings) -> None:
    """Wait until the member serves its cluster's database, and upgrade that where it is asked for."""
    remote = f"unix:{settings[f'db-{kind.place.name}-sock']}"
    say(f"Waiting for {kind.database.name} to come up.")
    wait = [f"--timeout={WAIT_S}", "wait", remote, kind.database.name, "connected"]
    if ovsdb_client.main(wait):
        raise CtlError(f"{kind.database.name} did not come up")
    if settings.says("db-cluster-schema-upgrade"):
        say(f"Upgrading the schema of {kind.database.name}.")
        with schema_file(kind, settings) as schema:
            if ovsdb_client.main([f"--timeout={WAIT_S}", "--no-leader-only", "convert", remote, schema]):
                raise CtlError(f"the schema of {kind.database.name} could not be upgraded")


def knows(program: str, option: str) -> bool:
    """True where a program of Open vSwitch has an option."""
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    return option in done.stdout
