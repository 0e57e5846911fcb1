"""Flow-mods, groups and bundles change what OpenFlow says they change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.openflow.actions import Group, Output
from pyovn.openflow.flows import CHECK_OVERLAP, GROUP_ALL, RESET_COUNTS, SEND_FLOW_REM, Bucket, Flow, GroupDef
from pyovn.openflow.match import match
from pyovn.vswitch.errors import Refused
from pyovn.vswitch.groups import BUCKET_FIRST, BUCKET_LAST, Groups
from pyovn.vswitch.tables import DELETE, HARD_TIMEOUT, IDLE_TIMEOUT, FlowMod, FlowTables, Removed
from tests.vswitch.frames import flows

WEB = match(eth_type=0x800, ip_proto=6, tcp_dst=80)
IP = match(eth_type=0x800)


def tables(*installed: Flow) -> FlowTables:
    made = FlowTables()
    for flow in installed:
        made.add(flow, 0.0)
    return made


def cookies(made: FlowTables) -> list[int]:
    return sorted(rule.cookie for rule in made)


def test_an_equal_flow_replaces_and_keeps_its_counters():
    made = tables(Flow(0, 1, IP, (), 1))
    next(iter(made)).packets = 9
    made.add(Flow(0, 1, IP, (Output(1),), 2), 1.0)
    (rule,) = made
    assert (rule.cookie, rule.packets) == (2, 9)
    made.add(Flow(0, 1, IP, (), 3, flags=RESET_COUNTS), 1.0)
    assert next(iter(made)).packets == 0


def test_loose_commands_take_everything_within():
    made = tables(Flow(0, 1, WEB, (), 1), Flow(0, 2, IP, (), 2), Flow(1, 1, WEB, (), 3))
    made.apply(FlowMod("delete", Flow(0, 0, WEB, ())), 0.0)
    assert cookies(made) == [2, 3]
    made.apply(FlowMod("delete", Flow(255, 0, (), ())), 0.0)
    assert cookies(made) == []


def test_strict_commands_take_exactly_one():
    made = tables(Flow(0, 1, IP, (), 1), Flow(0, 2, IP, (), 2))
    made.apply(FlowMod("delete_strict", Flow(0, 2, IP, ())), 0.0)
    assert cookies(made) == [1]


def test_modify_changes_actions_and_adds_nothing():
    made = tables(Flow(0, 1, WEB, (), 1))
    made.apply(FlowMod("modify", Flow(0, 0, IP, (Output(3),), 9)), 0.0)
    made.apply(FlowMod("modify", Flow(5, 0, IP, (Output(3),), 9)), 0.0)
    assert [(rule.actions, rule.cookie) for rule in made] == [((Output(3),), 9)]


def test_cookies_ports_and_groups_filter():
    made = tables(Flow(0, 1, IP, (Output(1),), 0x11), Flow(0, 2, IP, (Group(7),), 0x21), Flow(0, 3, IP, (), 0x12))
    assert len(made.selected(FlowMod("delete", Flow(255, 0, (), (), 0x10), 0xF0))) == 2
    assert len(made.selected(FlowMod("delete", Flow(255, 0, (), ()), out_port=1))) == 1
    assert len(made.selected(FlowMod("delete", Flow(255, 0, (), ()), out_group=7))) == 1


def test_overlap_is_refused_where_it_is_checked():
    made = tables(Flow(0, 1, WEB, ()))
    with pytest.raises(Refused, match="overlap"):
        made.add(Flow(0, 1, IP, (), flags=CHECK_OVERLAP), 0.0)
    made.add(Flow(0, 2, IP, (), flags=CHECK_OVERLAP), 0.0)


def test_timeouts_take_flows_away_and_tell():
    made = tables(
        Flow(0, 1, IP, (), 1, idle_timeout=10, flags=SEND_FLOW_REM),
        Flow(0, 2, IP, (), 2, hard_timeout=5, flags=SEND_FLOW_REM),
    )
    told: list[tuple[int, int]] = []
    made.on_removed = lambda gone: told.append((gone.rule.cookie, gone.reason))
    assert made.deadline == 5
    made.expire(4.0)
    made.expire(5.0)
    made.expire(10.0)
    assert told == [(2, HARD_TIMEOUT), (1, IDLE_TIMEOUT)]


def test_only_flows_that_asked_are_told_of():
    made = tables(Flow(0, 1, IP, ()), Flow(0, 2, IP, (), flags=SEND_FLOW_REM))
    told: list[Removed] = []
    made.on_removed = told.append
    made.apply(FlowMod("delete", Flow(255, 0, (), ())), 0.0)
    assert [gone.reason for gone in told] == [DELETE]


def state(made: FlowTables) -> list[tuple[object, ...]]:
    return sorted((rule.flow, rule.packets) for rule in made)


@given(
    st.lists(flows(), max_size=6),
    st.lists(
        st.tuples(st.sampled_from(("add", "modify", "modify_strict", "delete", "delete_strict")), flows()), max_size=8
    ),
)
def test_a_rolled_back_bundle_never_happened(installed, mods):
    made = tables(*installed)
    before = sorted(map(repr, (rule.flow for rule in made)))
    made.begin()
    for command, flow in mods:
        made.apply(FlowMod(command, flow), 1.0)
    made.rollback()
    assert sorted(map(repr, (rule.flow for rule in made))) == before


def group(id_: int, *buckets: int, kind: str = "select") -> GroupDef:
    return GroupDef(id_, kind, tuple(Bucket((Output(bucket),), 1, bucket) for bucket in buckets))


def buckets(made: Groups, id_: int) -> list[int]:
    return [bucket.id for bucket in made.groups[id_].definition.buckets]


def test_groups_are_added_changed_and_deleted():
    made = Groups()
    made.apply("add", group(1, 1, 2), 0.0)
    with pytest.raises(Refused):
        made.apply("add", group(1, 1), 0.0)
    made.apply("insert_bucket", group(1, 3), 0.0, BUCKET_LAST)
    made.apply("insert_bucket", group(1, 4), 0.0, BUCKET_FIRST)
    made.apply("insert_bucket", group(1, 5), 0.0, 1)
    assert buckets(made, 1) == [4, 1, 5, 2, 3]
    made.apply("remove_bucket", group(1), 0.0, 5)
    made.apply("remove_bucket", group(1), 0.0, BUCKET_LAST)
    assert buckets(made, 1) == [4, 1, 2]
    made.apply("delete", group(GROUP_ALL), 0.0)
    assert not made.groups


@pytest.mark.parametrize(
    "wrong",
    [
        group(1, 1, 1),
        group(1, 1, 2, kind="indirect"),
        group(1, 1, kind="ff"),
        GroupDef(1, "all", (Bucket((Group(1),)),)),
    ],
)
def test_senseless_groups_are_refused(wrong):
    with pytest.raises(Refused):
        Groups().apply("add", wrong, 0.0)


def test_groups_roll_back():
    made = Groups()
    made.apply("add", group(1, 1), 0.0)
    made.begin()
    made.apply("modify", group(1, 2), 0.0)
    made.apply("add", group(2, 2), 0.0)
    made.rollback()
    assert (list(made.groups), buckets(made, 1)) == ([1], [1])
