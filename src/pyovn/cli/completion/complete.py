"""`pyovn complete`: what may stand at the cursor of a shell, run at every Tab.

    bash TOOL LINE                the line up to the cursor       zsh TOOL WORD… CURRENT     the words up to the cursor

A shell is told a word on each line, or `<files>`; words that bash gets have a blank at their end if they are whole.
"""

import os
import sys

from pyovn.cli.completion.choices import FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyovn.cli.ctl.program import Program

PROGRAMS = {"ovn-nbctl": "nbctl", "ovn-sbctl": "sbctl", "ovs-vsctl": "vsctl"}
PATIENCE_S = 2  #: after which a database that does not answer is not asked any more


def main(words: "Sequence[str] | None" = None) -> int:
    """Print what may stand at the cursor."""
    import signal

    signal.alarm(PATIENCE_S)
    shell, tool, *rest = sys.argv[1:] if words is None else words
    found = __import__(f"pyovn.cli.{PROGRAMS[os.path.basename(tool)]}", fromlist=["PROGRAM"])
    lines = _for_bash(found.PROGRAM, rest[0]) if shell == "bash" else _for_zsh(found.PROGRAM, rest)
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    return 0


def offers(program: "Program", before: "Sequence[str]", current: str) -> list[str]:
    """The words that begin as the current one does."""
    from pyovn.cli.completion.database import Source
    from pyovn.cli.completion.places import candidates, typed

    seen = typed(program, before)
    found = dict.fromkeys(candidates(program, seen, current, Source(program, seen.options)))
    return [word for word in found if word.startswith(current) or word.endswith(FILES)]


def _for_bash(program: "Program", line: str) -> list[str]:
    from pyovn.cli.completion.line import cursor, reply

    place = cursor(line)
    found = offers(program, _after_tool(program, place.words), place.current)
    if any(word.endswith(FILES) for word in found):
        return [FILES]
    return [reply(place, word) for word in found]


def _after_tool(program: "Program", words: list[str]) -> list[str]:
    """The words after the name of the tool, before which there may be settings of the environment."""
    at = next((at for at, word in enumerate(words) if os.path.basename(word) == program.name), 0)
    return words[at + 1 :]


def _for_zsh(program: "Program", words: list[str]) -> list[str]:
    """Each word, and after a tab what it does, if that is known."""
    *before, current = words
    found = offers(program, before, current)
    if any(word.endswith(FILES) for word in found):
        return [FILES]
    summaries = _summaries(program)
    return [f"{word}\t{summaries.get(word, '')}" for word in found]


def _summaries(program: "Program") -> dict[str, str]:
    return {name: row.summary for topic in program.topics for name, row in program.table(topic).items()}
