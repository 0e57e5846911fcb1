"""Every command of the C tools and of ours, on equal databases: same output, same errors, same contents."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyovn.cli import nbctl, sbctl, vsctl
from pyovn.cli.ctl.program import Program
from tests.cli.twins import Twins, conversation, wipe
from tests.support.c_programs import need
from tests.support.servers import c_server_process, upstream_schema

pytestmark = pytest.mark.interop

CONVERSATIONS = Path(__file__).with_name("conversations")
SCHEMAS = ("ovn-nb", "ovn-sb", "vswitch")
TOOLS: dict[str, tuple[Program, list[str]]] = {
    "nb": (nbctl.PROGRAM, []),
    "sb": (sbctl.PROGRAM, []),
    "vs": (vsctl.PROGRAM, ["--no-wait"]),
}


@pytest.fixture(scope="module")
def remotes() -> Iterator[tuple[str, str]]:
    """Two C servers with all three databases."""
    schemas = [upstream_schema(name) for name in SCHEMAS]
    with c_server_process(*schemas, version="any") as one, c_server_process(*schemas, version="any") as two:
        yield one.remote, two.remote


def twins(tool: str, version: str, remotes: tuple[str, str]) -> Twins:
    program, always = TOOLS[tool]
    found = Twins(need(program.name, version), program, remotes, always=always)
    for remote in remotes:
        wipe(remote, program.database)
    return found


@pytest.mark.parametrize("version", ["26.03", "23.03"])
@pytest.mark.parametrize("path", sorted(CONVERSATIONS.glob("*.txt")), ids=lambda path: path.stem)
def test_tools_agree(path: Path, version: str, remotes: tuple[str, str]) -> None:
    both = twins(path.name[:2], version, remotes)
    differences = []
    for line in conversation(path, version):
        if difference := both.say(line):
            differences.append(difference)
        if difference := both.contents_differ():
            differences.append(f"after {line}\n  {difference}")
            break
    assert not differences, "\n".join(differences)
