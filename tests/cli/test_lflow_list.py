"""`ovn-sbctl lflow-list --ovs` beside C's, with a real switch that has some of the flows."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from pyovn.cli.sbctl import main
from tests.support.c_programs import need
from tests.support.real_ovs import RealSwitch
from tests.support.servers import RunningServer, server_process, upstream_schema

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A database with a few logical flows of one switch."""
    with server_process(upstream_schema("ovn-sb")) as running:
        row = {"tunnel_key": 1, "external_ids": ["map", [["name", "sw"]]]}
        flows = [
            {
                "op": "insert", "table": "Logical_Flow",
                "row": {
                    "logical_datapath": ["named-uuid", "d"], "pipeline": "ingress", "table_id": table, "priority": 7,
                    "match": "ip4", "actions": "next;", "external_ids": ["map", [["stage-name", f"stage{table}"]]],
                },
            }
            for table in range(3)
        ]  # fmt: skip
        datapath = {"op": "insert", "table": "Datapath_Binding", "uuid-name": "d", "row": row}
        results = running.transact("OVN_Southbound", datapath, *flows)
        assert all("error" not in result for result in results), results
        yield running


@pytest.fixture(scope="module")
def switch(server: RunningServer) -> Iterator[RealSwitch]:
    """A switch with the flows of the first two, and one of its own."""
    select = {
        "op": "select",
        "table": "Logical_Flow",
        "where": [["table_id", "<", 2]],
        "columns": ["_uuid", "table_id"],
    }
    rows = server.transact("OVN_Southbound", select)[0]["rows"]
    with RealSwitch() as running:
        running.add_bridge("br-int")
        for row in rows:
            cookie, table = row["_uuid"][1][:8], row["table_id"] + 8
            for match in ("priority=7,tcp,metadata=0x1", "metadata=0x2,ip", "priority=100,reg14=0x1,metadata=0x1"):
                running.ofctl("add-flow", "br-int", f"cookie=0x{cookie},table={table},{match},actions=resubmit(,9)")
        running.ofctl("add-flow", "br-int", "cookie=0x5,table=9,actions=drop")
        yield running


def settled(text: str) -> list[str]:
    """Lines without time, those of the switch in one order: C leaves them in the order in which they came."""
    kept, found = [], []
    for line in re.sub(r"duration=[0-9.]+s|idle_age=\d+", "…", text).splitlines():
        if line.startswith("    "):
            found.append(line)
        else:
            kept += [*sorted(found), line]
            found = []
    return [*kept, *sorted(found)]


@pytest.mark.parametrize("words", [[], ["--stats"], ["--uuid"]], ids=" ".join)
def test_the_flows_of_the_switch_stand_under_the_logical_flows(
    server: RunningServer, switch: RealSwitch, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = [f"--db={server.remote}", "--no-leader-only", f"--ovs={switch.mgmt('br-int')}", *words, "lflow-list", "sw"]
    assert main(line) == 0
    ours = capsys.readouterr().out
    command = [need("ovn-sbctl"), *line]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert ours.count("resubmit(,9)") == 6
    assert settled(ours) == settled(theirs)
