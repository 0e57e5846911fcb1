"""Mirrors on real Open vSwitch: copies of a port's packets go to an interface, and through a tunnel."""

import pytest

from pyovn.cli.nbctl import main
from pyovn.packet import ethernet, ipv4, pcap
from pyovn.packet.describe import describe
from tests.support.netns import Rig, until
from tests.support.sockets import Ear
from tests.system.test_services import roles, settle, start

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

PORTS = {"p1": 0, "p2": 1}
GRE = 47
#: of GRE with a key (RFC 2890)
HEADER = 8


def nbctl(rig, *words):
    """Our ovn-nbctl: an older one does not know local mirrors."""
    assert main([f"--db={rig.northbound}", "--timeout=30", *words]) == 0


@pytest.mark.parametrize(("northd", "controller"), roles("26.03"))
def test_copies_go_where_mirrors_end(northd, controller):
    with Rig(2, northd=northd) as rig:
        rig.nbctl("ls-add", "net")
        for number, port in enumerate(PORTS, 1):
            own = f"50:54:00:00:00:0{number} 10.0.0.{number}"
            rig.nbctl("lsp-add", "net", port, "--", "lsp-set-addresses", port, own)
        start(rig, controller)
        guests = [
            rig.hosts[host].plug(port, f"50:54:00:00:00:0{number}", f"10.0.0.{number}/24")
            for number, (port, host) in enumerate(PORTS.items(), 1)
        ]
        here = rig.hosts[0]
        end, outer = rig.guest(here, "50:54:00:00:00:99", "")
        here.vsctl("add-port", "br-int", outer, "--", "set", "interface", outer, "external_ids:mirror-id=tap")
        settle(rig, *PORTS)
        until(lambda: guests[0].ping("10.0.0.2", count=1)[1] == 1, "the way between guests")
        nbctl(rig, "mirror-add", "local", "local", "from-lport", "tap", "--", "lsp-attach-mirror", "p1", "local")
        nbctl(rig, "mirror-add", "far", "gre", "5", "to-lport", "10.77.0.2", "--", "lsp-attach-mirror", "p1", "far")
        until(lambda: len(here.vsctl("--bare", "--columns=name", "list", "Mirror").split()) == 2, "two mirrors")
        until(lambda: here.vsctl("get", "Interface", "ovn-far", "ofport").strip() not in ("[]", "-1"), "the tunnel")
        with Ear(end) as ear:
            capture = rig.underlay.capture(here, lambda: guests[0].ping("10.0.0.2", count=2), f"ip proto {GRE}")
            overheard = [describe(frame) for frame in ear.frames(0.3)]
        assert sum("10.0.0.1 > 10.0.0.2: ICMP echo request" in each for each in overheard) == 2, overheard
        assert not any("reply" in each for each in overheard), "what is sent is copied, not what comes"
        packets = [ipv4.parse(ethernet.parse(each.frame).payload) for each in pcap.parse(capture)]
        copies = [describe(each.payload[HEADER:]) for each in packets]
        assert sum("10.0.0.2 > 10.0.0.1: ICMP echo reply" in each for each in copies) == 2, copies
        nbctl(rig, "lsp-detach-mirror", "p1", "far", "--", "lsp-detach-mirror", "p1", "local")
        until(lambda: not here.vsctl("--bare", "--columns=name", "list", "Mirror").split(), "no mirror")
        assert "ovn-far" not in here.vsctl("list-ports", "br-int")


WATCHED = {"p1": 0, "p2": 1, "watch": 1}


@pytest.mark.parametrize(("northd", "controller"), roles("26.03"))
def test_a_port_elsewhere_gets_copies(northd, controller):
    with Rig(2, northd=northd) as rig:
        for switch in ("net", "far"):
            rig.nbctl("ls-add", switch)
        for number, port in enumerate(WATCHED, 1):
            own = f"50:54:00:00:00:0{number} 10.0.0.{number}"
            rig.nbctl("lsp-add", "far" if port == "watch" else "net", port, "--", "lsp-set-addresses", port, own)
        start(rig, controller)
        first, _, watch = [
            rig.hosts[host].plug(port, f"50:54:00:00:00:0{number}", f"10.0.0.{number}/24")
            for number, (port, host) in enumerate(WATCHED.items(), 1)
        ]
        settle(rig, *WATCHED)
        until(lambda: first.ping("10.0.0.2", count=1)[1] == 1, "the way between guests")
        nbctl(rig, "mirror-add", "m", "lport", "both", "watch", "--", "lsp-attach-mirror", "p1", "m")
        nbctl(rig, "--wait=hv", "mirror-rule-add", "m", "10", "icmp4.type == 0", "skip")

        def heard():
            with Ear(watch) as ear:
                first.ping("10.0.0.2", count=2)
                return [describe(frame) for frame in ear.frames(0.3)]

        until(lambda: any("echo request" in each for each in heard()), "copies")
        overheard = heard()
        assert sum("10.0.0.1 > 10.0.0.2: ICMP echo request" in each for each in overheard) == 2, overheard
        assert not any("reply" in each for each in overheard), "a rule leaves replies out"
        nbctl(rig, "--wait=hv", "lsp-detach-mirror", "p1", "m")
        assert not any("echo" in each for each in heard())
