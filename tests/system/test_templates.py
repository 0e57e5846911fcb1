"""Load balancers whose addresses each chassis fills in by itself, on real Open vSwitch."""

import pytest

from tests.support.netns import Rig
from tests.support.sockets import greet, serving
from tests.system.test_services import roles, settle, start

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

#: guest → hypervisor, last part of the address
GUESTS = {"c1": (0, 21), "b1": (0, 11), "c2": (1, 22), "b2": (1, 12)}
VIP = "172.30.0.1"


def backend_of(client, guests):
    """Which of the guests `b1` and `b2` a connection to the virtual address reaches."""
    for name in ("b1", "b2"):
        with serving(guests[name], f"10.0.0.{GUESTS[name][1]}", 8080) as listener:
            listener.settimeout(1.0)
            try:
                greet(guests[client], VIP, listener, 80)
            except ConnectionError:  # the other one refuses: nobody listens there
                continue
            return name
    return None


@pytest.mark.parametrize(("northd", "controller"), roles("any"))
def test_each_chassis_balances_to_its_own_backend(northd, controller):
    with Rig(2, northd=northd) as rig:
        rig.nbctl(
            "ls-add", "net", "--", "lr-add", "r", "--", "lrp-add", "r", "to-net", "50:54:00:00:00:ff", "10.0.0.1/24"
        )
        link = ("type=router", "addresses=router", "options:router-port=to-net")
        rig.nbctl("lsp-add", "net", "net-r", "--", "set", "Logical_Switch_Port", "net-r", *link)
        for name, (_, number) in GUESTS.items():
            rig.nbctl(
                "lsp-add", "net", name, "--", "lsp-set-addresses", name, f"50:54:00:00:00:{number} 10.0.0.{number}"
            )
        rig.nbctl("--template", "lb-add", "lb", "^vip:80", "^backends", "tcp", "ipv4", "--", "ls-lb-add", "net", "lb")
        for host, number in (("hv1", 11), ("hv2", 12)):
            variables = (f"variables:vip={VIP}", f'variables:backends="10.0.0.{number}:8080"')
            rig.nbctl("create", "Chassis_Template_Var", f"chassis={host}", *variables)
        start(rig, controller)
        guests = {
            name: rig.hosts[host].plug(name, f"50:54:00:00:00:{number}", f"10.0.0.{number}/24", "10.0.0.1")
            for name, (host, number) in GUESTS.items()
        }
        settle(rig, *GUESTS)
        assert (backend_of("c1", guests), backend_of("c2", guests)) == ("b1", "b2")
        rig.nbctl("set", "Chassis_Template_Var", "hv1", 'variables:backends="10.0.0.12:8080"')
        rig.nbctl("--wait=hv", "sync")
        assert (backend_of("c1", guests), backend_of("c2", guests)) == ("b2", "b2")
