"""Two gateway routers watch each other with BFD, across two hypervisors: ours, and one of each."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from pyovn.lab import shims, wire
from pyovn.lab.foreign import Parts
from pyovn.lab.layout import Layout
from pyovn.lab.network import Lab
from pyovn.lab.service import Service
from pyovn.lab.terminal import Terminal
from tests.support.c_programs import need

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

NETWORK = (
    "ovn-nbctl ls-add join",
    *(
        f"ovn-nbctl lr-add {name} -- set Logical_Router {name} options:chassis=hv{number}"
        f" -- lrp-add {name} {name}-join 00:00:00:00:ff:0{number} 10.5.0.{number}/24"
        f" -- lsp-add join join-{name} -- lsp-set-type join-{name} router -- lsp-set-addresses join-{name} router"
        f" -- lsp-set-options join-{name} router-port={name}-join"
        for number, name in ((1, "a"), (2, "b"))
    ),
    "ovn-nbctl --bfd lr-route-add a 10.8.0.0/16 10.5.0.2 a-join",
    "ovn-nbctl --bfd lr-route-add b 10.9.0.0/16 10.5.0.1 b-join",
)


async def until(terminal, session, status):
    """Wait until northd has been told how a session stands."""
    await terminal.type(f"ovn-nbctl --timeout=30 wait-until BFD {session} status={status}")


@pytest.mark.parametrize("version", ["ours", "26.03"])
def test_two_gateways_find_each_other_and_notice_a_loss(version):
    async def story():
        others = {} if version == "ours" else {"hv2": need("ovn-controller", version)}
        parts = Parts(need("ovn-northd", "26.03"), others)
        with tempfile.TemporaryDirectory(prefix="bfd-") as directory:
            layout = Layout(Path(directory))
            async with Lab(layout, ["hv1", "hv2"], parts=parts) as lab, asyncio.timeout(60):
                shims.install(layout.bin)
                server = await wire.listen(layout.control, Service(lab, lambda: None))
                await lab.ready()
                terminal = Terminal(layout, "hv1")
                for line in NETWORK:
                    await terminal.type(line)
                one, other = [
                    (await terminal.type(f"ovn-nbctl --bare --columns=_uuid find BFD logical_port={port}")).strip()
                    for port in ("a-join", "b-join")
                ]
                await until(terminal, one, "up")
                await until(terminal, other, "up")
                await terminal.type("ovn-nbctl lrp-set-enabled b-join disabled")
                await until(terminal, one, "down")
                server.close()
                await server.wait_closed()

    asyncio.run(story())
