"""What cannot be carried out is told by name, on real Open vSwitch, and the rest of the network goes on."""

import contextlib

import pytest

from tests.support.netns import until
from tests.support.routed_rig import MACHINE, localnet

pytestmark = [pytest.mark.system, pytest.mark.timeout(120), pytest.mark.xdist_group("l3")]


def warned(net, log, *words):
    """Wait for a warning that has these words; everybody else goes on."""

    def told():
        return any("|WARN|" in line and all(word in line for word in words) for line in log().splitlines())

    until(told, f"a warning with {words}")
    assert net["c1"].ping("10.0.1.11") == (3, 3)
    assert net["a1"].ping(MACHINE) == (3, 3)


def test_a_gateway_chassis_that_does_not_exist(net):
    net.type("lrp-set-gateway-chassis r1-public nosuch 99")
    warned(net, net.rig.northd_log, "r1-public", "nosuch")
    net.type("lrp-del-gateway-chassis r1-public nosuch")


def test_a_physical_network_without_a_bridge(net):
    net.type(f"ls-add h -- {localnet('h', 'nowhere')}")
    net.plug("h21", 0, 8)
    net.sync()
    warned(net, net.rig.hosts[0].log, "ln-h", "nowhere")
    net.type("ls-del h")


def test_an_interface_that_claims_a_port_of_another_chassis(net):
    host = net.rig.hosts[1]
    twin = host.plug("c1", "40:44:00:00:03:99", "")
    with contextlib.ExitStack() as stack:
        stack.callback(host.vsctl, "del-port", f"{twin.name}o")
        until(
            lambda: any("c1" in each.log() and "claims it too" in each.log() for each in net.rig.hosts[:2]), "a warning"
        )
        assert net["a1"].ping("10.0.2.11") == (3, 3)
    net.rig.sbctl("wait-until", "Port_Binding", "c1", f"chassis={net.chassis('hv1')}")
    until(lambda: net["c1"].ping("10.0.1.11", count=1) == (1, 1), "the port back where it belongs")


def test_a_chassis_that_forgets_its_address_goes_on_as_it_was(net):
    host = net.rig.hosts[1]
    host.vsctl("remove", "open", ".", "external_ids", "ovn-encap-ip")
    try:
        warned(net, host.log, "ovn-encap-ip", "hv2")
        assert net["a1"].ping("10.0.2.11") == (3, 3)
    finally:
        host.vsctl("set", "open", ".", f"external_ids:ovn-encap-ip={host.address}")
    net.sync()
    assert net["a1"].ping("10.0.2.11") == (3, 3)
