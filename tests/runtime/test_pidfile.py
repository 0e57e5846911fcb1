import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyovn.runtime.pidfile import DaemonFault, holder, lock

HOLD = "import sys; from pyovn.runtime.pidfile import lock; lock(sys.argv[1], overwrite=False); print(); input()"


def test_a_pidfile_holds_our_number_and_is_locked_for_others(tmp_path: Path) -> None:
    path = tmp_path / "x.pid"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        other.stdout.readline()
        assert path.read_text() == f"{other.pid}\n"
        assert holder(str(path)) == other.pid
        with pytest.raises(DaemonFault, match=f"already running as pid {other.pid}, aborting"):
            lock(str(path), overwrite=False)
        os.close(lock(str(path), overwrite=True))
        other.stdin.close()


def test_a_pidfile_left_over_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.pid"
    path.write_text("12345\n")
    assert holder(str(path)) is None
    descriptor = lock(str(path), overwrite=False)
    assert path.read_text() == f"{os.getpid()}\n"
    os.close(descriptor)


def test_a_pidfile_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(DaemonFault, match="no/x.pid.tmp: create failed \\(No such file or directory\\)"):
        lock(f"{tmp_path}/no/x.pid", overwrite=False)
    with pytest.raises(DaemonFault, match="open failed \\(Is a directory\\)"):
        holder(str(tmp_path))
    (tmp_path / "y.pid").mkdir()
    with pytest.raises(DaemonFault, match="cannot be made our pidfile"):
        lock(f"{tmp_path}/y.pid", overwrite=True)
