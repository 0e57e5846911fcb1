"""Where a tool meets its user: words in, an exit status out, and what went wrong in one line."""

import os
import sys
from collections.abc import Callable, Sequence

from pyovn.net.errors import OvnError


def run_tool(name: str, words: Sequence[str] | None, run: Callable[[str, list[str]], int]) -> int:
    """The exit status of `run`, given the tool's name and words; without words, those the user typed."""
    program = os.path.basename(sys.argv[0]) if words is None else name
    try:
        return run(program, list(sys.argv[1:] if words is None else words))
    except OvnError as fault:
        sys.stdout.flush()
        sys.stderr.write(f"{program}: {fault}\n")
        return 1
