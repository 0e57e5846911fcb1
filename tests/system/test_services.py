"""Guests that BusyBox configures by DHCP, and that ask for names, on real Open vSwitch: ours and C's in every role."""

import re
import shutil
import subprocess

import pytest

from tests.support.netns import Guest, Rig, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

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


@pytest.mark.parametrize(
    ("northd", "controller"),
    [
        pytest.param("ours", "ours", id="ours"),
        pytest.param("ours", "26.03", id="C controllers"),
        pytest.param("any", "ours", id="C northd"),
    ],
)
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
        for host in rig.hosts:
            host.configure("geneve")
            host.start_controller(controller)
        for host in rig.hosts:
            until(lambda host=host: "br-int" in host.vsctl("list-br"), f"br-int on {host.chassis}")
        guests = [host.plug(port, MACS[port], "") for host, port in zip(rig.hosts, MACS, strict=True)]
        for port in MACS:
            rig.nbctl("wait-until", "Logical_Switch_Port", port, "up=true")
        rig.nbctl("--wait=hv", "sync")

        for number, guest in enumerate(guests, 2):
            assert (
                lease(rig, guest)
                == f"bound to 10.0.0.{number}/24 via 10.0.0.1 by 10.0.0.1, names from 10.0.0.1, MTU 1300"
            )
        one, _ = guests
        assert one.ping("10.0.0.3", count=1)[1] == 1
        assert look_up(one, "p2.ovn.org", "10.0.0.1") == ["10.0.0.3"]
        assert look_up(one, "nobody.ovn.org", "10.0.0.1") == []
