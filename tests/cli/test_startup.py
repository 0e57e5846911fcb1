"""What the tools import before they answer: a user waits for it at every command."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
HEAVY = ("asyncio", "dataclasses", "typing", "argparse", "logging", "socket", "ssl", "click", "rich", "orjson", "uuid")


def imported(code: str) -> set[str]:
    """The modules loaded after running `code` in a bare interpreter."""
    whole = f"import sys; sys.path.insert(0, {str(SOURCES)!r})\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", whole], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("tool", ["nbctl", "sbctl", "vsctl", "appctl", "main"])
def test_tools_start_light(tool: str) -> None:
    assert not imported(f"import pyovn.cli.{tool}, pyovn.cli.ctl.frame").intersection(HEAVY)


def test_the_way_through_a_daemon_starts_lightest() -> None:
    modules = imported("import pyovn.cli.start; from pyovn.cli.shortcut import _ask; _ask('/nonexistent', [])")
    assert {name for name in modules if name.startswith("pyovn.")} == {
        "pyovn.cli",
        "pyovn.cli.start",
        "pyovn.cli.shortcut",
    }
    assert not modules & {"re", "json", *HEAVY}


def test_a_command_imports_its_own_topic_only() -> None:
    code = "from pyovn.cli.nbctl import PROGRAM; PROGRAM.find('ls-add')"
    topics = {name for name in imported(code) if name.startswith("pyovn.cli.nb.")}
    assert topics == {"pyovn.cli.nb.barrier", "pyovn.cli.nb.lookup", "pyovn.cli.nb.switches"}


def test_completion_starts_light() -> None:
    code = "import pyovn.cli.completion.complete, pyovn.cli.completion.places, pyovn.cli.completion.database"
    assert not imported(f"{code}, pyovn.cli.nbctl").intersection(HEAVY)


def test_generated_tables_stay_out() -> None:
    assert not {name for name in imported("import pyovn.cli.nbctl") if name.startswith("pyovn.tables")}
