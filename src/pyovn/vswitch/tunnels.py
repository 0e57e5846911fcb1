"""Tunnels: frames in Geneve and VXLAN datagrams, both ways.

    VXLAN    flags(8) reserved(24) VNI(24) reserved(8)                       frame      RFC 7348
    Geneve   version, option length, flags, 0x6558, VNI(24), 0, options      frame      RFC 8926

On the way out the UDP source port is a hash of the inner flow, so that the underlay can spread flows.  On the way in
the tunnel port is found by (local address, remote address, VNI), the most specific first; options become
`tun_metadataN` as the bridge's TLV map says; a datagram with a critical option nobody mapped is dropped.
"""

from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

from pyovn.net.ip import ip4_int, ip6_int
from pyovn.vswitch import ops
from pyovn.vswitch.bridge import Bridge, TlvMapping
from pyovn.vswitch.frame import ETH_IP, ETH_IPV6, SCTP, TCP, UDP, Shape
from pyovn.vswitch.key import place
from pyovn.vswitch.ports import Port, TunnelConfig, Underlay

GENEVE_PORT, VXLAN_PORT = 6081, 4789
TRANSPARENT_ETHERNET = 0x6558
VXLAN_HAS_VNI = 0x08
GENEVE_OAM, GENEVE_CRITICAL, OPTION_CRITICAL = 0x80, 0x40, 0x80
#: tun_flags bit
OAM = 1
#: learned (datagram header → port and metadata) pairs kept
MAX_KNOWN = 4096

Arrival = Callable[[str, Port, bytes, int], None]
Step = Callable[[bytes, int], bytes | None]


class Header(NamedTuple):
    """What a datagram says before the inner frame begins."""

    vni: int
    size: int
    options: bytes = b""
    oam: bool = False
    critical: bool = False


def geneve_header(vni: int, options: bytes = b"", *, oam: bool = False) -> bytes:
    """A Geneve header for an Ethernet frame."""
    critical = any(type_ & OPTION_CRITICAL for _, type_, _ in split_options(options))
    flags = (GENEVE_OAM if oam else 0) | (GENEVE_CRITICAL if critical else 0)
    return (
        bytes((len(options) // 4, flags))
        + TRANSPARENT_ETHERNET.to_bytes(2, "big")
        + (vni << 8).to_bytes(4, "big")
        + options
    )


def vxlan_header(vni: int) -> bytes:
    """A VXLAN header."""
    return bytes((VXLAN_HAS_VNI, 0, 0, 0)) + (vni << 8).to_bytes(4, "big")


def split_options(options: bytes) -> list[tuple[int, int, bytes]]:
    """Geneve options as (class, type, content); stops at one that is cut short."""
    found, at = [], 0
    while at + 4 <= len(options):
        length = (options[at + 3] & 31) * 4
        if at + 4 + length > len(options):
            break
        found.append((options[at] << 8 | options[at + 1], options[at + 2], options[at + 4 : at + 4 + length]))
        at += 4 + length
    return found


def parse_geneve(payload: bytes) -> Header | None:
    """The Geneve header of a datagram; None if it is none that carries Ethernet."""
    if len(payload) < 8 or payload[0] >> 6 or payload[2:4] != b"\x65\x58":
        return None
    size = 8 + (payload[0] & 63) * 4
    if len(payload) < size + 14:
        return None
    vni = int.from_bytes(payload[4:7], "big")
    return Header(vni, size, payload[8:size], bool(payload[1] & GENEVE_OAM), bool(payload[1] & GENEVE_CRITICAL))


def parse_vxlan(payload: bytes) -> Header | None:
    """The VXLAN header of a datagram; None if it has no VNI or no frame."""
    if len(payload) < 22 or not payload[0] & VXLAN_HAS_VNI:
        return None
    return Header(int.from_bytes(payload[4:7], "big"), 8)


_PARSERS = {"geneve": parse_geneve, "vxlan": parse_vxlan}


def source_port(frame: bytes, shape: Shape) -> int:
    """The UDP source port for the flow of `frame`."""
    low, high = flow_bytes(shape)
    return 0x8000 | crc32(frame[low:high]) & 0x7FFF


def flow_bytes(shape: Shape) -> tuple[int, int]:
    """The bytes of frames of `shape` that are the same in all packets of a flow."""
    ported = shape.l4 and shape.proto in (TCP, UDP, SCTP)
    if shape.net == ETH_IP:
        return shape.l3 + 12, shape.l4 + 4 if ported and shape.l4 == shape.l3 + 20 else shape.l3 + 20
    if shape.net == ETH_IPV6:
        return shape.l3 + 8, shape.l4 + 4 if ported and shape.l4 == shape.l3 + 40 else shape.l3 + 40
    return 0, 14


class Tunnels:
    """The tunnel ports of all bridges."""

    def __init__(self, underlay: Underlay | None, arrived: Arrival) -> None:
        self.underlay = underlay
        self.arrived = arrived
        self._ports: dict[tuple[str, int, str, str, int | None], tuple[Bridge, Port]] = {}
        self._listening: set[tuple[str, str, int]] = set()
        self._known: dict[tuple[bytes, str, str, int], tuple[str, Port, int, int]] = {}
        self.dropped = 0  #: datagrams that no tunnel port takes

    def add(self, bridge: Bridge, port: Port) -> None:
        """Take `port` into service."""
        config = port.tunnel
        assert config is not None
        place = (config.kind, config.local or "", config.udp_port)
        if self.underlay is not None and place not in self._listening:
            self.underlay.listen(config.local or "", config.udp_port, self._receiver(config.kind, config.udp_port))
            self._listening.add(place)
        self._known.clear()
        self._ports[self._place(config)] = (bridge, port)

    def remove(self, port: Port) -> None:
        """Take `port` out of service."""
        self._known.clear()
        self._ports = {key: entry for key, entry in self._ports.items() if entry[1] is not port}

    def forget(self) -> None:
        """The TLV map changed."""
        self._known.clear()

    def taken(self, config: TunnelConfig) -> Port | None:
        """The port that already has these end points."""
        entry = self._ports.get(self._place(config))
        return entry[1] if entry else None

    def _place(self, config: TunnelConfig) -> tuple[str, int, str, str, int | None]:
        key = config.in_key if config.exact_in_key else None
        return config.kind, config.udp_port, config.local or "", config.remote or "", key

    def sender(self, operation: ops.Encap, shape: Shape) -> Step:
        """The function that sends frames of `shape` through a tunnel."""
        port, key, remote, local, _, _, options, oam = operation
        assert port.tunnel is not None
        vni = key or 0
        header = vxlan_header(vni) if port.tunnel.kind == "vxlan" else geneve_header(vni, options, oam=oam)
        underlay, udp_port = self.underlay, port.tunnel.udp_port
        low, high = flow_bytes(shape)

        def send(frame: bytes, meta: int) -> bytes:
            port.tx_packets += 1
            port.tx_bytes += len(frame)
            if underlay is not None:
                underlay.send(local, remote, udp_port, 0x8000 | crc32(frame[low:high]) & 0x7FFF, header + frame)
            return frame

        return send

    def _receiver(self, kind: str, udp_port: int) -> Callable[[bytes, str, int, str], None]:
        def receive(payload: bytes, remote: str, remote_port: int, local: str) -> None:
            self.received(kind, udp_port, payload, remote, local)

        return receive

    def received(self, kind: str, udp_port: int, payload: bytes, remote: str, local: str) -> None:
        """Handle a datagram from the underlay."""
        # The header of a flow's datagrams never changes: what it means is remembered by its bytes.
        size = 8 + (payload[0] & 63) * 4 if kind == "geneve" and payload else 8
        known = self._known.get((payload[:size], remote, local, udp_port))
        if known is None:
            known = self._meaning(kind, udp_port, payload, remote, local)
            if known is None:
                self.dropped += 1
                return
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[payload[:size], remote, local, udp_port] = known
        bridge, port, meta, start = known
        if len(payload) < start + 14:
            self.dropped += 1
            return
        self.arrived(bridge, port, payload[start:], meta)

    def _meaning(
        self, kind: str, udp_port: int, payload: bytes, remote: str, local: str
    ) -> tuple[str, Port, int, int] | None:
        header = _PARSERS[kind](payload)
        if header is None:
            return None
        entry = self._port_for(kind, udp_port, remote, local, header.vni)
        if entry is None:
            return None
        bridge, port = entry
        meta = place("tun_id", header.vni) | place("tun_flags", OAM if header.oam else 0)
        meta |= _end("src", remote) | _end("dst", local)
        for class_, type_, content in split_options(header.options):
            mapping = _mapped(bridge.tlv_map, class_, type_)
            if mapping is None or mapping.length != len(content):
                if type_ & OPTION_CRITICAL:
                    return None
                continue
            meta |= place(f"tun_metadata{mapping.field}", int.from_bytes(content, "big"))
        return bridge.name, port, meta, header.size

    def _port_for(self, kind: str, udp_port: int, remote: str, local: str, vni: int) -> tuple[Bridge, Port] | None:
        for at_local in (local, ""):
            for at_remote in (remote, ""):
                for key in (vni, None):
                    entry = self._ports.get((kind, udp_port, at_local, at_remote, key))
                    if entry is not None:
                        return entry
        return None


def _end(end: str, address: str) -> int:
    """An outer address at its place in the key."""
    if ":" in address:
        return place(f"tun_ipv6_{end}", ip6_int(address))
    return place(f"tun_{end}", ip4_int(address)) if address else 0


def _mapped(mappings: tuple[TlvMapping, ...], class_: int, type_: int) -> TlvMapping | None:
    return next((mapping for mapping in mappings if (mapping.class_, mapping.type) == (class_, type_)), None)
