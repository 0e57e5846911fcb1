"""ovn-northd: the program around `northd_worker`, and what operators can ask of it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from pyovn.daemons.engine_commands import engine_commands
from pyovn.daemons.northd_worker import Northd
from pyovn.northd.model.chassis import common_features
from pyovn.northd.sync import upkeep
from pyovn.runtime.bulk import collect_from_now_on
from pyovn.runtime.commands import Command
from pyovn.runtime.daemon import Daemon, Program
from pyovn.runtime.daemon import main as run_daemon
from pyovn.runtime.logging import module
from pyovn.runtime.options import Option
from pyovn.runtime.ovsdb import Client
from pyovn.tables import sb

PROGRAM = Program(
    "ovn-northd",
    "OVN northbound management daemon",
    "ovn-northd 26.03.2 (pyovn)\n",
    (
        Option("ovnnb-db", argument="DATABASE", doc="connect to ovn-nb database at DATABASE"),
        Option("ovnsb-db", argument="DATABASE", doc="connect to ovn-sb database at DATABASE"),
        Option("dry-run", doc="start in paused state (do not commit db changes)"),
        Option("n-threads", argument="N", doc="accepted for compatibility: one thread is enough"),
    ),
)

log = module("ovn_northd")


def commands(northd: Northd) -> dict[str, Command]:
    """The commands of ovn-northd."""

    def status(_: list[str]) -> str:
        return f"Status: {'paused' if northd.paused else 'active' if northd.active else 'standby'}\n"

    def features(_: list[str]) -> str:
        found = common_features(northd.sb.replica.rows(sb.Chassis).values())
        return "".join(f"{name}: {str(has).lower()}\n" for name, has in found.items())

    def nothing(_: list[str]) -> None:
        pass

    def connection(client: Client) -> Command:
        return Command(lambda _: "connected\n" if client.connected else "not connected\n")

    return {
        "pause": Command(lambda _: northd.pause()),
        "resume": Command(lambda _: northd.resume()),
        "is-paused": Command(lambda _: "true\n" if northd.paused else "false\n"),
        "status": Command(status),
        "nb-connection-status": connection(northd.nb),
        "sb-connection-status": connection(northd.sb),
        "nb-cluster-state-reset": Command(lambda _: northd.nb.forget_cluster()),
        "sb-cluster-state-reset": Command(lambda _: northd.sb.forget_cluster()),
        **engine_commands(lambda: northd.compiler.engine, northd.watch),
        "inc-engine/recompute": Command(lambda _: northd.recompute()),
        "debug/chassis-features-list": Command(features),
        "parallel-build/get-n-threads": Command(lambda _: "1\n"),
        "parallel-build/set-n-threads": Command(nothing, "N_THREADS", 1, 1),
    }


def default_remote(program: Program, name: str) -> str:
    """Where Debian's packages have a database."""
    return f"unix:{program.directory('RUN')}/{name}.sock"


async def body(daemon: Daemon) -> None:
    """Run until told to stop."""
    words = daemon.arguments
    northd = Northd(
        words.text("ovnnb-db") or default_remote(PROGRAM, "ovnnb_db"),
        words.text("ovnsb-db") or default_remote(PROGRAM, "ovnsb_db"),
        tls=daemon.tls,
        counters=daemon.counters,
        paused="dry-run" in words,
    )
    gc.disable()
    northd.on_settled = collect_from_now_on
    async with daemon.control(commands(northd)):
        log.info("OVN internal version is : [%s]", upkeep.VERSION)
        daemon.ready()
        await northd.run()


def main(argv: Sequence[str] | None = None) -> int:
    """The console script."""
    return run_daemon(PROGRAM, argv, body)


if __name__ == "__main__":
    sys.exit(main())
