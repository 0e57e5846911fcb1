"""traceroute and ping through a router that a test plays."""

import asyncio

import pytest

from pyovn.lab import ping_command, traceroute_command
from pyovn.lab.events import TooLong
from pyovn.lab.guest import Guest, Probed
from pyovn.lab.host import Host
from pyovn.lab.icmp_words import described, marked
from pyovn.net.ip import ip4_int
from pyovn.packet import ethernet, icmp4, ipv4

ROUTER, ROUTER_MAC, FAR = ip4_int("192.168.0.1"), 0x404400000003, ip4_int("10.0.0.1")


def routed(answer):
    """A guest whose packets reach a router that answers with errors: answer(packet) → (source, type, code, rest)."""
    host = Host(0x404400000001)
    host.configure("192.168.0.11/24")
    host.route("default", "192.168.0.1")
    host.neighbours[4, ROUTER] = ROUTER_MAC

    def transmit(frame):
        packet = ipv4.parse(ethernet.parse(frame).payload)
        source, type_, code, rest = answer(packet)
        error = icmp4.build(icmp4.Icmp4(type_, code, rest, ethernet.parse(frame).payload[:60]))
        reply = ipv4.build(ipv4.Ipv4(source, packet.src, ipv4.ICMP, error))
        back = ethernet.build(ethernet.Ethernet(host.mac, ROUTER_MAC, ethernet.IP4, reply))
        asyncio.get_running_loop().call_soon(guest.deliver, back)

    guest = Guest(host, transmit)
    return guest


def test_each_router_on_the_way_answers_and_the_port_at_the_end():
    def answer(packet):
        if packet.ttl > 2:
            return FAR, icmp4.UNREACHABLE, icmp4.PORT, 0
        return ROUTER + packet.ttl - 1, icmp4.TIME_EXCEEDED, 0, 0

    async def scene():
        guest = routed(answer)
        return [await guest.probe((4, FAR), 33434, hop, 1.0) for hop in (1, 2, 3)]

    answers = asyncio.run(scene())
    assert [(each.source, each.last, each.mark) for each in answers] == [
        ("192.168.0.1", False, ""), ("192.168.0.2", False, ""), ("10.0.0.1", True, ""),
    ]  # fmt: skip


def test_a_line_names_a_router_once():
    first, other = Probed("10.0.0.1", 0.5, "", False), Probed("10.0.0.2", 1.25, " !N", True)
    line = traceroute_command.line(3, [first, first, None, other])
    assert line == " 3  10.0.0.1  0.500 ms  0.500 ms * 10.0.0.2  1.250 ms !N\n"


def test_options_are_read():
    command = traceroute_command.parse("-n -q1 -m 5 -w 0.5 10.0.0.1".split())
    assert command == ("10.0.0.1", 5, 1, 0.5)
    assert traceroute_command.heading(command) == "traceroute to 10.0.0.1 (10.0.0.1), 5 hops max, 60 byte packets\n"


@pytest.mark.parametrize("words", ["", "-q", "-q x 10.0.0.1", "-z 10.0.0.1"])
def test_what_is_no_traceroute_is_refused(words):
    with pytest.raises(traceroute_command.Usage):
        traceroute_command.parse(words.split())


def test_a_ping_that_does_not_fit_is_refused_and_then_not_sent():
    async def scene():
        guest = routed(lambda packet: (ROUTER, icmp4.UNREACHABLE, icmp4.TOO_BIG, 1000))
        with pytest.raises(Exception, match=r"From 192.168.0.1 icmp_seq=1 Frag needed and DF set \(mtu = 1000\)"):
            await guest.ping("10.0.0.1", size=1200)
        with pytest.raises(TooLong, match="message too long, mtu=1000"):
            await guest.ping("10.0.0.1", size=1200)

    asyncio.run(scene())


def test_errors_have_pings_words():
    assert described(4, icmp4.TIME_EXCEEDED, 0, 0) == "Time to live exceeded"
    assert described(6, 2, 0, 1280) == "Packet too big: mtu=1280"
    assert described(4, 5, 1, 0) == "Unknown ICMP error: type 5 code 1"
    assert (marked(4, 3, 1), marked(4, 3, 3)) == (" !H", "")


def test_ping_takes_a_ttl():
    assert ping_command.parse("-t3 -M do 10.0.0.1".split()).ttl == 3
    with pytest.raises(ping_command.Usage, match="out of range"):
        ping_command.parse("-t0 10.0.0.1".split())


def test_tcp_shrinks_to_what_fits():
    sizes = []

    async def scene():
        host = Host(0x404400000001)
        host.configure("192.168.0.11/24")
        other = Host(0x404400000002)
        other.configure("192.168.0.12/24")
        guests = []

        def wire(at):
            def transmit(frame):
                packet = ethernet.parse(frame).payload
                if len(packet) > 600 and at == 0:
                    quoted = icmp4.build(icmp4.Icmp4(icmp4.UNREACHABLE, icmp4.TOO_BIG, 600, packet[:60]))
                    back = ipv4.build(ipv4.Ipv4(ip4_int("192.168.0.12"), ip4_int("192.168.0.11"), ipv4.ICMP, quoted))
                    back = ethernet.build(ethernet.Ethernet(host.mac, other.mac, ethernet.IP4, back))
                    asyncio.get_running_loop().call_soon(guests[0].deliver, back)
                    return
                sizes.append(len(packet))
                asyncio.get_running_loop().call_soon(guests[1 - at].deliver, frame)

            return transmit

        guests += [Guest(host, wire(0)), Guest(other, wire(1))]
        guests[1].serve_tcp(7, lambda said, _: said[-5:])
        return await guests[0].request("192.168.0.12", 7, bytes(5000) + b"hello")

    assert asyncio.run(scene()) == b"hello"
    assert max(sizes) == 600
