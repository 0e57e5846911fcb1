"""`--wait`: until ovn-northd, or every ovn-controller too, has caught up with this change.

NB_Global.nb_cfg += 1  ─▶  northd: sb_cfg catches up  ─▶  chassis: hv_cfg catches up
"""

from time import time

from pyovn.cli.ctl.errors import CtlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from pyovn.cli.ctl.call import Call
    from pyovn.cli.ctl.options import Options
    from pyovn.cli.ctl.program import Run

    Json = Any

COUNTERS = {"none": "", "sb": "sb_cfg", "hv": "hv_cfg"}


class NbBarrier:
    """Waits for the southbound database or for the hypervisors."""

    def __init__(self) -> None:
        self.counter = ""
        self.is_forced = False
        self.prints = False
        self.started_ms = 0

    def configure(self, options: "Options", calls: "Sequence[Call]") -> None:
        """Note what the user asked for; raises `CtlError`."""
        wait = options.get("--wait", "none") or ""
        if wait not in COUNTERS:
            raise CtlError('argument to --wait must be "none", "sb", or "hv"')
        self.counter = COUNTERS[wait]
        self.is_forced = any(call.command.name == "sync" for call in calls)
        self.prints = "--print-wait-time" in options

    def reads(self) -> "Iterable[str]":
        """The counters, and when they moved."""
        if self.counter:
            yield "NB_Global nb_cfg sb_cfg hv_cfg nb_cfg_timestamp sb_cfg_timestamp hv_cfg_timestamp"

    def operations(self, edits: "list[Json]") -> "list[Json]":
        """The next configuration number, if there is anything to wait for."""
        if not self.counter or not (edits or self.is_forced):
            return []
        self.started_ms = int(time() * 1000)
        return [
            {"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]},
            {"op": "select", "table": "NB_Global", "where": [], "columns": ["nb_cfg"]},
        ]

    def wait(self, run: "Run", results: "list[Json]") -> str:
        """Return when the counter has reached our number, with the times it took if they were asked for."""
        if not self.counter:
            return ""
        target: int = results[-1]["rows"][0]["nb_cfg"]
        while True:
            run.refresh()
            for row in run.contents.get("NB_Global", {}).values():
                if row.get(self.counter, 0) >= target:
                    return self._times(row, target) if self.prints else ""
            run.wait()

    def _times(self, row: "Json", target: int) -> str:
        def since(column: str) -> str:
            return f"{row.get(column, 0) - self.started_ms}ms\n"

        text = f"Time spent on processing nb_cfg {target}:\n"
        text += "\tovn-northd delay before processing:\t" + since("nb_cfg_timestamp")
        text += "\tovn-northd completion:\t\t\t" + since("sb_cfg_timestamp")
        if self.counter == "hv_cfg":
            text += "\tovn-controller(s) completion:\t\t" + since("hv_cfg_timestamp")
        return text
