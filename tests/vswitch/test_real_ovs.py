"""Our switch and the real one do the same with a packet (rootless ovs-vswitchd with a dummy datapath)."""

import asyncio
import random
import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.openflow import actions as act
from pyovn.openflow import messages as m
from pyovn.openflow.actions import walk
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match
from pyovn.runtime.openflow import OpenFlowClient
from pyovn.vswitch.conntrack.text import dumped
from pyovn.vswitch.frame import extract
from pyovn.vswitch.key import PLACES, place
from pyovn.vswitch.text import actions_text
from tests.support.real_ovs import RealSwitch
from tests.vswitch.frames import IPS, MACS, distinct, ethernet, flows, frames, ip4, tcp, udp
from tests.vswitch.worlds import World

pytestmark = pytest.mark.interop

#: what only the real switch decides in the datapath, or by its own hash
APART = frozenset(("check_pkt_larger",))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    with RealSwitch() as switch:
        switch.add_bridge("br0", "datapath_type=dummy")
        for number in (1, 2, 3):
            switch.add_port("br0", f"p{number}", number)
        yield switch


async def install(real: RealSwitch, wanted: list[Flow]) -> list[Flow]:
    """Give the real switch these flows; those it took, as it reads them back."""
    async with OpenFlowClient(real.mgmt("br0")) as client:
        client.send(m.delete_all_flows())
        for flow in wanted:
            client.send(m.add_flow(flow))
        await client.barrier()
        return [entry.flow for entry in (await client.query("flow", m.FlowQuery())).entries]


def traced(real: RealSwitch, frame: bytes, port: int) -> str:
    text = real.appctl("ofproto/trace", "br0", f"in_port={port}", frame.hex())
    return re.findall(r"^Datapath actions: (.*)$", text, re.MULTILINE)[-1]


def number(text: str) -> int:
    """An address or a number."""
    if re.fullmatch(r"(..:){5}..", text):
        return int(text.replace(":", ""), 16)
    if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", text):
        return int.from_bytes(bytes(map(int, text.split("."))), "big")
    if ":" in text:
        from pyovn.net.ip import ip6_int

        return ip6_int(text)
    return int(text, 0)


def parts(text: str) -> list[str]:
    """Split at the commas outside parentheses."""
    found, depth, at = [], 0, 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            found.append(text[at:index])
            at = index + 1
    return [*found, text[at:]]


SLOT = {
    ("eth", "src"): "eth_src", ("eth", "dst"): "eth_dst", ("ipv4", "src"): "ip_src", ("ipv4", "dst"): "ip_dst",
    ("ipv4", "tos"): "ip_tos", ("ipv4", "ttl"): "ip_ttl", ("ipv6", "src"): "ipv6_src", ("ipv6", "dst"): "ipv6_dst",
    ("ipv6", "label"): "ipv6_label", ("ipv6", "tclass"): "ip_tos", ("ipv6", "hlimit"): "ip_ttl",
    ("arp", "sip"): "ip_src", ("arp", "tip"): "ip_dst", ("arp", "op"): "ip_proto", ("arp", "sha"): "arp_sha",
    ("arp", "tha"): "arp_tha", ("nd", "target"): "nd_target", ("nd", "sll"): "arp_sha", ("nd", "tll"): "arp_tha",
    **{(proto, "src"): "tp_src" for proto in ("tcp", "udp", "sctp")},
    **{(proto, "dst"): "tp_dst" for proto in ("tcp", "udp", "sctp")},
    ("icmp", "type"): "tp_src", ("icmp", "code"): "tp_dst", ("icmpv6", "type"): "tp_src", ("icmpv6", "code"): "tp_dst",
}  # fmt: skip


def effects(text: str, key: int) -> list[tuple[int, int]]:
    """What leaves by which port, as (port, key of the packet then)."""
    out: list[tuple[int, int]] = []
    for part in parts(text):
        if part.isdigit():
            out.append((int(part), key))
        elif part.startswith("clone("):
            out += effects(part[6:-1], key)
        elif part == "pop_vlan":
            key &= ~(0xFFFFFFFF << PLACES["vlan_tci"][0])
        elif part.startswith("push_vlan("):
            words = dict(word.split("=") for word in part[10:-1].split(","))
            tci = int(words["vid"]) | int(words["pcp"]) << 13 | 0x1000
            key |= (0x8100 << 16 | tci) << PLACES["vlan_tci"][0]
        elif part.startswith("set("):
            header, _, inside = part[4:-2].partition("(")
            for word in parts(inside):
                name, _, value = word.partition("=")
                offset, width = PLACES[SLOT[header, name]]
                given, _, cover = value.partition("/")
                mask = number(cover) if cover else (1 << width) - 1
                key = key & ~(mask << offset) | (number(given) & mask) << offset
        else:
            assert part == "drop" or part.startswith("userspace("), part
    return out


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(flows(), min_size=1, max_size=10), st.lists(st.tuples(frames(), st.integers(1, 3)), min_size=1, max_size=4)
)
def test_random_flow_tables_send_the_same_packets_out(real, candidates, packets):
    wanted = [flow for flow in distinct(candidates) if not any(a.kind in APART | {"group"} for a in walk(flow.actions))]
    world = World(asyncio.run(install(real, wanted)))
    for frame, port in packets:
        key, shape = extract(frame)
        if not shape.whole:
            continue  # the real switch reads nothing of a header that is cut short
        bucket_key = key | place("in_port", port)
        theirs = traced(real, frame, port)
        translation = world.datapath.translate(bucket_of(world, port), key, len(frame))
        ours = actions_text(translation.operations, bucket_key)
        assert effects(ours, key) == effects(theirs, key), f"{ours}  <>  {theirs}"


def bucket_of(world: World, port: int) -> object:
    from pyovn.vswitch.datapath import Bucket

    return Bucket(world.bridge, port, None)


CONNECTIONS = [
    Flow(0, 9, match(eth_type=0x800, in_port=1), (act.Ct(zone=5, nat=act.Nat(), table=1),)),
    Flow(0, 9, match(eth_type=0x800, in_port=2), (act.Ct(zone=5, nat=act.Nat(), table=1),)),
    Flow(1, 9, match(eth_type=0x800, in_port=1, ct_state=(0x21, 0x21)),
         (act.Ct(zone=5, commit=True, nat=act.Nat("src", 0xC0000201, 0xC0000201)), act.Output(2))),
    Flow(1, 8, match(eth_type=0x800, in_port=1, ct_state=(0x20, 0x30)), (act.Output(2),)),
    Flow(1, 8, match(eth_type=0x800, in_port=2, ct_state=(0x22, 0x32)), (act.Output(1),)),
]  # fmt: skip


def conversation(seed: int) -> list[tuple[int, bytes]]:
    """(port, frame) of a few connections, some of them broken."""
    dice = random.Random(seed)
    packets = []
    for _ in range(30):
        client = dice.choice(IPS[:3])
        # No two clients use one port: which one gets another by NAT is up to each switch.
        port = dice.choice((1000, 2000)) + IPS.index(client)
        if dice.random() < 0.5:
            flags = dice.choice((2, 2, 16, 17, 20, 0, 3))
            segment = tcp(port, 80, flags, dice.choice((100, 101)), dice.choice((0, 501)), src=client, dst=IPS[3])
            packets.append((1, ethernet(ip4(segment, 6, client, IPS[3]), 0x800, src=MACS[0])))
        elif dice.random() < 0.5:
            flags = dice.choice((18, 18, 16, 17, 20, 0, 3))
            segment = tcp(80, port, flags, dice.choice((500, 501)), dice.choice((101, 102)), src=IPS[3], dst=0xC0000201)
            packets.append((2, ethernet(ip4(segment, 6, IPS[3], 0xC0000201), 0x800, src=MACS[1])))
        else:
            datagram = udp(port, 53, b"q", client, IPS[3])
            packets.append((1, ethernet(ip4(datagram, 17, client, IPS[3]), 0x800, src=MACS[0])))
    return packets


@pytest.mark.parametrize("seed", range(8))
def test_the_same_packets_make_the_same_connections(real, seed):
    taken = asyncio.run(install(real, CONNECTIONS))
    assert len(taken) == len(CONNECTIONS)
    for command in ("revalidator/wait", "revalidator/purge", "dpctl/flush-conntrack"):
        real.appctl(command)
    world = World(taken)
    for port, frame in conversation(seed):
        real.appctl("netdev-dummy/receive", f"p{port}", frame.hex())
        world.send(frame, port)
        ours = [stable(dumped(connection)) for connection in world.datapath.conntrack.connections(0.0)]
        # The real switch takes frames in and handles them later.
        for _ in range(200):
            theirs = [stable(line) for line in real.appctl("dpctl/dump-conntrack").splitlines() if "zone=5" in line]
            if sorted(ours) == sorted(theirs):
                break
            time.sleep(0.01)
        assert sorted(ours) == sorted(theirs)


def stable(line: str) -> str:
    """A connection without the source port that NAT chose where the packet's own was taken."""
    return re.sub(r"(dst=192\.0\.2\.1,sport=\d+,dport=)\d+", r"\1*", line)
