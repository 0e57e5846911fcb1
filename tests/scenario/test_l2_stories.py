"""The L2 stories that people tell of OVN, typed as they wrote them, on a lab without root."""

import asyncio
import contextlib
import re
import tempfile
from pathlib import Path

import pytest

from pyovn.lab import shims, wire
from pyovn.lab.demo import plugging, tunnelled
from pyovn.lab.layout import Layout
from pyovn.lab.network import OUR_PARTS, Lab
from pyovn.lab.service import Service, capture_underlay
from pyovn.lab.terminal import CommandFailed, Terminal
from pyovn.packet import geneve

pytestmark = pytest.mark.timeout(120)


@contextlib.asynccontextmanager
async def lab(*hosts, encap="geneve", parts=OUR_PARTS):
    """A running lab, and a function that types lines on a hypervisor."""
    with tempfile.TemporaryDirectory(prefix="lab-") as directory:
        layout = Layout(Path(directory))
        async with Lab(layout, hosts, encap=encap, parts=parts) as network:
            shims.install(layout.bin)
            server = await wire.listen(layout.control, Service(network, lambda: None))
            await network.ready()

            async def type_on(host, *lines):
                printed = [await Terminal(layout, host).type(line) for line in lines]
                return printed[-1]

            yield network, type_on
            server.close()
            await server.wait_closed()


NETWORK1 = (
    "ovn-nbctl ls-add network1",
    "ovn-nbctl lsp-add network1 vm1",
    "ovn-nbctl lsp-add network1 vm2",
    'ovn-nbctl lsp-set-addresses vm1 "40:44:00:00:00:01"',
    'ovn-nbctl lsp-set-addresses vm2 "40:44:00:00:00:02"',
)


def test_multinode_setup():
    """Guide "Multinode OVN setup" and "Geneve Encapsulation"."""

    async def story():
        async with lab("central", "worker1", "worker2") as (network, type_on):
            shown = await type_on("central", *NETWORK1, "ovn-nbctl show")
            assert re.fullmatch(
                r"switch [0-9a-f-]{36} \(network1\)\n"
                r'(    port vm[12]\n        addresses: \["40:44:00:00:00:0[12]"\]\n){2}',
                shown,
            )
            chassis = await type_on("central", "ovn-sbctl show")
            assert chassis.count("Encap geneve") == 3
            assert "Port_Binding" not in chassis

            await type_on("worker1", *plugging("vm1", 1))
            await type_on("worker2", *plugging("vm2", 2), "ovn-nbctl --wait=hv sync")
            bound = await type_on("central", "ovn-sbctl show")
            for host, port in (("worker1", "vm1"), ("worker2", "vm2")):
                section = re.search(rf'Chassis "?{host}"?\n(    .*\n)*', bound)[0]
                assert re.search(rf'    Port_Binding "?{port}"?\n', section)

            capture, end = capture_underlay(network)
            answer = await type_on("worker1", "ip netns exec vm1 ping -c2 -i0.1 192.168.0.12")
            assert "2 packets transmitted, 2 received, 0% packet loss" in answer
            await type_on("worker2", "ip netns exec vm2 ping -c2 -i0.1 192.168.0.11")
            end()
            requests = [packet for captured in capture.frames if (packet := tunnelled(captured.frame))]
            keys = {geneve.ovn_keys(packet.geneve) for packet in requests}
            assert keys == {(1, 2), (2, 1)}
            assert {packet.geneve.vni for packet in requests} == {
                int(await type_on("central", "ovn-sbctl get Datapath_Binding network1 tunnel-key"))
            }
            # the sixteen bytes that the guide prints, with this lab's VNI
            assert requests[0].header == bytes.fromhex("02406558") + requests[0].geneve.vni.to_bytes(
                3, "big"
            ) + bytes.fromhex("00 0102 80 01 00010002")

    asyncio.run(story())


def test_simple_setup_in_five_minutes():
    """Guide "Simple OVN setup in 5 minutes": one hypervisor."""

    async def story():
        async with lab("ovn") as (_, type_on):
            await type_on("ovn", *NETWORK1)
            assert await type_on("ovn", "ovn-nbctl --wait=sb sync", "ovn-nbctl lsp-get-up vm1") == "down\n"
            await type_on("ovn", *plugging("vm1", 1), *plugging("vm2", 2), "ovn-nbctl --wait=hv sync")
            await type_on("ovn", "ovn-nbctl --timeout=10 wait-until Logical_Switch_Port vm1 up=true")
            await type_on("ovn", "ovn-nbctl --timeout=10 wait-until Logical_Switch_Port vm2 up=true")
            assert await type_on("ovn", "ovn-nbctl lsp-get-up vm1") == "up\n"
            assert await type_on("ovn", "ovn-nbctl lsp-get-up vm2") == "up\n"
            assert "2 received" in await type_on("ovn", "ip netns exec vm1 ping -c2 -i0.1 192.168.0.12")
            shown = await type_on("ovn", "ip netns exec vm2 ip addr")
            assert "inet6 fe80::4244:ff:fe00:2/64 scope link" in shown

    asyncio.run(story())


def test_trying_out_ovn():
    """Talk "Trying out OVN": the sandbox, with today's names of the commands."""

    async def story():
        async with lab("chassis-1") as (_, type_on):
            await type_on(
                "chassis-1",
                "ovn-nbctl ls-add sw0",
                "ovn-nbctl lsp-add sw0 sw0-port1",
                "ovn-nbctl lsp-add sw0 sw0-port2",
                "ovn-nbctl lsp-set-addresses sw0-port1 00:00:00:00:00:01",
                "ovn-nbctl lsp-set-addresses sw0-port2 00:00:00:00:00:02",
                "ovs-vsctl add-port br-int lport1 -- set Interface lport1 external_ids:iface-id=sw0-port1",
                "ovs-vsctl add-port br-int lport2 -- set Interface lport2 external_ids:iface-id=sw0-port2",
                "ovn-nbctl --wait=hv sync",
                "ovn-nbctl --timeout=10 wait-until Logical_Switch_Port sw0-port2 up=true",
            )
            port1 = await type_on("chassis-1", "ovs-vsctl get Interface lport1 ofport")
            port2 = await type_on("chassis-1", "ovs-vsctl get Interface lport2 ofport")
            traced = await type_on(
                "chassis-1",
                f"ovs-appctl ofproto/trace br-int in_port={port1.strip()},"
                "dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02 -generate",
            )
            assert f"output:{port2.strip()}" in traced

    asyncio.run(story())


@pytest.mark.parametrize("encap", ["geneve", "vxlan"])
def test_guests_exchange_everything_across_the_tunnel(encap):
    async def story():
        async with lab("hv1", "hv2", encap=encap) as (_, type_on):
            await type_on("hv1", *NETWORK1, *plugging("vm1", 1))
            await type_on("hv2", *plugging("vm2", 2), "ovn-nbctl --wait=hv sync")
            assert "1 received" in await type_on("hv1", "pyovn lab ping vm1 -c1 192.168.0.12")
            lla = "fe80::4244:ff:fe00:2"
            assert "1 received" in await type_on("hv1", f"pyovn lab ping vm1 -c1 {lla}")
            for protocol in ("udp", "tcp"):
                await type_on("hv2", f"ip netns exec vm2 serve {protocol} 7")
                assert await type_on("hv1", f"ip netns exec vm1 {protocol} 192.168.0.12 7 hello") == "hello\n"

    asyncio.run(story())


def test_a_wrong_name_is_said_and_nothing_else_suffers():
    async def story():
        async with lab("hv1") as (_, type_on):
            await type_on("hv1", *NETWORK1)
            with pytest.raises(CommandFailed, match="ovn-nbctl: network9: switch name not found"):
                await type_on("hv1", "ovn-nbctl lsp-add network9 vm3")
            with pytest.raises(CommandFailed, match="duplicate|already exists"):
                await type_on("hv1", "ovn-nbctl lsp-add network1 vm1")
            assert "vm2" in await type_on("hv1", "ovn-nbctl lsp-list network1")

    asyncio.run(story())
