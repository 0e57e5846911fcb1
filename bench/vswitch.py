"""The embedded switch: packets a second through its cache, its tables, conntrack and tunnels; flow-mods a second.

Frames of 98 bytes, one core, devices that only count.  The real switch cannot be fed so directly: it is compared where
both take frames from a Unix socket and write them to another, which for both is most of the work.
"""

import os
import socket
import threading
import time
from collections.abc import Callable

from bench import Figure
from pyovn.openflow import actions as act
from pyovn.openflow import messages as m
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import Match, match
from pyovn.vswitch.agent import Session
from pyovn.vswitch.bridge import Bridge, TlvMapping
from pyovn.vswitch.datapath import Datapath
from pyovn.vswitch.frame import ones_complement
from pyovn.vswitch.ports import Port, TunnelConfig
from pyovn.vswitch.underlay import Fabric, MemoryUnderlay

PACKETS = 100_000
MISSES = 1_000
FLOWS = 20_000
ALL32, ALL48, ALL64 = 0xFFFFFFFF, (1 << 48) - 1, (1 << 64) - 1
SRC, DST = 0x0A000001, 0x0A000002


class CountingNic:
    """A device that counts."""

    def __init__(self) -> None:
        self.count = 0
        self.on_receive: Callable[[bytes], None] | None = None
        self.mac, self.mtu, self.up, self.ifindex = 1, 1500, True, 0

    def transmit(self, frame: bytes) -> None:
        self.count += 1

    def close(self) -> None:
        """Nothing to close."""


def frame(proto: int = 17, *, swap: bool = False, flags: int = 0, src: int = SRC, dst: int = DST) -> bytes:
    """An Ethernet frame of 98 bytes with a UDP or TCP packet."""
    ends, ports = ((dst, src), (80, 1024)) if swap else ((src, dst), (1024, 80))
    body = ports[0].to_bytes(2, "big") + ports[1].to_bytes(2, "big")
    body += (
        (64).to_bytes(2, "big") + bytes(58) if proto == 17 else bytes(8) + bytes((0x50, flags)) + b"\x20\0" + bytes(48)
    )
    addresses = b"".join(end.to_bytes(4, "big") for end in ends)
    at = 6 if proto == 17 else 16
    pseudo = addresses + bytes((0, proto)) + len(body).to_bytes(2, "big")
    body = body[:at] + ones_complement(pseudo + body).to_bytes(2, "big") + body[at + 2 :]
    head = b"\x45\0" + (20 + len(body)).to_bytes(2, "big") + bytes(4) + bytes((64, proto, 0, 0)) + addresses
    head = head[:10] + ones_complement(head).to_bytes(2, "big") + head[12:]
    return bytes.fromhex("0200000000020200000000010800") + head + body


class Switch:
    """One bridge with three counting ports."""

    def __init__(self, underlay: MemoryUnderlay | None = None) -> None:
        self.datapath = Datapath(underlay)
        self.bridge = self.datapath.bridges["br0"] = Bridge("br0")
        self.nics = {number: CountingNic() for number in (1, 2, 3)}
        for number, nic in self.nics.items():
            port = self.bridge.ports[number] = Port(f"p{number}", number, number)
            port.nic = nic

    def add(self, table: int, wanted: Match, *actions: act.Action, priority: int = 1) -> None:
        self.bridge.tables.add(Flow(table, priority, wanted, actions), 0.0)

    def pipeline(self) -> None:
        """Something like a logical switch: forty tables, then an output."""
        self.add(
            0, match(in_port=1), act.SetField("metadata", 1, ALL64), act.SetField("reg14", 1, ALL32), act.Resubmit(8)
        )
        for table in range(8, 48):
            self.add(table, match(metadata=1), act.Resubmit(table + 1))
            self.add(table, match(metadata=2, eth_type=0x800, ip_src=5), act.Output(3), priority=9)
        self.add(48, match(metadata=1, eth_dst=0x020000000002), act.Output(2))

    def feed(self, packet: bytes, count: int, port: int = 1) -> float:
        """Packets a second."""
        receive = self.datapath.entrance(self.bridge, self.bridge.ports[port])
        receive(packet)
        started = time.perf_counter()
        for _ in range(count):
            receive(packet)
        return count / (time.perf_counter() - started)


def cached_link() -> float:
    switch = Switch()
    switch.pipeline()
    return switch.feed(frame(), PACKETS)


def cached_routed() -> float:
    switch = Switch()
    rewrite = (act.SetField("eth_src", 3, ALL48), act.SetField("eth_dst", 4, ALL48), act.DecTtl(), act.Output(2))
    switch.add(0, match(in_port=1, eth_type=0x800), *rewrite)
    return switch.feed(frame(), PACKETS)


def missed() -> float:
    switch = Switch()
    switch.pipeline()
    receive = switch.datapath.entrance(switch.bridge, switch.bridge.ports[1])
    started = time.perf_counter()
    for _ in range(MISSES):
        switch.datapath.flush()
        receive(frame())
    return MISSES / (time.perf_counter() - started)


def tracked() -> float:
    switch = Switch()
    switch.add(0, match(eth_type=0x800), act.Ct(zone=1, table=1))
    switch.add(1, match(ct_state=(0x21, 0x21)), act.Ct(zone=1, commit=True), act.Output(2), priority=2)
    switch.add(1, match(ct_state=(0x22, 0x22)), act.Output(2))
    receive = switch.datapath.entrance(switch.bridge, switch.bridge.ports[2])
    switch.feed(frame(), 1)
    receive(frame(swap=True))
    return switch.feed(frame(), PACKETS // 4)


def translated() -> float:
    switch = Switch()
    switch.add(0, match(eth_type=0x800), act.Ct(zone=1, table=1, nat=act.Nat()))
    snat = act.Nat("src", 0xC0000201, 0xC0000201)
    switch.add(1, match(ct_state=(0x21, 0x21)), act.Ct(zone=1, commit=True, nat=snat), act.Output(2), priority=2)
    switch.add(1, match(ct_state=(0x22, 0x22)), act.Output(2))
    receive = switch.datapath.entrance(switch.bridge, switch.bridge.ports[2])
    switch.feed(frame(), 1)
    receive(frame(swap=True, src=0xC0000201))
    return switch.feed(frame(), PACKETS // 4)


def tunnelled() -> float:
    """Guest to guest over Geneve: both switches' work."""
    fabric = Fabric()
    switches = []
    for mine, other in (("1.0.0.1", "1.0.0.2"), ("1.0.0.2", "1.0.0.1")):
        switch = Switch(MemoryUnderlay(fabric, mine))
        port = switch.bridge.ports[9] = Port("t", 9, 9, "tunnel")
        port.tunnel = TunnelConfig("geneve", other, mine, None, None, 6081, exact_in_key=False)
        switch.bridge.tlv_map = (TlvMapping(0x102, 0x80, 4, 0),)
        switch.datapath.tunnels.add(switch.bridge, port)
        switch.add(
            0, match(in_port=1), act.SetField("tun_id", 7, ALL64), act.SetField("tun_metadata0", 5, ALL32),
            act.Output(9),
        )  # fmt: skip
        switch.add(0, match(in_port=9, tun_id=7, tun_metadata0=5), act.Output(1))
        switches.append(switch)
    rate = switches[0].feed(frame(), PACKETS // 2)
    assert switches[1].nics[1].count == PACKETS // 2 + 1
    return rate


def installed() -> float:
    switch = Switch()
    session = Session(switch.datapath, switch.bridge)
    flows = [
        Flow(8, 90, match(metadata=n // 100 + 1, reg14=n % 100 + 1, eth_src=0x0A0000000000 + n), (act.Resubmit(9),), n)
        for n in range(FLOWS)
    ]
    started = time.perf_counter()
    session.receive(m.BundleControl(1, m.OPEN_REQUEST), 1)
    for xid, flow in enumerate(flows, 2):
        session.receive(m.BundleAdd(1, m.add_flow(flow)), xid)
    session.receive(m.BundleControl(1, m.COMMIT_REQUEST), 1)
    return FLOWS / (time.perf_counter() - started)


PIECE = (98).to_bytes(2, "big") + frame()  #: a frame as a dummy device's stream carries it
STREAMED = 20_000


def blast(into: socket.socket, out: socket.socket, cpu: Callable[[], float]) -> float:
    """Packets per second of CPU when frames are written to one socket until they have come out of another."""
    started = cpu()
    feeder = threading.Thread(target=lambda: [into.sendall(PIECE * 100) for _ in range(STREAMED // 100)])
    feeder.start()
    left = STREAMED * len(PIECE)
    while left:
        left -= len(out.recv(left))
    feeder.join()
    return STREAMED / (cpu() - started)


def cpu_of(process: int | str) -> float:
    """Seconds of CPU that a process has had."""
    with open(f"/proc/{process}/stat") as file:
        return sum(map(int, file.read().rsplit(")")[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def ours_streamed() -> float:
    """The pipeline of `cached_link` between two sockets."""
    switch = Switch()
    switch.pipeline()
    receive = switch.datapath.entrance(switch.bridge, switch.bridge.ports[1])
    (into, source), (sink, out) = socket.socketpair(), socket.socketpair()
    out_frames: list[bytes] = []
    switch.nics[2].transmit = lambda packet: out_frames.append(b"\0b" + packet)  # type: ignore[method-assign]
    spent = [0.0]

    def work() -> None:
        rest, count = b"", 0
        while count < STREAMED:
            data = rest + source.recv(65536)
            whole = len(data) // len(PIECE)
            for index in range(whole):
                receive(data[index * len(PIECE) + 2 : (index + 1) * len(PIECE)])
            rest, count = data[whole * len(PIECE) :], count + whole
            sink.sendall(b"".join(out_frames))
            out_frames.clear()
        spent[0] = time.thread_time()

    worker = threading.Thread(target=work)
    worker.start()
    blast(into, out, time.perf_counter)
    worker.join()
    for end in (into, source, sink, out):
        end.close()
    return STREAMED / spent[0]


def theirs_streamed() -> float | None:
    """The same flows and frames in a real ovs-vswitchd with dummy devices."""
    from _pytest.outcomes import Skipped
    from tests.support.real_ovs import RealSwitch

    try:
        rig = RealSwitch()
    except Skipped:
        return None
    flows = [f"table={table},metadata=1,actions=resubmit(,{table + 1})" for table in range(8, 48)]
    flows += [f"table={table},metadata=2,priority=9,ip,nw_src=0.0.0.5,actions=output:3" for table in range(8, 48)]
    flows.append("table=48,metadata=1,dl_dst=02:00:00:00:00:02,actions=output:2")
    flows.append("table=0,in_port=1,actions=set_field:1->metadata,set_field:1->reg14,resubmit(,8)")
    with rig as switch:
        switch.add_bridge("br0")
        for number in (1, 2):
            switch.add_port("br0", f"p{number}", number, f"options:pstream=punix:{switch.rundir}/p{number}.sock")
        (switch.rundir / "flows").write_text("\n".join(flows))
        switch.ofctl("add-flows", "br0", str(switch.rundir / "flows"))
        daemon = switch.pid
        with socket.socket(socket.AF_UNIX) as into, socket.socket(socket.AF_UNIX) as out:
            into.connect(str(switch.rundir / "p1.sock"))
            out.connect(str(switch.rundir / "p2.sock"))
            return blast(into, out, lambda: cpu_of(daemon))


STORIES: tuple[tuple[str, Callable[[], float], str], ...] = (
    ("forty tables, cached", cached_link, "packets/s"),
    ("MAC rewrite and TTL, cached", cached_routed, "packets/s"),
    ("guest to guest over Geneve, two switches", tunnelled, "packets/s"),
    ("established connection", tracked, "packets/s"),
    ("established connection with SNAT", translated, "packets/s"),
    ("forty tables, first packet", missed, "packets/s"),
    ("flow-mods in one bundle", installed, "flows/s"),
)


def main() -> list[Figure]:
    """Measure."""
    figures = [Figure(what, story(), None, unit) for what, story, unit in STORIES]
    beside = Figure("between sockets, per CPU s (C: dummy device)", ours_streamed(), theirs_streamed(), "packets/s")
    return [*figures, beside]
