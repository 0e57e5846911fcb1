"""A next hop with symmetric replies that gets another MAC, on real Open vSwitch: connections to the old one end."""

import pytest

from tests.support.c_programs import need
from tests.support.netns import Rig, run, until
from tests.system.test_services import settle, start

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

OLD, NEW, OTHER = "50:54:00:00:00:01", "50:54:00:00:00:aa", "50:54:00:00:00:02"
NETWORKS = {"p1": (1, OLD), "p2": (2, OTHER)}


def network(rig: Rig) -> None:
    """A gateway router between two switches, with a route by p1 whose replies go where the packets came from."""
    rig.nbctl("lr-add", "r", "--", "set", "Logical_Router", "r", "options:chassis=hv1")
    for port, (number, _) in NETWORKS.items():
        rig.nbctl("ls-add", f"n{number}")
        rig.nbctl("lrp-add", "r", f"to-n{number}", f"50:54:00:00:01:0{number}", f"10.0.{number}.1/24")
        link = ("type=router", "addresses=router", f"options:router-port=to-n{number}")
        rig.nbctl("lsp-add", f"n{number}", f"way{number}", "--", "set", "Logical_Switch_Port", f"way{number}", *link)
        rig.nbctl("lsp-add", f"n{number}", port, "--", "lsp-set-addresses", port, "unknown")
    rig.nbctl("--ecmp-symmetric-reply", "lr-route-add", "r", "10.1.0.0/16", "10.0.1.9")
    rig.nbctl("set", "NB_Global", ".", "options:ecmp_nexthop_monitor_enable=true")


@pytest.mark.parametrize(
    ("northd", "controller"),
    [
        pytest.param("ours", "ours", id="ours"),
        pytest.param("ours", "26.03", id="C controllers"),
        pytest.param("26.03", "ours", id="C northd"),
    ],
)
def test_connections_that_answer_to_the_old_mac_end(northd, controller):
    need("ovs-vswitchd", "26.03")
    with Rig(1, northd=northd, switch="26.03") as rig:
        network(rig)
        start(rig, controller)
        (host,) = rig.hosts
        near, _ = [host.plug(port, mac, f"10.0.{n}.9/24", f"10.0.{n}.1") for port, (n, mac) in NETWORKS.items()]
        device = f"{near.name}i"
        run(*near.inside("ip", "addr", "add", "10.1.0.1/16", "dev", device))
        settle(rig, *NETWORKS)

        def tracked(mac: str) -> bool:
            label = f"labels=0x{mac.replace(':', '')}00000000"
            return label in host.appctl("dpctl/dump-conntrack")

        def known(mac: str) -> bool:
            return mac in rig.sbctl("--bare", "--columns=mac", "list", "ECMP_Nexthop")

        def reaches() -> bool:
            words = near.inside("ping", "-n", "-c", "1", "-W", "1", "-I", "10.1.0.1", "10.0.2.9")
            return " 1 received" in run(*words, check=False)

        until(lambda: near.ping("10.0.1.1", count=1)[1] and known(OLD), "the next hop is known")
        until(lambda: reaches() and tracked(OLD), "a connection that remembers the next hop")

        run(*near.inside("ip", "link", "set", device, "address", NEW))
        row = rig.sbctl("--bare", "--columns=_uuid", "find", "MAC_Binding", "ip=10.0.1.9").strip()
        rig.sbctl("set", "MAC_Binding", row, f'mac="{NEW}"')
        until(lambda: known(NEW) and not tracked(OLD), "connections to the old MAC are forgotten")
        until(lambda: reaches() and tracked(NEW), "new ones remember the new MAC")
        rig.nbctl("lr-route-del", "r")
        until(lambda: not tracked(NEW), "without the route they are forgotten, too")
