import pytest

from pyovn.controller.edits import Insert, Take, Update
from pyovn.controller.settings import settings
from pyovn.controller.tunnels import chassis_index, free_name, meets, parse_id, preferred, tunnel_edits, wanted
from pyovn.ovsdb.model import new
from pyovn.tables.sb import Chassis, Encap
from pyovn.tables.vswitch import Bridge, Interface, Port

KEYS = {"ovn-encap-type": "geneve,vxlan", "ovn-encap-ip": "10.0.0.1,10.0.1.1", "ovn-encap-csum": "true"}


def encap(type_, ip, **options):
    return new(Encap, f"{type_}{ip}", type=type_, ip=ip, options=options)


def test_geneve_is_preferred_and_the_default_address_comes_first():
    encaps = [encap("vxlan", "1"), encap("geneve", "2"), encap("geneve", "1", is_default="true")]
    assert [each.ip for each in preferred(encaps, ("geneve", "vxlan"))] == ["1", "2"]
    assert [each.type for each in preferred(encaps, ("vxlan",))] == ["vxlan"]


def test_there_is_a_tunnel_for_every_pair_of_addresses():
    ours = settings(KEYS, "hv1", "h")
    tunnels = list(wanted(ours, new(Chassis, "c", name="hv2"), [encap("geneve", "10.0.0.2", csum="true")]))
    assert {tunnel.id for tunnel in tunnels} == {"hv2@10.0.0.2%10.0.0.1", "hv2@10.0.0.2%10.0.1.1"}
    assert tunnels[0].options == {"remote_ip": "10.0.0.2", "local_ip": "10.0.0.1", "key": "flow", "csum": "true"}


@pytest.mark.parametrize(
    ("mine", "theirs", "meet"), [("", [], True), ("a", [], False), ("a,b", ["b"], True), ("a", ["b"], False)]
)
def test_chassis_meet_within_a_transport_zone(mine, theirs, meet):
    ours = settings({**KEYS, "ovn-transport-zones": mine}, "hv1", "h")
    assert meets(ours, new(Chassis, "c", name="hv2", transport_zones=frozenset(theirs))) is meet


def test_remote_chassis_are_for_those_that_interconnect():
    remote = new(Chassis, "c", name="hv2", other_config={"is-remote": "true"})
    assert not meets(settings(KEYS, "hv1", "h"), remote)
    assert meets(settings({**KEYS, "ovn-is-interconn": "true"}, "hv1", "h"), remote)


def test_tunnels_that_nobody_wants_go_and_wrong_ones_are_put_right():
    ours = settings({**KEYS, "ovn-encap-ip": "10.0.0.1"}, "hv1", "h")
    right = list(wanted(ours, new(Chassis, "c", name="hv2"), [encap("geneve", "10.0.0.2")]))
    kept = new(Port, "p1", name="ovn-hv2-0", external_ids={"ovn-chassis-id": "hv2@10.0.0.2%10.0.0.1"})
    stale = new(Port, "p2", name="ovn-hv3-0", external_ids={"ovn-chassis-id": "hv3@10.0.0.3%10.0.0.1"})
    interface = new(Interface, "i1", name="ovn-hv2-0", type="vxlan")
    bridge = new(Bridge, "b", name="br-int")
    edits = list(tunnel_edits(bridge, [(kept, interface), (stale, interface)], right, set(), ""))
    assert [edit.columns["type"] for edit in edits if isinstance(edit, Update)] == ["geneve"]
    assert [edit.value for edit in edits if isinstance(edit, Take)] == [frozenset({"p2"})]
    assert not [edit for edit in edits if isinstance(edit, Insert)]


def test_names_are_short_and_numbered():
    assert free_name("chassis-seven", "", {"ovn-chassi-0"}) == "ovn-chassi-1"
    assert free_name("chassis-seven", "a", set()) == "ovna-chass-0"


def test_controllers_of_one_host_get_different_letters():
    assert chassis_index({}, "a") == ""
    assert chassis_index({"ovn-chassis-idx-b": ""}, "a") == "0"
    assert chassis_index({"ovn-chassis-idx-b": "", "ovn-chassis-idx-a": "x"}, "a") == "x"


def test_ids_of_tunnels_are_read():
    assert parse_id("hv2@10.0.0.2%10.0.0.1") == ("hv2", "10.0.0.2", "10.0.0.1")
    assert parse_id("a@b@10.0.0.2%1.1.1.1") == ("a@b", "10.0.0.2", "1.1.1.1")
    assert parse_id("hv2") == ("hv2", "", "")
