"""Three hypervisors on real Open vSwitch, our controllers on them: guests on one logical switch ping."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from pyovn.net.mac import mac_int
from pyovn.packet import ethernet, geneve, ipv4, pcap, udp
from pyovn.runtime.control import send
from tests.support.netns import Guest, Host, Rig, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

MACS = {"p1": "50:54:00:00:00:01", "p2": "50:54:00:00:00:02", "p3": "50:54:00:00:00:03"}
ADDRESSES = {"p1": "192.168.0.1", "p2": "192.168.0.2", "p3": "192.168.0.3"}
ADDRESSES6 = {"p1": "fd00::1", "p2": "fd00::2", "p3": "fd00::3"}


@contextlib.contextmanager
def three_guests(
    northd: str = "any", controllers: tuple[str, ...] = ("ours", "ours", "ours"), encap: str = "geneve"
) -> Iterator[tuple[Rig, list[Guest]]]:
    """A switch over three hypervisors with a guest on each."""
    with Rig(len(controllers), northd=northd) as rig:
        rig.nbctl("ls-add", "sw0")
        for port, mac in MACS.items():
            addresses = f"{mac} {ADDRESSES[port]} {ADDRESSES6[port]}"
            rig.nbctl("lsp-add", "sw0", port, "--", "lsp-set-addresses", port, addresses)
        for host, kind in zip(rig.hosts, controllers, strict=True):
            host.configure(encap)
            host.start_controller(kind)
        for host in rig.hosts:
            until(lambda host=host: "br-int" in host.vsctl("list-br"), f"br-int on {host.chassis}")
        guests = [
            host.plug(port, MACS[port], f"{ADDRESSES[port]}/24,{ADDRESSES6[port]}/64")
            for host, port in zip(rig.hosts, MACS, strict=True)
        ]
        for port in MACS:
            rig.nbctl("wait-until", "Logical_Switch_Port", port, "up=true")
        rig.nbctl("--wait=hv", "sync")
        yield rig, guests


def everyone_pings(guests: list[Guest]) -> None:
    """Each guest reaches each other one, IPv4 and IPv6."""
    for guest in guests:
        own = guest.address.partition("/")[0]
        for address, address6 in zip(ADDRESSES.values(), ADDRESSES6.values(), strict=True):
            if address != own:
                assert guest.ping(address)[1] == 3, f"{own} to {address}"
                assert guest.ping(address6, count=1)[1] == 1, f"{own} to {address6}"


@pytest.mark.parametrize(
    ("northd", "controllers"),
    [
        pytest.param("23.03", ("ours", "ours", "ours"), id="Debian's northd, our controllers"),
        pytest.param("26.03", ("ours", "ours", "ours"), id="C northd, our controllers"),
        pytest.param("26.03", ("26.03", "ours", "ours"), id="C northd, a C controller and ours"),
        pytest.param("ours", ("ours", "ours", "ours"), id="our northd, our controllers"),
    ],
)
def test_guests_on_three_hypervisors_ping(northd, controllers):
    with three_guests(northd, controllers) as (_, guests):
        everyone_pings(guests)


def test_guests_ping_through_vxlan():
    with three_guests("ours", encap="vxlan") as (_, guests):
        everyone_pings(guests)


def test_the_geneve_header_carries_the_southbound_tunnel_keys():
    with three_guests("ours") as (rig, guests):
        guests[0].ping(ADDRESSES["p2"])
        capture = rig.underlay.capture(rig.hosts[0], lambda: guests[0].ping(ADDRESSES["p2"], count=1))
        headers = list(tunnelled(capture, MACS["p1"], MACS["p2"]))
        datapath = int(rig.sbctl("--bare", "--columns=tunnel_key", "list", "Datapath_Binding"))
        key = {port: port_key(rig, port) for port in MACS}
    assert headers
    for header in headers:
        (option,) = header.options
        assert header.vni == datapath
        assert (option.cls, option.type) == (0x0102, 0x80)
        assert int.from_bytes(option.data, "big") == key["p1"] << 16 | key["p2"]


def test_a_restart_loses_no_packet():
    with three_guests("ours") as (rig, guests):
        everyone_pings(guests)
        before = rig.hosts[0].flows()
        with guests[0].pinging(ADDRESSES["p2"]) as result:
            rig.hosts[0].stop_controller()
            rig.hosts[0].start_controller()
            rig.nbctl("lsp-add", "sw0", "p9", "--", "lsp-set-addresses", "p9", "50:54:00:00:00:09 192.168.0.9")
            rig.nbctl("--wait=hv", "sync")
        rig.nbctl("--wait=hv", "lsp-del", "p9")
        after = rig.hosts[0].flows()
    sent, answered = result
    assert sent - answered <= 1  # the last one may be under way
    assert sorted(before.splitlines()) == sorted(after.splitlines())


def test_a_controller_that_exits_takes_its_chassis_along_and_comes_back():
    with three_guests("ours") as (rig, guests):
        host = rig.hosts[2]
        leave(host)
        until(lambda: "hv3" not in rig.sbctl("--bare", "--columns=name", "list", "Chassis").split(), "chassis gone")
        assert "ovn-hv1" not in host.vsctl("list-ports", "br-int")
        host.start_controller()
        until(lambda: "hv3" in rig.sbctl("--bare", "--columns=name", "list", "Chassis").split(), "chassis back")
        rig.nbctl("wait-until", "Logical_Switch_Port", "p3", "up=true")
        rig.nbctl("--wait=hv", "sync")
        everyone_pings(guests)


def leave(host: Host) -> None:
    """`ovn-appctl exit`."""
    asyncio.run(send(str(host.directory / "oc.ctl"), "exit", timeout_s=10))
    assert host.controller is not None
    host.controller.wait(10)


def port_key(rig: Rig, port: str) -> int:
    """The tunnel key of a port."""
    return int(rig.sbctl("--bare", "--columns=tunnel_key", "find", "Port_Binding", f"logical_port={port}"))


def tunnelled(capture: bytes, source: str, destination: str) -> Iterator[geneve.Geneve]:
    """The Geneve packets that carry a frame from `source` to `destination`."""
    for captured in pcap.parse(capture):
        datagram = udp.parse(ipv4.parse(ethernet.parse(captured.frame).payload).payload)
        packet = geneve.parse(datagram.data)
        inner = ethernet.parse(packet.payload)
        if (inner.src, inner.dst) == (mac_int(source), mac_int(destination)):
            yield packet
