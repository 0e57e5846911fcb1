"""Services with a memory, at work together: a next hop that is learned lets its packets go."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_RA
from scapy.layers.l2 import Ether

from pyovn.controller.desk import Desk
from pyovn.controller.effects import Continue, Judge, Problem, Send
from pyovn.tables import sb
from tests.controller.services.punts import punt
from tests.controller.services.rows import Rows
from tests.controller.services.test_beacons import OPTIONS

PACKET = Ether() / IP(src="10.0.0.1", dst="10.9.0.2") / UDP()
NEXT_HOP = 0x0A000009


@pytest.fixture
def rows():
    found = Rows()
    found.put(sb.DatapathBinding, "router", tunnel_key=2)
    found.put(sb.DatapathBinding, "switch", tunnel_key=5)
    found.put(sb.Chassis, "us", name="hv1")
    found.put(sb.PortBinding, "port", logical_port="out", datapath="router", tunnel_key=7, type="patch")
    options = {"distributed-port": "out"}
    found.put(
        sb.PortBinding,
        "gateway",
        logical_port="cr-out",
        datapath="router",
        tunnel_key=8,
        type="chassisredirect",
        options=options,
        chassis="us",
    )
    return found


@pytest.fixture
def desk(rows):
    return Desk(rows, "hv1", lambda low, high: high)


def asking(port=7):
    return punt("arp { output; };", PACKET, reg0=NEXT_HOP, reg15=port)


def answer():
    reply = Ether(src="40:44:00:00:00:09") / IP() / UDP()
    return punt("put_arp(inport, arp.spa, arp.sha);", reply, reg14=7, reg0=NEXT_HOP)


def moved(effects):
    """Where the packets go on to."""
    return [Ether(each.message.packet).dst for each in effects if isinstance(each, Continue)]


@pytest.mark.parametrize("port", [7, 8], ids=["router port", "its gateway"])
def test_packets_wait_for_what_is_learned(desk, port):
    assert [type(each) for each in desk.packet(asking(port), 0.0)] == [Send]
    assert moved(desk.packet(answer(), 1.0)) == ["40:44:00:00:00:09"]
    assert moved(desk.packet(asking(port), 1.01)) == ["40:44:00:00:00:09"]
    assert [fact.mac for fact in desk.take_facts(2.0)] == [0x404400000009]


@pytest.mark.parametrize("table", [sb.MACBinding, sb.StaticMACBinding])
def test_packets_wait_for_what_others_learn(desk, rows, table):
    list(desk.packet(asking(), 0.0))
    rows.put(table, "known", logical_port="out", ip="10.0.0.9", mac="nonsense", datapath="router")
    assert moved(desk.handle(1.0)) == []
    rows.put(table, "known", logical_port="out", ip="10.0.0.9", mac="40:44:00:00:00:0a", datapath="router")
    assert moved(desk.handle(1.0)) == ["40:44:00:00:00:0a"]


def test_packets_on_unknown_ports_are_given_up(desk):
    list(desk.packet(asking(port=99), 0.0))
    assert moved(desk.handle(desk.deadline)) == []
    assert desk.deadline is None


def put(desk, rows, table, uuid, now=0.0, **columns):
    """Change a row, and have the desk see it."""
    old = rows.rows(table).get(uuid)
    new = rows.put(table, uuid, **columns)
    desk.follow({table: {new.uuid: (old, new)}}, now)


def advertising(desk, rows, **options):
    rows.put(sb.PortBinding, "peer", logical_port="switch-router", datapath="switch", tunnel_key=3)
    columns = {"logical_port": "lan", "datapath": "router", "tunnel_key": 9, "type": "patch"}
    put(desk, rows, sb.PortBinding, "lan", **columns, options={**OPTIONS, **options})


def test_a_router_port_advertises_until_told_otherwise(desk, rows):
    advertising(desk, rows)
    (sent,) = desk.handle(desk.deadline)
    assert ICMPv6ND_RA in Ether(sent.message.packet)
    advertising(desk, rows, ipv6_ra_send_periodic="false")
    assert desk.deadline is None


def test_options_without_sense_are_told_and_nothing_is_sent(desk, rows):
    advertising(desk, rows, ipv6_ra_src_eth="nonsense")
    assert [type(each) for each in desk.handle(0.0)] == [Problem]
    assert desk.deadline is None


PORT = {"logical_port": "gw", "datapath": "router", "tunnel_key": 9, "type": "l3gateway"}
SESSION = {"logical_port": "gw", "src_port": 49152, "disc": 1, "min_tx": 100, "min_rx": 100, "detect_mult": 3}


def watching(desk, rows, *, mac="00:00:00:00:ff:01 10.0.0.1/24 fd00::1/64", dst="10.0.0.2", **columns):
    rows.put(sb.PortBinding, "gw", **{**PORT, "mac": frozenset({mac}), "chassis": "us", **columns})
    put(desk, rows, sb.BFD, "bfd", **SESSION, dst_ip=dst, status="down")


@pytest.mark.parametrize(
    ("dst", "src"),
    [
        ("10.0.0.2", "10.0.0.1"),
        ("192.0.2.1", "10.0.0.1"),
        ("fd00::2", "fd00::1"),
        ("fe80::2", "fe80::200:ff:fe00:ff01"),
    ],
)
def test_a_path_is_watched_from_the_address_that_fits(desk, rows, dst, src):
    watching(desk, rows, dst=dst)
    (sent,) = desk.handle(0.0)
    assert isinstance(sent, Send)
    assert Ether(sent.message.packet).payload.src == src


def test_a_path_is_watched_by_the_chassis_that_has_the_gateway(desk, rows):
    watching(desk, rows, chassis="another")
    assert desk.deadline is None
    watching(desk, rows, chassis=None, options={"chassis-redirect-port": "cr-out"})
    assert desk.deadline is not None
    put(desk, rows, sb.BFD, "bfd", **SESSION, dst_ip="10.0.0.2", status="admin_down")
    assert desk.deadline is None


@pytest.mark.parametrize("broken", [{"mac": "00:00:00:00:ff:01"}, {"mac": ""}, {"dst": "nonsense"}])
def test_a_path_without_sense_is_told(desk, rows, broken):
    watching(desk, rows, **broken)
    assert [type(each) for each in desk.handle(0.0)] == [Problem]


def test_silence_is_told_to_the_database(desk, rows):
    watching(desk, rows)
    assert not [each for each in desk.handle(99.0) if isinstance(each, Judge)]
