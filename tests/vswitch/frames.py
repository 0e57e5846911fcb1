"""Frames and random flow tables for the tests of the switch."""

from hypothesis import strategies as st

from pyovn.openflow import actions as act
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import Match, canonical
from pyovn.vswitch.frame import ones_complement

MACS = (0x020000000001, 0x020000000002, 0x020000000003, 0xFFFFFFFFFFFF, 0x01005E000001)
IPS = (0x0A000001, 0x0A000002, 0x0A000101, 0xC0A80001)
IPS6 = (0xFD00 << 112 | 1, 0xFD00 << 112 | 2, 0xFE80 << 112 | 1)
PORTS = (53, 80, 1024)


def ethernet(payload: bytes, kind: int, *, src: int = MACS[0], dst: int = MACS[1], vlan: int | None = None) -> bytes:
    tag = b"" if vlan is None else b"\x81\0" + vlan.to_bytes(2, "big")
    return dst.to_bytes(6, "big") + src.to_bytes(6, "big") + tag + kind.to_bytes(2, "big") + payload


def ip4(payload: bytes, proto: int, src: int = IPS[0], dst: int = IPS[1], *, ttl: int = 64, tos: int = 0,
        frag: int = 0, identity: int = 7) -> bytes:  # fmt: skip
    head = bytes((0x45, tos)) + (20 + len(payload)).to_bytes(2, "big") + identity.to_bytes(2, "big")
    head += frag.to_bytes(2, "big") + bytes((ttl, proto, 0, 0)) + src.to_bytes(4, "big") + dst.to_bytes(4, "big")
    return head[:10] + ones_complement(head).to_bytes(2, "big") + head[12:] + payload


def ip6(payload: bytes, proto: int, src: int = IPS6[0], dst: int = IPS6[1], *, ttl: int = 64, tos: int = 0) -> bytes:
    first = 6 << 28 | tos << 20 | 0x12345
    return (
        first.to_bytes(4, "big") + len(payload).to_bytes(2, "big") + bytes((proto, ttl))
        + src.to_bytes(16, "big") + dst.to_bytes(16, "big") + payload
    )  # fmt: skip


def summed(segment: bytes, at: int, proto: int, src: int, dst: int) -> bytes:
    """`segment` with its checksum, pseudo-header included."""
    width = 16 if src >> 32 else 4
    pseudo = (
        src.to_bytes(width, "big") + dst.to_bytes(width, "big") + bytes((0, proto)) + len(segment).to_bytes(2, "big")
    )
    total = ones_complement(pseudo + segment[:at] + b"\0\0" + segment[at + 2 :]) or 0xFFFF
    return segment[:at] + total.to_bytes(2, "big") + segment[at + 2 :]


def udp(sport: int = 1024, dport: int = 53, data: bytes = b"hello", src: int = IPS[0], dst: int = IPS[1]) -> bytes:
    head = sport.to_bytes(2, "big") + dport.to_bytes(2, "big") + (8 + len(data)).to_bytes(2, "big") + b"\0\0"
    return summed(head + data, 6, 17, src, dst)


def tcp(sport: int = 1024, dport: int = 80, flags: int = 2, seq: int = 100, ack: int = 0, data: bytes = b"",
        src: int = IPS[0], dst: int = IPS[1], window: int = 8192) -> bytes:  # fmt: skip
    head = sport.to_bytes(2, "big") + dport.to_bytes(2, "big") + seq.to_bytes(4, "big") + ack.to_bytes(4, "big")
    head += bytes((0x50, flags)) + window.to_bytes(2, "big") + bytes(4)
    return summed(head + data, 16, 6, src, dst)


def icmp(kind: int = 8, code: int = 0, identity: int = 5, data: bytes = b"ping") -> bytes:
    head = bytes((kind, code, 0, 0)) + identity.to_bytes(2, "big") + b"\0\1" + data
    return head[:2] + ones_complement(head).to_bytes(2, "big") + head[4:]


def icmp6(
    kind: int = 128, code: int = 0, rest: bytes = b"\0\5\0\1ping", src: int = IPS6[0], dst: int = IPS6[1]
) -> bytes:
    return summed(bytes((kind, code, 0, 0)) + rest, 2, 58, src, dst)


def arp(op: int = 1, sha: int = MACS[0], spa: int = IPS[0], tha: int = 0, tpa: int = IPS[1]) -> bytes:
    head = b"\0\1\x08\0\6\4" + op.to_bytes(2, "big")
    return head + sha.to_bytes(6, "big") + spa.to_bytes(4, "big") + tha.to_bytes(6, "big") + tpa.to_bytes(4, "big")


def udp_frame(**addresses: int) -> bytes:
    return ethernet(ip4(udp(), 17), 0x800, **addresses)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Frames of every kind the switch parses, from a small world so that flows match them."""
    src, dst = draw(st.sampled_from(MACS[:3])), draw(st.sampled_from(MACS))
    vlan = draw(st.sampled_from((None, None, 0x0000, 0x0005, 0x200A)))
    kind = draw(
        st.sampled_from(("udp", "tcp", "icmp", "arp", "udp6", "icmp6", "nd", "frag", "first", "other", "short"))
    )
    a, b = draw(st.sampled_from(IPS)), draw(st.sampled_from(IPS))
    a6, b6 = draw(st.sampled_from(IPS6)), draw(st.sampled_from(IPS6))
    p, q = draw(st.sampled_from(PORTS)), draw(st.sampled_from(PORTS))
    ttl = draw(st.sampled_from((1, 2, 64)))
    payload: dict[str, tuple[bytes, int]] = {
        "udp": (ip4(udp(p, q, src=a, dst=b), 17, a, b, ttl=ttl, tos=draw(st.sampled_from((0, 0xB8)))), 0x800),
        "tcp": (ip4(tcp(p, q, draw(st.sampled_from((2, 16, 18, 17))), src=a, dst=b), 6, a, b, ttl=ttl), 0x800),
        "icmp": (ip4(icmp(draw(st.sampled_from((0, 8)))), 1, a, b, ttl=ttl), 0x800),
        "arp": (arp(draw(st.sampled_from((1, 2))), src, a, 0, b), 0x806),
        "udp6": (ip6(udp(p, q, src=a6, dst=b6), 17, a6, b6, ttl=ttl), 0x86DD),
        "icmp6": (ip6(icmp6(src=a6, dst=b6), 58, a6, b6), 0x86DD),
        "nd": (ip6(icmp6(135, 0, bytes(4) + b6.to_bytes(16, "big") + b"\1\1" + src.to_bytes(6, "big"), a6, b6), 58,
                   a6, b6, ttl=255), 0x86DD),
        "frag": (ip4(bytes(24), 17, a, b, frag=0x20, ttl=ttl), 0x800),
        "first": (ip4(udp(p, q, src=a, dst=b), 17, a, b, frag=0x2000, ttl=ttl), 0x800),
        "other": (bytes(46), 0x88CC),
        "short": (ip4(udp(p, q), 17, a, b)[: draw(st.integers(1, 27))], 0x800),
    }  # fmt: skip
    content, ethertype = payload[kind]
    return ethernet(content, ethertype, src=src, dst=dst, vlan=vlan)


FULL16, FULL32, FULL48 = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFF


@st.composite
def matches(draw: st.DrawFn) -> Match:  # noqa: C901 -- one short branch per protocol
    """Matches that are well-formed: prerequisites come along."""
    terms: dict[str, tuple[int, int]] = {}
    if draw(st.booleans()):
        terms["in_port"] = (draw(st.sampled_from((1, 2, 3))), FULL32)
    if draw(st.integers(0, 2)) == 0:
        terms["reg0"] = (draw(st.sampled_from((0, 1, 0x101))), draw(st.sampled_from((FULL32, 0xFF, 1))))
    if draw(st.integers(0, 2)) == 0:
        terms["eth_dst"] = (draw(st.sampled_from(MACS)), draw(st.sampled_from((FULL48, 1 << 40))))
    if draw(st.integers(0, 4)) == 0:
        terms["vlan_tci"] = draw(st.sampled_from(((0, FULL16), (0x1005, 0x1FFF), (0x1000, 0x1000))))
    kind = draw(st.sampled_from(("", "", "ip", "ip6", "arp", "udp", "tcp", "icmp", "udp6", "nd", "frag")))
    if kind in ("ip", "udp", "tcp", "icmp", "frag"):
        terms["eth_type"] = (0x800, FULL16)
        if draw(st.booleans()):
            terms["ip_src"] = (draw(st.sampled_from(IPS)), draw(st.sampled_from((FULL32, 0xFFFFFF00, 0xFF000000))))
        if draw(st.booleans()):
            terms["ip_dst"] = (draw(st.sampled_from(IPS)), draw(st.sampled_from((FULL32, 0xFFFFFF00))))
        if draw(st.integers(0, 3)) == 0:
            terms["ip_ttl"] = (draw(st.sampled_from((1, 2, 64))), 0xFF)
    if kind == "frag":
        terms["ip_frag"] = draw(st.sampled_from(((0, 3), (1, 3), (3, 3), (1, 1))))
    if kind in ("ip6", "udp6", "nd"):
        terms["eth_type"] = (0x86DD, FULL16)
        terms["ipv6_dst"] = (draw(st.sampled_from(IPS6)), draw(st.sampled_from(((1 << 128) - 1, 0xFFFF << 112))))
    if kind == "nd":
        terms |= {"ip_proto": (58, 0xFF), "icmpv6_type": (135, 0xFF), "icmpv6_code": (0, 0xFF)}
        terms["nd_target"] = (draw(st.sampled_from(IPS6)), (1 << 128) - 1)
    if kind == "arp":
        terms["eth_type"] = (0x806, FULL16)
        terms["arp_op"] = (draw(st.sampled_from((1, 2))), FULL16)
        terms["arp_tpa"] = (draw(st.sampled_from(IPS)), FULL32)
    if kind in ("udp", "udp6"):
        terms["ip_proto"] = (17, 0xFF)
        terms["udp_dst"] = (draw(st.sampled_from(PORTS)), FULL16)
    if kind == "tcp":
        terms["ip_proto"] = (6, 0xFF)
        if draw(st.booleans()):
            terms["tcp_src"] = (draw(st.sampled_from(PORTS)), draw(st.sampled_from((FULL16, 0xFFF0))))
        if draw(st.booleans()):
            terms["tcp_flags"] = (2, 0x2)
    if kind == "icmp":
        terms |= {"ip_proto": (1, 0xFF), "icmp_type": (8, 0xFF)}
    return canonical((name, *term) for name, term in terms.items())


WRITES: tuple[act.Action, ...] = (
    act.SetField("reg0", 1, FULL32), act.SetField("reg0", 0x100, 0xF00), act.SetField("eth_dst", MACS[2], FULL48),
    act.SetField("eth_src", 1 << 40, 1 << 40), act.SetField("ip_dst", IPS[3], FULL32),
    act.SetField("ip_src", 5, 0xFF), act.SetField("udp_dst", 53, FULL16), act.SetField("tcp_src", 80, FULL16),
    act.SetField("ip_ttl", 64, 0xFF), act.SetField("ip_dscp", 46, 0x3F), act.SetField("arp_op", 2, FULL16),
    act.SetField("ipv6_dst", IPS6[2], (1 << 128) - 1), act.SetField("nd_target", IPS6[0], (1 << 128) - 1),
    act.SetField("icmp_type", 0, 0xFF), act.SetField("vlan_vid", 9, 0xFFF),
    act.Move("eth_src", 0, "eth_dst", 0, 48), act.Move("ip_src", 0, "reg0", 0, 8), act.Move("reg0", 0, "reg1", 4, 8),
    act.Move("arp_spa", 0, "arp_tpa", 0, 32), act.DecTtl(), act.PushVlan(0x8100), act.PopVlan(),
    act.Push("eth_dst", 0, 48), act.Pop("eth_dst", 0, 48), act.Push("reg0", 0, 32), act.Pop("reg0", 0, 32),
    act.SetField("in_port", 0, FULL32), act.CheckPktLarger(60, "reg0", 0), act.OutputReg("reg0", 0, 32),
    act.Group(1), act.Group(2), act.SetField("metadata", 1, (1 << 64) - 1),
)  # fmt: skip


def simple_actions(last_table: int) -> st.SearchStrategy[act.Action]:
    """Actions without conntrack; resubmits lead forward only."""
    choices: list[st.SearchStrategy[act.Action]] = [
        st.sampled_from((1, 2, 3, act.OFPP_IN_PORT)).map(lambda port: act.Output(port)),
        st.sampled_from(WRITES),
    ]
    if last_table < 3:
        later = st.integers(last_table + 1, 3)
        choices.append(later.map(lambda table: act.Resubmit(table)))
        choices.append(st.tuples(later, st.sampled_from((1, 2))).map(lambda pair: act.Resubmit(*pair)))
    return st.one_of(*choices)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Flows of tables 0–3."""
    table = draw(st.integers(0, 3))
    actions = draw(st.lists(simple_actions(table), max_size=4))
    if draw(st.integers(0, 5)) == 0:
        actions.insert(0, act.Clone(tuple(draw(st.lists(simple_actions(table), max_size=3)))))
    return Flow(table, draw(st.sampled_from((1, 10, 20, 30))), draw(matches()), tuple(actions))


def distinct(candidates: list[Flow]) -> list[Flow]:
    """One flow per (table, priority), so that overlapping matches never tie."""
    numbered = [flow._replace(priority=flow.priority * 100 + index) for index, flow in enumerate(candidates)]
    return list({flow.key: flow for flow in numbered}.values())
