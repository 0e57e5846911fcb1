"""Devices: stand-ins everywhere, real ones where we are root."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from pyovn.runtime.nics import NoDevice, SystemNic, SystemNics, TapNic, _retagged
from tests.vswitch.frames import udp_frame


def test_without_root_internal_ports_are_stand_ins_and_devices_are_errors():
    nics = SystemNics(devices=False)
    nic = nics.open("br0", "internal", 5)
    got: list[bytes] = []
    nic.on_receive = got.append
    nics.dummies["br0"].inject(b"x")
    assert (got, nic.mac) == ([b"x"], 5)
    with pytest.raises(NoDevice, match="could not open network device eth7"):
        nics.open("eth7", "", 0)


def test_a_tag_the_kernel_took_out_is_put_back():
    auxiliary = (
        (1 << 4 | 1 << 6).to_bytes(4, "little")
        + bytes(12)
        + (42).to_bytes(2, "little")
        + (0x88A8).to_bytes(2, "little")
    )
    assert _retagged(udp_frame(), [(263, 8, auxiliary)])[12:16] == bytes.fromhex("88a8002a")


@pytest.fixture
def wire() -> Iterator[tuple[str, str]]:
    """Two ends of a veth."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("needs root and iproute2")
    ends = f"pva{os.getpid() % 10000}", f"pvb{os.getpid() % 10000}"
    made = subprocess.run(
        ["ip", "link", "add", ends[0], "type", "veth", "peer", ends[1]], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("veth cannot be made here")
    for end in ends:
        subprocess.run(["ip", "link", "set", end, "up"], check=True)
    yield ends
    subprocess.run(["ip", "link", "del", ends[0]], check=True)


@pytest.mark.system
def test_frames_cross_a_veth(wire):
    async def story() -> None:
        left, right = SystemNic(wire[0]), SystemNic(wire[1])
        try:
            got: list[bytes] = []
            right.on_receive = got.append
            left.transmit(udp_frame())
            async with asyncio.timeout(5):
                while udp_frame() not in got:
                    await asyncio.sleep(0.01)
            assert left.mac
            assert left.mtu == 1500
            assert left.up
            assert left.ifindex
        finally:
            left.close()
            right.close()

    asyncio.run(story())


@pytest.mark.system
def test_a_missing_device_is_an_error():
    if os.geteuid():
        pytest.skip("needs root")

    async def story() -> None:
        with pytest.raises(NoDevice, match="could not open network device nosuch0"):
            SystemNic("nosuch0")

    asyncio.run(story())


@pytest.mark.system
def test_a_tap_hands_frames_to_the_kernel():
    if os.geteuid() or not os.path.exists("/dev/net/tun"):
        pytest.skip("needs root and /dev/net/tun")
    name = f"pvt{os.getpid() % 10000}"

    async def story() -> None:
        nic = TapNic(name, 0x020000000042)
        try:
            subprocess.run(["ip", "link", "set", name, "up"], check=True)
            watcher = SystemNic(name)
            assert watcher.mac == 0x020000000042
            got: list[bytes] = []
            watcher.on_receive = got.append
            nic.transmit(udp_frame())
            async with asyncio.timeout(5):
                while udp_frame() not in got:
                    await asyncio.sleep(0.01)
            watcher.close()
        finally:
            nic.close()

    asyncio.run(story())
