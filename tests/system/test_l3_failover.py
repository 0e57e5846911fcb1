"""A gateway fails, another takes over, and the first comes back: on real Open vSwitch, with our controllers."""

import contextlib
import subprocess

import pytest

from pyovn.cli.trace import main
from tests.cli.test_trace import settled
from tests.support.c_programs import need
from tests.support.failover import FIRST, MISHAPS, SECOND, ordeal, prefer, served_by
from tests.support.routed_rig import MACHINE, mac

pytestmark = [pytest.mark.system, pytest.mark.timeout(120), pytest.mark.xdist_group("l3")]


@pytest.fixture(scope="module", autouse=True)
def quick_bfd(net):
    """Losses are noticed after about a second."""
    net.type("set NB_Global . options:bfd-min-rx=300 options:bfd-min-tx=300 options:bfd-mult=3")
    yield
    net.type("remove NB_Global . options bfd-min-rx bfd-min-tx bfd-mult")


@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda mishap: mishap.name)
def test_guests_and_the_world_reach_each_other_again_after(net, mishap):
    ordeal(net, mishap)
    assert net["a2"].ping("fd16::fe") == (3, 3)


def test_traces_show_which_gateway_translates(net, capsys):
    """The flow that translates is on the switch of the gateway that serves, and on no other."""

    def translation(host: int) -> str:
        """What `ovn-trace --ovs` says of it there."""
        switch = net.rig.hosts[host].directory / "br-int.mgmt"
        out = f'inport == "a2" && eth.src == {mac("a2")} && eth.dst == 40:44:00:00:01:01 && icmp4.type == 8'
        packet = f"{out} && ip4.src == {net.address('a2')} && ip4.dst == {MACHINE} && ip.ttl == 64"
        words = [f"--db={net.rig.southbound}", f"--ovs=unix:{switch}", "--detailed", "a", packet]
        assert main(words) == 0
        told = capsys.readouterr().out
        with contextlib.suppress(pytest.skip.Exception):
            program = need("ovn-trace", "26.03")
            theirs = subprocess.run([program, *words], capture_output=True, text=True, check=True, timeout=30).stdout
            assert settled(told) == settled(theirs)
        lines = told.splitlines()
        (place,) = (number for number, line in enumerate(lines) if " lr_out_snat (" in line)
        return lines[place + 1].strip()

    def served() -> tuple[bool, bool]:
        """Is the flow on the switch of the first, and of the second gateway?"""
        assert net["a2"].ping(MACHINE, count=1) == (1, 1)
        return tuple(translation(host).startswith("cookie=") for host in (2, 3))

    assert served() == (True, False)
    prefer(30)(net, net.rig.hosts[2])
    try:
        served_by(net, SECOND)
        net.sync()
        assert served() == (False, True)
    finally:
        prefer(10)(net, net.rig.hosts[2])
        served_by(net, FIRST)
        net.sync()
