"""BFD on the ports of the switch: whether what is sent there arrives (Interface.bfd and bfd_status).

    control packet ── UDP 3784 ── IPv4 169.254.1.1 → .0 ── Ethernet ── in a tunnel: VNI 0

    a port's packet ─▶ heard ─┐             ┌─▶ packets out of the port
    time ────────────▶ handle ┴▶ Monitor ───┴─▶ Port.bfd_up: groups and bundles choose live ports

A port that sees no data traffic may slow down (`decay_min_rx`); one that sees some may be believed to work without
control packets (`forwarding_if_rx`).  The session itself is `packet.bfd_session`.  Facts: ovs-vswitchd.conf.db(5), and
what a real ovs-vswitchd sends and shows.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int
from pyovn.net.mac import mac_int
from pyovn.packet import bfd, datagram, ethernet, ipv4
from pyovn.packet.bfd import Control, Diagnostic, State
from pyovn.packet.bfd_session import Session, Timers
from pyovn.packet.udp import PROTO, Udp
from pyovn.vswitch.errors import NoMonitor
from pyovn.vswitch.key import bits
from pyovn.vswitch.ports import Port

MS: Final = 1000  #: microseconds
#: Class selector 6, for what keeps networks going (RFC 4594 §3.1).
TOS: Final = 0xC0
FIRST_SOURCE_PORT, SOURCE_PORTS = 49152, 16384
DECAY_S: Final = 2.0  #: how long data must be missing before `decay_min_rx` holds
LATE_S: Final = 0.05  #: later than this is more than the delay of timers
#: With `forwarding_if_rx` one control packet must come in so many intervals all the same.
PATIENCE: Final = 100

STATES: Final = {State.ADMIN_DOWN: "admin_down", State.DOWN: "down", State.INIT: "init", State.UP: "up"}
DIAGNOSTICS: Final = {
    Diagnostic.NONE: "No Diagnostic",
    Diagnostic.TIME_EXPIRED: "Control Detection Time Expired",
    Diagnostic.ECHO_FAILED: "Echo Function Failed",
    Diagnostic.NEIGHBOUR_DOWN: "Neighbor Signaled Session Down",
    Diagnostic.FORWARDING_RESET: "Forwarding Plane Reset",
    Diagnostic.PATH_DOWN: "Path Down",
    Diagnostic.CONCATENATED_DOWN: "Concatenated Path Down",
    Diagnostic.ADMINISTRATIVELY_DOWN: "Administratively Down",
    Diagnostic.REVERSE_CONCATENATED_DOWN: "Reverse Concatenated Path Down",
}
FLAGS: Final = {
    bfd.MULTIPOINT: "multipoint", bfd.DEMAND: "demand", bfd.AUTHENTICATION: "auth",
    bfd.CONTROL_PLANE_INDEPENDENT: "cpi", bfd.FINAL: "final", bfd.POLL: "poll",
}  # fmt: skip
#: With these the other side asks that nothing be sent to it.
PATH_LOST = frozenset((Diagnostic.PATH_DOWN, Diagnostic.CONCATENATED_DOWN, Diagnostic.REVERSE_CONCATENATED_DOWN))

_TUNNEL_KEY = bits("tun_id")


class Config(NamedTuple):
    """What Interface.bfd asks for; intervals in milliseconds."""

    min_rx_ms: int = 1000
    min_tx_ms: int = 100
    decay_min_rx_ms: int = 0
    multiplier: int = 3
    forwarding_if_rx: bool = False
    cpath_down: bool = False
    check_tnl_key: bool = False
    oam: bool = False
    local_src_mac: int | None = None
    local_dst_mac: int = 0x002320000001
    remote_dst_mac: int | None = None
    src_ip: int = ip4_int("169.254.1.1")
    dst_ip: int = ip4_int("169.254.1.0")


def config(options: Mapping[str, str]) -> Config | None:
    """The configuration in Interface.bfd, None where BFD is not enabled; a value that makes no sense is the default."""
    if options.get("enable") != "true":
        return None
    wanted = Config()
    for name, (field, read) in _OPTIONS.items():
        if name in options:
            try:
                wanted = wanted._replace(**{field: read(options[name])})  # type: ignore[arg-type]  # as each field is
            except (Malformed, ValueError):
                continue
    return wanted


def _between(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        return min(high, max(low, int(text)))

    return read


def _true(text: str) -> bool:
    return text == "true"


_INTERVAL = _between(1, 0xFFFFFFFF // MS)
_OPTIONS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "min_rx": ("min_rx_ms", _INTERVAL),
    "min_tx": ("min_tx_ms", _INTERVAL),
    "decay_min_rx": ("decay_min_rx_ms", _between(0, 0xFFFFFFFF // MS)),
    "mult": ("multiplier", _between(1, 255)),
    "forwarding_if_rx": ("forwarding_if_rx", _true),
    "cpath_down": ("cpath_down", _true),
    "check_tnl_key": ("check_tnl_key", _true),
    "oam": ("oam", _true),
    "bfd_local_src_mac": ("local_src_mac", mac_int),
    "bfd_local_dst_mac": ("local_dst_mac", mac_int),
    "bfd_remote_dst_mac": ("remote_dst_mac", mac_int),
    "bfd_src_ip": ("src_ip", ip4_int),
    "bfd_dst_ip": ("dst_ip", ip4_int),
}


class Monitor:
    """BFD on one port."""

    def __init__(self, port: Port, config: Config, timers: Timers, source: int, session: Session, now: float) -> None:
        self.port, self.config, self.session = port, config, session
        self.forced: bool | None = None  #: what `bfd/set-forwarding` said
        self.flaps = 0
        self._offered = timers
        self._source = source
        self._control_packets = 0
        self._data_seen = port.rx_packets
        self._data_at: float | None = None
        self._control_at = now
        self._look_at = now + self._look_every
        self._was_forwarding = False

    def takes(self, frame: bytes, meta: int) -> bool:
        """True where `frame` is a control packet for this port."""
        return (
            frame[36:38] == _PORT
            and frame[12:14] == _IPV4
            and frame[23] == PROTO
            and not (self.config.check_tnl_key and meta & _TUNNEL_KEY)
            and (self.config.remote_dst_mac is None or frame[:6] == self.config.remote_dst_mac.to_bytes(6, "big"))
        )

    def heard(self, frame: bytes, now: float) -> list[bytes]:
        """Take a control packet; gives the answers.  One that breaks the rules of RFC 5880 §6.8.6 is dropped."""
        self.port.rx_packets += 1
        self.port.rx_bytes += len(frame)
        self._control_packets += 1
        try:
            control = bfd.parse(datagram.parse(frame).data)
        except Malformed:
            return []
        if control.your_discriminator not in (0, self.session.timers.discriminator):
            return []
        self._control_at = now
        return self._frames(self.session.heard(control, now))

    def handle(self, now: float) -> list[bytes]:
        """What is due."""
        if self._look_at <= now:
            self._look(now)
        return self._frames(self.session.handle(now)) if self.session.deadline <= now else []

    def configure(self, config: Config, now: float) -> None:
        """Go on with another configuration."""
        self.config = config
        self._look_at = now + self._look_every
        self._offered = timers_of(config, self._offered.discriminator)
        self.session.retime(self._offered, now)
        concatenated = Diagnostic.CONCATENATED_DOWN
        if config.cpath_down:
            self.session.diagnostic = concatenated
        elif self.session.diagnostic is concatenated:
            self.session.diagnostic = Diagnostic.NONE

    @property
    def deadline(self) -> float:
        """When there is something to do."""
        return min(self.session.deadline, self._look_at)

    def forwarding(self, now: float) -> bool:
        """Whether the port may be used."""
        if self.forced is not None:
            return self.forced
        remote = self.session.remote
        if remote is not None and remote.diagnostic in PATH_LOST:
            return False
        return self.session.state is State.UP or self._receives(now)

    def settle(self, now: float) -> bool:
        """Tell the port whether it may be used; true where that is new."""
        forwarding = self.forwarding(now)
        if self.forced is None and forwarding != self._was_forwarding:
            self._was_forwarding, self.flaps = forwarding, self.flaps + 1
        news, self.port.bfd_up = self.port.bfd_up is not forwarding, forwarding
        return news

    def status(self) -> dict[str, str]:
        """Interface.bfd_status."""
        session, remote = self.session, self.session.remote
        return {
            "state": STATES[session.state],
            "forwarding": _word(self.port.bfd_up),
            "diagnostic": _diagnostic(session.diagnostic),
            "remote_state": STATES[remote.state] if remote else "down",
            "remote_diagnostic": _diagnostic(remote.diagnostic if remote else 0),
            "flap_count": str(self.flaps),
        }

    def shown(self, now: float) -> Iterator[str]:
        """The lines of `bfd/show`."""
        session = self.session
        remote = session.remote or Control(State.DOWN, 0, 0, 0, MS, multiplier=self.config.multiplier)
        mine = session.timers

        def ago(time: float) -> str:
            return f"now {round((time - now) * 1000):+d}ms"

        yield f"  Forwarding: {_word(self.port.bfd_up)}"
        yield f"  Detect Multiplier: {mine.multiplier}"
        yield f"  Concatenated Path Down: {_word(self.config.cpath_down)}"
        yield f"  TX Interval: Approx {session.interval_us // MS}ms"
        yield f"  RX Interval: Approx {max(mine.min_rx_us, remote.desired_min_tx_us) // MS}ms"
        yield f"  Detect Time: {ago(session.silent_at or now)}"
        yield f"  Next TX Time: {ago(session.send_at)}"
        yield f"  Last TX Time: {ago(session.sent_at)}"
        yield ""
        yield "  Local Flags: none"
        yield f"  Local Session State: {STATES[session.state]}"
        yield f"  Local Diagnostic: {_diagnostic(session.diagnostic)}"
        yield f"  Local Discriminator: {mine.discriminator:#x}"
        yield f"  Local Minimum TX Interval: {session.desired_us // MS}ms"
        yield f"  Local Minimum RX Interval: {mine.min_rx_us // MS}ms"
        yield ""
        yield f"  Remote Flags: {_flags(remote.flags)}"
        yield f"  Remote Session State: {STATES[remote.state]}"
        yield f"  Remote Diagnostic: {_diagnostic(remote.diagnostic)}"
        yield f"  Remote Discriminator: {remote.my_discriminator:#x}"
        yield f"  Remote Minimum TX Interval: {remote.desired_min_tx_us // MS}ms"
        yield f"  Remote Minimum RX Interval: {remote.required_min_rx_us // MS}ms"
        yield f"  Remote Detect Multiplier: {remote.multiplier}"

    # -- data traffic

    @property
    def _look_every(self) -> float:
        """How often to look whether data comes in."""
        if self.config.forwarding_if_rx:
            return self.config.min_rx_ms / 1000
        return DECAY_S if self.config.decay_min_rx_ms else float("inf")

    def _look(self, now: float) -> None:
        """Notice whether data came in since the last time."""
        seen = self.port.rx_packets - self._control_packets
        fresh, self._data_seen = seen != self._data_seen, seen
        if fresh:
            self._data_at = now
        self._look_at = now + self._look_every
        decay = self.config.decay_min_rx_ms * MS
        if decay > self._offered.min_rx_us:
            idle = self._data_at is None or now - self._data_at >= DECAY_S
            self.session.retime(self._offered._replace(min_rx_us=decay) if idle else self._offered, now)

    def _receives(self, now: float) -> bool:
        """With `forwarding_if_rx`: whether data that comes in speaks for the port."""
        if not self.config.forwarding_if_rx or self._data_at is None:
            return False
        interval_s = self.config.min_rx_ms / 1000
        recent = now - self._data_at <= self.config.multiplier * interval_s
        return recent and now - self._control_at <= PATIENCE * interval_s

    def _frames(self, controls: Iterator[Control]) -> list[bytes]:
        """Control packets as they leave the port."""
        own, config = self.port.mac, self.config
        frame = ethernet.Ethernet(
            config.local_dst_mac, own if config.local_src_mac is None else config.local_src_mac, ethernet.IP4, b""
        )
        packet = ipv4.Ipv4(config.src_ip, config.dst_ip, PROTO, b"", bfd.HOP_LIMIT, TOS)
        return [
            datagram.build(datagram.Datagram(frame, packet, Udp(self._source, bfd.PORT, bfd.build(control))))
            for control in controls
        ]


_PORT, _IPV4 = bfd.PORT.to_bytes(2, "big"), ethernet.IP4.to_bytes(2, "big")


class Monitors:
    """BFD on all ports of a switch."""

    def __init__(self, send: Callable[[Port, bytes, bool], None], uniform: Callable[[float, float], float]) -> None:
        """`send` puts a frame out of a port, marked as operational or not; `uniform` draws a number between two."""
        self._send, self._uniform = send, uniform
        self._monitors: dict[Port, Monitor] = {}
        self._made = 0
        #: told that a port has become usable or unusable
        self.on_liveness: Callable[[], None] = lambda: None
        #: told that `deadline` or some status is not what it was
        self.on_news: Callable[[], None] = lambda: None

    def follow(self, port: Port, wanted: Config | None, now: float) -> None:
        """Run BFD on a port as `wanted`, or no more."""
        known = self._monitors.get(port)
        if wanted is None:
            self.forget(port)
        elif known is None:
            self._add(port, wanted, now)
        elif known.config != wanted:
            known.configure(wanted, now)
            self._settle(known, now)

    def forget(self, port: Port) -> None:
        """End BFD on a port."""
        if self._monitors.pop(port, None) is not None:
            port.monitor, port.bfd_up = None, None
            self.on_liveness()
            self.on_news()

    def _add(self, port: Port, wanted: Config, now: float) -> None:
        timers = timers_of(wanted, max(1, int(self._uniform(1, 0xFFFFFFFF))))
        source = FIRST_SOURCE_PORT + self._made % SOURCE_PORTS
        self._made += 1
        monitor = Monitor(port, wanted, timers, source, Session(timers, now, self._uniform), now)
        monitor.configure(wanted, now)
        self._monitors[port] = monitor
        port.monitor = lambda frame, meta, at: self._heard(monitor, frame, meta, at)
        self._settle(monitor, now)

    def _heard(self, monitor: Monitor, frame: bytes, meta: int, now: float) -> bool:
        """Take a frame that came in at a port if it is a control packet."""
        if not monitor.takes(frame, meta):
            return False
        self._say(monitor, monitor.heard(frame, now), now)
        return True

    def handle(self, now: float) -> None:
        """Do what is due.  Who comes late, because the process was busy or stopped, does not blame others for it."""
        late = now - (self.deadline or now)
        for monitor in list(self._monitors.values()):
            if late > LATE_S:
                monitor.session.excuse(late)
            if monitor.deadline <= now:
                self._say(monitor, monitor.handle(now), now)

    @property
    def deadline(self) -> float | None:
        """When something is due."""
        return min((monitor.deadline for monitor in self._monitors.values()), default=None)

    def _say(self, monitor: Monitor, frames: list[bytes], now: float) -> None:
        self._settle(monitor, now)
        for frame in frames:
            self._send(monitor.port, frame, monitor.config.oam)

    def _settle(self, monitor: Monitor, now: float) -> None:
        if monitor.settle(now):
            self.on_liveness()
        self.on_news()

    def status(self, port: Port) -> dict[str, str]:
        """Interface.bfd_status of a port."""
        monitor = self._monitors.get(port)
        return {} if monitor is None else monitor.status()

    def show(self, name: str | None, now: float) -> str:
        """What `bfd/show` prints.  Raises NoMonitor."""
        if name is not None:
            return "".join(f"{line}\n" for line in self._named(name).shown(now))
        every = sorted(self._monitors.values(), key=lambda monitor: monitor.port.name)
        return "".join(
            f"---- {each.port.name} ----\n" + "".join(f"{line}\n" for line in (*each.shown(now), "")) for each in every
        )

    def force(self, name: str | None, forwarding: bool | None, now: float) -> None:
        """Believe that ports are usable or not whatever BFD says; None: what BFD says.  Raises NoMonitor."""
        for monitor in [self._named(name)] if name is not None else list(self._monitors.values()):
            monitor.forced = forwarding
            self._settle(monitor, now)

    def _named(self, name: str) -> Monitor:
        for port, monitor in self._monitors.items():
            if port.name == name:
                return monitor
        raise NoMonitor


def timers_of(config: Config, discriminator: int) -> Timers:
    """What a configuration offers the other side."""
    return Timers(discriminator, config.min_tx_ms * MS, config.min_rx_ms * MS, config.multiplier)


def _word(value: bool | None) -> str:
    return "true" if value else "false"


def _diagnostic(code: int) -> str:
    return DIAGNOSTICS.get(Diagnostic(code), "Unknown") if code in Diagnostic._value2member_map_ else "Unknown"


def _flags(flags: int) -> str:
    return " ".join(name for bit, name in FLAGS.items() if flags & bit) or "none"
