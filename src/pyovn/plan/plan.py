"""A plan: an edit made in memory, and all that would come of it."""

from collections import Counter
from collections.abc import Callable, Iterator

from pyovn.plan.central import Central
from pyovn.plan.changes import Change, Recorder
from pyovn.plan.effects import FlowChanges, flow_changes, rows
from pyovn.plan.guests import chosen_guests, datapaths, router_ports
from pyovn.plan.reach import Guest, Routers, fate, probes, services
from pyovn.trace.network import Network
from pyovn.trace.tables import read_tables

MOST_PAIRS = 4  #: of guests that are named for one difference


class Plan:
    """What an edit would do."""

    def __init__(self, printed: str, north: list[Change], south: list[Change]) -> None:
        self.printed = printed  #: what the commands say
        self.north = north
        self.south = south
        self.flows: dict[str, FlowChanges] = {}  #: by the name of the datapath
        self.datapaths = 0
        self.chassis: list[str] = []  #: those that have ports of these datapaths
        self.all_chassis = 0
        self.warnings: list[str] = []
        self.settled: list[str] = []  #: and those that would be no more
        self.tried = 0
        self.guests = 0
        self.fates: dict[tuple[str, str, str], list[str]] = {}  #: service, before, after → "SOURCE → TARGET", …

    def lines(self, *, with_flows: bool = False) -> Iterator[str]:
        """What is printed for people."""
        if self.printed:
            yield from (self.printed.rstrip("\n"), "")
        found = list(rows(self.north))
        yield from ("Northbound database", *(f"  {each}" for each in found or ["nothing changes"]))
        yield from self._flows(with_flows)
        others = Counter(
            (each.table, _sign(each)) for each in self.south if each.table not in ("Logical_Flow", "SB_Global")
        )
        if others:
            told = (f"{sign}{count} {table}" for (table, sign), count in sorted(others.items()))
            yield f"Southbound database: {', '.join(told)}"
        if self.flows:
            names = ", ".join(self.chassis[:8]) + (", …" if len(self.chassis) > 8 else "")
            yield f"Chassis with ports there: {len(self.chassis)} of {self.all_chassis}{f' ({names})' if names else ''}"
        for title, texts in (("New warnings", self.warnings), ("Warnings that go", self.settled)):
            if texts:
                yield from (title, *(f"  {each}" for each in texts))
        if self.tried:
            tried = f"{self.tried} tried between {self.guests} guests"
            differing = sum(map(len, self.fates.values()))
            yield f"Packets that would fare differently: {differing} of {tried}"
            for (service, now, then), pairs in self.fates.items():
                more = f" and {len(pairs) - MOST_PAIRS} more" if len(pairs) > MOST_PAIRS else ""
                yield f"  {service}: {', '.join(pairs[:MOST_PAIRS])}{more}"
                yield from (f"    now    {now}", f"    then   {then}")

    def _flows(self, with_flows: bool) -> Iterator[str]:
        gained = sum(len(each.gained) for each in self.flows.values())
        lost = sum(len(each.lost) for each in self.flows.values())
        yield f"Logical flows: +{gained} -{lost}, on {len(self.flows)} of {self.datapaths} datapaths"
        for name, each in sorted(self.flows.items()):
            stages = Counter(flow.stage for flow in each.gained), Counter(flow.stage for flow in each.lost)
            told = (
                f"{stage} {'+' + str(stages[0][stage]) if stages[0][stage] else ''}"
                f"{'-' + str(stages[1][stage]) if stages[1][stage] else ''}"
                for stage in sorted({*stages[0], *stages[1]})
            )
            yield f"  {name}: {', '.join(told)}"
            if with_flows:
                yield from (f"    - {flow}" for flow in sorted(each.lost))
                yield from (f"    + {flow}" for flow in sorted(each.gained))


def _sign(change: Change) -> str:
    return "+" if change.before is None else "-" if change.after is None else "~"


def planned(central: Central, edit: Callable[[Central], str], *, reach: bool = True) -> Plan:
    """Make an edit in memory, which returns what it has to say; raises NotSettled where northd does not settle."""
    central.settle()
    before = {text for _, text in central.compiler.problems()}
    network = Network(read_tables(central.call)) if reach else None
    routers = router_ports(central)
    north, south = (Recorder(central.databases[name]) for name in ("OVN_Northbound", "OVN_Southbound"))
    printed = edit(central)
    central.settle()
    found = Plan(printed, list(north.changes()), list(south.changes()))
    names, places = datapaths(central)
    changed = flow_changes(south, found.south)
    found.flows = {names.get(uuid, uuid): each for uuid, each in changed.items()}
    found.datapaths = len(names)
    found.chassis, found.all_chassis = _chassis(central, set(changed))
    after = {text for _, text in central.compiler.problems()}
    found.warnings, found.settled = sorted(after - before), sorted(before - after)
    if network is not None and changed:
        routers |= router_ports(central)
        touched = {each.uuid for each in found.north if each.table == "Logical_Switch_Port"}
        guests = chosen_guests(central, {places[uuid] for uuid in changed if uuid in places}, touched)
        _try_packets(found, guests, routers, (network, Network(read_tables(central.call))))
    return found


def _chassis(central: Central, datapaths: set[str]) -> tuple[list[str], int]:
    """The chassis that have ports of some datapaths, and how many chassis there are."""
    known = {uuid: row["initial"]["name"] for uuid, row in central.contents("OVN_Southbound", "Chassis").items()}
    bindings = (row["initial"] for row in central.contents("OVN_Southbound", "Port_Binding").values())
    found = {
        row["chassis"][1]
        for row in bindings
        if row["datapath"][1] in datapaths and row.get("chassis", [""])[0] == "uuid"
    }
    return sorted(known[each] for each in found if each in known), len(known)


def _try_packets(found: Plan, guests: list[Guest], routers: Routers, networks: tuple[Network, Network]) -> None:
    """Trace packets between guests, before and after."""
    matches = (flow.match for each in found.flows.values() for flow in sorted(each.gained | each.lost))
    found.guests = len(guests)
    for probe in probes(guests, routers, services(matches)):
        found.tried += 1
        now, then = (fate(network, probe) for network in networks)
        if now != then:
            pair = f"{probe.source.port} → {probe.target.port}"
            found.fates.setdefault((probe.service, now, then), []).append(pair)
