"""The C test program as an oracle: what it makes of lines of matches and actions."""

import subprocess
from typing import NamedTuple

from tests.support.c_programs import need


def run(command: str, lines: list[str]) -> list[str]:
    """Standard output, by lines."""
    program = need("ovstest", version="26.03")
    text = "".join(f"{line}\n" for line in lines)
    found = subprocess.run([program, "test-ovn", command], input=text, capture_output=True, text=True, check=True)
    return found.stdout.splitlines()


class Verdict(NamedTuple):
    """What C says about one line of actions: an error, or the rest."""

    error: str | None
    text: str
    prerequisites: str | None
    openflow: str


_LABELS = {"formats as ": "text", "has prereqs ": "prerequisites", "encodes as ": "openflow"}


def parse_actions(lines: list[str]) -> list[Verdict]:
    """One verdict per line; pipeline ingress, table 10."""
    found: list[Verdict] = []
    for line in run("parse-actions", lines):
        if not line.startswith("    "):
            found.append(Verdict(None, line.strip(), None, ""))
            continue
        said = line[4:]
        for label, field in _LABELS.items():
            if said.startswith(label):
                found[-1] = found[-1]._replace(**{field: said.removeprefix(label)})
                break
        else:
            if not said.startswith("uses group: "):
                found[-1] = found[-1]._replace(error=said)
    return found
