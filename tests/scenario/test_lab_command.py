"""`pyovn lab` as a person uses it: processes of its own, a shell's environment, the README's five minutes."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pyovn.packet import pcap
from pyovn.packet.describe import describe

pytestmark = pytest.mark.timeout(120)
README = Path(__file__).parents[2] / "README.md"


class Shell:
    """A shell in which the README's lines are typed."""

    def __init__(self, root):
        scripts = str(Path(sys.executable).parent)
        self.environment = {**os.environ, "PYOVN_LAB": str(root), "PATH": f"{scripts}:{os.environ['PATH']}"}

    def type(self, line, *, code=0):
        """Run a line; an `eval` of the environment lasts."""
        script = f"{line}\nstatus=$?\nenv -0 >&9\nexit $status"
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as pipe:
            done = subprocess.run(
                ["/bin/bash", "-c", script.replace(">&9", f">&{writing}")],
                env=self.environment,
                pass_fds=(writing,),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            os.close(writing)
            pairs = [pair.partition("=") for pair in pipe.read().decode().split("\0") if pair]
        self.environment = {name: value for name, _, value in pairs if name != "_"}
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def shell():
    """A shell; whatever lab it started is ended."""
    with tempfile.TemporaryDirectory(prefix="lab-") as directory:
        shell = Shell(Path(directory) / "lab")
        yield shell
        if (Path(directory) / "lab" / "lab.sock").exists():
            shell.type("pyovn lab down")


def readme_lines():
    """The commands of the README's five minutes, without comments; the last ones are typed by the test itself."""
    block = README.read_text().split("## Five minutes\n```\n")[1].split("```")[0]
    lines = [line[2:].split("   #")[0] for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if ".venv" not in line and "tcpdump" not in line and "lab down" not in line]


def test_five_minutes_of_the_readme(shell):
    printed = {
        line: shell.type(line, code=3 if line.startswith(("pyovn why", "pyovn prove")) else 0)
        for line in readme_lines()
    }
    because = next(text for line, text in printed.items() if line.startswith("pyovn why"))
    assert "no port of switch network1 has the address 40:44:00:00:00:03" in because
    plan = next(text for line, text in printed.items() if line.startswith("pyovn plan"))
    assert "    now    delivered\n    then   dropped: an ACL says so" in plan
    assert shell.type("ovn-nbctl acl-list network1") == ""
    ping = next(text for line, text in printed.items() if "ping" in line)
    assert "2 packets transmitted, 2 received, 0% packet loss" in ping
    assert 'output to "vm2", type ""' in next(text for line, text in printed.items() if "ovn-trace" in line)
    assert re.search(
        r"Chassis worker2\n(    .*\n)*    Port_Binding vm2",
        next(text for line, text in printed.items() if line.startswith("ovn-sbctl show")),
    )
    assert "actions=output:" in printed["ovs-ofctl dump-flows br-int table=65"]

    file = Path(shell.environment["PYOVN_LAB"]) / "wire.pcap"
    dump = subprocess.Popen(["pyovn", "lab", "tcpdump", "underlay", "-c", "8", "-w", str(file)], env=shell.environment)
    with dump:
        while dump.poll() is None:
            shell.type("pyovn lab ping vm2 -c1 -W1 192.168.0.11")
    frames = [describe(captured.frame) for captured in pcap.parse(file.read_bytes())]
    assert len(frames) == 8
    request = "Geneve, vni 0x1, OVN ingress 2 egress 1 | 40:44:00:00:00:02 > 40:44:00:00:00:01, IPv4"
    assert any(request in frame for frame in frames)

    assert '"namespace": "vm2"' in shell.type("pyovn lab guests")
    assert shell.type("pyovn lab hosts") == "central 192.0.2.11\nworker1 192.0.2.12\nworker2 192.0.2.13\n"
    assert "active" in shell.type('OVN_RUNDIR="$PYOVN_LAB/central" ovn-appctl -t ovn-northd status')
    assert shell.type("ovn-appctl -t ovn-controller connection-status") == "connected\n"
    shell.type("pyovn lab down")
    assert "no lab answers" in shell.type("pyovn lab guests", code=1)


def test_a_lab_that_cannot_start_says_why(shell):
    assert "different names" in shell.type("pyovn lab up --detach --hosts hv1,hv1", code=1)
    assert "no hypervisor 'hv9'" in shell.type("pyovn lab env hv9", code=1)


def test_the_demo_agrees_with_itself(shell):
    told = shell.type("pyovn lab demo --plain")
    assert "Everything agrees." in told
    assert "2 packets transmitted, 2 received" in told
    assert re.search(r"table=0, n_packets=[1-9].*tun_metadata0|table=0, n_packets=[1-9].*TUN_METADATA0", told)


def test_the_demo_of_gateways_agrees_with_itself(shell):
    told = shell.type("pyovn lab demo l3 --plain")
    assert "Everything agrees." in told
    assert "internet sees 172.24.4.10 port" in told
    assert re.search(r"cr-router1-public is on gw2\n(.*\n)*cr-router1-public is on gw1", told)
    assert "ARP, request who-has 172.24.4.101 (announcement)" in told
