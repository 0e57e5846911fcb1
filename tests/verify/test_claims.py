"""Claims: what is proved no packet breaks, and what is refuted a packet shows."""

from random import Random

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pyovn.cli.plan import carried_out
from pyovn.cli.prove import ports_of, prove, text
from pyovn.net.errors import OvnError
from pyovn.trace.network import Network
from pyovn.trace.request import Request, deep, run
from pyovn.trace.tables import read_tables
from pyovn.trace.tracer import Options
from pyovn.verify.claim import Verdict, no_connection
from tests.northd.world import World
from tests.plan.test_plan import network
from tests.trace.routed_networks import RoutedNetwork, Traffic, routed
from tests.trace.test_routed import central

NEW = 0x21


@pytest.fixture
def world() -> World:
    found = World()
    found.edit(network)
    return found


def edit(world: World, *words: str) -> None:
    carried_out(list(words), world)
    world.settle()


def claim(world: World, source: str, target: str, **more: int) -> Verdict:
    return no_connection(Network(read_tables(world.call)), [source], [target], **more)


def test_guests_of_a_router_reach_each_other(world: World) -> None:
    verdict = claim(world, "a1", "b1")
    assert (verdict.outcome, verdict.source, verdict.target) == ("refuted", "a1", "b1")
    assert "ip4.dst == 10.0.2.11" in verdict.microflow
    trace = run(Network(read_tables(world.call)), Request(verdict.microflow, options=Options(ct_states=[NEW] * 9)))
    assert any(node.kind == "output" and node.text == "b1" for root in trace.nodes for node in root.walk())


@pytest.mark.parametrize(
    "words",
    [
        ("acl-add", "b", "to-lport", "1001", 'outport == "b1" && ip', "drop"),
        ("acl-add", "a", "from-lport", "1001", "ip", "drop"),
        ("lr-policy-add", "r", "7", "ip4.src == 0.0.0.0/0 && ip4.dst == 10.0.2.11", "drop"),
        ("lrp-del", "r-b"),
        ("lsp-set-enabled", "b1", "disabled"),
    ],
)
def test_what_separates_them_is_a_proof(world: World, words: tuple[str, ...]) -> None:
    edit(world, *words)
    assert claim(world, "a1", "b1").outcome == "proved"


@pytest.mark.parametrize(
    ("match", "hole"),
    [
        ('outport == "b1" && (icmp4 || udp || sctp)', "ip.proto == 6 "),
        ('outport == "b1" && ip4.src != 10.9.9.0/24', "ip4.src == 10.9.9."),
        ('outport == "b1" && tcp.dst != 8443', ""),
    ],
)
def test_a_hole_in_a_filter_is_found(world: World, match: str, hole: str) -> None:
    edit(world, "acl-add", "b", "to-lport", "1001", match, "drop")
    verdict = claim(world, "a1", "b1")
    assert verdict.outcome == "refuted"
    assert hole in f"{verdict.microflow} "


def test_a_router_that_answers_in_somebody_elses_direction(world: World) -> None:
    """Who may not send there can still ping the router, and give the other's address as its own."""
    edit(world, "acl-add", "a", "from-lport", "1001", "ip4.dst == 10.0.2.0/24", "drop")
    verdict = claim(world, "a1", "b1")
    assert verdict.outcome == "refuted"
    assert "ip4.src == 10.0.2.11 && ip4.dst == 10.0.1.1 && ip.proto == 1 && icmp4.type == 8" in verdict.microflow
    edit(world, "lsp-set-port-security", "a1", "0a:00:00:00:01:11 10.0.1.11")
    assert claim(world, "a1", "b1").outcome == "proved"


def test_port_security_closes_a_hole(world: World) -> None:
    edit(world, "acl-add", "b", "to-lport", "1001", 'outport == "b1" && ip4.src == 10.0.1.11', "drop")
    assert claim(world, "a1", "b1").outcome == "refuted"
    edit(world, "lsp-set-port-security", "a1", "0a:00:00:00:01:11 10.0.1.11")
    assert claim(world, "a1", "b1").outcome == "proved"


def test_stateful_filters_let_nobody_begin(world: World) -> None:
    edit(world, "acl-add", "b", "from-lport", "1002", "ip4", "allow-related")
    edit(world, "acl-add", "b", "to-lport", "1001", 'outport == "b1" && ip', "drop")
    assert claim(world, "a1", "b1").outcome == "proved"
    assert claim(world, "b1", "a1").outcome == "refuted"


def test_what_takes_too_long_is_not_decided(world: World) -> None:
    edit(world, "lrp-del", "r-b")
    verdict = claim(world, "a1", "b1", most_steps=100)
    assert verdict.outcome == "undecided"
    assert (
        text(verdict, 1, 1)
        == "Not decided, from 1 port to 1 port: there are too many kinds of packets from a1. (101 steps)\n"
    )


def test_names_stand_for_ports(world: World) -> None:
    edit(world, "pg-add", "web", "b1")
    found = Network(read_tables(world.call))
    assert [ports_of(found, name) for name in ("a", "a1", "@web")] == [["a1"], ["a1"], ["b1"]]
    with pytest.raises(OvnError, match="nobody: there is no such port, nor a switch or group with ports"):
        ports_of(found, "nobody")


def test_a_database_that_does_not_answer_is_told() -> None:
    result = CliRunner().invoke(prove, ["--db=unix:/nowhere/at/all", "--from", "a", "--to", "b"])
    assert result.exit_code == 1
    assert "database connection failed" in result.output


@settings(max_examples=6, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(network=routed(), choices=st.integers(0, 1 << 32).map(Random))
def test_nothing_that_gets_there_is_proved_not_to(network: RoutedNetwork, choices: Random) -> None:
    found = Network(read_tables(central(network).call))
    pairs = dict.fromkeys(pair for _ in range(40) for pair in delivered(found, Traffic(network, choices).microflow()))
    for source, target in list(pairs)[:2]:
        assert no_connection(found, [source], [target], most_steps=30_000).outcome != "proved", (source, target)


def delivered(network: Network, microflow: str) -> list[tuple[str, str]]:
    """Source and targets of the first packet of a connection."""
    if "ip.ttl == 64" not in microflow:
        return []
    with deep():
        trace = run(network, Request(microflow, options=Options(ct_states=[NEW] * 64)))
    if trace.problem or trace.packet.get("icmpv6_type", 0) in range(133, 138):
        return []
    source = microflow.split('"')[1]
    walked = trace.nodes
    targets = []
    while walked:
        node = walked.pop()
        if node.kind == "output" and not node.facts["crosses"] and node.text != source:
            targets.append((source, node.text))
        if node.kind != "transformation" or not node.facts.get("instead_of"):
            walked += node.children
    return targets
