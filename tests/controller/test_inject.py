"""Packets put in at a logical port: what goes to the switch, and what is said where that is nothing."""

import pytest

from pyovn.controller.inject import CannotInject
from pyovn.openflow.actions import Resubmit
from pyovn.ovsdb.model import new
from pyovn.packet.flowkey import flow_key
from pyovn.tables.sb import AddressSet
from tests.support.chassis_world import World, id_of


def one_port_here():
    """A switch with p1 here, a container behind it, and p2 elsewhere; an address set."""
    world = World()
    other = world.chassis("ch2", "10.0.0.2")
    switch = world.switch("sw0")
    world.port(switch, "p1", 1)
    world.port(switch, "c1", 3, parent_port="p1", tag=7)
    world.port(switch, "p2", 2, chassis=other)
    world.interface("v1", 5, "p1")
    world.put(new(AddressSet, id_of("set", "as1"), name="as1", addresses=frozenset({"10.0.0.9"})))
    return world.core()


def test_a_packet_comes_from_the_interface_of_its_port():
    flow = "eth.src == 0a:00:00:00:00:01 && ip4.dst == 10.0.0.2 && ip.ttl == 64 && tcp.dst == 80"
    message = one_port_here().injection(f'inport == "p1" && {flow}')
    assert message.match == (("in_port", 5, 0xFFFFFFFF),)
    assert message.actions == (Resubmit(0),)
    seen = flow_key(message.packet)
    assert (seen["eth_src"], seen["ip_dst"], seen["ip_ttl"], seen["tcp_dst"]) == (0x0A0000000001, 0x0A000002, 64, 80)


def test_address_sets_are_known():
    message = one_port_here().injection('inport == "p1" && ip4.src == $as1')
    assert flow_key(message.packet)["ip_src"] == 0x0A000009


@pytest.mark.parametrize(
    ("microflow", "why"),
    [
        ("", "Syntax error at end of input expecting constant."),
        ("bogus == 1", "Syntax error at `bogus' expecting field name."),
        ("inport == @pg1", "Syntax error at `@pg1' expecting port group name."),
        ('inport == "p1" && ip4.src == $no', "Syntax error at `$no' expecting address set name."),
        ("eth.src == 0a:00:00:00:00:01", "ingress port not found on hypervisor."),
        ('inport == "nosuch"', "ingress port not found on hypervisor."),
        ('inport == "p2"', "ingress port not found on hypervisor."),
        ('inport == "c1"', "ingress port not found on hypervisor."),
        ('inport == "p1" && inport == "p2"', "Constraints are contradictory."),
        ('inport == {"p1", "p2"}', 'Constraints are ambiguous: inport == "p1" || inport == "p2".'),
    ],
)
def test_what_describes_no_packet_here_is_said(microflow, why):
    with pytest.raises(CannotInject) as fault:
        one_port_here().injection(microflow)
    assert str(fault.value) == why
