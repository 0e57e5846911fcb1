"""The C northd beside ours: what it writes for a network, and what ours would change about that.

with oracle() as c:
    c.configure(network)      → the C northd has compiled it
    c.objections()            → the operations that our northd would carry out over the C one's work: none
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from pyovn.net.uuids import Uuid
from pyovn.northd.compiler import NORTHBOUND, SOUTHBOUND, Compiler
from pyovn.northd.model.chassis import FEATURES
from pyovn.ovsdb.model import Database, Row, columns, table_name
from pyovn.ovsdb.replica import Changes, Replica, Update
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.support.c_programs import need
from tests.support.servers import Rpc, RunningServer, c_server_process, upstream_schema

Json = Any
Network = Callable[[Txn], None]
PATIENCE_S = 20.0
MOST_ROUNDS = 6
#: where guests are, and which next hops answer BFD, as far as the databases know
HOSTS = {"s0p0": "ch1", "s1p0": "ch2"}
LISTENED = ("239.0.1.68", "224.0.0.99", "ff0e::5", "ff02::99", "mrouters")
CLAIMED = ("", "virtual", "external", "l2gateway")
ANSWERING = ("10.0.1.9", "fd00::9")


class Oracle:
    """Both databases on one C server, and the C northd."""

    def __init__(self, server: RunningServer, control: str) -> None:
        self.server = server
        self.control = control
        self.rpc = server.rpc()
        self._monitors = count()
        self.learned: tuple[tuple[str, str, str], ...] = ()  #: port, prefix, next hop: what controllers report

    def dump(self, database: Database) -> dict[str, Json]:
        """Everything in a database, as a monitor would tell it at first."""
        requests = {table_name(cls): [{"columns": list(columns(cls))}] for cls in database.tables}
        name = f"dump{next(self._monitors)}"
        answer = self.rpc.call("monitor_cond", database.name, name, requests)
        assert answer["error"] is None, answer
        self.rpc.call("monitor_cancel", name)
        tables: dict[str, Json] = answer["result"]
        return tables

    def transact(self, database: str, txn: Txn) -> None:
        """Carry out a transaction that must succeed."""
        results = self.rpc.transact(database, *txn.operations())
        failed = [result for result in results if isinstance(result, dict) and "error" in result]
        assert not failed, failed

    def configure(self, network: Network) -> None:
        """Put a network in the place of what there is, and wait until the C northd has compiled it."""
        txn = Txn()
        for cls in (nb.LogicalRouter, nb.LogicalSwitch, nb.BFD):  # first, for their parts refer to other rows
            txn.raw({"op": "delete", "table": table_name(cls), "where": []})
        self.transact("OVN_Northbound", txn)
        txn = Txn()
        for cls in nb.NORTHBOUND.tables:
            if cls is not nb.NBGlobal and cls.__is_root__:  # type: ignore[attr-defined]
                txn.raw({"op": "delete", "table": table_name(cls), "where": []})
        (settings,) = self.dump(nb.NORTHBOUND)["NB_Global"]
        txn.set(nb.NBGlobal, settings, options={})
        self.transact("OVN_Northbound", txn)
        self.settle()
        txn = Txn()
        network(txn)
        self.transact("OVN_Northbound", txn)
        self.settle()
        if self.play_controllers():
            self.settle()
        self.recompute()

    def add_chassis(self, *names: str) -> None:
        """Chassis that all can do the same."""
        txn = Txn()
        for number, name in enumerate(names):
            encap = txn.insert(sb.Encap, type="geneve", ip=f"127.0.0.{number + 1}", chassis_name=name)
            abilities = dict.fromkeys(FEATURES.values(), "true")
            txn.insert(
                sb.Chassis, name=name, hostname=f"{name}.example", encaps=frozenset([encap]), other_config=abilities
            )
        self.transact("OVN_Southbound", txn)

    def play_controllers(self) -> bool:
        """Report what controllers would: guests and gateways on chassis, some BFD sessions that are up."""
        tables, txn = self.dump(sb.SOUTHBOUND), Txn()
        chassis = {row["initial"]["name"]: uuid for uuid, row in tables.get("Chassis", {}).items()}
        if not chassis:
            return False
        for uuid, row in tables.get("Port_Binding", {}).items():
            columns = row["initial"]
            kind, where = columns.get("type", ""), chassis.get(HOSTS.get(columns["logical_port"], ""))
            options = dict(columns.get("options", ["map", []])[1])
            if "ipv6_prefix" in options:
                txn.set(sb.PortBinding, uuid, options={**options, "ipv6_ra_pd_list": "9:fd0a::/64"})
            if kind == "chassisredirect" or (kind in CLAIMED and where):
                where = chassis["ch1"] if kind == "chassisredirect" else where
                txn.set(sb.PortBinding, uuid, chassis=where, up=True)
        for uuid, row in tables.get("BFD", {}).items():
            if row["initial"]["dst_ip"] in ANSWERING:
                txn.set(sb.BFD, uuid, status="up")
        self._listen(txn, tables, chassis)
        self._learn(txn, tables)
        self.transact("OVN_Southbound", txn)
        return bool(txn)

    def _listen(self, txn: Txn, tables: dict[str, Json], chassis: Mapping[str, str]) -> None:
        """Report who listens to which multicast."""
        txn.raw({"op": "delete", "table": "IGMP_Group", "where": []})
        for uuid, row in tables.get("Port_Binding", {}).items():
            where = HOSTS.get(row["initial"]["logical_port"], "")
            for address in LISTENED if where in chassis else ():
                txn.insert(
                    sb.IGMPGroup, address=address, protocol="IGMPv2", datapath=Uuid(row["initial"]["datapath"][1]),
                    chassis=Uuid(chassis[where]), chassis_name=where, ports=frozenset([Uuid(uuid)]),
                )  # fmt: skip

    def _learn(self, txn: Txn, tables: dict[str, Json]) -> None:
        """Report routes that routing daemons know."""
        ports = {
            row["initial"]["logical_port"]: (uuid, row["initial"])
            for uuid, row in tables.get("Port_Binding", {}).items()
        }
        txn.raw({"op": "delete", "table": "Learned_Route", "where": []})
        for port, prefix, nexthop in self.learned:
            uuid, row = ports.get(port, ("", {}))
            reaches = ":" in nexthop or "." in str(row.get("mac"))  # else the C northd makes a flow without a source
            if row and reaches and "chassis-redirect-port" not in str(row.get("options")):
                txn.insert(
                    sb.LearnedRoute, datapath=Uuid(row["datapath"][1]), logical_port=Uuid(uuid), ip_prefix=prefix,
                    nexthop=nexthop,
                )  # fmt: skip

    def recompute(self) -> None:
        """Have it compile from scratch: what it does incrementally misses things, such as groups of a new switch."""
        self.tell("inc-engine/recompute")
        self.settle()

    def settle(self) -> None:
        """Wait until the C northd has compiled everything."""
        bump = {"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]}
        progress = {"op": "select", "table": "NB_Global", "where": [], "columns": ["nb_cfg", "sb_cfg"]}
        self.rpc.transact("OVN_Northbound", bump)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            (row,) = self.rpc.transact("OVN_Northbound", progress)[0]["rows"]
            if row["nb_cfg"] == row["sb_cfg"]:
                return
            assert time.monotonic() < deadline, "the C northd does not settle"
            time.sleep(0.005)

    def replace(self, network: Network) -> None:
        """Let ours compile a network while the C northd sleeps, on what it wrote for another one."""
        self.tell("pause")
        txn = Txn()
        network(txn)
        self.transact("OVN_Northbound", txn)
        self._ours_settles()
        if self.play_controllers():
            self._ours_settles()

    def _ours_settles(self) -> None:
        """Let ours work until it has nothing to do."""
        for _ in range(MOST_ROUNDS):
            if not self._ours():
                return
        raise AssertionError("our northd does not settle")

    def _ours(self) -> bool:
        """One step of our northd; True where it did something."""
        ours = self.compiler()
        plans = (
            ("OVN_Northbound", ours.northbound_options()),
            ("OVN_Northbound", ours.leases_transaction()),
            ("OVN_Southbound", ours.southbound_transaction()),
            ("OVN_Northbound", ours.northbound_transaction()),
        )
        database, txn = next(((name, txn) for name, txn in plans if txn), ("", Txn()))
        if txn:
            self.transact(database, txn)
        return bool(txn)

    def tell(self, command: str) -> None:
        """Give the C northd a command."""
        with Rpc(self.control) as control:
            assert control.call(command)["error"] is None

    def compiler(self) -> Compiler:
        """Our northd, having taken in both databases."""
        return loaded(self.dump(nb.NORTHBOUND), self.dump(sb.SOUTHBOUND))

    def objections(self) -> list[Json]:
        """What ours would do about the C northd's work."""
        southbound = self.dump(sb.SOUTHBOUND)
        ours = loaded(self.dump(nb.NORTHBOUND), southbound)
        before = [*ours.northbound_options().operations(), *ours.leases_transaction().operations()]
        south = but_for_numbers(ours.southbound_transaction().operations(), southbound.get("Logical_Flow", {}))
        return [*before, *south, *ours.northbound_transaction().operations()]

    def disagreements(self, network: Network) -> list[str]:
        """What ours would do about the C northd's work on a network, to be read."""
        self.configure(network)
        return readable(self.objections(), self.dump(sb.SOUTHBOUND))

    def must_leave(self, network: Network) -> None:
        """Give the C northd our work on a network: it has nothing to do about that."""
        self.configure(lambda txn: None)
        self.replace(network)
        before = said(self)
        self.tell("resume")
        self.recompute()
        assert said(self) == before


def but_for_numbers(operations: list[Json], flows: Mapping[str, Json]) -> list[Json]:
    """The operations, without pairs that replace a flow by one that differs in numbers of groups and members only."""
    parsed = [json.loads(each) if isinstance(each, bytes) else each for each in operations]
    gone: dict[Any, list[Json]] = {}
    for each in parsed:
        if each["op"] == "delete" and each["table"] == "Logical_Flow":
            row = flows[each["where"][0][2][1]]["initial"]
            gone.setdefault(without_numbers(row), []).append(each)
    for each in parsed:
        same = gone.get(without_numbers(each["row"])) if each["op"] == "insert" else None
        if each.get("table") == "Logical_Flow" and same:
            parsed[parsed.index(same.pop())] = None
            parsed[parsed.index(each)] = None
    return [each for each in parsed if each is not None]


GROUPS = re.compile(r"(reg8\[0\.\.15\]|reg8\[16\.\.31\]|reg9\[16\.\.31\]) ?(==?) ?[1-9]\d*")


def without_numbers(row: Json) -> Any:
    """What a flow says, but for which of several groups and members it is about."""
    texts = (numberless(row.get(name, "")) for name in ("match", "actions"))
    return row.get("pipeline"), row.get("table_id", 0), row.get("priority", 0), *texts


def numberless(text: str) -> str:
    """A match or actions, likewise."""
    return GROUPS.sub(r"\1 \2 N", text)


def loaded(northbound: Mapping[str, Json], southbound: Mapping[str, Json]) -> Compiler:
    """Our northd over two dumps."""
    replicas = Replica(dict(NORTHBOUND)), Replica(dict(SOUTHBOUND))
    changes: Changes = {}
    for replica, dump in zip(replicas, (northbound, southbound), strict=True):
        changes.update(replica.apply(Update(dump, fresh=True)))
    ours = Compiler(*replicas, lambda bits: 1 << (bits - 1))
    ours.run(changes)
    ours.flows.load([southbound.get("Logical_Flow", {})])
    return ours


@contextmanager
def oracle() -> Iterator[Oracle]:
    """A running pair of server and northd."""
    program = need("ovn-northd", version="26.03")
    schemas = upstream_schema("ovn-nb"), upstream_schema("ovn-sb")
    directory = Path(tempfile.mkdtemp(prefix="nd"))
    try:
        with c_server_process(*schemas, version="26.03") as server:
            arguments = [f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}", "-vconsole:off", "-vsyslog:off"]
            arguments += [f"--unixctl={directory}/c", f"--log-file={directory}/log", "--no-chdir"]
            northd = subprocess.Popen([program, *arguments])
            rpc: Rpc | None = None
            try:
                deadline = time.monotonic() + PATIENCE_S
                c = Oracle(server, f"{directory}/c")
                rpc = c.rpc
                while not c.dump(nb.NORTHBOUND).get("NB_Global"):
                    assert time.monotonic() < deadline, "the C northd does not start"
                    time.sleep(0.01)
                yield c
            finally:
                northd.terminate()
                northd.wait()
                if rpc is not None:
                    rpc.close()
    finally:
        shutil.rmtree(directory)


def said(c: Oracle) -> dict[str, Any]:
    """The southbound database, but for counters, and for numbers of groups, members and chains."""
    tables = c.dump(sb.SOUTHBOUND)
    del tables["SB_Global"]
    for row in tables.get("Port_Binding", {}).values():
        told = row["initial"].pop("nat_addresses", ["set", []])
        entries = told[1] if isinstance(told, list) else [told]
        row["nat_addresses"] = sorted(sorted(set(each.split())) for each in entries)
    flows = [row["initial"] for row in tables.pop("Logical_Flow", {}).values()]
    for row in flows:
        row.update((column, numberless(row.get(column, ""))) for column in ("match", "actions"))
        del row["external_ids"]
    tables["flows"] = sorted(repr(sorted(row.items())) for row in flows)
    return tables


def readable(operations: list[Json], dump: Mapping[str, Json]) -> list[str]:
    """Operations with the rows that they are about."""
    shown = []
    for operation in operations:
        match operation:
            case {"table": table, "where": [["_uuid", "==", [_, uuid]]]}:
                row = dump.get(table, {}).get(uuid, {}).get("initial")
                shown.append(f"{operation} ON {row}")
            case _:
                shown.append(str(operation))
    return shown


__all__ = ["Network", "Oracle", "Row", "loaded", "oracle", "readable", "said"]
