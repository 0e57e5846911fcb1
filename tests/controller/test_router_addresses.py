"""Addresses of routers that are announced on physical networks, and from where."""

from pyovn.ovsdb.model import new
from pyovn.tables.sb import DatapathBinding, HAChassis, HAChassisGroup
from pyovn.tables.vswitch import Interface
from tests.support.chassis_world import World, id_of

OWN = id_of("chassis", "ch1")


def physical(world: World):
    """A switch on a physical network."""
    switch = world.switch("pub")
    world.port(switch, "ln", 1, type="localnet", options={"network_name": "physnet"})
    return switch


def announced(core) -> set[tuple[int, str]]:
    """(port key, IPv4 address) of what is announced."""
    return {(each.port, ".".join(map(str, each.ip.to_bytes(4, "big")))) for each in core.announced()}


def test_addresses_of_a_router_are_announced_where_they_are_served():
    world = World()
    world.chassis("ch2", "10.0.0.2")
    members = [
        world.put(new(HAChassis, id_of("member", name), chassis=id_of("chassis", name), priority=priority))
        for name, priority in (("ch1", 20), ("ch2", 10))
    ]
    group = world.put(new(HAChassisGroup, id_of("ha", "g"), name="g", ha_chassis=frozenset(members)))
    router, switch, inside = world.switch("r"), physical(world), world.switch("inside")
    world.port(router, "r-pub", 1, type="patch", options={"peer": "pub-r"})
    world.port(router, "cr-r-pub", 2, type="chassisredirect", ha_chassis_group=group)
    addresses = {
        '0a:00:00:00:00:99 172.16.0.1 172.16.0.2 fd00::1 is_chassis_resident("cr-r-pub")',
        '0a:00:00:00:00:98 172.16.0.3 is_chassis_resident("guest")',
        '0a:00:00:00:00:97 172.16.0.4 is_chassis_resident("elsewhere")',
        "0a:00:00:00:00:96 172.16.0.5",
        "nonsense 172.16.0.6",
    }
    world.port(switch, "pub-r", 2, type="patch", options={"peer": "r-pub"}, nat_addresses=frozenset(addresses))
    world.port(inside, "guest", 1, chassis=OWN)
    world.interface("v1", 5, "guest")
    core = world.core()
    assert announced(core) == {(2, "172.16.0.3")}
    world.edit(Interface, id_of("interface", "ovn-ch2-0"), local=True, bfd_status={"state": "up"})
    world.tell(core)
    assert announced(core) == {(2, "172.16.0.3"), (2, "172.16.0.1"), (2, "172.16.0.2")}


def test_addresses_of_a_gateway_router_are_announced_on_its_chassis():
    world = World()
    switch = physical(world)
    for key, chassis in ((2, "ch1"), (3, "ch9")):
        options = {"peer": f"r{key}-pub", "l3gateway-chassis": chassis}
        addresses = frozenset({f"0a:00:00:00:00:99 172.16.0.{key}"})
        world.port(switch, f"pub-r{key}", key, type="l3gateway", options=options, nat_addresses=addresses)
    core = world.core()
    assert announced(core) == {(2, "172.16.0.2")}
    router = world.switch("r")
    world.port(router, "r2-pub", 1, type="l3gateway", options={"peer": "pub-r2", "l3gateway-chassis": "ch1"})
    world.edit(DatapathBinding, router, external_ids={"logical-router": router, "disable_garp_rarp": "true"})
    world.tell(core)
    assert announced(core) == set()
