"""A C ovn-controller on our switch: it finds what it looks for, programs the bridge, and guests talk.

As root the switches make devices, so they have a network of their own.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.c_programs import need
from tests.support.netns import Namespace, require
from tests.support.servers import upstream_schema

pytestmark = pytest.mark.interop

PROGRAMS = (
    "ovsdb-server", "ovsdb-tool", "ovs-vsctl", "ovs-appctl", "ovs-ofctl", "ovn-northd", "ovn-controller", "ovn-nbctl",
)  # fmt: skip


class Cloud:
    """C databases, northd and two C controllers, each on a switch of ours."""

    def __init__(self, directory: Path, network: Namespace | None) -> None:
        self.directory = directory
        self.network = network
        self.programs = {name: need(name, "26.03") for name in PROGRAMS}
        self.daemons: list[subprocess.Popen[bytes]] = []
        for name, schema in (("nb", "ovn-nb"), ("sb", "ovn-sb")):
            self.database(directory, name, schema)
        self.start("ovn-northd", f"--ovnnb-db=unix:{directory}/nb.sock", f"--ovnsb-db=unix:{directory}/sb.sock",
                   f"--unixctl={directory}/northd.ctl")  # fmt: skip
        for number in (1, 2):
            self.hypervisor(number)

    def hypervisor(self, number: int) -> None:
        rundir = self.directory / f"h{number}"
        rundir.mkdir()
        self.database(rundir, "db", "vswitch")
        self.vsctl(number, "--no-wait", "init")
        self.vsctl(number, "--no-wait", "set", "open_vswitch", ".", f"external_ids:system-id=ch{number}",
                   f"external_ids:ovn-remote=unix:{self.directory}/sb.sock", "external_ids:ovn-encap-type=geneve",
                   f"external_ids:ovn-encap-ip=127.0.1.{number}")  # fmt: skip
        remote = f"unix:{rundir}/db.sock"
        words = [sys.executable, "-m", "pyovn.daemons.vswitchd", remote, f"--unixctl={rundir}/vs.ctl", "-vconsole:off"]
        self.spawn(self.network.inside(*words) if self.network else words, rundir)
        self.start("ovn-controller", remote, f"--unixctl={rundir}/oc.ctl", rundir=rundir)

    def database(self, rundir: Path, name: str, schema: str) -> None:
        path = rundir / f"{name}.schema"
        path.write_text(json.dumps(upstream_schema(schema)))
        self.run("ovsdb-tool", "create", f"{rundir}/{name}.conf", str(path))
        self.start("ovsdb-server", f"{rundir}/{name}.conf", f"--remote=punix:{rundir}/{name}.sock",
                   f"--unixctl={rundir}/{name}.ctl")  # fmt: skip
        self.until(lambda: (rundir / f"{name}.sock").exists())

    def start(self, name: str, *words: str, rundir: Path | None = None) -> None:
        self.spawn([str(self.programs[name]), *words, "-vconsole:off", "-vsyslog:off"], rundir or self.directory)

    def spawn(self, words: list[str], rundir: Path) -> None:
        environment = {**os.environ, "OVS_RUNDIR": str(rundir), "OVN_RUNDIR": str(rundir)}
        self.daemons.append(subprocess.Popen(words, env=environment, cwd=rundir, stderr=subprocess.DEVNULL))

    def run(self, name: str, *words: str) -> str:
        done = subprocess.run([self.programs[name], *words], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def vsctl(self, number: int, *words: str) -> str:
        return self.run("ovs-vsctl", f"--db=unix:{self.directory}/h{number}/db.sock", "--timeout=20", *words)

    def nbctl(self, *words: str) -> str:
        return self.run("ovn-nbctl", f"--db=unix:{self.directory}/nb.sock", "--timeout=30", *words)

    def appctl(self, number: int, *words: str) -> str:
        return self.run("ovs-appctl", "-t", f"{self.directory}/h{number}/vs.ctl", *words)

    def until(self, holds: object) -> None:
        deadline = time.monotonic() + 20
        while not holds():  # type: ignore[operator]
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def received(self, number: int, port: str) -> int:
        """Packets that a guest's port was given."""
        shown = self.run(
            "ovs-ofctl", "-O", "OpenFlow15", "dump-ports", f"unix:{self.directory}/h{number}/br-int.mgmt", port
        )
        return int(shown.split("tx pkts=")[1].split(",")[0])

    def inject(self, number: int, port: str, frame: str) -> None:
        self.appctl(number, "netdev-dummy/receive", port, frame)

    def stop(self) -> None:
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            daemon.wait(10)


@pytest.fixture(scope="module")
def network() -> Iterator[Namespace | None]:
    if os.geteuid():
        yield None
        return
    require()
    apart = Namespace(f"vc{os.getpid()}")
    apart.make()
    yield apart
    apart.remove()


@pytest.fixture(scope="module")
def cloud(network: Namespace | None) -> Iterator[Cloud]:
    with tempfile.TemporaryDirectory(prefix="vc") as directory, contextlib.ExitStack() as stack:
        made = Cloud.__new__(Cloud)
        made.daemons = []
        stack.callback(made.stop)
        made.__init__(Path(directory), network)
        made.nbctl("ls-add", "sw0")
        for number in (1, 2):
            made.nbctl("lsp-add", "sw0", f"vm{number}", "--", "lsp-set-addresses", f"vm{number}",
                       f"00:00:00:00:00:0{number} 10.0.0.{number}")  # fmt: skip
            made.vsctl(number, "--may-exist", "add-br", "br-int", "--", "add-port", "br-int", "vif", "--", "set",
                       "interface", "vif", "type=dummy", f"external_ids:iface-id=vm{number}")  # fmt: skip
        made.nbctl("--wait=hv", "sync")
        yield made


PING = "icmp,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,icmp_type=8"


def test_guests_of_two_hypervisors_reach_each_other(cloud):
    before = cloud.received(2, "vif")
    cloud.inject(1, "vif", PING)
    cloud.until(lambda: cloud.received(2, "vif") == before + 1)
    assert "geneve({class=0x102,type=0x80,len=4,0x10002})" in cloud.appctl(1, "dpctl/dump-flows")


def test_the_arp_responder_answers_here(cloud):
    before = cloud.received(1, "vif")
    question = "dl_src=00:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_spa=10.0.0.1,arp_tpa=10.0.0.2"
    cloud.inject(1, "vif", f"arp,arp_sha=00:00:00:00:00:01,{question}")
    assert cloud.received(1, "vif") == before + 1


def test_stateful_acls_and_a_load_balancer_use_conntrack(cloud):
    cloud.nbctl("acl-add", "sw0", "to-lport", "1000", 'outport == "vm2" && tcp.dst == 80', "allow-related")
    cloud.nbctl("acl-add", "sw0", "to-lport", "900", 'outport == "vm2" && ip4', "drop")
    cloud.nbctl("lb-add", "lb0", "10.0.0.100:81", "10.0.0.2:80")
    cloud.nbctl("--wait=hv", "ls-lb-add", "sw0", "lb0")
    before = cloud.received(2, "vif")
    cloud.inject(1, "vif", PING)
    ends = "dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,nw_src=10.0.0.1"
    cloud.inject(1, "vif", f"tcp,{ends},nw_dst=10.0.0.2,tcp_src=1000,tcp_dst=80,tcp_flags=syn")
    cloud.inject(1, "vif", f"tcp,{ends},nw_dst=10.0.0.100,tcp_src=1001,tcp_dst=81,tcp_flags=syn")
    cloud.until(lambda: cloud.received(2, "vif") == before + 2)
    here = cloud.appctl(1, "dpctl/dump-conntrack")
    assert "orig=(src=10.0.0.1,dst=10.0.0.100,sport=1001,dport=81),reply=(src=10.0.0.2,dst=10.0.0.1,sport=80," in here
    cloud.nbctl("--wait=hv", "acl-del", "sw0")
    cloud.inject(1, "vif", PING)
    cloud.until(lambda: cloud.received(2, "vif") == before + 3)


def test_the_controller_resumes_paused_packets(cloud):
    options = ("server_id=10.0.0.254", "server_mac=00:00:00:00:ff:01", "lease_time=3600", "router=10.0.0.254")
    cloud.nbctl("dhcp-options-create", "10.0.0.0/24")
    uuid = cloud.nbctl("--bare", "--columns=_uuid", "find", "dhcp_options").strip()
    cloud.nbctl("dhcp-options-set-options", uuid, *options)
    cloud.nbctl("--wait=hv", "lsp-set-dhcpv4-options", "vm1", uuid)
    before = cloud.received(1, "vif")
    cloud.inject(1, "vif", dhcp_discover().hex())
    cloud.until(lambda: cloud.received(1, "vif") == before + 1)


def dhcp_discover() -> bytes:
    from tests.vswitch.frames import ethernet, ip4, udp

    mac = bytes.fromhex("000000000001")
    body = b"\1\1\6\0" + b"\1\2\3\4" + bytes(20) + mac + bytes(10 + 64 + 128) + bytes.fromhex("63825363350101ff")
    return ethernet(ip4(udp(68, 67, body, 0, 0xFFFFFFFF), 17, 0, 0xFFFFFFFF), 0x800, src=1, dst=0xFFFFFFFFFFFF)


def test_a_router_answers_and_routes(cloud):
    cloud.nbctl("lr-add", "r0")
    for number in (0, 1):
        cloud.nbctl("--may-exist", "ls-add", f"sw{number}")
        cloud.nbctl("lrp-add", "r0", f"r0-sw{number}", f"00:00:00:00:ff:0{number + 1}", f"{number + 1}0.0.0.254/24")
        cloud.nbctl("lsp-add", f"sw{number}", f"sw{number}-r0", "--", "lsp-set-type", f"sw{number}-r0", "router", "--",
                    "lsp-set-addresses", f"sw{number}-r0", "router", "--", "lsp-set-options", f"sw{number}-r0",
                    f"router-port=r0-sw{number}")  # fmt: skip
    cloud.nbctl("lsp-add", "sw1", "vm3", "--", "lsp-set-addresses", "vm3", "00:00:00:00:00:03 20.0.0.3")
    cloud.vsctl(
        2, "add-port", "br-int", "vif3", "--", "set", "interface", "vif3", "type=dummy", "external_ids:iface-id=vm3"
    )
    cloud.nbctl("--wait=hv", "sync")
    to_router = "icmp,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:ff:01,nw_src=10.0.0.1,icmp_type=8"
    before = cloud.received(1, "vif")
    cloud.inject(1, "vif", f"{to_router},nw_dst=10.0.0.254")
    assert cloud.received(1, "vif") == before + 1
    cloud.inject(1, "vif", f"{to_router},nw_dst=20.0.0.3")
    cloud.until(lambda: cloud.received(2, "vif3") == 1)
