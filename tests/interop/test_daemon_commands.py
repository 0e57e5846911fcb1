"""What our northd, controller and resident `ovn-nbctl` can be asked, beside C's: same commands, same answers."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.test_controller_flows import OURS, daemon
from tests.support.c_programs import need
from tests.support.clusters import eventually
from tests.support.netns import run
from tests.support.real_ovs import RealSwitch
from tests.support.servers import c_server_process, upstream_schema

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]

NORTHD = [sys.executable, "-c", "import sys; from pyovn.daemons.northd import main; sys.exit(main())"]
NBCTL = [sys.executable, "-c", "import sys; from pyovn.cli.start import nbctl; sys.exit(nbctl())"]
#: lets C's own tests turn a daemon's clock
THEIRS_ONLY = {"debug/enable-timewarp"}
VARIABLES = {"hv1": r'{other="5, 6",vip="10.0.0.9",words="say \"it\""}', "hv2": "vip=10.0.0.8"}
NETWORK = ("ls-add sw0", "lsp-add sw0 p1", "lr-add r0", "lrp-add r0 r0-sw0 00:00:00:00:ff:01 192.168.0.254/24")

ENGINE = (
    "inc-engine/compute-log-timeout",
    "inc-engine/compute-log-timeout soon",
    "inc-engine/compute-log-timeout 5 6",
    "inc-engine/compute-log-timeout 50",
    "inc-engine/clear-stats",
    "inc-engine/show-stats nothing",
    "stopwatch/show nothing",
    "stopwatch/reset nothing",
    "coverage/read-counter nothing",
    "coverage/read-counter",
    "vlog/list-pattern",
    "no/such-command",
)
CONTROLLER = (
    *ENGINE,
    "evpn/remote-vtep-list",
    "evpn/vtep-binding-list",
    "evpn/vtep-multicast-group-list",
    "evpn/vtep-fdb-list",
    "evpn/vtep-arp-list",
    "evpn/vtep-arp-list all",
    "debug/dump-local-template-vars",
    "debug/dump-local-datapaths",
    "debug/dump-mac-bindings",
    "connection-status",
    "debug/status",
)
NORTHD_COMMANDS = (*ENGINE, "status", "is-paused", "nb-connection-status", "sb-connection-status")
RESIDENT = (
    "vlog/list-pattern",
    "vlog/set nowhere:dbg",
    "vlog/set PATTERN:nowhere:%m",
    "vlog/reopen",
    "coverage/read-counter nothing",
    *(f"set-options{words}" for words in ("", " --format", " --format xml", " --nothing", " 1 2 3")),
    "exit now",
    "run ls-add sw0",
    "run ls-list nothing more",
    "no/such-command",
)


class Daemon:
    """A program's control socket."""

    def __init__(self, control: str) -> None:
        self.control = control

    def ask(self, line: str, *options: str) -> tuple[int, str, str]:
        """Exit status, output and complaints."""
        words = [str(need("ovs-appctl", "26.03")), *options, "-t", self.control, *line.split()]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout, done.stderr.replace(self.control, "CONTROL")

    def commands(self) -> set[str]:
        """The names of all commands."""
        return set(re.findall(r"(?m)^  (\S+)", self.ask("list-commands")[1]))


@pytest.fixture(scope="module")
def network() -> Iterator[dict[str, Daemon]]:
    """Two northds and two controllers, of which each has a network of its own."""
    programs = {"C": (str(need("ovn-northd", "26.03")), str(need("ovn-controller", "26.03")))}
    daemons = {}
    with contextlib.ExitStack() as stack:
        for kind in ("C", "ours"):
            northd, controller = ([each] for each in programs[kind]) if kind == "C" else (NORTHD, OURS)
            server = stack.enter_context(c_server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")))
            switch = stack.enter_context(RealSwitch(version="26.03"))
            place = switch.rundir
            ids = {"system-id": "hv1", "ovn-remote": server.remote, "ovn-encap-type": "geneve"}
            ids |= {"ovn-encap-ip": "127.0.0.1", "hostname": "hv1"}
            switch.vsctl("set", "open", ".", *(f'external_ids:{key}="{value}"' for key, value in ids.items()))
            switch.add_bridge("br-int")
            nbctl = [str(need("ovn-nbctl", "26.03")), f"--db={server.remote}", "--timeout=30"]
            run(*nbctl, "init")
            sbctl = [str(need("ovn-sbctl", "26.03")), f"--db={server.remote}", "--timeout=30"]
            for chassis, variables in VARIABLES.items():
                run(*nbctl, "create", "Chassis_Template_Var", f"chassis={chassis}", f"variables={variables}")
            remotes = [f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}"]
            stack.enter_context(daemon([*northd, *remotes, f"--unixctl={place}/n.ctl"], place))
            stack.enter_context(daemon([*controller, switch.database, f"--unixctl={place}/oc.ctl"], place))
            daemons[f"{kind} northd"], daemons[f"{kind} controller"] = (
                Daemon(f"{place}/{name}.ctl") for name in ("n", "oc")
            )
            for line in NETWORK:
                run(*nbctl, *line.split())
            run(*nbctl, "--wait=sb", "sync")
            run(*sbctl, "wait-until", "Chassis", "hv1")
            run(*nbctl, "--wait=hv", "sync")
        yield daemons


@contextlib.contextmanager
def resident(program: list[str], directory: Path, *options: str) -> Iterator[Daemon]:
    """An `ovn-nbctl` that stays, with a database of its own."""
    with c_server_process(upstream_schema("ovn-nb")) as server:
        control = str(server.directory / "n.ctl")
        words = [*program, f"--db={server.remote}", "--detach", f"--unixctl={control}", "--no-syslog", *options]
        places = dict.fromkeys(("OVN_RUNDIR", "OVN_LOGDIR"), str(directory))
        subprocess.run(words, check=True, env=os.environ | places, stdout=subprocess.DEVNULL, timeout=30)
        yield (found := Daemon(control))
        found.ask("exit")


@pytest.mark.parametrize(("kind", "lines"), [("controller", CONTROLLER), ("northd", NORTHD_COMMANDS)])
def test_daemons_say_what_c_says(network: dict[str, Daemon], kind: str, lines: tuple[str, ...]) -> None:
    ours, theirs = network[f"ours {kind}"], network[f"C {kind}"]
    assert [(line, *ours.ask(line)) for line in lines] == [(line, *theirs.ask(line)) for line in lines]


@pytest.mark.parametrize("kind", ["controller", "northd"])
def test_daemons_have_c_s_commands(network: dict[str, Daemon], kind: str) -> None:
    assert network[f"C {kind}"].commands() - network[f"ours {kind}"].commands() == THEIRS_ONLY


@pytest.mark.parametrize("kind", ["controller", "northd"])
def test_counters_look_as_c_s_do(network: dict[str, Daemon], kind: str) -> None:
    line = re.compile(r"\S+ +\d+\.\d/sec +\d+\.\d{3}/sec +\d+\.\d{4}/sec   total: \d+|\d+ events never hit|Event .*")
    for each in (network[f"ours {kind}"], network[f"C {kind}"]):
        _, said, _ = each.ask("coverage/show")
        assert [text for text in said.splitlines() if not line.fullmatch(text)] == []
        assert re.search(r"(?<!\S)idl-cells-OVN_Southbound:[1-9]\d*(?!\S)", each.ask("memory/show")[1])


@pytest.mark.parametrize("line", ["debug/status", "version", "no/such-command", "debug/resume"])
def test_json_is_answered_as_c_answers(network: dict[str, Daemon], line: str) -> None:
    ours, theirs = (network[f"{kind} controller"].ask(line, "--format=json") for kind in ("ours", "C"))
    assert ours == theirs
    assert ours[1][:1] in ("{", "")


@pytest.mark.parametrize("kind", ["controller", "northd"])
def test_what_is_listed_as_timed_is_timed(network: dict[str, Daemon], kind: str) -> None:
    ours = network[f"ours {kind}"]
    names = ours.ask("inc-engine/list-stopwatches")[1].split()
    assert len(names) > 10
    said = {name: ours.ask(f"stopwatch/show {name}") for name in names}
    assert {status for status, _, _ in said.values()} == {0}
    sampled = [name for name in names if not re.search("Total samples: 0$", said[name][1], re.M)]
    assert len(sampled) > 3


def test_a_resident_tool_says_what_c_s_says(tmp_path: Path) -> None:
    said = []
    for program in ([str(need("ovn-nbctl", "26.03"))], NBCTL):
        with resident(program, tmp_path) as found:
            said.append([(line, *found.ask(line)) for line in RESIDENT])
            said[-1].append(("list-commands", *sorted(found.commands() - {"stopwatch/show", "stopwatch/reset"})))
    assert said[1] == said[0]


def test_a_resident_tool_logs_what_it_is_told_to(tmp_path: Path) -> None:
    with resident(NBCTL, tmp_path, "--log-file", "-vconsole:off", "-vfile:info") as found:
        log = tmp_path / "ovn-nbctl.log"
        found.ask("run ls-add quiet")
        assert found.ask("vlog/set ovn_nbctl:file:dbg")[0] == 0
        assert re.search(r"(?m)^ovn_nbctl +OFF +OFF +DBG", found.ask("vlog/list")[1])
        found.ask("run ls-add loud")
        eventually(lambda: "loud" in log.read_text())
        log.rename(moved := tmp_path / "moved")
        assert found.ask("vlog/reopen")[0] == 0
        found.ask("run ls-add again")
        assert "again" in log.read_text()
        assert "quiet" not in moved.read_text()
