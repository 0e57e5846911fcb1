"""`ovn-nbctl --detach`: the tool as its own daemon, and who may talk to it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pyovn.cli import nbctl
from pyovn.cli.ctl.resident import Desk, Residence
from pyovn.cli.session import Refused, Session, dial
from tests.cli.twins import Outcome, run, session
from tests.support.c_programs import need
from tests.support.servers import server_process, upstream_schema

TOOL = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'ovn-nbctl'; from pyovn.cli.nbctl import main; sys.exit(main())",
]


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    with server_process(upstream_schema("ovn-nb")) as server:
        yield server.remote


@pytest.fixture
def daemon(remote: str) -> Iterator[str]:
    """The control socket of a daemon."""
    with TemporaryDirectory() as directory:
        path = f"{directory}/n.ctl"
        command = [*TOOL, f"--db={remote}", "--detach", f"--unixctl={path}", f"--pidfile={directory}/pid"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        assert done.stdout == f"{path}\n"
        yield path
        if Path(path).exists():
            ask(path, "exit")


def ask(path: str, method: str, *words: str) -> str:
    opened = Session(dial(f"unix:{path}"), path)
    try:
        return str(opened.call(method, *words))
    finally:
        opened.close()


def nb(daemon: str, *words: str) -> Outcome:
    return run(nbctl.PROGRAM, ["-u", daemon, *words])


def short(daemon: str, *words: str, **environment: str) -> Outcome:
    """The same as a program of its own, which goes the shortest way."""
    code = "import sys; sys.argv[0] = 'ovn-nbctl'; from pyovn.cli.start import nbctl; status = nbctl();"
    code += " print('pyovn.cli.ctl.frame' in sys.modules, file=sys.stderr); sys.exit(status)"
    env = os.environ | {"OVN_NB_DAEMON": daemon} | environment
    done = subprocess.run([sys.executable, "-c", code, *words], env=env, capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_commands_are_carried_out(daemon: str) -> None:
    assert nb(daemon, "ls-add", "a") == (0, "", "")
    assert nb(daemon, "--oneline", "get", "Logical_Switch", "a", "name", "ports").stdout == "a\\n[]\n"
    assert nb(daemon, "--if-exists", "ls-del", "a", "--", "ls-list") == (0, "", "")


def test_what_others_do_is_seen(daemon: str, remote: str) -> None:
    with session(remote) as other:
        other.call("transact", "OVN_Northbound", {"op": "insert", "table": "Logical_Switch", "row": {"name": "other"}})
    assert nb(daemon, "wait-until", "Logical_Switch", "other").status == 0
    assert nb(daemon, "ls-del", "other").status == 0


def test_faults_are_the_clients(daemon: str) -> None:
    assert nb(daemon, "ls-del", "nope") == (1, "", "ovn-nbctl: nope: switch name not found\n")
    assert nb(daemon, "nope").stderr == "ovn-nbctl: unknown command 'nope'; use --help for help\n"
    with pytest.raises(Refused, match=r"unrecognized option '--detach'"):
        ask(daemon, "run", "--detach", "show")


def test_the_environment_names_the_daemon(daemon: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVN_NB_DAEMON", daemon)
    assert run(nbctl.PROGRAM, ["get", "NB_Global", ".", "nb_cfg"]).stdout == "0\n"


def test_a_database_that_is_named_is_worked_on_directly(daemon: str, remote: str) -> None:
    outcome = run(nbctl.PROGRAM, [f"--db={remote}", "-u", daemon, "get", "NB_Global", ".", "nb_cfg"])
    assert outcome.stdout == "0\n"
    assert outcome.stderr.endswith("|ovn_dbctl|WARN|not using ovn-nbctl daemon because of db option\n")


@pytest.mark.parametrize(
    "line",
    [
        "--may-exist ls-add é -- --columns=name list Logical_Switch",
        "--oneline get NB_Global . nb_cfg -- ls-list",
        "--format=json --pretty --columns=name find Logical_Switch name=é",
        "ls-del nope",
        "nope",
        "ls-list -- --nope ls-list",
        "",
    ],
)
def test_the_shortest_way_says_what_the_long_one_does(daemon: str, line: str) -> None:
    took = short(daemon, *line.split())
    assert took._replace(stderr=took.stderr.removesuffix("False\n").removesuffix("True\n")) == nb(daemon, *line.split())
    assert took.stderr.endswith("False\n") == bool(line)


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["--timeout=20", "ls-list"], {}),
        (["-f", "json", "ls-list"], {}),
        (["--form=json", "ls-list"], {}),
        (["ls-list"], {"OVN_NBCTL_OPTIONS": "--oneline"}),
        (["ls-list"], {"OVS_CTL_TIMEOUT": "20"}),
    ],
)
def test_command_lines_that_are_not_plain_go_the_long_way(
    daemon: str, words: list[str], environment: dict[str, str]
) -> None:
    assert short(daemon, *words, **environment).stderr == "True\n"


def test_large_answers_come_whole(daemon: str) -> None:
    name = "{}" * 1000
    words = [word for number in range(100) for word in ("--", "ls-add", f"{name}{number}")][1:]
    assert short(daemon, *words).status == 0
    assert short(daemon, "ls-list") == nb(daemon, "ls-list")._replace(stderr="False\n")
    assert nb(daemon, "--all", "destroy", "Logical_Switch").status == 0


def test_a_socket_of_the_next_daemon_is_left_alone(remote: str) -> None:
    with TemporaryDirectory() as directory:
        path = f"{directory}/n.ctl"
        desk = Desk(Residence(nbctl.PROGRAM, {"--db": remote}), path, "")
        ask_ = threading.Thread(target=ask, args=(path, "exit"))
        ask_.start()
        desk.serve()
        ask_.join()
        Path(path).write_text("the next one's")
        desk.close()
        assert Path(path).exists()


def test_exit_ends_it(daemon: str) -> None:
    ask(daemon, "exit")
    outcome = nb(daemon, "ls-list")
    assert outcome.status == 1
    assert "could not connect to ovn-nbctl daemon" in outcome.stderr


def test_a_daemon_that_cannot_start_says_why() -> None:
    command = [*TOOL, "--db=unix:/nonexistent", "--detach", "--unixctl=/tmp/never.ctl"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ovn-nbctl: unix:/nonexistent: database connection failed (No such file or directory)\n"


def test_detaching_takes_no_command() -> None:
    outcome = run(nbctl.PROGRAM, ["--detach", "show"])
    assert outcome.stderr == "ovn-nbctl: non-option arguments not supported with --detach (use --help for help)\n"


@pytest.mark.interop
@pytest.mark.parametrize("version", ["26.03", "23.03"])
def test_the_c_tool_may_be_the_client(daemon: str, version: str) -> None:
    command = [need("ovn-nbctl", version), "-u", daemon]
    made = subprocess.run([*command, "--may-exist", "ls-add", "c", "--", "get", "Logical_Switch", "c", "name"],
                          capture_output=True, text=True, timeout=20, check=False)  # fmt: skip
    assert (made.returncode, made.stdout) == (0, "c\n")
    failed = subprocess.run([*command, "ls-del", "nope"], capture_output=True, text=True, timeout=20, check=False)
    assert (failed.returncode, failed.stderr) == (1, "ovn-nbctl: nope: switch name not found\n")
