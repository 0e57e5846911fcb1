"""The controller over a snapshot: what it wants of the switch and of the databases."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.controller import layout
from pyovn.controller.edits import Delete, Insert, Put, Take, Update, write
from pyovn.openflow.actions import Output
from pyovn.openflow.text import format_flow
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import Chassis, Encap, LogicalFlow, PortBinding, SBGlobal
from pyovn.tables.vswitch import Bridge, Interface, OpenvSwitch, Port
from tests.support.chassis_world import World, flows, id_of


def two_ports() -> World:
    """A switch with p1 here and p2 on another chassis."""
    world = World()
    other = world.chassis("ch2", "10.0.0.2")
    switch = world.switch("sw0")
    world.port(switch, "p1", 1)
    world.port(switch, "p2", 2, chassis=other)
    world.interface("v1", 5, "p1")
    return world


def texts(world_flows, table):
    """The flows of a table as ovs-ofctl writes them."""
    return {format_flow(flow._replace(cookie=0)) for flow in world_flows.values() if flow.table == table}


def wishes(core, now=0.0):
    """What the southbound database should be told about ports."""
    return [
        edit
        for edit in core.southbound_edits(now)
        if not isinstance(edit, Insert) and isinstance(edit.row, PortBinding)
    ]


def told(edits):
    """What edits write; rows that they are about may differ in columns that we write ourselves."""
    txn = Txn()
    write(txn, edits)
    return sorted(map(str, txn.operations()))


def conditions(core):
    """What a controller asks for, in no particular order."""
    return {cls: sorted(map(str, clauses)) for cls, clauses in core.conditions().items()}


def test_a_port_with_an_interface_is_claimed():
    core = two_ports().core()
    claims = wishes(core)
    assert [(edit.row.logical_port, edit.columns["chassis"]) for edit in claims] == [("p1", id_of("chassis", "ch1"))]


def test_a_port_is_up_once_the_switch_has_its_flows():
    world = two_ports()
    world.edit(PortBinding, id_of("port", "p1"), chassis=id_of("chassis", "ch1"), up=False)
    core = world.core()
    assert not [edit for edit in wishes(core) if isinstance(edit, Update) and "up" in edit.columns]
    core.installed(["p1"], 7)
    core.update({})
    assert [edit.columns for edit in wishes(core) if isinstance(edit, Update)] == [{"up": True}]
    marks = [edit for edit in core.switch_edits() if isinstance(edit, Put) and isinstance(edit.row, Interface)]
    assert [mark.value for mark in marks] == [{"ovn-installed": "true", "ovn-installed-ts": "7"}]


def test_a_switch_that_waits_for_flows_is_told_when_it_has_them():
    world = two_ports()
    core = world.core()
    assert not list(core.restored())
    row = world.local.rows(OpenvSwitch)[id_of("ovs", "")]
    world.edit(OpenvSwitch, row.uuid, local=True, other_config={"flow-restore-wait": "true"})
    world.tell(core)
    assert not list(core.restored()), "somebody else's task"
    ids = {**row.external_ids, "ovn-managed-flow-restore-wait": "true"}
    world.edit(OpenvSwitch, row.uuid, local=True, external_ids=ids)
    world.tell(core)
    assert [(edit.column, edit.value) for edit in core.restored()] == [
        ("other_config", frozenset({"flow-restore-wait"}))
    ]


def test_a_port_whose_interface_goes_is_released():
    world = two_ports()
    world.edit(PortBinding, id_of("port", "p1"), chassis=id_of("chassis", "ch1"), up=True)
    core = world.core()
    world.unplug("v1")
    world.tell(core)
    released = [edit.columns for edit in wishes(core) if isinstance(edit, Update)]
    assert released == [{"chassis": None, "encap": None, "up": False}]


def test_a_port_requested_elsewhere_is_left_alone():
    world = two_ports()
    world.edit(
        PortBinding,
        id_of("port", "p1"),
        options={"requested-chassis": "ch2"},
        requested_chassis=id_of("chassis", "ch2"),
    )
    assert "p1" not in {edit.row.logical_port for edit in wishes(world.core())}


def test_an_interface_of_another_version_does_not_bind():
    world = two_ports()
    world.edit(PortBinding, id_of("port", "p1"), options={"iface-id-ver": "2"})
    assert not wishes(world.core())


def test_a_port_taken_by_another_chassis_is_claimed_again_only_after_a_pause():
    world = two_ports()
    core = world.core()
    assert wishes(core, 10.0)
    world.edit(PortBinding, id_of("port", "p1"), chassis=id_of("chassis", "ch2"))
    world.tell(core)
    assert not wishes(core, 11.0)
    assert core.deadline(11.0) == 12.0
    assert wishes(core, 12.0)


def test_two_chassis_that_claim_one_port_are_told_of():
    world = two_ports()
    core = world.core()
    assert wishes(core, 0.0)
    world.edit(PortBinding, id_of("port", "p1"), chassis=id_of("chassis", "ch2"))
    world.tell(core)
    assert wishes(core, 2.5)
    assert core.take_problems() == ["port p1: chassis ch2 claims it too"]
    assert wishes(core, 60.0)
    assert core.take_problems() == []


@pytest.mark.parametrize(
    ("mappings", "told"),
    [
        ("physnet:br-int", []),
        ("physnet:br-none", ["port ln: bridge br-none of physical network 'physnet' does not exist"]),
        ("", ["port ln: ovn-bridge-mappings has no bridge for physical network 'physnet'"]),
    ],
)
def test_a_physical_network_that_a_guest_needs_must_have_a_bridge(mappings, told):
    world = two_ports()
    world.port(id_of("datapath", "sw0"), "ln", 9, type="localnet", options={"network_name": "physnet"})
    (switch,) = world.local.rows(OpenvSwitch).values()
    ids = {**switch.external_ids, "ovn-bridge-mappings": mappings}
    world.edit(OpenvSwitch, switch.uuid, local=True, external_ids=ids)
    assert world.core().take_problems() == told


def test_a_second_location_joins_the_additional_chassis():
    world = two_ports()
    requested = {
        "requested_chassis": id_of("chassis", "ch2"),
        "requested_additional_chassis": frozenset({id_of("chassis", "ch1")}),
    }
    world.edit(PortBinding, id_of("port", "p1"), options={"requested-chassis": "ch2,ch1"}, **requested)
    edits = wishes(world.core())
    assert [(edit.column, edit.value) for edit in edits if isinstance(edit, Put)] == [
        ("additional_chassis", frozenset({id_of("chassis", "ch1")}))
    ]


def test_packets_between_a_wire_and_a_port_go_through_its_zones():
    core = two_ports().core()
    zone = core.zones["p1"]
    (arrival,) = [text for text in texts(flows(core), 0) if "in_port=5 " in text]
    assert f"set_field:{zone:#x}/0xffff->reg13" in arrival
    assert "set_field:0x1->metadata,set_field:0x1->reg14" in arrival
    assert any("output:5" in text for text in texts(flows(core), layout.LOG_TO_PHY))


def test_a_remote_port_is_reached_through_the_tunnel_to_its_chassis():
    core = two_ports().core()
    (remote,) = [text for text in texts(flows(core), layout.REMOTE_OUTPUT) if "reg15=0x2," in text]
    assert "set_field:0x1/0xffffff->tun_id,set_field:0x2->tun_metadata0" in remote
    assert "output:102,resubmit(,45)" in remote


def test_a_group_floods_here_and_through_one_tunnel_per_chassis():
    core = two_ports().core()
    group = [flow for flow in flows(core).values() if ("reg15", 0x8000, 0xFFFFFFFF) in flow.match]
    assert {flow.table for flow in group} == {layout.REMOTE_OUTPUT, layout.LOCAL_OUTPUT}
    (far,) = [flow for flow in group if flow.table == layout.REMOTE_OUTPUT]
    assert far.actions.count(Output(102)) == 1


def test_flows_are_made_only_for_datapaths_with_a_port_here():
    world = two_ports()
    far = world.switch("far")
    world.port(far, "p9", 1)
    core = world.core()
    assert not [flow for flow in flows(core).values() if ("metadata", 2, (1 << 64) - 1) in flow.match]
    assert {datapath.name for datapath in core.datapaths()} == {"sw0"}


def test_a_patch_makes_the_datapath_behind_it_local():
    world = two_ports()
    switch, router = id_of("datapath", "sw0"), world.switch("r0")
    world.port(switch, "sw0-r0", 3, type="patch", options={"peer": "r0-sw0"})
    world.port(router, "r0-sw0", 1, type="patch", options={"peer": "sw0-r0"})
    assert {datapath.name for datapath in world.core().datapaths()} == {"sw0", "r0"}


def test_a_flow_about_a_port_elsewhere_is_left_out_of_its_own_pipeline():
    world = two_ports()
    switch = id_of("datapath", "sw0")
    before = len(flows(world.core()))
    world.flow(switch, "ingress", 1, 1, 'inport == "p2"', "next;", tags={"in_out_port": "p2"})
    world.flow(switch, "ingress", 1, 2, 'inport == "p2" && ip4', "next;")
    world.flow(switch, "ingress", 1, 3, 'outport == "p2"', "next;")
    assert len(flows(world.core())) == before + 1


def test_a_logical_flow_that_makes_no_sense_is_told_once_and_harms_no_other():
    world = two_ports()
    good = flows(world.core())
    world.flow(id_of("datapath", "sw0"), "ingress", 1, 1, "nonsense == 1", "next;")
    core = world.core()
    (problem,) = core.take_problems()
    assert "nonsense" in problem
    assert flows(core) == good
    assert core.take_problems() == []


def test_the_chassis_registers_itself():
    world = World()
    world.drop(Chassis, id_of("chassis", "ch1"))
    world.drop(Encap, id_of("encap", "10.0.0.1"))
    inserts = {edit.table: edit.columns for edit in world.core().southbound_edits(0.0) if isinstance(edit, Insert)}
    assert inserts[Chassis]["name"] == "ch1"
    assert inserts[Chassis]["other_config"]["ct-commit-to-zone"] == "true"
    assert (inserts[Encap]["type"], inserts[Encap]["ip"]) == ("geneve", "10.0.0.1")


def test_a_bridge_that_is_missing_is_made():
    world = World()
    world.drop(Bridge, id_of("bridge", "br-int"), local=True)
    inserts = {edit.table: edit.columns for edit in world.core().switch_edits() if isinstance(edit, Insert)}
    assert inserts[Bridge]["fail_mode"] == "secure"
    assert inserts[Bridge]["flow_tables"].keys() == set(range(255))


def test_a_tunnel_to_a_new_chassis_is_made_and_one_to_a_gone_chassis_removed():
    world = two_ports()
    world.drop(Chassis, id_of("chassis", "ch2"))
    world._chassis_row("ch3", "10.0.0.3")
    edits = list(world.core().switch_edits())
    (port,) = [edit.columns for edit in edits if isinstance(edit, Insert) and edit.table is Port]
    assert port["external_ids"] == {"ovn-chassis-id": "ch3@10.0.0.3%10.0.0.1"}
    assert [edit.value for edit in edits if isinstance(edit, Take)] == [frozenset({id_of("switch port", "ovn-ch2-0")})]


def test_a_controller_that_leaves_takes_its_rows_and_ports_along():
    world = two_ports()
    world.edit(PortBinding, id_of("port", "p1"), chassis=id_of("chassis", "ch1"), up=True)
    there, here = world.core().farewell()
    assert [edit.columns for edit in there if isinstance(edit, Update)] == [
        {"chassis": None, "encap": None, "up": False}
    ]
    assert {type(edit.row).__name__ for edit in there if isinstance(edit, Delete)} == {"Chassis", "ChassisPrivate"}
    assert any(isinstance(edit, Take) and isinstance(edit.row, Bridge) and edit.column == "ports" for edit in here)


def test_how_far_a_chassis_has_got_is_written_to_both_databases():
    core = two_ports().core()
    there, here = core.reported(1, 99)
    assert [edit.columns for edit in there] == [{"nb_cfg": 1, "nb_cfg_timestamp": 99}]
    assert {"ovn-nb-cfg": "1", "ovn-nb-cfg-ts": "99"} in [edit.value for edit in here]


def test_conditions_name_local_datapaths_and_ports_that_are_in_none():
    world = two_ports()
    world.interface("v3", 6, "p3")
    core = world.core()
    wanted = core.conditions()
    assert wanted[LogicalFlow][0] == ["logical_datapath", "==", ["uuid", id_of("datapath", "sw0")]]
    assert ["logical_port", "==", "p3"] in wanted[PortBinding]
    assert ["logical_port", "==", "p1"] not in wanted[PortBinding]
    assert core.conditions() is wanted


def test_a_port_that_went_is_asked_for_by_name_again():
    world = two_ports()
    core = world.core()
    core.conditions()
    world.drop(PortBinding, id_of("port", "p1"))
    world.tell(core)
    assert ["logical_port", "==", "p1"] in core.conditions()[PortBinding]


def test_with_monitor_all_whole_tables_are_asked_for():
    world = two_ports()
    row = world.local.rows(OpenvSwitch)[id_of("ovs", "")]
    world.edit(OpenvSwitch, row.uuid, local=True, external_ids={**row.external_ids, "ovn-monitor-all": "true"})
    assert set(world.core().conditions().values()) == {True}


NAMES = ["p1", "p2", "p3"]
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("plug"), st.sampled_from(NAMES)),
        st.tuples(st.just("unplug"), st.sampled_from(NAMES)),
        st.tuples(st.just("move"), st.sampled_from(NAMES)),
        st.tuples(st.just("port"), st.sampled_from(NAMES)),
        st.tuples(st.just("no port"), st.sampled_from(NAMES)),
        st.tuples(st.just("flow"), st.sampled_from(NAMES)),
        st.tuples(st.just("chassis"), st.sampled_from(["ch2", "ch3"])),
        st.tuples(st.just("options"), st.sampled_from(["true", "false"])),
    ),
    max_size=8,
)


def carry_out(world: World, what: str, name: str) -> None:
    """One random edit."""
    switch = id_of("datapath", f"sw{NAMES.index(name) % 2}" if name in NAMES else "sw0")
    port, number = id_of("port", name), NAMES.index(name) + 1 if name in NAMES else 0
    known = port in world.southbound.rows(PortBinding)
    plugged = id_of("interface", f"v{number}") in world.local.rows(Interface)
    match what:
        case "plug" if not plugged:
            world.interface(f"v{number}", number, name)
        case "unplug" if plugged:
            world.unplug(f"v{number}")
        case "move" if known:
            row = world.southbound.rows(PortBinding)[port]
            there = id_of("chassis", "ch2") if row.chassis is None else None
            world.edit(PortBinding, port, chassis=there)
        case "port" if not known:
            world.port(switch, name, number)
        case "no port" if known:
            world.drop(PortBinding, port)
        case "flow":
            world.flow(
                switch,
                "ingress",
                3,
                10,
                f'inport == "{name}" && tcp.dst == {{80, 81}} && ip4.src == {{1.1.1.1, 2.2.2.2}}',
                "next;",
            )
        case "chassis" if id_of("chassis", name) not in world.southbound.rows(Chassis):
            world.chassis(name, f"10.0.0.{name[2:]}")
        case "options":
            world.edit(SBGlobal, id_of("global", ""), options={"arp_ns_explicit_output": name})
        case _:
            pass


@given(edits=EDITS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_incremental_equals_from_scratch(edits):
    world = World()
    world.switch("sw0")
    world.switch("sw1")
    core = world.core()
    for what, name in edits:
        carry_out(world, what, name)
        world.tell(core)
    world.remember_zones(core)
    world.tell(core)
    fresh = world.core()
    assert flows(core) == flows(fresh)
    assert core.zones == fresh.zones
    assert told(core.switch_edits()) == told(fresh.switch_edits())
    assert told(core.southbound_edits(0.0)) == told(fresh.southbound_edits(0.0))
    assert conditions(core) == conditions(fresh)


def test_a_change_runs_only_what_read_it():
    world = two_ports()
    core = world.core()
    world.flow(id_of("datapath", "sw0"), "ingress", 1, 1, "ip4", "next;")
    world.tell(core)
    assert set(core.engine.ran()) == {"logical_flow"}
    assert len(core.engine.ran()["logical_flow"]) == 1


def test_recomputing_changes_nothing():
    core = two_ports().core()
    before = flows(core)
    core.recompute()
    assert flows(core) == before
