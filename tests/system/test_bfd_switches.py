"""BFD between the embedded switch and a real ovs-vswitchd, through a tunnel of theirs (root)."""

import json
import sys

import pytest

from pyovn.tables.vswitch import OPEN_VSWITCH
from tests.support.c_programs import need
from tests.support.netns import Rig, listens, run, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

OURS = "import sys; from pyovn.daemons.vswitchd import main; sys.exit(main())"
FAST = ("bfd:enable=true", "bfd:check_tnl_key=true", "bfd:min_rx=200", "bfd:min_tx=100")


class Ours:
    """The embedded switch on the underlay of a rig."""

    address = "10.77.0.9"

    def __init__(self, rig):
        self.rig, self.host, self.directory = rig, rig.hosts[1], rig.directory / "ours"

    def start(self):
        """A database and the switch, in a namespace of their own."""
        host, device = self.host, f"{self.host.name}e"
        host.make()
        self.directory.mkdir()
        self.rig.underlay.attach(host, device)
        host.ip("addr", "add", f"{self.address}/24", "dev", device)
        self.rig.ovsdb_server(self.directory, "db", OPEN_VSWITCH.schema())
        self.vsctl("--no-wait", "init")
        words = [sys.executable, "-c", OURS, f"unix:{self.directory}/db.sock", f"--unixctl={self.directory}/vs.ctl"]
        self.rig.start(host.inside(*words, "-vconsole:off", "-vsyslog:off"), self.directory)
        until(lambda: listens(self.directory / "vs.ctl"), "our switch")

    def vsctl(self, *words):
        return run(str(need("ovs-vsctl")), f"--db=unix:{self.directory}/db.sock", "--timeout=20", *words)

    def appctl(self, *words, check=True):
        return run(str(need("ovs-appctl")), "-t", str(self.directory / "vs.ctl"), *words, check=check)


@pytest.fixture(params=["geneve", "vxlan"])
def ends(request):
    """Our switch and a real one, with a tunnel between them."""
    with Rig(hosts=1) as rig:
        real = rig.hosts[0]
        rig.hosts.append(type(real)(f"{real.name}b", rig, "ours", Ours.address, "any"))
        ours = Ours(rig)
        ours.start()
        # the kernel would also answer ARP with the MAC of the NIC, which is a bare port of br-phys
        mac = json.loads(run("ip", "-j", "-n", real.name, "link", "show", "br-phys"))[0]["address"]
        ours.host.ip("neigh", "replace", real.address, "lladdr", mac, "dev", f"{ours.host.name}e")
        for end, here, there in ((real, real.address, ours.address), (ours, ours.address, real.address)):
            end.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev", "fail_mode=secure")
            end.vsctl(
                "add-port", "br-int", "t0", "--", "set", "interface", "t0", f"type={request.param}",
                f"options:remote_ip={there}", f"options:local_ip={here}", "options:key=flow",
            )  # fmt: skip
        yield ours, real, rig


def status(end):
    """Interface.bfd_status of the tunnel."""
    (row,) = json.loads(end.vsctl("--format=json", "--columns=bfd_status", "list", "interface", "t0"))["data"]
    return dict(row[0][1])


def both(ends, **wanted):
    """Whether both sides say so."""
    return all(wanted.items() <= status(end).items() for end in ends)


def test_two_switches_watch_each_other(ends):
    ours, real, rig = ends
    for end in (ours, real):
        end.vsctl("set", "interface", "t0", *FAST)
    until(lambda: both((ours, real), state="up", forwarding="true", remote_state="up"), "up")
    assert status(ours) == status(real)

    shown = ours.appctl("bfd/show", "t0").splitlines()
    theirs = run(str(need("ovs-appctl")), "-t", f"{real.directory}/vs.ctl", "bfd/show", "t0").splitlines()
    assert [line.partition(":")[0] for line in shown] == [line.partition(":")[0] for line in theirs]
    assert {"  TX Interval: Approx 200ms", "  RX Interval: Approx 200ms", "  Remote Session State: up"} <= {*shown}

    rig.underlay.ip("link", "set", f"{ours.host.name}ex", "down")
    until(lambda: both((ours, real), state="down", forwarding="false"), "down")
    assert status(ours)["diagnostic"] == status(real)["diagnostic"] == "Control Detection Time Expired"
    rig.underlay.ip("link", "set", f"{ours.host.name}ex", "up")
    until(lambda: both((ours, real), state="up", flap_count="3"), "up again")

    real.vsctl("set", "interface", "t0", "bfd:cpath_down=true", "bfd:min_rx=700")
    until(lambda: status(ours)["forwarding"] == "false", "the path ends further on")
    until(lambda: "  TX Interval: Approx 700ms" in ours.appctl("bfd/show"), "slower")
    ours.vsctl("set", "interface", "t0", "bfd:enable=false")
    until(lambda: not status(ours) and status(real)["state"] == "down", "no BFD here")
    with pytest.raises(AssertionError, match="no such bfd object"):
        ours.appctl("bfd/show", "t0")
