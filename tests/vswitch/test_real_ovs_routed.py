"""What leaves a router's pipeline: byte for byte what a real ovs-vswitchd sends (rootless, dummy devices, captures).

port 1  clients 10.0.0.1–3 and fd00::1–3     SNAT to 192.0.2.1 and 2001:db8::1
port 2  the world                            floating IPs 192.0.2.9, 2001:db8::9 are 10.0.0.2, fd00::2
port 3  what is too long for the way out
"""

import asyncio
import random
import struct
import time
from pathlib import Path

import pytest

from pyovn.openflow import actions as act
from pyovn.openflow import messages as m
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match
from pyovn.packet import pcap
from pyovn.runtime.openflow import OpenFlowClient
from tests.support.real_ovs import RealSwitch
from tests.vswitch.frames import MACS, ethernet, icmp, icmp6, ip4, ip6, tcp, udp
from tests.vswitch.worlds import World

pytestmark = pytest.mark.interop

CLIENTS, WORLD = (0x0A000001, 0x0A000002, 0x0A000003), 0xC0A80001
CLIENTS6, WORLD6 = tuple(0xFD00 << 112 | n for n in (1, 2, 3)), 0x20010DB8 << 96 | 0x99
OUTSIDE, FLOATING, OUTSIDE6, FLOATING6 = 0xC0000201, 0xC0000209, 0x20010DB8 << 96 | 1, 0x20010DB8 << 96 | 9
FULL = {4: (1 << 32) - 1, 6: (1 << 128) - 1}
LONGEST = 200


def pipeline():
    """The flows: conntrack in two zones, translation both ways, TTL, a narrow way out, and a learned neighbour."""
    for version, kind, outside, floating, inside in (
        (4, 0x800, OUTSIDE, FLOATING, CLIENTS[1]),
        (6, 0x86DD, OUTSIDE6, FLOATING6, CLIENTS6[1]),
    ):
        src, dst = ("ip_src", "ip_dst") if version == 4 else ("ipv6_src", "ipv6_dst")
        of = {"eth_type": kind}
        # 0: undo translations; what comes from the world may be for a floating IP
        yield Flow(0, 9, match(in_port=1, **of), (act.Ct(zone=2, nat=act.Nat(), table=1),))
        yield Flow(0, 9, match(in_port=2, **of), (act.Ct(zone=1, nat=act.Nat(), table=3),))
        # 1: out.  Long packets are told so; the owner of the floating IP goes out under it
        yield Flow(1, 9, match(in_port=1, **of), (act.CheckPktLarger(LONGEST, "reg0", 0), act.Resubmit(table=2)))
        yield Flow(2, 9, match(reg0=(1, 1), **of), (act.Output(3),))
        new = act.Ct(zone=1, commit=True, nat=act.Nat("src", outside, outside, v6=version == 6), table=4)
        yield Flow(2, 5, match(**of), (act.DecTtl(), new))
        mine = act.Ct(zone=2, commit=True, nat=act.Nat("src", floating, floating, v6=version == 6), table=4)
        owner = match(**of, **{src: (inside, FULL[version])})
        yield Flow(2, 7, owner, (act.DecTtl(), mine))
        # 3: in.  Replies and errors go on; for the floating IP a connection is made; the rest goes away
        yield Flow(3, 8, match(ct_state=(0x28, 0x28), **of), (act.Resubmit(table=5),))
        yield Flow(3, 8, match(ct_state=(0x24, 0x24), **of), (act.Resubmit(table=5),))
        theirs = act.Ct(zone=2, commit=True, nat=act.Nat("dst", inside, inside, v6=version == 6), table=5)
        yield Flow(3, 9, match(**of, **{dst: (floating, FULL[version])}), (act.CtClear(), theirs))
        yield Flow(4, 1, match(**of), (act.CtClear(), act.SetField("eth_src", MACS[2], 0xFFFFFFFFFFFF), act.Output(2)))
        yield Flow(5, 1, match(**of), (act.Clone((act.DecTtl(), act.Output(1))),))


def echo(identity, *, reply=False):
    return icmp(0 if reply else 8, identity=identity)


def first_bytes(frame):
    """A packet as an ICMP error quotes it."""
    return frame[14 : 14 + 60]


class Talk:
    """Random packets of clients and the world; the world answers what it gets, sometimes with errors."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.heard = []  #: frames that reached the world

    def __iter__(self):
        for _ in range(40):
            yield self.dice.choice((self.client, self.client, self.answer, self.error, self.caller))()

    def client(self):
        """A client speaks; no two use one port or identifier, as which gets another is up to each switch."""
        index = self.dice.randrange(3)
        ttl = self.dice.choice((64, 64, 64, 2, 1))
        data = bytes(self.dice.choice((0, 5, 160)))
        port = self.dice.choice((1000, 2000)) + index
        if self.dice.random() < 0.5:
            source = CLIENTS[index]
            body, proto = self.dice.choice(
                ((udp(port, 53, data, source, WORLD), 17), (icmp(8, identity=port, data=data), 1),
                 (tcp(port, 80, self.dice.choice((2, 16)), data=data, src=source, dst=WORLD), 6))
            )  # fmt: skip
            return 1, ethernet(ip4(body, proto, source, WORLD, ttl=ttl), 0x800)
        source = CLIENTS6[index]
        request = icmp6(128, 0, struct.pack("!HH", port, 1) + data, source, WORLD6)
        body, proto = self.dice.choice(((udp(port, 53, data, source, WORLD6), 17), (request, 58)))
        return 1, ethernet(ip6(body, proto, source, WORLD6, ttl=ttl), 0x86DD)

    def answer(self):
        """The world turns round something that it heard."""
        if not self.heard:
            return self.client()
        frame = self.dice.choice(self.heard)
        if frame[12:14] == b"\x08\0":
            proto, src, dst = frame[23], int.from_bytes(frame[26:30], "big"), int.from_bytes(frame[30:34], "big")
            at = int.from_bytes(frame[34:36], "big"), int.from_bytes(frame[36:38], "big")
            bodies = {
                1: icmp(0, identity=int.from_bytes(frame[38:40], "big")),
                6: tcp(at[1], at[0], self.dice.choice((18, 16)), 500, 101, src=dst, dst=src),
                17: udp(at[1], at[0], b"answer", dst, src),
            }
            return 2, ethernet(ip4(bodies[proto], proto, dst, src), 0x800, src=MACS[1])
        proto, src, dst = frame[20], int.from_bytes(frame[22:38], "big"), int.from_bytes(frame[38:54], "big")
        at = int.from_bytes(frame[54:56], "big"), int.from_bytes(frame[56:58], "big")
        reply = icmp6(129, 0, frame[58:62] + b"pong", dst, src)
        body = reply if proto == 58 else udp(at[1], at[0], b"answer", dst, src)
        return 2, ethernet(ip6(body, proto, dst, src), 0x86DD, src=MACS[1])

    def error(self):
        """Some router on the way says why a packet went no further."""
        if not self.heard:
            return self.client()
        frame = self.dice.choice(self.heard)
        router = self.dice.choice((WORLD, WORLD + 7))
        if frame[12:14] == b"\x08\0":
            source = int.from_bytes(frame[26:30], "big")
            kind, code = self.dice.choice(((11, 0), (3, 3), (3, 4), (3, 1)))
            body = icmp(kind, code, identity=0, data=first_bytes(frame))
            return 2, ethernet(ip4(body, 1, router, source), 0x800, src=MACS[1])
        source, router = int.from_bytes(frame[22:38], "big"), WORLD6 + self.dice.choice((0, 7))
        kind, code = self.dice.choice(((3, 0), (1, 4), (2, 0)))
        body = icmp6(kind, code, bytes(4) + first_bytes(frame)[:80], router, source)
        return 2, ethernet(ip6(body, 58, router, source), 0x86DD, src=MACS[1])

    def caller(self):
        """The world calls a floating IP, or the address that others hide behind."""
        port, target = self.dice.choice((3000, 4000)), self.dice.choice((FLOATING, FLOATING, OUTSIDE))
        if self.dice.random() < 0.7:
            body, proto = self.dice.choice(((udp(port, 53, b"q", WORLD, target), 17), (echo(port), 1)))
            return 2, ethernet(ip4(body, proto, WORLD, target), 0x800, src=MACS[1])
        return 2, ethernet(ip6(udp(port, 53, b"q", WORLD6, FLOATING6), 17, WORLD6, FLOATING6), 0x86DD, src=MACS[1])


async def install(real, flows):
    """Give the real switch these flows; as it reads them back."""
    async with OpenFlowClient(real.mgmt("br0")) as client:
        client.send(m.delete_all_flows())
        for flow in flows:
            client.send(m.add_flow(flow))
        await client.barrier()
        return [entry.flow for entry in (await client.query("flow", m.FlowQuery())).entries]


@pytest.fixture(scope="module")
def real():
    with RealSwitch() as switch:
        switch.add_bridge("br0", "datapath_type=dummy")
        for number in (1, 2, 3):
            switch.add_port("br0", f"p{number}", number, f"options:tx_pcap={switch.rundir}/p{number}.pcap")
        yield switch


def sent(real, number, skip):
    """The frames that the real switch sent out of a port, without the first `skip`."""
    data = Path(real.rundir / f"p{number}.pcap").read_bytes()
    return [captured.frame for captured in pcap.parse(data)][skip:]


@pytest.mark.parametrize("seed", range(8))
def test_the_same_frames_leave(real, seed):
    flows = list(pipeline())
    taken = asyncio.run(install(real, flows))
    assert len(taken) == len(flows)
    for command in ("revalidator/wait", "revalidator/purge", "dpctl/flush-conntrack"):
        real.appctl(command)
    before = {number: len(sent(real, number, 0)) for number in (1, 2, 3)}
    world, talk, ours = World(taken), Talk(seed), {1: [], 2: [], 3: []}
    for said, (port, frame) in enumerate(talk):
        for number, out in world.send(frame, port):
            ours[number].append(out)
            if number == 2:
                talk.heard.append(out)
        real.appctl("netdev-dummy/receive", f"p{port}", frame.hex())
        for _ in range(100):
            theirs = {number: sent(real, number, before[number]) for number in ours}
            if theirs == ours:
                break
            time.sleep(0.01)
        assert theirs == ours, f"packet {said} at port {port}: {frame.hex()}"
