"""`ovn-appctl` (and `ovs-appctl`): a command to a running daemon.

ovn-appctl -t ovn-northd status      $OVN_RUNDIR/ovn-northd.pid says 123 ─▶ $OVN_RUNDIR/ovn-northd.123.ctl
ovn-appctl -t /path/to.ctl version   the socket itself
"""

import os
import sys

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.options import leading_options
from pyovn.cli.session import ConnectionFailed, Refused, Session, dial, reason
from pyovn.net.errors import OvnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

OPTIONS = {"--target": "=", "--timeout": "=", "--format": "=", "--pretty": "", "--help": "", "--version": ""}
SHORT = {"-t": "--target", "-T": "--timeout", "-f": "--format", "-h": "--help", "-V": "--version"}

#: program → the daemon it talks to by default, the variable with its directory, and the usual directory
DEFAULTS = {
    "ovn-appctl": ("ovn-controller", "OVN_RUNDIR", "/var/run/ovn"),
    "ovs-appctl": ("ovs-vswitchd", "OVS_RUNDIR", "/var/run/openvswitch"),
}
VERSIONS = {
    "ovn-appctl": "ovn-appctl 26.03.2\nOpen vSwitch Library 3.7.0",
    "ovs-appctl": "ovs-appctl (Open vSwitch) 3.7.0",
}
HELP = """\
{name}, for querying and controlling {family} daemons
usage: {name} [-t TARGET] COMMAND [ARG...]

Targets:
  -t, --target=TARGET  name of a daemon, or its control socket (default: {target})

Commands that all daemons know:
  list-commands        list commands supported by the target
  version              print version of the target
  vlog/list            list current logging levels
  vlog/set [SPEC]      set logging levels
  vlog/reopen          make the target reopen its log file

Other options:
  -T, --timeout=SECS   wait at most SECS seconds for a response
  -f, --format=FORMAT  output format: "text" (default) or "json"
  --pretty             format JSON in a more readable fashion
  -h, --help           display this help message
  -V, --version        display version information
"""


def main(words: "Sequence[str] | None" = None) -> int:
    """Run the tool with the words of its command line; returns the exit status."""
    name = os.path.basename(sys.argv[0]) if words is None else "ovn-appctl"
    try:
        return run(name, list(sys.argv[1:] if words is None else words))
    except OvnError as fault:
        sys.stderr.write(f"{name}: {fault}\n")
        return 1


def run(name: str, words: list[str]) -> int:
    """Send one command and print the answer; raises `OvnError`."""
    program = name if name in DEFAULTS else "ovn-appctl"
    given, words = leading_options(words, OPTIONS, short=SHORT)
    options = dict(given)
    if "--help" in options:
        family = "OVN" if program == "ovn-appctl" else "Open vSwitch"
        sys.stdout.write(HELP.format(name=program, family=family, target=DEFAULTS[program][0]))
        return 0
    if "--version" in options:
        sys.stdout.write(VERSIONS[program] + "\n")
        return 0
    if not words:
        raise CtlError("at least one non-option argument is required (use --help for help)")
    limit(options.get("--timeout"))
    target = options.get("--target") or DEFAULTS[program][0]
    return ask(name, target, socket_of(program, target), words, options)


def limit(text: str | None) -> None:
    """Let the kernel end this process after so many seconds."""
    if text is None:
        return
    if not text.isdecimal() or int(text) == 0:
        raise CtlError(f"value {text} on -T or --timeout is invalid")
    from pyovn.cli.ctl.messages import alarm

    alarm(int(text))


def socket_of(program: str, target: str) -> str:
    """The control socket of `target`; raises `CtlError`."""
    if "/" in target:
        return target
    _, variable, usual = DEFAULTS[program]
    directory = os.environ.get(variable) or usual
    path = f"{directory}/{target}.pid"
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            pid = int(file.read().strip() or 0)
        os.kill(pid, 0)
    except PermissionError:
        pass  # it runs, as someone else
    except OSError as fault:
        raise CtlError(f'cannot read pidfile "{path}" ({reason(fault)})') from None
    except ValueError:
        raise CtlError(f'cannot read pidfile "{path}" (Invalid argument)') from None
    return f"{directory}/{target}.{pid}.ctl"


def ask(name: str, target: str, path: str, words: list[str], options: "dict[str, str | None]") -> int:
    """Send the command to the socket at `path`; 2 where the daemon refuses it."""
    try:
        session = Session(dial(f"unix:{path}"), target)
    except OSError as fault:
        raise CtlError(f'cannot connect to "{path}" ({reason(fault)})') from None
    try:
        if options.get("--format") == "json":
            session.call("set-options", "--format", "json")
        answer = session.call(words[0], *words[1:])
    except Refused as refusal:
        sys.stderr.write(_ended(str(refusal.error)))
        sys.stderr.write(f"{name}: {target}: server returned an error\n")
        return 2
    except ConnectionFailed as fault:
        raise CtlError(f"{target}: transaction error ({fault.reason})") from None
    finally:
        session.close()
    sys.stdout.write(_ended(_shown(answer, pretty="--pretty" in options)))
    return 0


def _shown(answer: object, *, pretty: bool) -> str:
    if isinstance(answer, str):
        return answer
    from pyovn.cli.ctl import output

    return output.pretty(answer) if pretty else output.compact(answer)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
