"""`inject-pkt` of our controller beside C's, on real Open vSwitch: the same answers, the same flows met."""

import contextlib
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.interop.test_controller_flows import OURS, daemon
from tests.support.c_programs import need
from tests.support.netns import run
from tests.support.real_ovs import RealSwitch
from tests.support.servers import c_server_process, upstream_schema

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]

NETWORK = (
    "ls-add sw0",
    "lsp-add sw0 p1 -- lsp-set-addresses p1 '0a:00:00:00:00:01 10.0.0.1 fd00::1'",
    "lsp-add sw0 p2 -- lsp-set-addresses p2 '0a:00:00:00:00:02 10.0.0.2 fd00::2'",
    "lsp-add sw0 c1 p1 42",
    "lsp-add sw0 far",
    "create address_set name=as1 addresses=10.0.0.2",
    "pg-add pg1 p1",
    *(f"lsp-set-options {port} requested-tnl-key={key}" for key, port in enumerate(("p1", "p2", "c1", "far"), 1)),
)
TO_P2 = 'inport == "p1" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:02'
MICROFLOWS = (
    f"{TO_P2} && ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && ip.ttl == 64 && tcp.dst == 80 && reg0 == 7",
    f"{TO_P2} && ip4.src == $as1 && ip.ttl == 64 && icmp4.type == 8",
    f"{TO_P2} && ip6 && ip.ttl == 255 && nd_ns && nd.target == fd00::2 && nd.sll == 0a:00:00:00:00:01",
    f'{TO_P2} && udp.dst == 53 && ip4 && outport == "p2"',
    f"{TO_P2} && eth.type == 0x1234",
    f"{TO_P2} && sctp.dst == 5 && ip4",
    'inport == "p1" && eth.src == 0a:00:00:00:00:01 && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
    "&& arp.sha == 0a:00:00:00:00:01 && arp.spa == 10.0.0.1 && arp.tpa == 10.0.0.2",
    'inport == "p1" && eth.dst == 01:00:5e:00:00:01',
    'inport == "p1" && is_chassis_resident("p1")',
    "",
    'inport == "p1" &&',
    "bogus == 1",
    "eth.src == 0a:00:00:00:00:01",
    'inport == "nosuch"',
    'inport == "far"',
    'inport == "c1"',
    'inport == "p1" || inport == "p2"',
    'inport == {"p1", "p2"}',
    'inport == "p1" && inport == "p2"',
    'inport == "p1" && ip.proto == {6, 17}',
    'inport == "p1" && ip4 && ip6',
    'inport != "p1"',
    "inport == @pg1",
    'inport == "p1" && ip4.src == $nosuch',
    "1",
    "0",
    'ip4 && inport == "p1" && ip.ttl',
)
#: The flow that lets packets out of p2.
OUT_OF_P2 = "65", "priority=100,reg15=0x2,metadata=0x1"
COUNTED = re.compile(r"table=(\d+), n_packets=(\d+), .*?(priority=\S+)")


class Hypervisor:
    """A switch with p1 and p2 plugged, and a controller."""

    def __init__(self, stack: contextlib.ExitStack, chassis: str, program: list[str], southbound: str) -> None:
        self.switch = stack.enter_context(RealSwitch(version="26.03"))
        ids = {"system-id": chassis, "hostname": chassis, "ovn-remote": southbound}
        ids |= {"ovn-encap-type": "geneve", "ovn-encap-ip": "127.0.0.1"}
        self.switch.vsctl("set", "open", ".", *(f'external_ids:{key}="{value}"' for key, value in ids.items()))
        self.switch.add_bridge("br-int")
        for number, port in enumerate(("p1", "p2"), 1):
            self.switch.add_port("br-int", f"v{number}", number, f"external_ids:iface-id={port}")
        self.control = f"{self.switch.rundir}/oc.ctl"
        words = [*program, self.switch.database, f"--unixctl={self.control}", "-vconsole:off"]
        stack.enter_context(daemon(words, self.switch.rundir))

    def inject(self, *words: str) -> tuple[int, str, str]:
        """Exit status and what is printed."""
        appctl = [self.switch.programs["ovs-appctl"], "-t", self.control, "inject-pkt", *words]
        done = subprocess.run(appctl, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout, done.stderr.replace(self.control, "CONTROL")

    def counted(self) -> dict[tuple[str, str], int]:
        """Packets by table and match, of flows that saw any."""
        lines = self.switch.ofctl("--no-names", "dump-flows", self.switch.mgmt("br-int")).splitlines()
        found = [match.groups() for line in lines if (match := COUNTED.search(line))]
        return {(table, what): int(packets) for table, packets, what in found if int(packets)}

    def settled(self) -> dict[tuple[str, str], int]:
        """The counters once they stand still."""
        before = self.counted()
        for _ in range(50):
            time.sleep(0.2)
            now = self.counted()
            if now and now == before:
                break
            before = now
        return before


def test_injected_packets_meet_the_same_flows():
    with contextlib.ExitStack() as stack:
        northd, controller = need("ovn-northd", "26.03"), need("ovn-controller", "26.03")
        servers = [c_server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")) for _ in range(2)]
        twins = []
        for server_context, program in zip(servers, ([str(controller)], OURS), strict=True):
            server = stack.enter_context(server_context)
            nbctl = [str(need("ovn-nbctl", "26.03")), f"--db={server.remote}", "--timeout=30"]
            run(*nbctl, "init")
            for line in NETWORK:
                run("sh", "-c", f"{' '.join(nbctl)} {line}")
            directory = Path(server.remote.removeprefix("unix:")).parent
            options = [f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}", f"--unixctl={directory}/n.ctl"]
            stack.enter_context(daemon([str(northd), *options], directory))
            twins.append(Hypervisor(stack, "hv1", program, server.remote))
            run(*nbctl, "wait-until", "Logical_Switch_Port", "p2", "up=true")
            run(*nbctl, "--wait=hv", "sync")
        theirs, ours = twins
        for words in (*((microflow,) for microflow in MICROFLOWS), (), ("1", "2")):
            assert ours.inject(*words) == theirs.inject(*words)
        met = ours.settled()
        assert met == theirs.settled()
        assert met[OUT_OF_P2] > 5
