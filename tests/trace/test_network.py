from pyovn.trace.network import Network, as_set, plain
from pyovn.trace.request import Request, answer
from tests.trace.networks import PACKET, ROUTER, SWITCH, flow, port, rows

LABELS = {"stage-name": "s", "source": ""}


def test_a_datapath_is_found_by_every_name_it_has() -> None:
    net = Network(rows([]))
    for name in ("sw", "s", SWITCH, SWITCH[:8]):
        found = net.find_datapath(name)
        assert found is not None
        assert found.uuid == SWITCH
    assert net.find_datapath("xyz") is None
    assert net.find_datapath("sw0") is None


def test_friendly_names_are_used_where_there_are_some() -> None:
    named = port(9, "6a5f", external_ids={"name": "vm"})
    for friendly, shown in ((True, "vm"), (False, "6a5f")):
        net = Network(rows([], Port_Binding=[named]), friendly_names=friendly)
        assert net.ports["6a5f"].friendly == shown
    assert Network(rows([], Port_Binding=[named])).find_port("vm") is not None


def test_of_a_uuid_at_the_end_of_a_name_six_digits_are_shown() -> None:
    uuid = "1a2b3c4d-1111-2222-3333-444444444444"
    net = Network(rows([], Port_Binding=[port(8, f"cr-lrp-{uuid}"), port(9, f"x-{uuid}-y")]))
    assert net.ports[f"cr-lrp-{uuid}"].friendly == "cr-lrp-1a2b3c"
    assert net.ports[f"x-{uuid}-y"].friendly == f"x-{uuid}-y"
    unfriendly = Network(rows([], Port_Binding=[port(8, uuid)]), friendly_names=False)
    assert unfriendly.ports[uuid].friendly == uuid


def test_flows_of_a_group_belong_to_each_of_its_datapaths() -> None:
    shared = flow(7, (), "ingress", 0, 5, "1", "drop;", LABELS) | {"logical_dp_group": "g"}  # type: ignore[arg-type]
    tables = rows([], Logical_Flow=[shared], Logical_DP_Group=[{"_uuid": "g", "datapaths": (SWITCH, ROUTER)}])
    net = Network(tables)
    for datapath in net.datapaths.values():
        assert [found.match for found in net.flows_of(datapath, "ingress", 0)] == ["1"]


def test_flows_that_make_no_sense_are_told_and_left_out() -> None:
    warnings: list[str] = []
    flows = [("ingress", 0, 2, "foo", "drop;"), ("ingress", 0, 1, "1", "bar;"), ("ingress", 0, 0, "1", "drop;")]
    text = answer(Network(rows(flows), warn=warnings.append), Request(PACKET))
    assert warnings == [
        "foo: parsing expression failed (Syntax error at `foo' expecting field name.)",
        "bar;: parsing actions failed (Syntax error at `bar' expecting action.)",
    ]
    assert "priority 0" in text


def test_port_groups_are_those_of_the_datapath() -> None:
    groups = [{"name": "1_pg", "ports": ("a",)}, {"name": "2_pg", "ports": ()}]
    net = Network(rows([("ingress", 0, 5, "inport == @pg", "drop;")], Port_Group=groups))
    assert "drop;" in answer(net, Request(PACKET))


def test_values_in_ovsdb_notation_become_plain() -> None:
    assert plain(["set", [["uuid", "u"], 1]]) == ("u", 1)
    assert plain(["map", [["k", "v"]]]) == {"k": "v"}
    assert plain(["uuid", "u"]) == "u"
    assert plain("text") == "text"
    assert as_set("one") == ("one",)
    assert as_set(("a", "b")) == ("a", "b")
