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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import Figure, environment

SWITCHES, PORTS, HERE = 500, 50, 50
CHANGES = 20
ROUNDS = 2
TICKS = os.sysconf("SC_CLK_TCK")
OURS = [sys.executable, "-c", "import sys; from pyovn.daemons.controller import main; sys.exit(main())"]
PATIENCE_S = 300.0
TABLE = "Logical_Switch_Port"
NONE = ["set", []]


def main() -> list[Figure]:
    """The figures; without the C programs there is nothing to compile, so none."""
    from tests.support.c_programs import find

    if find("ovn-northd") is None or find("ovs-vswitchd") is None:
        print("  needs the C northd, to fill the southbound database, and ovs-vswitchd")
        return []
    with ExitStack() as stack:
        network = Network(stack)
        variables = stack.enter_context(environment("pyovn.daemons.controller"))
        program = find("ovn-controller")
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(measured(network, "ours", OURS, variables))
            theirs += [measured(network, "theirs", [str(program)], variables)] if program else []
    rows = [("first compile", "s"), ("a restart", "s"), ("a port elsewhere", "ms"), ("a port here", "ms")]
    return [_figure(what, f"{unit} CPU", ours, theirs) for what, unit in rows] + [_figure("memory", "MB", ours, theirs)]


def _figure(what: str, unit: str, ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> Figure:
    """The best of several rounds of each: other work on the machine only ever adds to it."""
    return Figure(what, min(each[what] for each in ours), min((each[what] for each in theirs), default=None), unit)


class Network:
    """Databases with the whole network in them, and the C northd that keeps them."""

    def __init__(self, stack: ExitStack) -> None:
        from tests.support.c_programs import need
        from tests.support.servers import c_server_process, upstream_schema

        self.server = stack.enter_context(c_server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")))
        self.rpc = stack.enter_context(self.server.rpc())
        self.rpc.socket.settimeout(PATIENCE_S)
        self.northbound({"op": "insert", "table": "NB_Global", "row": {}})
        for number in range(SWITCHES):
            self.northbound(*_switch(number))
        remotes = [f"--ovnnb-db={self.server.remote}", f"--ovnsb-db={self.server.remote}"]
        directory = Path(self.server.remote.removeprefix("unix:")).parent
        words = [str(need("ovn-northd")), *remotes, f"--unixctl={directory}/northd.ctl", "-vsyslog:off"]
        stack.enter_context(running(words, directory))
        self.carried_over()

    def northbound(self, *operations: dict[str, Any]) -> list[Any]:
        """What a transaction gives."""
        results: list[Any] = self.rpc.transact("OVN_Northbound", *operations)
        return results

    def southbound(self, table: str, columns: list[str], *where: list[Any]) -> list[dict[str, Any]]:
        """Some rows of the southbound database."""
        ask = {"op": "select", "table": table, "where": list(where), "columns": columns}
        rows: list[dict[str, Any]] = self.rpc.transact("OVN_Southbound", ask)[0]["rows"]
        return rows

    def carried_over(self) -> int:
        """Wait until northd has carried everything over; the configuration number of that."""
        bump = {"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]}
        ask = {"op": "select", "table": "NB_Global", "where": [], "columns": ["nb_cfg", "sb_cfg"]}
        self.northbound(bump)
        for _ in attempts():
            (row,) = self.northbound(ask)[0]["rows"]
            if row["nb_cfg"] == row["sb_cfg"]:
                return int(row["nb_cfg"])
        raise SystemExit("northd does not finish")

    def settled(self, chassis: str) -> None:
        """Wait until a chassis has done all that the northbound database asks for."""
        wanted = self.carried_over()
        for _ in attempts():
            found = self.southbound("Chassis_Private", ["nb_cfg"], ["name", "==", chassis])
            unborn = self.southbound("Port_Binding", ["logical_port"], ["up", "==", False], ["chassis", "!=", NONE])
            if found and found[0]["nb_cfg"] == wanted and not unborn:
                return
        raise SystemExit(f"{chassis} did not settle")

    def add_port(self, switch: int, name: str, addresses: str) -> None:
        """One more port."""
        port = {"op": "insert", "table": TABLE, "row": {"name": name, "addresses": addresses}, "uuid-name": "port"}
        member = [["ports", "insert", ["set", [["named-uuid", "port"]]]]]
        where = [["name", "==", f"sw{switch}"]]
        self.northbound(port, {"op": "mutate", "table": "Logical_Switch", "where": where, "mutations": member})

    def remove_port(self, switch: int, name: str) -> None:
        """One port less."""
        ask = {"op": "select", "table": TABLE, "where": [["name", "==", name]], "columns": ["_uuid"]}
        (row,) = self.northbound(ask)[0]["rows"]
        member = [["ports", "delete", ["set", [row["_uuid"]]]]]
        where = [["name", "==", f"sw{switch}"]]
        self.northbound({"op": "mutate", "table": "Logical_Switch", "where": where, "mutations": member})

    def remove_chassis(self, name: str) -> None:
        """Forget a chassis."""
        for table in ("Chassis_Private", "Chassis"):
            gone = {"op": "delete", "table": table, "where": [["name", "==", name]]}
            self.rpc.transact("OVN_Southbound", gone)


def attempts() -> Iterator[None]:
    """Times to look again, until patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)


def _switch(number: int) -> Iterator[dict[str, Any]]:
    names = [f"sw{number}p{port}" for port in range(PORTS)]
    for port, name in enumerate(names):
        addresses = _addresses(number, port)
        row = {"name": name, "addresses": addresses, "port_security": addresses}
        yield {"op": "insert", "table": TABLE, "row": row, "uuid-name": name}
    members = ["set", [["named-uuid", name] for name in names]]
    yield {"op": "insert", "table": "Logical_Switch", "row": {"name": f"sw{number}", "ports": members}}


def _addresses(switch: int, port: int) -> str:
    return f"0a:00:{switch >> 8:02x}:{switch & 255:02x}:00:{port:02x} 10.{switch >> 8}.{switch & 255}.{port + 1}"


@contextmanager
def running(
    words: list[str], directory: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program, for as long as the context lasts."""
    keys = ("OVS_RUNDIR", "OVN_RUNDIR", "OVS_LOGDIR", "OVN_LOGDIR", "OVN_SYSCONFDIR")
    where = {**(environment or os.environ), **{key: str(directory) for key in keys}}
    process = subprocess.Popen(words, env=where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


def measured(network: Network, name: str, program: list[str], variables: dict[str, str]) -> dict[str, float]:
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
        with running(words, switch.rundir, variables) as process:
            network.settled(name)
            figures["first compile"] = cpu_s(process)
        with running(words, switch.rundir, variables) as process:
            network.settled(name)
            figures["a restart"] = cpu_s(process)
            figures["a port elsewhere"] = _each(network, name, process, lambda n: _elsewhere(network, place, n))
            figures["a port here"] = _each(
                network, name, process, lambda n: switch.vsctl(*_plugged(HERE + n, _new(place, n)))
            )
            figures["memory"] = resident_mb(process)
        for number in range(CHANGES):
            network.remove_port(number, _new(place, number))
        network.remove_chassis(name)
    return figures


def _each(network: Network, name: str, process: subprocess.Popen[bytes], change: Callable[[int], object]) -> float:
    """CPU milliseconds for one change, from several."""
    before = cpu_s(process)
    for number in range(CHANGES):
        change(number)
        network.settled(name)
    return (cpu_s(process) - before) * 1000 / CHANGES


def _new(place: int, number: int) -> str:
    return f"new{place}-{number}"


def _elsewhere(network: Network, place: int, number: int) -> None:
    network.add_port(number, _new(place, number), f"0a:01:00:00:{place:02x}:{number:02x} 10.200.{place}.{number}")


def _plugged(number: int, port: str) -> list[str]:
    interface = f"v{number}"
    return ["--", "add-port", "br-int", interface, "--", "set", "interface", interface, "type=dummy",
            f"external_ids:iface-id={port}"]  # fmt: skip
