"""`ovn-detrace`: which logical flows and other rows the OpenFlow flows of an `ofproto/trace` came from.

ovs-appctl ofproto/trace br-int in_port=1,… | ovn-detrace

A block of the trace is a line that begins with a table number, and what follows it up to the next.  After a block come
the southbound rows whose UUIDs begin with its cookies, and the northbound rows that those came from; with --ovs also
the interfaces whose OpenFlow numbers it names.  Lines lose their indentation, as they do in C's tool.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from getopt import GetoptError, gnu_getopt

from pyovn.cli.boundary import run_tool
from pyovn.cli.detrace_rows import Rows, told
from pyovn.cli.session import Session, connect
from pyovn.net.errors import OvnError

NORTHBOUND, SOUTHBOUND, SWITCH = "OVN_Northbound", "OVN_Southbound", "Open_vSwitch"

USAGE = """\
{program}:
usage: {program} < FILE
where FILE is output from ovs-appctl ofproto/trace.

The following options are also available:
  -h, --help                  display this help message
  -V, --version               display version information
  --ovnsb=DATABASE            use DATABASE as southbound DB
  --ovnnb=DATABASE            use DATABASE as northbound DB
  --ovs                       tell which interfaces the packet passed
  --ovsdb=DATABASE            use DATABASE as OVS DB
  --no-leader-only            accept any cluster member, not just the leader
  -p, --private-key=FILE      file with private key
  -c, --certificate=FILE      file with certificate for private key
  -C, --ca-cert=FILE          file with peer CA certificate
"""
_FLAGS = ("help", "version", "ovs", "no-leader-only")
_VALUES = ("ovnsb=", "ovnnb=", "ovsdb=", "private-key=", "certificate=", "ca-cert=")
_SHORT = {"-h": "--help", "-V": "--version", "-p": "--private-key", "-c": "--certificate", "-C": "--ca-cert"}

_TABLE = re.compile(r"\d+\.")
_COOKIE = re.compile(r".*cookie[ =]0x([0-9a-f]+)")
_PORT = re.compile(r"(?:\d+\. in_port=|output:)(\d+)")


class UsageError(OvnError):
    """A command line that makes no sense."""


@dataclass(slots=True)
class Block:
    """What a packet met in one table."""

    lines: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    #: numbers of ports that the packet came from or went to
    ports: list[int] = field(default_factory=list)

    def add(self, line: str) -> None:
        """One more line."""
        self.lines.append(line)
        if found := _COOKIE.match(line):
            self.cookies.append(found[1].rjust(8, "0"))
        if found := _PORT.match(line):
            self.ports.append(int(found[1]))


def blocks(lines: Iterable[str]) -> Iterator[Block]:
    """The blocks of a trace; an empty line begins one, too."""
    block = Block()
    for line in (*lines, ""):
        text = line.strip()
        if not text or _TABLE.match(text):
            yield block
            block = Block()
        block.add(text)
    yield block


def main(words: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit status."""
    return run_tool("ovn-detrace", words, _run)


def _run(program: str, words: list[str]) -> int:
    options = _split(words)
    if "--help" in options:
        sys.stdout.write(USAGE.format(program=program))
    elif "--version" in options:
        sys.stdout.write(f"{program} (OVN) 26.03.2\n")
    else:
        _annotate(options)
    return 0


def _split(words: list[str]) -> dict[str, str]:
    """Options by their long names; raises UsageError."""
    try:
        given, rest = gnu_getopt(words, "hVp:c:C:", [*_FLAGS, *_VALUES])
    except GetoptError as fault:
        raise UsageError(f"{fault} (use --help for help)") from None
    if rest:
        raise UsageError("non-option argument not supported (use --help for help)")
    return {_SHORT.get(name, name): value for name, value in given}


def _annotate(options: dict[str, str]) -> None:
    """Read a trace, and print it with what the databases know."""
    found = list(blocks(sys.stdin))
    interfaces = _interfaces(options) if "--ovs" in options else {}
    with _database(options, "--ovnsb", SOUTHBOUND) as south, _database(options, "--ovnnb", NORTHBOUND) as north:
        southbound, northbound = (
            Rows(lambda *operations, session=session, name=name: session.call("transact", name, *operations))
            for session, name in ((south, SOUTHBOUND), (north, NORTHBOUND))
        )
        for block in found:
            rows = (line for cookie in block.cookies for line in told(southbound, northbound, cookie))
            ports = (interfaces[number] for number in block.ports if number in interfaces)
            sys.stdout.writelines(f"{line}\n" for line in (*block.lines, *rows, *ports))


#: database → environment variable and file that say where it is
_PLACES = {NORTHBOUND: ("OVN_NB_DB", "ovnnb_db.sock"), SOUTHBOUND: ("OVN_SB_DB", "ovnsb_db.sock")}


@contextmanager
def _database(options: dict[str, str], option: str, name: str) -> Iterator[Session]:
    """A session that ends by itself; raises OvnError."""
    variable, file = _PLACES[name]
    rundir = os.environ.get("OVN_RUNDIR", "/var/run/ovn")
    remote = options.get(option) or os.environ.get(variable) or f"unix:{rundir}/{file}"
    session = connect(remote, name, leader_only="--no-leader-only" not in options, tls=options)
    try:
        yield session
    finally:
        session.close()


def _interfaces(options: dict[str, str]) -> dict[int, str]:
    """What is said of each OpenFlow port."""
    rundir = os.environ.get("OVS_RUNDIR", "/var/run/openvswitch")
    session = connect(options.get("--ovsdb") or f"unix:{rundir}/db.sock", SWITCH, leader_only=False, tls=options)
    columns = ["name", "ofport", "external_ids"]
    select = {"op": "select", "table": "Interface", "where": [], "columns": columns}
    try:
        (answer,) = session.call("transact", SWITCH, select)
    finally:
        session.close()
    return {
        row["ofport"]: f"  * OVS Interface: {row['name']} ({dict(row['external_ids'][1]).get('iface-id')})"
        for row in answer["rows"]
        if isinstance(row["ofport"], int)
    }


if __name__ == "__main__":
    sys.exit(main())
