"""Random routed networks: both tracers say the same, over the work of either northd."""

import json
import re
import subprocess
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.northd.model.chassis import FEATURES
from pyovn.ovsdb.txn import Txn
from pyovn.tables import sb
from pyovn.trace.network import Network
from pyovn.trace.request import Request, answer
from pyovn.trace.tables import read_tables
from pyovn.trace.tracer import Options
from tests.northd.oracle import Oracle, oracle
from tests.northd.world import World
from tests.support.c_programs import need
from tests.support.servers import RunningServer
from tests.trace.oracle import SCHEMAS, Twins, older_central
from tests.trace.routed_networks import RoutedNetwork, Traffic, routed

CHASSIS = "ch1"
choices = st.integers(0, 1 << 32).map(Random)
once = settings(deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(scope="module")
def c() -> Iterator[Oracle]:
    """The C northd, and a chassis."""
    with oracle() as running:
        running.add_chassis(CHASSIS)
        yield running


def teach(c: Oracle, network: RoutedNetwork) -> None:
    """Have the routers know their neighbours outside."""
    ports = c.dump(sb.SOUTHBOUND).get("Port_Binding", {}).values()
    txn = Txn()
    network.neighbours(txn, {row["initial"]["logical_port"]: Uuid(row["initial"]["datapath"][1]) for row in ports})
    if txn:
        c.transact("OVN_Southbound", txn)


@pytest.mark.interop
@settings(once, max_examples=4)
@given(network=routed(balanced=True), choices=choices)
def test_what_the_c_northd_wrote_is_traced_as_c_ovn_does(c: Oracle, network: RoutedNetwork, choices: Random) -> None:
    c.configure(network)
    teach(c, network)
    twins, traffic = Twins(c.server.remote), Traffic(network, choices)
    for _ in range(16):
        twins.agree(*traffic.line())


@pytest.mark.interop
@settings(once, max_examples=4)
@given(network=routed(balanced=True), choices=choices)
def test_what_our_northd_wrote_is_traced_as_c_ovn_does(c: Oracle, network: RoutedNetwork, choices: Random) -> None:
    c.configure(lambda txn: None)
    c.replace(network)
    try:
        teach(c, network)
        twins, traffic = Twins(c.server.remote), Traffic(network, choices)
        for _ in range(16):
            twins.agree(*traffic.line())
    finally:
        c.tell("resume")


@pytest.mark.interop
@settings(once, max_examples=8)
@given(network=routed(balanced=True), choices=choices)
def test_both_northds_give_packets_the_same_fate(c: Oracle, network: RoutedNetwork, choices: Random) -> None:
    c.configure(network)
    teach(c, network)
    theirs, ours = Twins(c.server.remote).network, compiled(network)
    traffic = Traffic(network, choices)
    for _ in range(30):
        packet = traffic.microflow()
        assert fates(ours, packet) == fates(theirs, packet), packet


def compiled(network: RoutedNetwork) -> Network:
    """What our northd makes of it."""
    return Network(read_tables(central(network).call))


def central(network: RoutedNetwork) -> World:
    """The network, compiled by our northd, with a chassis and what routers have learned."""
    world = World()
    abilities = dict.fromkeys(FEATURES.values(), "true")

    def chassis(txn: Txn) -> None:
        encap = txn.insert(sb.Encap, type="geneve", ip="10.0.0.1", chassis_name=CHASSIS)
        txn.insert(sb.Chassis, name=CHASSIS, hostname="h", encaps=frozenset([encap]), other_config=abilities)

    world.edit(chassis, "OVN_Southbound")
    world.edit(network)
    txn = Txn()
    network.neighbours(txn, {row.logical_port: row.datapath for row in world.rows(sb.PortBinding)})
    if txn:
        world.transact("OVN_Southbound", txn)
    return world


def fates(network: Network, packet: str) -> set[str]:
    """What can be seen of a packet from outside, whichever of equal routes it takes.

    Either northd chooses the keys of ports, and numbers equal routes as it likes.
    """
    options = (Options(select_id=number, lb_dst=backend) for number in SELECTIONS for backend in (None, BACKEND))
    requests = (Request(packet, forms=("minimal",), options=each) for each in options)
    return {_SELECTION.sub("select", answer(network, request).partition("\n")[2]) for request in requests}


_SELECTION = re.compile("select: .*(?= {)")
BACKEND = (4, 0x0A00000B, 8080)  #: as `--lb-dst` says it
SELECTIONS = range(1, 5)  #: of more equal routes than a random network has


@pytest.fixture(scope="module")
def older() -> Iterator[RunningServer]:
    """A central of OVN 23.03."""
    need("ovn-trace", version="23.03")
    with older_central() as server:
        yield server


@pytest.mark.interop
@seed(8)
@settings(once, max_examples=4)
@given(network=routed(balanced=True), choices=choices)
def test_older_databases_decide_the_same_fate_with_the_older_tool(
    older: RunningServer, network: RoutedNetwork, choices: Random
) -> None:
    compile_older(older, network)
    twins, traffic = Twins(older.remote, "23.03"), Traffic(network, choices)
    for _ in range(16):
        words = traffic.line("--minimal")
        twins.agree(*words)


def compile_older(older: RunningServer, network: RoutedNetwork) -> None:
    """Put a network in the place of what there is, less columns of later releases, and wait for the northd."""
    schema = json.loads((SCHEMAS / "ovn-nb.ovsschema").read_text())["tables"]
    txn = Txn()
    network(txn)
    operations = [json.loads(each) if isinstance(each, bytes) else each for each in txn.operations()]
    for each in operations:
        each["row"] = {name: value for name, value in each["row"].items() if name in schema[each["table"]]["columns"]}
    roots = [name for name, table in schema.items() if table.get("isRoot") and name != "NB_Global"]
    clear = [{"op": "delete", "table": name, "where": []} for name in roots]
    for each in older.transact("OVN_Northbound", *clear, *operations):
        assert "error" not in each, each
    nbctl = [need("ovn-nbctl", version="23.03"), f"--db={older.remote}", "--no-leader-only"]
    subprocess.run([*nbctl, "--wait=sb", "sync"], check=True)
