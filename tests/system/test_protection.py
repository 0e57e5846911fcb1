"""A guest that floods a router on real Open vSwitch: the meters of a Copp hold, and the rest works; C in every role."""

import re
import subprocess

import pytest

from tests.support.netns import Guest, Rig, until
from tests.system.test_services import roles, settle, start

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

MACS = {"p1": "50:54:00:00:00:01", "p2": "50:54:00:00:00:02"}
RATE, FLOOD = 5, 100


def told_off(guest: Guest) -> int:
    """How many packets of a flood that no router may forward were answered with an ICMP error."""
    words = ("ping", "-n", "-q", "-c", str(FLOOD), "-i", "0.005", "-W", "1", "-t", "1", "10.0.2.11")
    done = subprocess.run(guest.inside(*words), capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r"\+(\d+) errors", done.stdout)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(("northd", "controller"), roles("any"))
def test_a_flood_is_limited_and_the_rest_works(northd, controller):
    with Rig(2, northd=northd) as rig:
        rig.nbctl("lr-add", "r")
        for number, port in enumerate(MACS, 1):
            rig.nbctl("ls-add", f"n{number}")
            rig.nbctl("lrp-add", "r", f"to-n{number}", f"50:54:00:00:01:0{number}", f"10.0.{number}.1/24")
            link = ("type=router", "addresses=router", f"options:router-port=to-n{number}")
            rig.nbctl(
                "lsp-add", f"n{number}", f"way{number}", "--", "set", "Logical_Switch_Port", f"way{number}", *link
            )
            address = f"{MACS[port]} 10.0.{number}.11"
            rig.nbctl("lsp-add", f"n{number}", port, "--", "lsp-set-addresses", port, address)
        start(rig, controller)
        guests = [
            host.plug(port, MACS[port], f"10.0.{number}.11/24", f"10.0.{number}.1")
            for number, (host, port) in enumerate(zip(rig.hosts, MACS, strict=True), 1)
        ]
        settle(rig, *MACS)
        one, _ = guests
        until(lambda: one.ping("10.0.2.11", count=1)[1] == 1, "the way to the other guest")
        assert told_off(one) > FLOOD / 2

        rig.nbctl("meter-add", "slow", "drop", str(RATE), "pktps")
        rig.nbctl("copp-add", "cp", "icmp4-error", "slow", "--", "lr-copp-add", "cp", "r")
        rig.nbctl("--wait=hv", "sync")
        with one.pinging("10.0.2.11") as answered:
            assert 0 < told_off(one) < FLOOD / 2
        assert answered[1] >= answered[0] - 1 > 5
