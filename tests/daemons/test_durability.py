"""What survives when the server is killed at random points, its disk is full, or both."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.crashes import Victims
from tests.support.rich_schema import RICH
from tests.support.servers import server_process

PATIENCE_S = 120.0
SOAK_S = float(os.environ.get("PYOVN_SOAK_S", "600"))


def kill_some(victims: Victims) -> None:
    """One life under load, one in four on a disk that fills up."""
    disk_bytes = random.randrange(20_000) if random.random() < 0.25 else None
    victims.kill_one(random.uniform(0.0, 0.12), disk_bytes=disk_bytes)


def test_acknowledged_transactions_survive_being_killed() -> None:
    deadline = time.monotonic() + PATIENCE_S  # a busy machine may kill every server before it has said anything
    with Victims() as victims:
        while victims.kills < 8 or not victims.acknowledged:
            assert time.monotonic() < deadline, f"{victims.kills} kills, nothing acknowledged before any of them"
            kill_some(victims)


@pytest.mark.soak
@pytest.mark.timeout(int(2 * SOAK_S) + 60)
def test_acknowledged_transactions_survive_being_killed_thousands_of_times() -> None:
    deadline = time.monotonic() + SOAK_S
    with Victims() as victims:
        while time.monotonic() < deadline:
            kill_some(victims)
        print(
            f"{victims.kills} kills, {victims.acknowledged} transactions acknowledged, {victims.refused} refused for"
            f" want of space, {victims.unfinished_compactions} compactions cut short"
        )
        assert victims.kills >= SOAK_S / 2


@pytest.mark.system
def test_a_disk_without_space_refuses_transactions_until_there_is_some(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    with server_process(RICH) as server:
        server.kill()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path], capture_output=True)
        if mounted.returncode != 0:
            pytest.skip("cannot mount a file system here")
        try:
            moved = tmp_path / "db"
            moved.write_bytes(server.files[0].read_bytes())
            server.files = (moved,)
            server.start()
            ballast = tmp_path / "ballast"
            ballast.write_bytes(bytes(max(0, os.statvfs(tmp_path).f_bavail - 2) * 4096))
            rows = [{"name": f"{number}" * 3000, "color": "red"} for number in range(1, 8)]
            inserts = [server.transact("Rich", {"op": "insert", "table": "Root", "row": row}) for row in rows[:6]]
            assert "uuid" in inserts[0][0]
            assert inserts[-1][-1]["error"] == "I/O error"
            written = sum("error" not in each[-1] for each in inserts)
            assert len(server.transact("Rich", {"op": "select", "table": "Root", "where": []})[0]["rows"]) == written
            ballast.unlink()
            assert "uuid" in server.transact("Rich", {"op": "insert", "table": "Root", "row": rows[6]})[0]
            server.kill()
            server.start()
            found = server.transact("Rich", {"op": "select", "table": "Root", "where": []})[0]["rows"]
            assert len(found) == written + 1
        finally:
            server.kill()
            subprocess.run(["umount", "-l", tmp_path], check=False)
