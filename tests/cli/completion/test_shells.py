"""Real shells complete real command lines: typed at a terminal, with the Tab key."""

import os
import pty
import select
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from pyovn.cli import nbctl, sbctl
from pyovn.cli.completion import complete, shells
from tests.cli.twins import run
from tests.support.servers import server_process, upstream_schema

SOURCES = Path(__file__).parents[3] / "src"
PATIENCE_S = 40.0
#: how a shell is started without anything of the user's, and what has to be run before completion can be
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], ""),
    "zsh": (["zsh", "-f", "-i"], "autoload -Uz compinit && compinit -D -u; unsetopt zle_bracketed_paste"),
}


class World(NamedTuple):
    """A server with some names, and a directory with the tools in it."""

    remote: str
    directory: Path

    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OVN_", "COMP_"))},
            "PATH": f"{self.directory}:{os.environ['PATH']}",
            "OVN_NB_DB": self.remote,
            "OVN_SB_DB": self.remote,
            "TERM": "dumb",
            "HISTFILE": "/dev/null",
            "HOME": str(self.directory),
        }


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    schemas = (upstream_schema("ovn-nb"), upstream_schema("ovn-sb"))
    with server_process(*schemas) as server, TemporaryDirectory(prefix="oc") as name:
        for tool, module in {"ovn-nbctl": "nbctl", "ovn-sbctl": "sbctl", "pyovn": "main"}.items():
            script = Path(name, tool)
            code = f"from pyovn.cli.{module} import main; raise SystemExit(main())"
            script.write_text(f"#!{sys.executable}\nimport sys; sys.path.insert(0, {str(SOURCES)!r})\n{code}\n")
            script.chmod(script.stat().st_mode | stat.S_IEXEC)
        rows = "ls-add web -- ls-add 'my switch' -- lsp-add web vm-1 -- lsp-add web net:1 -- lr-add edge"
        rows += " -- lrp-add edge edge-web 0a:00:00:00:00:01 10.0.0.1/24"
        words = [word.strip("'") for word in rows.replace("'my switch'", "my\0switch").split()]
        assert run(nbctl.PROGRAM, [f"--db={server.remote}", *(each.replace("\0", " ") for each in words)]).status == 0
        assert run(sbctl.PROGRAM, [f"--db={server.remote}", "chassis-add", "worker1", "geneve", "::1"]).status == 0
        yield World(server.remote, Path(name))


def typed(world: World, shell: str, line: str, **more: str) -> str:
    """The words that `line` has become once Tab was pressed at its end, each in angle brackets."""
    command, before = SHELLS[shell]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{shell}: not installed")
    result = world.directory / f"result-{shell}"
    result.unlink(missing_ok=True)
    child, terminal = pty.fork()
    if not child:
        os.execvpe(command[0], command, world.environment() | more)
    try:
        for each in filter(None, (before, f'eval "$(pyovn completion {shell})"', "set -o emacs")):
            os.write(terminal, f"{each}\n".encode())
        # the line, Tab; then a command before it and a redirection after it, that tell what it has become
        os.write(terminal, f"{line}\t\x01printf '<%s>' \x05 > {result}.part && mv {result}.part {result}\n".encode())
        deadline = time.monotonic() + PATIENCE_S
        while not result.exists():
            assert time.monotonic() < deadline, "the shell says nothing"
            if select.select([terminal], [], [], 0.05)[0]:
                os.read(terminal, 1 << 16)
        return result.read_text()
    finally:
        os.write(terminal, b"\x03\nexit\n")
        os.close(terminal)
        os.waitpid(child, 0)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("ovn-nbctl lsp-li", "<ovn-nbctl><lsp-list>"),
        ("ovn-nbctl lsp-list w", "<ovn-nbctl><lsp-list><web>"),
        ("ovn-nbctl --wait=h", "<ovn-nbctl><--wait=hv>"),
        ("ovn-nbctl lsp-del net:", "<ovn-nbctl><lsp-del><net:1>"),
        ("ovn-nbctl ls-del my", "<ovn-nbctl><ls-del><my switch>"),
        ("ovn-nbctl ls-list -- lrp-del ed", "<ovn-nbctl><ls-list><--><lrp-del><edge-web>"),
        ("ovn-nbctl get Meter m dynamic_", "<ovn-nbctl><get><Meter><m><dynamic_>"),
        ("ovn-nbctl get Logical_Router edge nat", "<ovn-nbctl><get><Logical_Router><edge><nat>"),
        ("ovn-nbctl set Logical_Router edge polic", "<ovn-nbctl><set><Logical_Router><edge><policies=>"),
        ("ovn-sbctl chassis-del wor", "<ovn-sbctl><chassis-del><worker1>"),
        ("ovn-sbctl --form", "<ovn-sbctl><--format=>"),
    ],
)  # fmt: skip
def test_tab_completes(world: World, shell: str, line: str, completed: str) -> None:
    assert typed(world, shell, line) == completed


@pytest.mark.parametrize("shell", SHELLS)
def test_a_server_that_is_not_there_costs_the_names_only(world: World, shell: str) -> None:
    assert typed(world, shell, "ovn-nbctl lsp-list w", OVN_NB_DB="unix:/nonexistent") == "<ovn-nbctl><lsp-list><w>"
    assert typed(world, shell, "ovn-nbctl lsp-li", OVN_NB_DB="unix:/nonexistent") == "<ovn-nbctl><lsp-list>"


def test_the_daemon_of_the_tool_is_asked(world: World, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = world.directory / "d.ctl"
    tool = [world.directory / "ovn-nbctl", "--detach", f"--unixctl={path}"]
    subprocess.run(tool, env=world.environment(), check=True, capture_output=True, timeout=30)
    try:
        complete.main(["zsh", "ovn-nbctl", "-u", str(path), "lsp-get-up", "v"])
        assert capsysbinary.readouterr().out == b"vm-1\t\n"
        complete.main(["bash", "ovn-nbctl", f"ovn-nbctl -u {path} ls-del m"])
        assert capsysbinary.readouterr().out == b"my\\ switch \n"
    finally:
        assert run(nbctl.PROGRAM, ["-u", str(path), "ls-list"]).status == 0
        exit_ = [sys.executable, "-c", "from pyovn.cli.appctl import main; main()", "-t", str(path), "exit"]
        subprocess.run(exit_, check=True, timeout=20, capture_output=True)


def test_what_the_shells_run_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert shells.main(["bash"]) == 0
    assert "complete -o nospace -F" in capsys.readouterr().out
    assert shells.main(["fish"]) == 2
    assert "usage: pyovn completion" in capsys.readouterr().err
