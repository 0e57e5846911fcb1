from pyovn.controller.edits import Insert, Put, Take
from pyovn.controller.patches import LOCALNET, WantedPatch, patch_edits
from pyovn.ovsdb.model import new
from pyovn.tables.vswitch import Bridge, Interface, Port

INT, PHYS = new(Bridge, "b1", name="br-int"), new(Bridge, "b2", name="br-phys")
BRIDGES = {"br-int": INT, "br-phys": PHYS}
WANTED = WantedPatch("ln1", LOCALNET, "br-phys")


def test_a_pair_of_patch_ports_joins_the_bridges():
    edits = list(patch_edits(INT, BRIDGES, {}, [WANTED]))
    peers = {
        e.columns["name"]: e.columns["options"]["peer"] for e in edits if isinstance(e, Insert) and e.table is Interface
    }
    assert peers == {"patch-br-int-to-ln1": "patch-ln1-to-br-int", "patch-ln1-to-br-int": "patch-br-int-to-ln1"}
    assert {edit.row.name for edit in edits if isinstance(edit, Put)} == {"br-int", "br-phys"}


def test_patch_ports_that_are_there_stay_and_others_of_ours_go():
    here = new(Port, "p1", name="patch-br-int-to-ln1", external_ids={LOCALNET: "ln1"})
    there = new(Port, "p2", name="patch-ln1-to-br-int", external_ids={LOCALNET: "ln1"})
    stale = new(Port, "p3", name="patch-br-int-to-old", external_ids={LOCALNET: "old"})
    foreign = new(Port, "p4", name="patch-mine")
    bridges = {
        "br-int": new(Bridge, "b1", name="br-int", ports=frozenset({"p1", "p3", "p4"})),
        "br-phys": new(Bridge, "b2", name="br-phys", ports=frozenset({"p2"})),
    }
    ports = {port.uuid: port for port in (here, there, stale, foreign)}
    (edit,) = patch_edits(bridges["br-int"], bridges, ports, [WANTED])
    assert isinstance(edit, Take)
    assert edit.value == frozenset({"p3"})


def test_without_the_far_bridge_there_is_no_patch():
    assert not list(patch_edits(INT, {"br-int": INT}, {}, [WANTED]))


def test_kinds_of_port():
    assert [
        edit.columns["external_ids"]
        for edit in patch_edits(INT, BRIDGES, {}, [WANTED])
        if isinstance(edit, Insert) and edit.table is Port
    ] == [
        {LOCALNET: "ln1"},
        {LOCALNET: "ln1"},
    ]
