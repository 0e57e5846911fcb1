"""northd: N switches with P ports each, as OVN's own perf-northd, on a C `ovsdb-server` and on ours.

What counts is the processor time of the northd process alone, user and system, from its start until
`NB_Global.sb_cfg` says that it is done: first on an empty southbound database, then started again on a full one, then
for single ports added to a running one; and once more with ports that ask for dynamic addresses, with a gateway
router on each switch that translates its addresses (SNAT), and with a group of load balancers on all switches.  On the
largest networks, memory counts too, and each of a handful of edits.  All programs take their turn in one run, on
databases of their own.
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
HUGE = 800  #: switches of the network whose memory is looked at
BALANCERS = 200  #: in a group that all switches of a network have
BALANCED_ROUTERS, AT_ROUTERS = 100, 1000  #: gateway routers, and load balancers in a group that they all have
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
    balancers: int = 0  #: in a group that all switches have, or else all routers if there are any


class Costs(NamedTuple):
    """Processor time in milliseconds; of single changes, for one, by the name of the change."""

    fill: float
    restart: float
    memory: float  #: after the restart, in megabytes
    edits: dict[str, float]


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
        rpc.transact("OVN_Northbound", {"op": "insert", "table": "Port_Group", "row": {"name": "group"}})
        self.groups: Any = ["set", []]
        if shape.balancers:
            *_, made = rpc.transact("OVN_Northbound", *_balancers(shape.balancers))
            self.groups = made["uuid"]
        for number in range(shape.switches):
            rpc.transact("OVN_Northbound", *self._switch(number), *(self._router(number) if shape.routed else ()))
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
        groups = ["set", []] if self.shape.routed else self.groups
        row = {"name": f"sw{number}", "ports": names, "other_config": config, "load_balancer_group": groups}
        return [*members, {"op": "insert", "table": "Logical_Switch", "row": row}]

    def _port(self, switch: int, index: int, number: int) -> dict[str, Any]:
        mac = f"50:54:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        address = f"{mac} 10.{switch >> 8}.{switch & 255}.{index % 250 + 2}"
        row = {"name": f"lp{switch}-{index}", "addresses": "dynamic" if self.shape.dynamic else address}
        return {"op": "insert", "table": "Logical_Switch_Port", "row": row, "uuid-name": f"p{number}"}

    def _router(self, number: int) -> Iterator[dict[str, Any]]:
        """The gateway router of a switch, with SNAT for all its addresses."""
        high, low = number >> 8, number & 255
        row = {"name": f"lrp{number}", "mac": f"50:55:00:00:{high:02x}:{low:02x}", "networks": f"10.{high}.{low}.1/24"}
        yield {"op": "insert", "table": "Logical_Router_Port", "row": row, "uuid-name": "port"}
        yield _snat(number, f"10.{high}.{low}.0/24")
        ports, nat = (["set", [["named-uuid", name]]] for name in ("port", "nat"))
        options = ["map", [["chassis", f"hv{number}"]]]
        router = {"name": f"lr{number}", "ports": ports, "nat": nat, "options": options}
        yield {"op": "insert", "table": "Logical_Router", "row": router | {"load_balancer_group": self.groups}}

    def add_port(self) -> None:
        """One more port on the first switch."""
        self.count += 1
        port = self._port(0, self.count, self.count)
        self._put(port, "Logical_Switch", "sw0", "ports")

    def remove_port(self) -> None:
        """The port that was added last goes."""
        where = [["name", "==", f"lp0-{self.count}"]]
        (found,) = self._select("Logical_Switch_Port", where)
        self.count -= 1
        self._mutate("Logical_Switch", [["name", "==", "sw0"]], "ports", "delete", found)

    def add_rule(self) -> None:
        """One more SNAT rule on the first router."""
        self.rules += 1
        self._put(_snat(0, f"10.0.0.{self.rules}"), "Logical_Router", "lr0", "nat")

    def add_acl(self) -> None:
        """One more ACL on the first switch."""
        self.rules += 1
        acl = {"direction": "to-lport", "priority": self.rules, "match": "ip4", "action": "allow"}
        self._put({"op": "insert", "table": "ACL", "row": acl, "uuid-name": "acl"}, "Logical_Switch", "sw0", "acls")

    def add_member(self) -> None:
        """One more port in the port group."""
        self.rules += 1
        (found,) = self._select("Logical_Switch_Port", [["name", "==", f"lp{self.rules}-0"]])
        self._mutate("Port_Group", [["name", "==", "group"]], "ports", "insert", found)

    def add_router_port(self) -> None:
        """A router for one more switch."""
        self.rules += 1
        number = self.rules
        options = ["map", [["router-port", f"lrp{number}"]]]
        row = {"name": f"to-lr{number}", "type": "router", "addresses": "router", "options": options}
        self.rpc.transact("OVN_Northbound", *self._router(number))
        attachment = {"op": "insert", "table": "Logical_Switch_Port", "row": row, "uuid-name": "attachment"}
        self._put(attachment, "Logical_Switch", f"sw{number}", "ports")

    def change_backend(self) -> None:
        """One load balancer has another backend."""
        self.rules += 1
        vips = ["map", [["172.30.0.1:80", f"10.200.0.{self.rules}:8080"]]]
        where = [["name", "==", "lb0"]]
        change = {"op": "update", "table": "Load_Balancer", "where": where, "row": {"vips": vips}}
        self.rpc.transact("OVN_Northbound", change)

    def _put(self, row: dict[str, Any], table: str, owner: str, column: str) -> None:
        """A new row, in a column of another one."""
        named = ["named-uuid", row["uuid-name"]]
        self._mutate(table, [["name", "==", owner]], column, "insert", named, row)

    def _mutate(self, table: str, where: Any, column: str, how: str, member: Any, *before: dict[str, Any]) -> None:
        mutations = [[column, how, ["set", [member]]]]
        change = {"op": "mutate", "table": table, "where": where, "mutations": mutations}
        self.rpc.transact("OVN_Northbound", *before, change)

    def _select(self, table: str, where: Any) -> list[Any]:
        ask = {"op": "select", "table": table, "where": where, "columns": ["_uuid"]}
        return [row["_uuid"] for row in self.rpc.transact("OVN_Northbound", ask)[0]["rows"]]

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


def _balancers(count: int) -> Iterator[dict[str, Any]]:
    """A group of load balancers, two backends each; the group comes last."""
    for number in range(count):
        address = f"{number >> 8}.{number & 255}"
        vips = [
            "map",
            [
                [
                    f"172.30.{number >> 8}.{number & 255 or 1}:{80 + number}",
                    f"10.200.{address}:8080,10.201.{address}:8080",
                ]
            ],
        ]
        row = {"name": f"lb{number}", "protocol": "tcp", "vips": vips}
        yield {"op": "insert", "table": "Load_Balancer", "row": row, "uuid-name": f"lb{number}"}
    members = ["set", [["named-uuid", f"lb{number}"] for number in range(count)]]
    yield {"op": "insert", "table": "Load_Balancer_Group", "row": {"name": "group", "load_balancer": members}}


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


def resident_mb(pid: int) -> float:
    """Memory that a process has, in megabytes."""
    (line,) = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def measure(
    program: Program, server: Server, variables: dict[str, str], shape: Shape, wanted: Collection[str] = ("port",)
) -> Costs:
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
            memory = resident_mb(pid)
            edits = {name: _each(network, pid, EDITS[name]) for name in wanted}
            return Costs(fill, restart, memory, edits)


#: what can be edited
EDITS: dict[str, Callable[[Network], None]] = {
    "port": Network.add_port,
    "no port": Network.remove_port,
    "rule": Network.add_rule,
    "acl": Network.add_acl,
    "member": Network.add_member,
    "router": Network.add_router_port,
    "backend": Network.change_backend,
}


def _each(network: Network, pid: int, change: Callable[[Network], None]) -> float:
    """Milliseconds for one change, from several; the first of its kind does not count."""
    before = 0.0
    for number in range(ADDED + 1):
        if number == 1:
            before = spent_ms(pid)
        change(network)
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
    "huge": (Shape(HUGE, PORTS), False),
    "balanced": (Shape(SWITCHES, 2, balancers=BALANCERS), False),
    "gateways": (Shape(BALANCED_ROUTERS, 2, routed=True, balancers=AT_ROUTERS), False),
}
#: what is edited on a network, where that is not just a port
EDITED = {
    "routed": ("port", "rule"),
    "huge": ("port", "no port", "acl", "member", "router"),
    "balanced": ("port", "backend"),
    "gateways": ("port", "backend"),
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
    f"{HUGE} × {PORTS} ports, first fill": ("huge", "fill"),
    f"{HUGE} × {PORTS} ports, restart": ("huge", "restart"),
    f"{HUGE} × {PORTS} ports, memory": ("huge", "memory"),
    f"one more port beside {HUGE} switches": ("huge", "port"),
    f"one port less beside {HUGE} switches": ("huge", "no port"),
    f"one more ACL beside {HUGE} switches": ("huge", "acl"),
    f"one more port in a group beside {HUGE} switches": ("huge", "member"),
    f"one more router beside {HUGE} switches": ("huge", "router"),
    f"{BALANCERS} balancers on {SWITCHES} switches, first fill": ("balanced", "fill"),
    f"{BALANCERS} balancers on {SWITCHES} switches, restart": ("balanced", "restart"),
    f"{BALANCERS} balancers on {SWITCHES} switches, memory": ("balanced", "memory"),
    "one more port beside them": ("balanced", "port"),
    "one more backend of one of them": ("balanced", "backend"),
    f"{AT_ROUTERS} balancers on {BALANCED_ROUTERS} gateway routers, first fill": ("gateways", "fill"),
    f"{AT_ROUTERS} balancers on {BALANCED_ROUTERS} gateway routers, restart": ("gateways", "restart"),
    f"{AT_ROUTERS} balancers on {BALANCED_ROUTERS} gateway routers, memory": ("gateways", "memory"),
    "one more port beside them all": ("gateways", "port"),
    "one more backend of one of those": ("gateways", "backend"),
}


def main(shapes: Collection[str] = tuple(SHAPES)) -> list[Figure]:
    """Ours beside every C northd, on the C server where there is one."""
    with environment("pyovn.daemons.northd") as variables:
        server: Server = c_server_process if find("ovsdb-server") else server_process
        costs = {
            name: {
                each.name: measure(each, server, variables, shape, EDITED.get(name, ("port",)))
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
            if shape in shapes and (rival in costs[shape] or rival in ("", "26.03"))
        ]
        if "full" in shapes:
            embedded = measure(next(programs()), server_process, variables, SHAPES["full"][0])
            figures += [
                Figure(f"{SWITCHES} × {PORTS} ports, first fill on our server", embedded.fill, None, "ms"),
                Figure(f"{SWITCHES} × {PORTS} ports, restart on our server", embedded.restart, None, "ms"),
                Figure("one more port on our server", embedded.edits["port"], None, "ms"),
            ]
        return figures


def _figure(what: str, costs: dict[str, Costs], rival: str, column: str) -> Figure:
    theirs = _cost(costs[rival], column) if rival in costs else None
    return Figure(what, _cost(costs["ours"], column), theirs, "MB" if column == "memory" else "ms")


def _cost(costs: Costs, column: str) -> float:
    return costs.edits[column] if column in costs.edits else float(getattr(costs, column))
