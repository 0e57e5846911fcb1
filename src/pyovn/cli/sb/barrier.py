"""`ovn-sbctl` waits for nobody."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from pyovn.cli.ctl.call import Call
    from pyovn.cli.ctl.options import Options
    from pyovn.cli.ctl.program import Run

    Json = Any


class NoBarrier:
    """Nothing to wait for."""

    def configure(self, options: "Options", calls: "Sequence[Call]") -> None:
        """Nothing to configure."""

    def reads(self) -> "Iterable[str]":
        """Nothing to read."""
        return ()

    def operations(self, edits: "list[Json]") -> "list[Json]":
        """Nothing to add."""
        return []

    def wait(self, run: "Run", results: "list[Json]") -> str:
        """Return at once."""
        return ""
