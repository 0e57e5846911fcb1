"""Guests that BusyBox configures by DHCP, and that ask for names, on real Open vSwitch: ours and C's in every role."""

import re
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.support.netns import Guest, Rig, run, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

#: Debian's knows no relays.
NBCTL = [sys.executable, "-c", "import sys; from pyovn.cli.nbctl import main; sys.exit(main())"]
MACS = {"p1": "50:54:00:00:00:01", "p2": "50:54:00:00:00:02"}
#: What udhcpc runs when it has a lease: $interface, $ip, $mask, $router, $dns and $mtu are what it was told.
CONFIGURE = """\
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
echo "bound to $ip/$mask via $router by $serverid, names from $dns, MTU $mtu"
"""


def lease(rig: Rig, guest: Guest) -> str:
    """Configure a guest by DHCP; what it was told."""
    script = rig.directory / "bound"
    script.write_text(CONFIGURE)
    script.chmod(0o755)
    client = ("busybox", "udhcpc", "-i", f"{guest.name}i", "-f", "-n", "-q", "-T", "1", "-t", "8", "-s", str(script))
    done = subprocess.run(guest.inside(*client), capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    (told,) = [line for line in done.stdout.splitlines() if line.startswith("bound to")]
    return told


def look_up(guest: Guest, name: str, server: str) -> list[str]:
    """The addresses of a name."""
    words = guest.inside("busybox", "nslookup", name, server)
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    return re.findall(rf"Name:\s+{re.escape(name)}\s+Address(?: \d+)?:\s+(\S+)", done.stdout)


def roles(northd: str) -> list[Any]:
    """Ours in every role; C's as controllers; C's northd of a version."""
    return [
        pytest.param("ours", "ours", id="ours"),
        pytest.param("ours", "26.03", id="C controllers"),
        pytest.param(northd, "ours", id="C northd"),
    ]


def start(rig: Rig, controller: str) -> None:
    """Start the hypervisors' controllers."""
    for host in rig.hosts:
        host.configure("geneve")
        host.start_controller(controller)
    for host in rig.hosts:
        until(lambda host=host: "br-int" in host.vsctl("list-br"), f"br-int on {host.chassis}")  # type: ignore[misc]


def settle(rig: Rig, *ports: str) -> None:
    """Wait until ports are there for everybody."""
    for port in ports:
        rig.nbctl("wait-until", "Logical_Switch_Port", port, "up=true")
    rig.nbctl("--wait=hv", "sync")


@pytest.mark.parametrize(("northd", "controller"), roles("any"))
def test_guests_are_configured_by_the_network(northd, controller):
    if shutil.which("busybox") is None:
        pytest.skip("busybox is not installed")
    with Rig(2, northd=northd) as rig:
        rig.nbctl("ls-add", "net", "--", "set", "Logical_Switch", "net", "other_config:subnet=10.0.0.0/24")
        rig.nbctl("lr-add", "r", "--", "lrp-add", "r", "to-net", "50:54:00:00:00:ff", "10.0.0.1/24")
        link = ("type=router", "addresses=router", "options:router-port=to-net")
        rig.nbctl("lsp-add", "net", "net-r", "--", "set", "Logical_Switch_Port", "net-r", *link)
        told = {"server_id": "10.0.0.1", "router": "10.0.0.1", "dns_server": "10.0.0.1", "mtu": "1300"}
        told |= {"server_mac": "50:54:00:00:00:ff", "lease_time": "600"}
        pairs = [f'options:{name}="{value}"' for name, value in told.items()]
        options = rig.nbctl("create", "DHCP_Options", 'cidr="10.0.0.0/24"', *pairs).strip()
        for port, mac in MACS.items():
            rig.nbctl("lsp-add", "net", port, "--", "lsp-set-addresses", port, f"{mac} dynamic")
            rig.nbctl("lsp-set-dhcpv4-options", port, options)
        names = rig.nbctl("create", "DNS", 'records:p2.ovn.org="10.0.0.3"').strip()
        rig.nbctl("set", "Logical_Switch", "net", f"dns_records={names}")
        start(rig, controller)
        guests = [host.plug(port, MACS[port], "") for host, port in zip(rig.hosts, MACS, strict=True)]
        settle(rig, *MACS)
        for number, guest in enumerate(guests, 2):
            assert (
                lease(rig, guest)
                == f"bound to 10.0.0.{number}/24 via 10.0.0.1 by 10.0.0.1, names from 10.0.0.1, MTU 1300"
            )
        one, _ = guests
        assert one.ping("10.0.0.3", count=1)[1] == 1
        assert look_up(one, "p2.ovn.org", "10.0.0.1") == ["10.0.0.3"]
        assert look_up(one, "nobody.ovn.org", "10.0.0.1") == []


#: How udhcpd serves guests behind a relay.
SERVED = """\
start 10.0.0.5
end 10.0.0.5
interface {device}
pidfile {directory}/udhcpd.pid
lease_file {directory}/udhcpd.leases
option subnet 255.255.255.0
option router 10.0.0.1
option dns 172.16.0.53
option mtu 1300
option lease 600
"""


@pytest.mark.parametrize(("northd", "controller"), roles("26.03"))
def test_a_router_relays_to_a_server_elsewhere(northd, controller):
    if shutil.which("busybox") is None:
        pytest.skip("busybox is not installed")
    with Rig(2, northd=northd) as rig:
        rig.nbctl("lr-add", "r")
        for switch, mac, network in (("net", "50:54:00:00:00:ff", "10.0.0"), ("far", "50:54:00:00:00:fe", "172.16.0")):
            rig.nbctl("ls-add", switch, "--", "lrp-add", "r", f"to-{switch}", mac, f"{network}.1/24")
            link = ("type=router", "addresses=router", f"options:router-port=to-{switch}")
            rig.nbctl("lsp-add", switch, f"{switch}-r", "--", "set", "Logical_Switch_Port", f"{switch}-r", *link)
        rig.nbctl("lsp-add", "net", "p1", "--", "lsp-set-addresses", "p1", f"{MACS['p1']} 10.0.0.5")
        rig.nbctl("lsp-add", "far", "p2", "--", "lsp-set-addresses", "p2", f"{MACS['p2']} 172.16.0.9")
        rig.nbctl("set", "Logical_Switch", "net", "other_config:dhcp_relay_port=net-r")
        relay = ("--id=@d", "create", "DHCP_Relay", "name=far", "servers=172.16.0.9")
        run(
            *NBCTL,
            f"--db={rig.northbound}",
            "--",
            *relay,
            "--",
            "set",
            "Logical_Router_Port",
            "to-net",
            "dhcp_relay=@d",
        )
        start(rig, controller)
        guest = rig.hosts[0].plug("p1", MACS["p1"], "")
        server = rig.hosts[1].plug("p2", MACS["p2"], "172.16.0.9/24", "172.16.0.1")
        settle(rig, "p1", "p2")
        written = rig.directory / "udhcpd.conf"
        written.write_text(SERVED.format(device=f"{server.name}i", directory=rig.directory))
        rig.start(server.inside("busybox", "udhcpd", "-f", str(written)), rig.directory)
        told = lease(rig, guest)
        assert told == "bound to 10.0.0.5/24 via 10.0.0.1 by 172.16.0.9, names from 172.16.0.53, MTU 1300"
        until(lambda: guest.ping("172.16.0.9", count=1)[1] == 1, "the way to the server")
