"""Waiting for ovs-vswitchd: `next_cfg` is ours, `cur_cfg` is how far it has got."""

import os
import sys

from pyovn.cli.ctl.errors import Leave

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from pyovn.cli.ctl.call import Call
    from pyovn.cli.ctl.options import Options
    from pyovn.cli.ctl.program import Run

    Json = Any


BAD_INTERFACE = 65  #: exit status where the switch could not set a new interface up
NO_PORT = -1  #: the OpenFlow port number of such an interface


class VsBarrier:
    """Waits, unless told not to, until the switch has taken a change in."""

    def __init__(self) -> None:
        self.waits = True

    def configure(self, options: "Options", calls: "Sequence[Call]") -> None:
        """Note what the user asked for."""
        self.waits = "--no-wait" not in options

    def reads(self) -> "Iterable[str]":
        """The counters."""
        if self.waits:
            yield "Open_vSwitch next_cfg cur_cfg"
            yield "Interface name ofport error"

    def operations(self, edits: "list[Json]") -> "list[Json]":
        """The next configuration number, if there is anything to wait for."""
        if not self.waits or not edits:
            return []
        return [
            {"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["next_cfg", "+=", 1]]},
            {"op": "select", "table": "Open_vSwitch", "where": [], "columns": ["next_cfg"]},
        ]

    def wait(self, run: "Run", results: "list[Json]") -> str:
        """Return when the switch has caught up."""
        if not self.waits:
            return ""
        target: int = results[-1]["rows"][0]["next_cfg"]
        while not any(row["cur_cfg"] >= target for row in run.contents.get("Open_vSwitch", {}).values()):
            run.wait()
        run.refresh()
        if faults := list(_faults(run)):
            directory = os.environ.get("OVS_LOGDIR") or "/var/log/openvswitch"
            for fault in (*faults, f'The default log directory is "{directory}".'):
                sys.stderr.write(f"{run.program.name}: {fault}\n")
            raise Leave(BAD_INTERFACE)
        return ""


def _faults(run: "Run") -> "Iterator[str]":
    """What the switch has to say about new interfaces that it could not set up."""
    interfaces = run.contents.get("Interface", {})
    for uuid, table in run.inserted.items():
        row = interfaces.get(uuid)
        if table == "Interface" and row is not None and row["ofport"] == NO_PORT:
            error = row.get("error")
            reason = f": {error}" if isinstance(error, str) and error else ""
            yield f"Error detected while setting up '{row['name']}'{reason}.  See ovs-vswitchd log for details."
