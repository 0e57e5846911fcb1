"""`ovn-trace --detach`: answers on its control socket until told to exit."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.support.servers import Rpc, server_process, upstream_schema


def test_a_daemon_answers_and_exits() -> None:
    insert = {"op": "insert", "table": "Datapath_Binding", "row": {"tunnel_key": 1, "external_ids": ["map", []]}}
    with server_process(upstream_schema("ovn-sb")) as server:
        server.transact("OVN_Southbound", insert)
        control, pidfile = f"{server.directory}/t", server.directory / "pid"
        arguments = ["--detach", f"--unixctl={control}", f"--pidfile={pidfile}", "--no-chdir", "--no-leader-only"]
        words = [sys.executable, "-m", "pyovn.cli.trace", f"--db={server.remote}", "-vconsole:off", *arguments]
        subprocess.run(words, check=True, timeout=30)
        pid = int(pidfile.read_text())
        with Rpc(control) as rpc:
            assert rpc.call("trace", "--minimal", "nosuch", "ip4")["result"] == 'unknown datapath "nosuch"\n'
            assert "one or two non-option arguments" in rpc.call("trace", "a", "b", "c")["error"]
            rpc.call("exit")
        ends_soon(pid)


def ends_soon(pid: int) -> None:
    """Fail unless the process ends."""
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < deadline, "the daemon does not exit"
        time.sleep(0.01)
