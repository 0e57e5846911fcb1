"""Geneve and VXLAN on the wire, checked with an independent decoder; broken datagrams harm nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.openflow import actions as act
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match
from pyovn.vswitch.bridge import TlvMapping
from pyovn.vswitch.frame import extract
from pyovn.vswitch.ports import Port, TunnelConfig
from pyovn.vswitch.tunnels import geneve_header, parse_geneve, parse_vxlan, source_port, split_options, vxlan_header
from pyovn.vswitch.underlay import Fabric, MemoryUnderlay
from tests.vswitch.frames import ethernet, ip4, udp, udp_frame
from tests.vswitch.worlds import World

OVN = TlvMapping(0x102, 0x80, 4, 0)


def world(fabric: Fabric, mine: str, other: str, kind: str = "geneve", **config: object) -> World:
    made = World(underlay=MemoryUnderlay(fabric, mine))
    made.bridge.tlv_map = (OVN,)
    port = made.bridge.ports[9] = Port("t", 9, 9, "tunnel")
    base = TunnelConfig(kind, other, mine, None, None, 6081 if kind == "geneve" else 4789, exact_in_key=False)
    port.tunnel = base._replace(**config)
    made.datapath.tunnels.add(made.bridge, port)
    return made


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_geneve_round_trip(vni, value):
    options = bytes.fromhex("01028001") + value.to_bytes(4, "big")
    header = parse_geneve(geneve_header(vni, options) + bytes(14))
    assert (header.vni, header.size, header.critical) == (vni, 16, True)
    assert split_options(header.options) == [(0x102, 0x80, value.to_bytes(4, "big"))]


def test_an_independent_decoder_agrees():
    geneve = pytest.importorskip("scapy.contrib.geneve")
    packet = geneve.GENEVE(geneve_header(0x123456, bytes.fromhex("0102800100010002"), oam=True) + udp_frame())
    assert (packet.vni, packet.proto, packet.critical, packet.oam) == (0x123456, 0x6558, 1, 1)
    assert (packet.options[0].classid, packet.options[0].type, packet.options[0].data) == (0x102, 0x80, b"\0\1\0\2")
    vxlan = pytest.importorskip("scapy.layers.vxlan")
    assert vxlan.VXLAN(vxlan_header(77) + udp_frame()).vni == 77


@pytest.mark.parametrize("kind", ["geneve", "vxlan"])
def test_a_frame_crosses_with_its_key(kind):
    fabric = Fabric()
    here, there = world(fabric, "1.0.0.1", "1.0.0.2", kind), world(fabric, "1.0.0.2", "1.0.0.1", kind)
    here.add(act.SetField("tun_id", 5, (1 << 64) - 1), act.Output(9))
    there.add(act.Output(2), match=match(in_port=9, tun_id=5, tun_src=0x01000001, tun_dst=0x01000002))
    here.send(udp_frame())
    assert there.bridge.ports[2].nic.sent == [udp_frame()]


def test_remote_addresses_may_come_from_the_flow():
    fabric = Fabric()
    here, there = world(fabric, "1.0.0.1", "", remote=None), world(fabric, "1.0.0.2", "1.0.0.1")
    here.add(act.SetField("tun_dst", 0x01000002, 0xFFFFFFFF), act.Output(9))
    there.add(act.Output(2))
    here.send(udp_frame())
    assert len(there.bridge.ports[2].nic.sent) == 1


def test_an_unmapped_critical_option_is_not_accepted():
    fabric = Fabric()
    there = world(fabric, "1.0.0.2", "1.0.0.1")
    there.add(act.Output(2))
    for type_, delivered in ((0x81, 0), (0x01, 1)):
        options = bytes((1, 2, type_, 1)) + bytes(4)
        fabric.deliver("1.0.0.1", 1, "1.0.0.2", 6081, geneve_header(5, options) + udp_frame())
        assert len(there.bridge.ports[2].nic.sent) == delivered


def test_strangers_are_dropped():
    fabric = Fabric()
    there = world(fabric, "1.0.0.2", "1.0.0.1")
    there.add(act.Output(2))
    fabric.deliver("6.6.6.6", 1, "1.0.0.2", 6081, geneve_header(5) + udp_frame())
    assert there.datapath.tunnels.dropped == 1


@given(st.binary(max_size=80))
def test_broken_datagrams_harm_nobody(payload):
    fabric = Fabric()
    there = world(fabric, "1.0.0.2", "1.0.0.1")
    there.bridge.tables.add(Flow(0, 1, (), (act.Output(2),)), 0.0)
    fabric.deliver("1.0.0.1", 1, "1.0.0.2", 6081, payload)
    parse_vxlan(payload)


def test_the_source_port_is_the_flows():
    ports = {
        source_port(frame, extract(frame)[1]) for frame in (ethernet(ip4(udp(n), 17), 0x800) for n in range(1, 50))
    }
    assert len(ports) > 40
    one, again = (ethernet(ip4(udp(data=data), 17, identity=n), 0x800) for n, data in ((1, b"a"), (2, b"bb")))
    assert source_port(one, extract(one)[1]) == source_port(again, extract(again)[1])
