"""`ovn-ctl`: start and stop OVN's services on this machine.

    ovn-ctl start_ovsdb --db-nb-create-insecure-remote=yes --db-sb-create-insecure-remote=yes
    ovn-ctl start_northd
    ovn-ctl start_controller
    ovn-ctl status_ovsdb

Commands, options, files and messages are those of the script of this name that comes with OVN; what it starts are our
daemons.  Members of clusters and relays are Open vSwitch's own ovsdb-server, where that is installed.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial

from pyovn.cli.ctl.errors import CtlError, Leave
from pyovn.cli.service import databases, programs, relay, roles
from pyovn.cli.service.databases import IC_NB, IC_SB, NB, SB, Kind
from pyovn.cli.service.settings import Settings, defaults, read
from pyovn.net.errors import OvnError

Action = Callable[[Settings], None]
NAME = "ovn-ctl"


def each(action: Callable[[Kind, Settings], None], *kinds: Kind) -> Action:
    """The action on several databases."""

    def act(settings: Settings) -> None:
        for kind in kinds:
            action(kind, settings)

    return act


def restart(stop: Action, start: Action) -> Action:
    """Stop, then start."""

    def act(settings: Settings) -> None:
        settings.restart = True
        stop(settings)
        start(settings)

    return act


def not_supported(why: str, settings: Settings) -> None:
    """Say why a command is none."""
    raise CtlError(why)


GROUPS = {"ovsdb": (NB, SB), "nb_ovsdb": (NB,), "sb_ovsdb": (SB,), "ic_ovsdb": (IC_NB, IC_SB),
          "ic_nb_ovsdb": (IC_NB,), "ic_sb_ovsdb": (IC_SB,)}  # fmt: skip
WORDS = {"ovnnb": NB, "ovnsb": SB, "ic_nb": IC_NB, "ic_sb": IC_SB}
MISSING = {"ic": "ovn-ic", "controller_vtep": "ovn-controller-vtep", "br_controller": "ovn-br-controller",
           "ovnbr_ovsdb": "ovn-br-controller"}  # fmt: skip

COMMANDS: dict[str, Action] = {
    "start_northd": programs.start_northd,
    "stop_northd": programs.stop_northd,
    "restart_northd": restart(programs.stop_northd, programs.start_northd),
    "status_northd": lambda settings: programs.status("northd"),
    "start_controller": programs.start_controller,
    "stop_controller": programs.stop_controller,
    "restart_controller": restart(programs.stop_controller, programs.start_controller),
    "status_controller": lambda settings: programs.status("controller"),
    **{f"start_{name}": each(databases.start, *kinds) for name, kinds in GROUPS.items()},
    **{f"stop_{name}": each(databases.stop, *kinds) for name, kinds in GROUPS.items()},
    **{
        f"restart_{name}": restart(each(databases.stop, *kinds), each(databases.start, *kinds))
        for name, kinds in GROUPS.items()
    },
    "status_ovsdb": each(databases.status_line, NB, SB),
    "status_ic_ovsdb": each(databases.status_line, IC_NB, IC_SB),
    **{f"status_{word}": each(roles.status, kind) for word, kind in WORDS.items()},
    **{f"promote_{word}": each(roles.promote, kind) for word, kind in WORDS.items()},
    **{f"demote_{word}": each(roles.demote, kind) for word, kind in WORDS.items()},
    **{f"run_{name}": each(databases.run, *kinds) for name, kinds in GROUPS.items() if len(kinds) == 1},
    "start_sb_relay_ovsdb": relay.start,
    "stop_sb_relay_ovsdb": relay.stop,
    "restart_sb_relay_ovsdb": restart(relay.stop, relay.start),
    "run_sb_relay_ovsdb": relay.run,
    **{
        f"{verb}_{name}": partial(not_supported, f"{program} is not part of pyovn")
        for name, program in MISSING.items()
        for verb in ("start", "stop", "restart", "status", "run")
    },
}


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = sys.argv[1:] if words is None else words
    try:
        if "--help" in words or "-h" in words:
            sys.stdout.write(usage())
            return 0
        name, settings = read(words)
        if name not in COMMANDS:
            raise CtlError(f'unknown command "{name}" (use --help for help)', name, COMMANDS)
        COMMANDS[name](settings)
    except OvnError as fault:
        sys.stdout.flush()
        sys.stderr.write(f"{NAME}: {fault}\n")
        return 1
    except Leave as answer:
        return answer.status
    return 0


def usage() -> str:
    """The text of `--help`."""
    commands = "".join(f"  {name}\n" for name in COMMANDS)
    options = "".join(f"  --{name}={value}\n" for name, value in sorted(defaults().items()))
    return (
        f"{NAME}: controls Open Virtual Network daemons\nusage: {NAME} [OPTIONS] COMMAND [-- DAEMON-OPTIONS]\n\n"
        f"Commands:\n{commands}\n"
        f"Options, with their defaults (--NAME is --NAME=yes, --no-NAME is --NAME=no):\n{options}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
