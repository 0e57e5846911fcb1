"""northd: N switches with P ports each, as OVN's own perf-northd, on a C `ovsdb-server` and on ours.

What counts is the processor time of the northd process alone, user and system, from its start until
`NB_Global.sb_cfg` says that it is done: first on an empty southbound database, then started again on a full one, then
for single ports added to a running one; and once more with ports that ask for dynamic addresses, and with a gateway
router on each switch that translates its addresses (SNAT).  All programs take their turn in one run, on databases of
their own.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.c_programs import find
from tests.support.servers import Rpc, RunningServer, c_server_process, server_process, upstream_schema

from bench import Figure, environment

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


class Shape(NamedTuple):
    """What a network looks like."""

    switches: int
    ports: int
    dynamic: bool = False  #: ports ask for addresses
    routed: bool = False  #: each switch has a gateway router with SNAT


class Costs(NamedTuple):
    """Processor time in milliseconds; of single changes, for one."""

    fill: float
    restart: float
    port: float
    rule: float  #: a SNAT rule, where there are routers


def programs() -> Iterator[Program]:
    """Ours, and every C northd there is."""
    yield Program("ours", (sys.executable, "-m", "pyovn.daemons.northd"))
    for version in ("23.03", "26.03"):
        found = find("ovn-northd", version)
        if found is not None:
            yield Program(version, (str(found),))


class Network:
    """The northbound database of a benchmark."""

    def __init__(self, rpc: Rpc, shape: Shape) -> None:
        self.rpc = rpc
        self.shape = shape
        rpc.transact("OVN_Northbound", {"op": "insert", "table": "NB_Global", "row": {}})
        for number in range(shape.switches):
            rpc.transact("OVN_Northbound", *self._switch(number), *(_router(number) if shape.routed else ()))
        self.count = shape.switches * shape.ports
        self.rules = 0

    def _switch(self, number: int) -> list[dict[str, Any]]:
        ports = self.shape.ports
        members = [self._port(number, index, number * ports + index) for index in range(ports)]
        if self.shape.routed:
            options = ["map", [["router-port", f"lrp{number}"]]]
            row = {"name": f"to-lr{number}", "type": "router", "addresses": "router", "options": options}
            members.append({"op": "insert", "table": "Logical_Switch_Port", "row": row, "uuid-name": "attachment"})
        names = ["set", [["named-uuid", member["uuid-name"]] for member in members]]
        subnet = f"10.{number >> 8}.{number & 255}.0/{16 if ports > 250 else 24}"
        config = ["map", [["subnet", subnet]] if self.shape.dynamic else []]
        row = {"name": f"sw{number}", "ports": names, "other_config": config}
        return [*members, {"op": "insert", "table": "Logical_Switch", "row": row}]

    def _port(self, switch: int, index: int, number: int) -> dict[str, Any]:
        mac = f"50:54:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        address = f"{mac} 10.{switch >> 8}.{switch & 255}.{index % 250 + 2}"
        row = {"name": f"lp{switch}-{index}", "addresses": "dynamic" if self.shape.dynamic else address}
        return {"op": "insert", "table": "Logical_Switch_Port", "row": row, "uuid-name": f"p{number}"}

    def add_port(self) -> None:
        """One more port on the first switch."""
        self.count += 1
        port = self._port(0, self.count, self.count)
        mutation = ["ports", "insert", ["set", [["named-uuid", port["uuid-name"]]]]]
        joins = {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "sw0"]], "mutations": [mutation]}
        self.rpc.transact("OVN_Northbound", port, joins)

    def add_rule(self) -> None:
        """One more SNAT rule on the first router."""
        self.rules += 1
        mutation = ["nat", "insert", ["set", [["named-uuid", "nat"]]]]
        joins = {"op": "mutate", "table": "Logical_Router", "where": [["name", "==", "lr0"]], "mutations": [mutation]}
        self.rpc.transact("OVN_Northbound", _snat(0, f"10.0.0.{self.rules}"), joins)

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


def _router(number: int) -> Iterator[dict[str, Any]]:
    """The gateway router of a switch, with SNAT for all its addresses."""
    high, low = number >> 8, number & 255
    row = {"name": f"lrp{number}", "mac": f"50:55:00:00:{high:02x}:{low:02x}", "networks": f"10.{high}.{low}.1/24"}
    yield {"op": "insert", "table": "Logical_Router_Port", "row": row, "uuid-name": "port"}
    yield _snat(number, f"10.{high}.{low}.0/24")
    ports, nat = (["set", [["named-uuid", name]]] for name in ("port", "nat"))
    options = ["map", [["chassis", f"hv{number}"]]]
    router = {"name": f"lr{number}", "ports": ports, "nat": nat, "options": options}
    yield {"op": "insert", "table": "Logical_Router", "row": router}


def _snat(router: int, inside: str) -> dict[str, Any]:
    outside = f"172.16.{router >> 8}.{router & 255}"
    row = {"type": "snat", "external_ip": outside, "logical_ip": inside}
    return {"op": "insert", "table": "NAT", "row": row, "uuid-name": "nat"}


@contextlib.contextmanager
def running(program: Program, server: RunningServer, variables: dict[str, str]) -> Iterator[int]:
    """A northd process; gives its PID."""
    with tempfile.TemporaryDirectory(prefix="nd") as directory:
        options = [f"--unixctl={directory}/c", "--no-chdir", "-vconsole:off", "-vsyslog:off"]
        options += [f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}"]
        process = subprocess.Popen([*program.command, *options], env=variables)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def spent_ms(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_MS


def measure(program: Program, server: Server, variables: dict[str, str], shape: Shape) -> Costs:
    """What a northd costs on a fresh pair of databases."""
    with server(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")) as databases, databases.rpc() as rpc:
        rpc.socket.settimeout(PATIENCE_S)
        network = Network(rpc, shape)
        with running(program, databases, variables) as pid:
            network.settle()
            fill = spent_ms(pid)
        with running(program, databases, variables) as pid:
            network.settle()
            restart = spent_ms(pid)
            port = _each(network, pid, network.add_port)
            rule = _each(network, pid, network.add_rule) if shape.routed else 0.0
            return Costs(fill, restart, port, rule)


def _each(network: Network, pid: int, change: Callable[[], None]) -> float:
    """Milliseconds for one change, from several; the first of its kind does not count."""
    before = 0.0
    for number in range(ADDED + 1):
        if number == 1:
            before = spent_ms(pid)
        change()
        network.settle()
    return (spent_ms(pid) - before) / ADDED


#: name → (shape, whether Debian's northd takes part)
SHAPES = {
    "full": (Shape(SWITCHES, PORTS), True),
    "few": (Shape(FEW, PORTS), True),
    "dynamic": (Shape(FEW, PORTS, dynamic=True), True),
    "large": (Shape(1, LARGE, dynamic=True), True),
    "routed": (Shape(SWITCHES, PORTS, routed=True), True),
    "many": (Shape(MANY, PORTS), False),
}
#: what is measured → (shape, cost)
MEASURED = {
    f"{SWITCHES} × {PORTS} ports, first fill": ("full", "fill"),
    f"{SWITCHES} × {PORTS} ports, restart": ("full", "restart"),
    f"one more port beside {FEW} switches": ("few", "port"),
    f"one more port beside {MANY} switches": ("many", "port"),
    f"{FEW} × {PORTS} dynamic ports, first fill": ("dynamic", "fill"),
    f"{FEW} × {PORTS} dynamic ports, restart": ("dynamic", "restart"),
    f"one more dynamic port beside {FEW} switches": ("dynamic", "port"),
    f"one more dynamic port on a switch of {LARGE}": ("large", "port"),
    f"{SWITCHES} × {PORTS} ports, routers with SNAT, first fill": ("routed", "fill"),
    f"{SWITCHES} × {PORTS} ports, routers with SNAT, restart": ("routed", "restart"),
    f"one more port beside {SWITCHES} such routers": ("routed", "port"),
    f"one more SNAT rule beside {SWITCHES} such routers": ("routed", "rule"),
}


def main(shapes: Collection[str] = tuple(SHAPES)) -> list[Figure]:
    """Ours beside every C northd, on the C server where there is one."""
    with environment("pyovn.daemons.northd") as variables:
        server: Server = c_server_process if find("ovsdb-server") else server_process
        costs = {
            name: {
                each.name: measure(each, server, variables, shape)
                for each in programs()
                if with_old or each.name != "23.03"
            }
            for name, (shape, with_old) in SHAPES.items()
            if name in shapes
        }
        rivals = [each.name for each in programs() if each.name != "ours"]
        figures = [
            _figure(f"{what} (C {rival})" if rival else what, costs[shape], rival, column)
            for rival in rivals or [""]
            for what, (shape, column) in MEASURED.items()
            if shape in shapes
        ]
        if "full" in shapes:
            embedded = measure(next(programs()), server_process, variables, SHAPES["full"][0])
            figures += [
                Figure(f"{SWITCHES} × {PORTS} ports, first fill on our server", embedded.fill, None, "ms"),
                Figure(f"{SWITCHES} × {PORTS} ports, restart on our server", embedded.restart, None, "ms"),
                Figure("one more port on our server", embedded.port, None, "ms"),
            ]
        return figures


def _figure(what: str, costs: dict[str, Costs], rival: str, column: str) -> Figure:
    theirs = getattr(costs[rival], column) if rival in costs else None
    return Figure(what, getattr(costs["ours"], column), theirs, "ms")
