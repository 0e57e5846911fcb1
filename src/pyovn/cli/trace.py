"""`ovn-trace`: what would the logical network do to a packet?

ovn-trace [options] [DATAPATH] MICROFLOW      one trace
ovn-trace [options] --detach                  a daemon that answers `trace` on its control socket
"""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from getopt import GetoptError, gnu_getopt

from pyovn.cli.boundary import run_tool
from pyovn.cli.session import connect
from pyovn.net.errors import Malformed, OvnError
from pyovn.net.ip import ip_parse
from pyovn.trace.flow_text import CT_FLAGS
from pyovn.trace.network import Network, Warn, silent
from pyovn.trace.request import FORMS, Request, answer
from pyovn.trace.tables import DATABASE, read_tables
from pyovn.trace.tracer import Options

_FLAGS = ("all", "friendly-names", "no-friendly-names", "leader-only", "no-leader-only", "help", "version", *FORMS)
_VALUES = ("db=", "ct=", "lb-dst=", "select-id=", "ovs=", "private-key=", "certificate=", "ca-cert=")
_SHORT = {"-h": "--help", "-V": "--version", "-p": "--private-key", "-c": "--certificate", "-C": "--ca-cert"}
#: Options of daemons: `--detach` hands the command line over to `trace_daemon`.
_DAEMON = ("detach", "monitor", "no-chdir", "overwrite-pidfile")
_DAEMON_VALUES = ("unixctl=", "pidfile=", "log-file=", "verbose=", "user=", "syslog-method=", "syslog-target=")

USAGE = """\
{program}: OVN trace utility
usage: {program} [OPTIONS] [DATAPATH] MICROFLOW
       {program} [OPTIONS] --detach

Output format options:
  --detailed              table-by-table "backtrace" (default)
  --summary               less detailed, more parseable
  --minimal               minimum to explain externally visible behavior
  --all                   provide all forms of output
Output style options:
  --no-friendly-names     do not substitute human friendly names for UUIDs
  --ovs[=REMOTE]          show the OpenFlow flows of each logical flow, as the
                          switch at REMOTE has them (default: br-int.mgmt)

What the database does not know:
  --ct=FLAGS              ct_state of the next conntrack action (repeatable)
  --lb-dst=IP[:PORT]      destination that load balancers choose
  --select-id=ID          number that select chooses

Other options:
  --db=DATABASE           connect to DATABASE
                          (default: {database})
  --no-leader-only        accept any cluster member, not just the leader
  -p, --private-key=FILE  file with private key
  -c, --certificate=FILE  file with certificate for private key
  -C, --ca-cert=FILE      file with peer CA certificate
  --detach                run in background as daemon
  --unixctl=SOCKET        set control socket name
  -h, --help              display this help message
  -V, --version           display version information
"""


class UsageError(OvnError):
    """A command line that makes no sense."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit status."""
    if words is None and "--detach" not in sys.argv:
        gc.disable()  # the end of the process collects all garbage at once
    return run_tool("ovn-trace", words, _run)


def _run(program: str, words: list[str]) -> int:
    given, rest = split(words)
    names = {name for name, _ in given}
    if "--help" in names:
        sys.stdout.write(USAGE.format(program=program, database=default_database()))
        return 0
    if "--version" in names:
        sys.stdout.write(f"{program} 26.03.2\nOpen vSwitch Library 3.7.0\nDB Schema 21.8.0\n")
        return 0
    if "--detach" in names:
        from pyovn.cli.trace_daemon import serve  # late: it brings the whole runtime

        return serve(words)
    request = request_of(given, rest, _warn)
    network = load(given)
    sys.stdout.write(answer(network, request))
    return 0


def split(words: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Options by their long names, and arguments; raises UsageError."""
    words = ["--ovs=" if word == "--ovs" else word for word in words]
    words = [f"{word}=" if word in ("--pidfile", "--log-file", "--verbose") else word for word in words]
    try:
        given, rest = gnu_getopt(words, "hVp:c:C:v", [*_FLAGS, *_VALUES, *_DAEMON, *_DAEMON_VALUES])
    except GetoptError as fault:
        raise UsageError(f"unrecognized option '--{fault.opt}'" if fault.opt else str(fault)) from None
    return [(_SHORT.get(name, name), value) for name, value in given], rest


def default_database() -> str:
    """Where the Southbound database is unless the user says."""
    rundir = os.environ.get("OVN_RUNDIR", "/var/run/ovn")
    return os.environ.get("OVN_SB_DB") or f"unix:{rundir}/ovnsb_db.sock"


def request_of(given: Sequence[tuple[str, str]], rest: Sequence[str], warn: Warn = silent) -> Request:
    """What the command line asks, telling `warn` if the switch does not answer; raises UsageError."""
    if len(rest) not in (1, 2):
        raise UsageError("one or two non-option arguments are required (use --help for help)")
    names = {name for name, _ in given}
    forms = list(FORMS) if "--all" in names else [form for form in FORMS if f"--{form}" in names]
    values = dict(given)
    options = Options(
        ct_states=[connection_state(value) for name, value in given if name == "--ct"],
        lb_dst=destination(values["--lb-dst"]) if "--lb-dst" in values else None,
        select_id=_select_id(values["--select-id"]) if "--select-id" in values else None,
        choose=_random,
    )
    openflow = _openflow(values["--ovs"], warn) if "--ovs" in values else None
    return Request(rest[-1], rest[0] if len(rest) == 2 else None, forms, options, openflow)


def _openflow(remote: str, warn: Warn) -> Callable[[Sequence[int]], dict[int, list[str]] | None]:
    """What asks the switch at `remote` for the flows with some cookies."""
    from pyovn.cli.switch_flows import default_remote, flows_of, with_stats  # late: it brings the whole runtime

    where = remote or default_remote()

    def lines(cookies: Sequence[int]) -> dict[int, list[str]] | None:
        try:
            entries = flows_of(where, cookies)
        except (OvnError, OSError) as fault:
            warn(f"{where}: connection failed ({getattr(fault, 'strerror', None) or fault})")
            return None
        found: dict[int, list[str]] = {}
        for entry in entries:
            found.setdefault(entry.flow.cookie, []).append(with_stats(entry))
        return found

    return lines


def _random(count: int) -> int:
    return int.from_bytes(os.urandom(4), "big") % count


def connection_state(text: str) -> int:
    """The ct_state that a user writes, such as "est,rpl"; raises UsageError."""
    state = 0
    for word in text.replace(",", " ").split():
        if word not in CT_FLAGS:
            raise UsageError(f"{text}: unknown connection tracking state flag")
        state |= 1 << CT_FLAGS.index(word)
    return state


def destination(text: str) -> tuple[int, int, int]:
    """(IP version, address, port) as a user writes them; port 0 where there is none; raises UsageError."""
    address, port = text, ""
    if text.startswith("["):
        address, _, port = text[1:].partition("]:")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    try:
        if port and not (port.isdigit() and int(port) < 1 << 16):
            raise Malformed(port)
        return (*ip_parse(address.rstrip("]")), int(port or 0))
    except Malformed:
        raise UsageError(f"{text}: bad address") from None


def _select_id(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise UsageError(f"{text}: bad select-id")
    return int(text)


def load(given: Sequence[tuple[str, str]]) -> Network:
    """The network in the database that the command line names."""
    values = dict(given)
    remote = values.get("--db") or default_database()
    names = {name for name, _ in given}
    session = connect(remote, DATABASE, leader_only="--no-leader-only" not in names, tls=values)
    try:
        tables = read_tables(session.call)
    finally:
        session.close()
    return Network(tables, friendly_names="--no-friendly-names" not in names, warn=_warn)


def _warn(text: str) -> None:
    sys.stderr.write(f"ovntrace|WARN|{text}\n")


if __name__ == "__main__":
    sys.exit(main())
