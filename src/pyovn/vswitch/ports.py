"""Ports of the switch, and what the world outside plugs into them.

Nic        a device: a simulated guest's card, a tap, a veth           frames in and out
Underlay   the network between hypervisors                             UDP payloads in and out
patch      two ports of two bridges, back to back                      nothing outside
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from pyovn.openflow.actions import OFPP_LOCAL

#: OFPPC_/OFPPS_ bits
CONFIG_DOWN, CONFIG_NO_RECV, CONFIG_NO_FLOOD, CONFIG_NO_FWD, CONFIG_NO_PACKET_IN = 1, 4, 16, 32, 64
STATE_LINK_DOWN, STATE_BLOCKED, STATE_LIVE = 1, 2, 4

VlanMode = Literal["trunk", "access", "native-tagged", "native-untagged"]


class Nic(Protocol):
    """A network device as the switch sees it: frames out by `transmit`, frames in by calling `on_receive`."""

    on_receive: Callable[[bytes], None] | None

    @property
    def mac(self) -> int:
        """Its hardware address."""

    @property
    def mtu(self) -> int:
        """Its maximum transmission unit."""

    @property
    def up(self) -> bool:
        """True if its link has a carrier."""

    @property
    def ifindex(self) -> int:
        """Its number in the kernel, 0 if it has none."""

    def transmit(self, frame: bytes) -> None:
        """Send `frame` out of the device."""

    def close(self) -> None:
        """Let go of the device."""


#: an underlay calls this with (payload, remote address, remote port, local address)
Datagram = Callable[[bytes, str, int, str], None]


class Underlay(Protocol):
    """UDP between hypervisors; addresses are text, "" is any local one."""

    def send(self, local_ip: str, remote_ip: str, udp_dst_port: int, udp_src_port: int, payload: bytes) -> None:
        """Send one datagram."""

    def listen(self, local_ip: str, port: int, callback: Datagram) -> None:
        """Hand datagrams that arrive at `port` to `callback`."""

    def close(self) -> None:
        """Stop listening."""


class Vlans(NamedTuple):
    """The VLAN membership of a port, for `NORMAL`."""

    mode: VlanMode = "trunk"
    tag: int = 0
    trunks: frozenset[int] = frozenset()  #: empty: all

    def carries(self, vlan: int) -> bool:
        """True if frames of `vlan` may use the port."""
        if self.mode == "access":
            return vlan == self.tag
        return not self.trunks or vlan in self.trunks or (self.mode != "trunk" and vlan == self.tag)

    def enters(self, vid: int, tagged: bool) -> int | None:
        """The VLAN of a frame received with this tag; None if the port does not take it."""
        if self.mode == "access":
            return None if tagged and vid else self.tag
        if not vid and self.mode != "trunk":
            return self.tag
        return vid if self.carries(vid) else None

    def tags(self, vlan: int) -> bool:
        """True if frames of `vlan` leave the port with a tag."""
        return self.mode != "access" and vlan != 0 and not (self.mode == "native-untagged" and vlan == self.tag)


class TunnelConfig(NamedTuple):
    """The options of a tunnel port; None: taken from the packet's tunnel fields (`flow`)."""

    kind: Literal["geneve", "vxlan"] = "geneve"
    remote: str | None = ""
    local: str | None = ""
    out_key: int | None = 0
    in_key: int | None = 0
    udp_port: int = 6081
    csum: bool = False
    tos: int | None = 0  #: None: inherit
    ttl: int = 64
    df: bool = True
    exact_in_key: bool = True  #: False: `in_key=flow`


class Port:
    """One port of a bridge and its counters."""

    __slots__ = (
        "bfd_up", "config", "kind", "mac", "monitor", "name", "nic", "number", "ofport", "peer", "rx_bytes",
        "rx_dropped", "rx_errors", "rx_packets", "since", "tunnel", "tx_bytes", "tx_dropped", "tx_packets", "up",
        "vlans",
    )  # fmt: skip

    def __init__(self, name: str, ofport: int, number: int, kind: Literal["nic", "patch", "tunnel"] = "nic") -> None:
        self.name = name
        self.ofport = ofport
        self.number = number  #: of the datapath, unique over all bridges
        self.kind = kind
        self.mac = 0
        self.config = 0
        self.up = True
        self.bfd_up: bool | None = None  #: None: no BFD
        #: takes (frame, metadata, time) of what comes in and says whether that was for itself; None: no BFD
        self.monitor: Callable[[bytes, int, float], bool] | None = None
        self.nic: Nic | None = None
        self.peer: tuple[str, str] | None = None  #: (bridge, port) at the other end of a patch
        self.tunnel: TunnelConfig | None = None
        self.vlans = Vlans()
        self.since = 0.0
        self.rx_packets = self.rx_bytes = self.tx_packets = self.tx_bytes = 0
        self.rx_dropped = self.tx_dropped = self.rx_errors = 0

    @property
    def live(self) -> bool:
        """True if traffic sent here can be expected to arrive."""
        return self.up and not self.config & CONFIG_DOWN and self.bfd_up is not False

    @property
    def state(self) -> int:
        """OFPPS_ bits."""
        return (0 if self.up else STATE_LINK_DOWN) | (STATE_LIVE if self.live else 0)

    @property
    def is_local(self) -> bool:
        """True for the port that is the bridge itself."""
        return self.ofport == OFPP_LOCAL
