"""The flows of small networks, as text to be read: tests/golden/<case>.nb → tests/golden/<case>.flows.

PYOVN_GOLDEN=write python -m pytest tests/northd/test_golden.py      writes them anew
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from tests.northd.world import World

CASES = sorted(Path(__file__).parent.parent.joinpath("golden").glob("*.nb"))
SETS = ("addresses", "port_security")


def network(text: str) -> Any:
    """What writes down the network that the text describes: a `switch` line, then its `port` lines."""

    def write(txn: Txn) -> None:
        lines = [re.split(r"\s{2,}", line) for line in text.splitlines() if line and not line.startswith("#")]
        (_, switch), *ports = [(line[0].split()[0], line) for line in lines]
        members = [txn.insert(nb.LogicalSwitchPort, **columns(line)) for _, line in ports]
        config = dict(word.split("=") for word in switch[1:])
        name = switch[0].split()[1]
        txn.insert(nb.LogicalSwitch, name=name, other_config=config, ports=frozenset(members))

    return write


def columns(line: list[str]) -> dict[str, Any]:
    """The columns of a port."""
    found: dict[str, Any] = {"name": line[0].split()[1]}
    words = [*line[0].split()[2:], *line[1:]]
    for word in words:
        name, _, value = word.partition("=")
        if name in SETS:
            found[name] = found.get(name, frozenset()) | {value}
        elif name.startswith("options:"):
            found.setdefault("options", {})[name.removeprefix("options:")] = value
        else:
            found[name] = value == "true" if name == "enabled" else value
    return found


def flows(world: World) -> str:
    """Flows as text, in the order in which packets meet them."""
    rows = [
        (
            row["pipeline"] == "egress",
            row.get("table_id", 0),
            -row.get("priority", 0),
            row["match"],
            row["actions"],
            dict(row["external_ids"][1])["stage-name"],
        )
        for row in world.flows()
    ]
    return "".join(
        f"{name:<26} {-priority:>5}  {match}\n{'':<34}{act}\n" for _, _, priority, match, act, name in sorted(rows)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_flows_are_as_reviewed(case: Path) -> None:
    world = World()
    world.edit(network(case.read_text()))
    reviewed = case.with_suffix(".flows")
    if os.environ.get("PYOVN_GOLDEN") == "write":
        reviewed.write_text(flows(world))
    assert flows(world) == reviewed.read_text()
