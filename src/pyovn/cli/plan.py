"""`pyovn plan`: what an edit of the network would do, before it is made.

pyovn plan acl-add sw0 to-lport 1001 'tcp.dst == 80' drop -- lsp-add sw0 vm3

The words are those of ovn-nbctl.  Both databases are copied into memory, the edit is made there, northd compiles it
there, and the difference is told: rows, logical flows, chassis that have work to do, new warnings, and packets between
guests that would fare differently.
"""

import itertools
import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import click

from pyovn.cli.ctl.call import Call
from pyovn.cli.ctl.frame import address, parse
from pyovn.cli.ctl.options import chain
from pyovn.cli.ctl.output import Style
from pyovn.cli.ctl.program import Run
from pyovn.cli.nbctl import PROGRAM
from pyovn.cli.session import ConnectionFailed, Session, connect
from pyovn.cli.trace import default_database
from pyovn.net.errors import OvnError
from pyovn.net.uuids import Uuid, uuid_text
from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.database import Database
from pyovn.ovsdb.server.session import Sync
from pyovn.ovsdb.storage.log import build
from pyovn.ovsdb.storage.records import recover
from pyovn.plan.central import Central, NotSettled
from pyovn.plan.plan import planned

Json = Any


class InMemory(Session):
    """A session with the databases of a central in memory."""

    def __init__(self, central: Central) -> None:
        self._peer = central.server.open()
        super().__init__(_Nothing(), "the plan")

    def _send(self, message: Json) -> None:
        self._peer.handle(json.loads(json.dumps(message)))
        for sync in self._peer.outbox:
            if isinstance(sync, Sync):
                sync.done = True
        self._buffer += self._peer.take().decode()

    def _fill(self) -> None:
        raise ConnectionFailed(self.remote, "it would wait for something that no plan can know")

    def readable(self, patience_ms: int = 20) -> bool:
        """Whether more has come in: never, for answers come at once."""
        return False


class _Nothing:
    """The stream of a session that needs none."""

    def recv(self, _size: int, /) -> bytes:
        return b""

    def sendall(self, _data: bytes, /) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass

    def fileno(self) -> int:
        return -1

    def settimeout(self, _seconds: float | None, /) -> None:
        pass


@click.command(
    context_settings={
        "help_option_names": ["-h", "--help"],
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    }
)
@click.option("--nb", "northbound", metavar="DATABASE", help="The northbound database [OVN_NB_DB].")
@click.option("--db", "southbound", metavar="DATABASE", help="The southbound database [OVN_SB_DB].")
@click.option("--flows", "with_flows", is_flag=True, help="Show every logical flow that comes or goes.")
@click.option("--no-reach", is_flag=True, help="Do not try packets between guests.")
@click.option("--apply", is_flag=True, help="Afterwards ask whether to carry it out.")
@click.option("--yes", is_flag=True, help="With --apply: do not ask.")
@click.argument("command", nargs=-1, required=True)
def plan(
    northbound: str | None,
    southbound: str | None,
    with_flows: bool,
    no_reach: bool,
    apply: bool,
    yes: bool,
    command: tuple[str, ...],
) -> None:
    """Tell what the ovn-nbctl command line COMMAND would do to the network, without doing it."""
    words = list(command)
    where = address(PROGRAM, {"--db": northbound})
    try:
        databases = [snapshot(where, "OVN_Northbound"), snapshot(southbound or default_database(), "OVN_Southbound")]
        central = Central(databases, new_uuids(), random_bits)
        found = planned(central, partial(carried_out, words), reach=not no_reach)
    except (OvnError, NotSettled) as fault:
        raise click.ClickException(str(fault)) from None
    sys.stdout.writelines(f"{line}\n" for line in found.lines(with_flows=with_flows))
    if not apply:
        return
    if not yes and not click.confirm("Carry it out?"):
        sys.exit(1)
    from pyovn.cli.ctl.frame import main as carry_out

    sys.exit(carry_out(PROGRAM, [f"--db={where}", *words]))


def snapshot(remote: str, name: str) -> Database:
    """A copy of a database; raises OvnError."""
    with closing(connect(remote, name, leader_only=True)) as session:
        schema = Schema.parse(session.call("get_schema", name))
        kept = {table.name: list(table.columns) for table in schema.tables.values()}
        selects = [
            {"op": "select", "table": table, "where": [], "columns": ["_uuid", *columns]}
            for table, columns in kept.items()
        ]
        answers = session.call("transact", name, *selects)
    record: Json = {"_date": 0}
    for table, answer in zip(kept, answers, strict=True):
        record[table] = {row.pop("_uuid")[1]: row for row in answer["rows"]}
    file = b"".join(build(json.dumps(each).encode()) for each in (schema.json(), record))
    recovered = recover(file, new_uuids())
    if recovered.damage is not None:
        raise OvnError(f"{name}: {recovered.damage.reason}")
    return recovered.database


def new_uuids() -> Iterator[Uuid]:
    """UUIDs for new rows."""
    return (uuid_text(int.from_bytes(os.urandom(16), "big")) for _ in itertools.count())


def random_bits(bits: int) -> int:
    """A number of so many bits."""
    return int.from_bytes(os.urandom(8), "big") >> 64 - bits


def carried_out(words: list[str], central: Central) -> str:
    """Run ovn-nbctl's command line on a central in memory; returns what it prints."""
    options, first, rest = parse(PROGRAM, words)
    options.pop("--wait", None)
    calls = [Call(*each) for each in chain(first, rest, PROGRAM.find)]
    Style(options)
    job = Run(PROGRAM, InMemory(central), options, calls)
    job.load()
    return job.go()
