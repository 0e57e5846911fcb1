"""northd: N switches with P ports each, as OVN's own perf-northd, on a C `ovsdb-server` and on ours.

What counts is the processor time of the northd process alone, user and system, from its start until
`NB_Global.sb_cfg` says that it is done: first on an empty southbound database, then started again on a full one, then
for single ports added to a running one; and once more with ports that ask for dynamic addresses.  All programs take
their turn in one run, on databases of their own.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.c_programs import find
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process, upstream_schema

from bench import Figure

SWITCHES, PORTS = 500, 50  #: of the first fill and the restart
FEW, MANY = 100, 1000  #: switches beside which single ports are added
LARGE = 5000  #: ports of one large switch
ADDED = 10
PATIENCE_S = 300.0
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")

Server = Callable[..., Any]


class Program(NamedTuple):
    """A northd to measure."""

    name: str
    command: tuple[str, ...]


class Costs(NamedTuple):
    """Processor time in milliseconds."""

    fill: float
    restart: float
    port: float


def programs() -> Iterator[Program]:
    """Ours, and every C northd there is."""
    yield Program("ours", (sys.executable, "-m", "pyovn.daemons.northd"))
    for version in ("23.03", "26.03"):
        found = find("ovn-northd", version)
        if found is not None:
            yield Program(version, (str(found),))


class Network:
    """The northbound database of a benchmark."""

    def __init__(self, rpc: Rpc, switches: int, ports: int, *, dynamic: bool) -> None:
        self.rpc = rpc
        self.dynamic = dynamic
        rpc.transact("OVN_Northbound", {"op": "insert", "table": "NB_Global", "row": {}})
        for number in range(switches):
            members = [self._port(number, index, number * ports + index) for index in range(ports)]
            names = ["set", [["named-uuid", member["uuid-name"]] for member in members]]
            subnet = f"10.{number >> 8}.{number & 255}.0/{16 if ports > 250 else 24}"
            config = ["map", [["subnet", subnet]] if dynamic else []]
            row = {"name": f"sw{number}", "ports": names, "other_config": config}
            switch = {"op": "insert", "table": "Logical_Switch", "row": row}
            rpc.transact("OVN_Northbound", *members, switch)
        self.count = switches * ports

    def _port(self, switch: int, index: int, number: int) -> dict[str, Any]:
        mac = f"50:54:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        address = f"{mac} 10.{switch >> 8}.{switch & 255}.{index % 250 + 2}"
        row = {"name": f"lp{switch}-{index}", "addresses": "dynamic" if self.dynamic else address}
        return {"op": "insert", "table": "Logical_Switch_Port", "row": row, "uuid-name": f"p{number}"}

    def add_port(self) -> None:
        """One more port on the first switch."""
        self.count += 1
        port = self._port(0, self.count, self.count)
        mutation = ["ports", "insert", ["set", [["named-uuid", port["uuid-name"]]]]]
        joins = {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "sw0"]], "mutations": [mutation]}
        self.rpc.transact("OVN_Northbound", port, joins)

    def settle(self) -> None:
        """Wait until northd has carried everything over."""
        bump = {"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]}
        self.rpc.transact("OVN_Northbound", bump)
        ask = {"op": "select", "table": "NB_Global", "where": [], "columns": ["nb_cfg", "sb_cfg"]}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            (row,) = self.rpc.transact("OVN_Northbound", ask)[0]["rows"]
            if row["nb_cfg"] == row["sb_cfg"]:
                return
            if time.monotonic() > deadline:
                raise TimeoutError("northd does not finish")
            time.sleep(0.01)


@contextlib.contextmanager
def running(program: Program, server: RunningServer) -> Iterator[int]:
    """A northd process; gives its PID."""
    with tempfile.TemporaryDirectory(prefix="nd") as directory:
        options = [f"--unixctl={directory}/c", "--no-chdir", "-vconsole:off", "-vsyslog:off"]
        options += [f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}"]
        process = subprocess.Popen([*program.command, *options])
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def spent_ms(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_MS


def measure(program: Program, server: Server, switches: int, ports: int, *, dynamic: bool = False) -> Costs:
    """What a northd costs on a fresh pair of databases."""
    with server(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")) as databases, databases.rpc() as rpc:
        rpc.socket.settimeout(PATIENCE_S)
        network = Network(rpc, switches, ports, dynamic=dynamic)
        with running(program, databases) as pid:
            network.settle()
            fill = spent_ms(pid)
        with running(program, databases) as pid:
            network.settle()
            restart = spent_ms(pid)
            network.add_port()
            network.settle()
            before = spent_ms(pid)
            for _ in range(ADDED):
                network.add_port()
                network.settle()
            return Costs(fill, restart, (spent_ms(pid) - before) / ADDED)


def main() -> list[Figure]:
    """Ours beside every C northd, on the C server where there is one."""
    server: Server = c_server_process if find("ovsdb-server") else server_process
    full = {each.name: measure(each, server, SWITCHES, PORTS) for each in programs()}
    few = {each.name: measure(each, server, FEW, PORTS) for each in programs()}
    asking = {each.name: measure(each, server, FEW, PORTS, dynamic=True) for each in programs()}
    large = {each.name: measure(each, server, 1, LARGE, dynamic=True) for each in programs()}
    many = {each.name: measure(each, server, MANY, PORTS) for each in programs() if each.name != "23.03"}
    figures = []
    for name in [name for name in full if name != "ours"] or [None]:
        beside = "" if name is None else f" (C {name})"

        def figure(what: str, costs: dict[str, Costs], column: str, name: str | None = name) -> Figure:
            theirs = None if name not in costs else getattr(costs[name], column)
            return Figure(what, getattr(costs["ours"], column), theirs, "ms")

        figures += [
            figure(f"{SWITCHES} × {PORTS} ports, first fill{beside}", full, "fill"),
            figure(f"{SWITCHES} × {PORTS} ports, restart{beside}", full, "restart"),
            figure(f"one more port beside {FEW} switches{beside}", few, "port"),
            figure(f"one more port beside {MANY} switches{beside}", many, "port"),
            figure(f"{FEW} × {PORTS} dynamic ports, first fill{beside}", asking, "fill"),
            figure(f"{FEW} × {PORTS} dynamic ports, restart{beside}", asking, "restart"),
            figure(f"one more dynamic port beside {FEW} switches{beside}", asking, "port"),
            figure(f"one more dynamic port on a switch of {LARGE}{beside}", large, "port"),
        ]
    embedded = measure(next(programs()), server_process, SWITCHES, PORTS)
    figures += [
        Figure(f"{SWITCHES} × {PORTS} ports, first fill on our server", embedded.fill, None, "ms"),
        Figure(f"{SWITCHES} × {PORTS} ports, restart on our server", embedded.restart, None, "ms"),
        Figure("one more port on our server", embedded.port, None, "ms"),
    ]
    return figures
