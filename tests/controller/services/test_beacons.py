"""Periodic router advertisements."""

import pytest
from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6NDOptMTU, ICMPv6NDOptPrefixInfo, IPv6
from scapy.layers.l2 import Ether

from pyovn.controller.services.beacons import Beacon, Beacons, beacon, check
from pyovn.net.errors import Malformed, OvnError

OPTIONS = {
    "peer": "switch-router",
    "ipv6_ra_send_periodic": "true",
    "ipv6_ra_address_mode": "slaac",
    "ipv6_ra_src_eth": "00:00:00:00:ff:01",
    "ipv6_ra_src_addr": "fe80::200:ff:fe00:ff01",
    "ipv6_ra_prefixes": "fd01::1/64 fd02::1/64",
    "ipv6_ra_mtu": "1400",
    "ipv6_ra_prf": "HIGH",
    "ipv6_ra_min_interval": "3",
    "ipv6_ra_max_interval": "90",
}


def test_an_advertisement_says_what_the_port_is_set_to():
    found = beacon(OPTIONS, 2, 3)
    frame = Ether(found.frame)
    assert (frame.dst, frame.src, frame[IPv6].dst) == ("33:33:00:00:00:01", "00:00:00:00:ff:01", "ff02::1")
    assert (frame[ICMPv6ND_RA].prf, frame[ICMPv6NDOptMTU].mtu) == (1, 1400)
    assert frame[ICMPv6NDOptPrefixInfo].prefix == "fd01::"
    assert (found.datapath, found.port, found.min_s, found.max_s) == (2, 3, 3.0, 90.0)


@pytest.mark.parametrize("broken", [{"ipv6_ra_src_eth": "x"}, {"ipv6_ra_prefixes": "x"}, {"ipv6_ra_src_addr": ""}])
def test_options_without_sense_are_told(broken):
    with pytest.raises(OvnError):
        beacon({**OPTIONS, **broken}, 2, 3)


def test_only_ports_that_are_asked_to_advertise():
    assert check(OPTIONS)
    assert not check({**OPTIONS, "ipv6_ra_send_periodic": "false"})
    with pytest.raises(Malformed):
        check({"ipv6_ra_send_periodic": "true"})


def test_advertisements_come_quickly_at_first():
    beacons = Beacons(lambda low, high: high)
    beacons.put("port", Beacon(2, 3, b"frame", 3.0, 90.0), 0.0)
    times, now = [], 0.0
    for _ in range(5):
        now = beacons.deadline
        assert len(list(beacons.handle(now))) == 1
        times.append(now)
    assert times == [16.0, 32.0, 48.0, 138.0, 228.0]


def test_a_port_that_stays_as_it_is_keeps_its_time():
    beacons = Beacons(lambda low, high: high)
    for now in (0.0, 5.0):
        beacons.put("port", Beacon(2, 3, b"frame", 3.0, 4.0), now)
    assert beacons.deadline == 4.0
    beacons.put("port", None, 5.0)
    assert beacons.deadline is None
