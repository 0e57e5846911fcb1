"""What a chassis costs: CPU seconds of ovn-controller, ours beside C's, on one network filled by the C northd.

first compile     500 switches × 50 ports, 50 of them here (one on each of 50 switches): start to flows in force
a restart         the same, with the flows still in the switch
a port elsewhere  one `lsp-add` on a switch that is local
a port here       one interface that names a logical port

Each controller has a switch of its own (ovs-vswitchd with a dummy datapath, no root).
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import Figure

SWITCHES, PORTS, HERE = 500, 50, 50
CHANGES = 20
TICKS = os.sysconf("SC_CLK_TCK")
OURS = [sys.executable, "-c", "import sys; from pyovn.daemons.controller import main; sys.exit(main())"]
PATIENCE_S = 120.0


def main() -> list[Figure]:
    """The figures; without the C programs there is nothing to compile, so none."""
    from tests.support.c_programs import find

    if find("ovn-northd") is None or find("ovs-vswitchd") is None:
        print("  needs the C northd, to fill the southbound database, and ovs-vswitchd")
        return []
    with ExitStack() as stack:
        network = Network(stack)
        ours = measured(network, "ours", OURS)
        program = find("ovn-controller")
        theirs = measured(network, "theirs", [str(program)]) if program else None
    rows = [("first compile", "s"), ("a restart", "s"), ("a port elsewhere", "ms"), ("a port here", "ms")]
    return [Figure(what, ours[what], theirs[what] if theirs else None, f"{unit} CPU") for what, unit in rows] + [
        Figure("memory", ours["memory"], theirs["memory"] if theirs else None, "MB")
    ]


class Network:
    """Databases with the whole network in them, and the C northd that keeps them."""

    def __init__(self, stack: ExitStack) -> None:
        from tests.support.c_programs import need
        from tests.support.servers import c_server_process, upstream_schema

        self.stack = stack
        self.server = stack.enter_context(c_server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")))
        self.nbctl = [str(need("ovn-nbctl")), f"--db={self.server.remote}", "--timeout=120"]
        self.sbctl = [str(need("ovn-sbctl")), f"--db={self.server.remote}", "--timeout=120"]
        self.run(self.nbctl, "init")
        for first in range(0, SWITCHES, 20):
            self.run(self.nbctl, *_commands(range(first, min(first + 20, SWITCHES))))
        remotes = [f"--ovnnb-db={self.server.remote}", f"--ovnsb-db={self.server.remote}"]
        directory = Path(self.server.remote.removeprefix("unix:")).parent
        words = [str(need("ovn-northd")), *remotes, f"--unixctl={directory}/northd.ctl", "-vsyslog:off"]
        stack.enter_context(running(words, directory))
        self.run(self.nbctl, "--wait=sb", "sync")

    def run(self, words: list[str], *more: str) -> str:
        """What a command prints."""
        return subprocess.run([*words, *more], check=True, capture_output=True, text=True).stdout


def _commands(switches: range) -> Iterator[str]:
    for number in switches:
        yield from ("--", "ls-add", f"sw{number}")
        for port in range(PORTS):
            name, addresses = f"sw{number}p{port}", _addresses(number, port)
            yield from ("--", "lsp-add", f"sw{number}", name, "--", "lsp-set-addresses", name, addresses)
            yield from ("--", "lsp-set-port-security", name, addresses)


def _addresses(switch: int, port: int) -> str:
    return f"0a:00:{switch >> 8:02x}:{switch & 255:02x}:00:{port:02x} 10.{switch >> 8}.{switch & 255}.{port + 1}"


@contextmanager
def running(words: list[str], directory: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program, for as long as the context lasts."""
    keys = ("OVS_RUNDIR", "OVN_RUNDIR", "OVS_LOGDIR", "OVN_LOGDIR", "OVN_SYSCONFDIR")
    environment = {**os.environ, **({key: str(directory) for key in keys} if directory else {})}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """CPU seconds a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    """Memory in use."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def measured(network: Network, name: str, program: list[str]) -> dict[str, float]:
    """All figures of one controller."""
    from tests.support.real_ovs import RealSwitch

    place = 0 if name == "ours" else 1
    with RealSwitch() as switch:
        ids = {
            "system-id": name,
            "hostname": name,
            "ovn-remote": network.server.remote,
            "ovn-encap-type": "geneve",
            "ovn-encap-ip": f"127.0.0.{place + 1}",
        }
        switch.vsctl(
            "set",
            "open",
            ".",
            *(f"external_ids:{key}={value}" for key, value in ids.items()),
        )
        switch.add_bridge("br-int")
        switch.vsctl(*(word for number in range(HERE) for word in _plugged(number, f"sw{number}p{place}")))
        words = [*program, switch.database, f"--unixctl={switch.rundir}/oc.ctl", "-vconsole:off", "-vsyslog:off"]
        figures = {}
        with running(words, switch.rundir) as process:
            settled(network, name)
            figures["first compile"] = cpu_s(process)
        with running(words, switch.rundir) as process:
            settled(network, name)
            figures["a restart"] = cpu_s(process)
            figures["a port elsewhere"] = _each(network, name, process, lambda n: _elsewhere(network, place, n))
            figures["a port here"] = _each(
                network, name, process, lambda n: switch.vsctl(*_plugged(HERE + n, _new(place, n)))
            )
            figures["memory"] = resident_mb(process)
        network.run(network.sbctl, "chassis-del", name)
    return figures


def _each(network: Network, name: str, process: subprocess.Popen[bytes], change: object) -> float:
    """CPU milliseconds for one change, from several."""
    before = cpu_s(process)
    for number in range(CHANGES):
        change(number)  # type: ignore[operator]
        settled(network, name)
    return (cpu_s(process) - before) * 1000 / CHANGES


def _new(place: int, number: int) -> str:
    return f"new{place}-{number}"


def _elsewhere(network: Network, place: int, number: int) -> None:
    name = _new(place, number)
    address = f"0a:01:00:00:{place:02x}:{number:02x} 10.200.{place}.{number}"
    network.run(network.nbctl, "lsp-add", f"sw{number}", name, "--", "lsp-set-addresses", name, address)


def _plugged(number: int, port: str) -> list[str]:
    interface = f"v{number}"
    return ["--", "add-port", "br-int", interface, "--", "set", "interface", interface, "type=dummy",
            f"external_ids:iface-id={port}"]  # fmt: skip


def settled(network: Network, name: str) -> None:
    """Wait until the chassis has done all that the northbound database asks for."""
    network.run(network.nbctl, "--wait=sb", "sync")
    wanted = network.run(network.sbctl, "--bare", "--columns=nb_cfg", "list", "SB_Global").strip()
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = network.run(network.sbctl, "--bare", "--columns=nb_cfg", "find", "Chassis_Private", f"name={name}")
        ports = network.run(
            network.sbctl, "--bare", "--columns=logical_port", "find", "Port_Binding", "up=false", "chassis!=[]"
        )
        if found.strip() == wanted and not ports.strip():
            return
        time.sleep(0.05)
    raise SystemExit(f"{name} did not settle")
