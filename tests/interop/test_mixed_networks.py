"""Networks of our parts and the C programs, on our databases and our switches; in each, guests ping."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from pyovn.lab import shims, wire
from pyovn.lab.demo import plugging
from pyovn.lab.foreign import Parts
from pyovn.lab.layout import Layout
from pyovn.lab.network import Lab
from pyovn.lab.service import Service
from pyovn.lab.terminal import Terminal
from tests.support.c_programs import need

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

NETWORK = (
    "ovn-nbctl ls-add network1",
    "ovn-nbctl lsp-add network1 vm1 -- lsp-set-addresses vm1 '40:44:00:00:00:01 192.168.0.11'",
    "ovn-nbctl lsp-add network1 vm2 -- lsp-set-addresses vm2 '40:44:00:00:00:02 192.168.0.12'",
)


def parts(northd, hv1, hv2):
    """Parts from words: "ours", or the version of a C program."""
    controllers = {
        host: need("ovn-controller", version) for host, version in (("hv1", hv1), ("hv2", hv2)) if version != "ours"
    }
    return Parts(None if northd == "ours" else need("ovn-northd", northd), controllers)


async def guests_ping(mixture, encap="geneve"):
    """Build a switch over two hypervisors and ping both ways, IPv4 and IPv6."""
    with tempfile.TemporaryDirectory(prefix="mix-") as directory:
        layout = Layout(Path(directory))
        async with Lab(layout, ["hv1", "hv2"], encap=encap, parts=mixture) as network:
            shims.install(layout.bin)
            server = await wire.listen(layout.control, Service(network, lambda: None))
            async with asyncio.timeout(30):
                await network.ready()
            one, two = Terminal(layout, "hv1"), Terminal(layout, "hv2")
            for line in (*NETWORK, *plugging("vm1", 1)):
                await one.type(line)
            for line in plugging("vm2", 2):
                await two.type(line)
            async with asyncio.timeout(30):
                await network.port_up("vm1")
                await network.port_up("vm2")
                await one.type("ovn-nbctl --timeout=20 --wait=hv sync")
            assert "2 received" in await one.type("ip netns exec vm1 ping -c2 -i0.1 192.168.0.12")
            assert "2 received" in await two.type("ip netns exec vm2 ping -c2 -i0.1 192.168.0.11")
            assert "1 received" in await one.type("ip netns exec vm1 ping -c1 fe80::4244:ff:fe00:2")
            server.close()
            await server.wait_closed()


@pytest.mark.parametrize(
    ("northd", "hv1", "hv2"),
    [
        pytest.param("23.03", "ours", "ours", id="Debian's northd, our controllers"),
        pytest.param("26.03", "ours", "ours", id="C northd, our controllers"),
        pytest.param("ours", "26.03", "26.03", id="our northd, C controllers"),
        pytest.param("ours", "26.03", "ours", id="our northd, a C and our chassis"),
        pytest.param("26.03", "ours", "26.03", id="C northd, a C and our chassis"),
        pytest.param("23.03", "23.03", "ours", id="Debian's northd and controller, our chassis"),
    ],
)
@pytest.mark.parametrize("encap", ["geneve", "vxlan"])
def test_guests_ping_in(northd, hv1, hv2, encap):
    asyncio.run(guests_ping(parts(northd, hv1, hv2), encap))
