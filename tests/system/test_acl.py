"""Security groups on real Open vSwitch: our northd under our controllers, and under C's."""

import subprocess
import sys

import pytest

from tests.support.netns import Guest
from tests.system.test_l2 import ADDRESSES, three_guests

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

#: Prints how a TCP connection to an address and a port fares; nobody listens there, so an answer is a reset.
KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3]))
except ConnectionRefusedError:
    print("answered")
except OSError:
    print("dropped")
"""


def knock(guest: Guest, address: str, port: int, patience_s: float = 3.0) -> str:
    """Try a TCP port: "answered" or "dropped"."""
    words = guest.inside(sys.executable, "-c", KNOCK, address, str(port), str(patience_s))
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    "controller", [pytest.param("ours", id="our controllers"), pytest.param("26.03", id="C controllers")]
)
def test_port_groups_filter_by_connection(controller):
    with three_guests("ours", (controller,) * 3) as (rig, guests):
        one, two, three = guests
        server = ADDRESSES["p1"]
        rig.nbctl("pg-add", "all", "p1", "p2", "p3", "--", "pg-add", "servers", "p1", "--", "pg-add", "clients", "p2")
        rig.nbctl("acl-add", "all", "to-lport", "1000", "outport == @all && ip", "drop")
        rig.nbctl("acl-add", "all", "from-lport", "1000", "inport == @all && ip", "allow-related")
        allowed = "outport == @servers && tcp.dst == 80 && ip4.src == $clients_ip4"
        rig.nbctl("acl-add", "servers", "to-lport", "1001", allowed, "allow-related")
        rig.nbctl("acl-add", "servers", "to-lport", "1002", "outport == @servers && tcp.dst == 82", "reject")
        rig.nbctl("--wait=hv", "sync")
        assert knock(two, server, 80) == "answered"
        assert knock(two, server, 81, patience_s=0.5) == "dropped"
        assert knock(three, server, 80, patience_s=0.5) == "dropped"
        assert knock(three, server, 82) == "answered", "a refusal is told"
        assert three.ping(server, count=1)[1] == 0
        assert one.ping(ADDRESSES["p2"], count=1)[1] == 0, "all the others are protected too"

        rig.nbctl("--wait=hv", "pg-set-ports", "clients", "p2", "p3")
        assert knock(three, server, 80) == "answered"
