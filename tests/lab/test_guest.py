import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyovn.lab.events import NoRoute
from pyovn.lab.guest import Guest, Unreachable
from pyovn.lab.host import Host
from pyovn.lab.tcp import Endpoint, State
from pyovn.net.ip import ip4_int, ip_str
from pyovn.packet import arp, ethernet


def pair(drop=lambda frame: False):
    """Two guests on one wire; frames that `drop` names are lost."""
    guests: list[Guest] = []
    frames: list[bytes] = []

    def wire(index):
        def transmit(frame):
            frames.append(frame)
            if not drop(frame):
                asyncio.get_running_loop().call_soon(guests[1 - index].deliver, frame)

        return transmit

    for index in range(2):
        host = Host(0x404400000001 + index)
        host.configure(f"192.168.0.{11 + index}/24")
        host.configure(f"fd00::{11 + index:x}/64")
        guests.append(Guest(host, wire(index)))
    return *guests, frames


@pytest.mark.parametrize("address", ["192.168.0.12", "fd00::c"])
def test_a_ping_resolves_the_neighbour_and_comes_back(address):
    async def scene():
        a, b, frames = pair()
        echo = await a.ping(address)
        assert (echo.sequence, echo.ttl) == (1, 64)
        assert len(frames) == 4  # question, answer, request, reply
        assert b.host.neighbours
        await a.ping(address)
        assert len(frames) == 6

    asyncio.run(scene())


def test_the_link_local_address_answers():
    async def scene():
        a, b, _ = pair()
        assert await a.ping(ip_str(*b.host.link_local.ip))

    asyncio.run(scene())


def test_a_lost_reply_is_no_answer():
    async def scene():
        a, _, _ = pair(lambda frame: ethernet.parse(frame).type == ethernet.IP4)
        assert await a.ping("192.168.0.12", timeout_s=0.01) is None

    asyncio.run(scene())


def test_a_network_nobody_leads_to_is_said_so():
    async def scene():
        a, _, _ = pair()
        with pytest.raises(NoRoute, match="8.8.8.8: Network is unreachable"):
            await a.ping("8.8.8.8")

    asyncio.run(scene())


def test_the_gateway_is_asked_for_on_behalf_of_far_networks():
    host = Host(1)
    host.configure("10.0.0.2/24")
    host.route("default", "10.0.0.1")
    (frame,) = host.ping((4, 0x08080808), 1, 1, 56, 0.0)
    assert arp.parse(ethernet.parse(frame).payload).tpa == 0x0A000001


def test_a_silent_neighbour_is_asked_three_times_and_given_up():
    host = Host(1)
    host.configure("10.0.0.2/24")
    asked = [*host.ping((4, 0x0A000003), 1, 1, 56, 0.0)]
    while host.deadline is not None:
        asked += host.expire(host.deadline)
    assert len(asked) == 3
    assert host.events[-1].address == (4, 0x0A000003)


def test_udp_is_echoed_and_a_closed_port_refuses():
    async def scene():
        a, b, _ = pair()
        b.echo_udp(7)
        assert await a.exchange("192.168.0.12", 7, b"hello") == b"hello"
        assert await a.exchange("fd00::c", 7, b"again") == b"again"
        assert await a.exchange("192.168.0.12", 9, b"x", timeout_s=0.05) is None

    asyncio.run(scene())


@pytest.mark.parametrize("size", [0, 10, 5000])
@pytest.mark.parametrize("address", ["192.168.0.12", "fd00::c"])
def test_tcp_carries_a_request_and_its_answer(address, size):
    async def scene():
        a, b, _ = pair()
        b.serve_tcp(80, lambda said, _: said[::-1])
        data = bytes(index % 251 for index in range(size))
        assert await a.request(address, 80, data) == data[::-1]

    asyncio.run(scene())


def test_a_port_nobody_serves_refuses_tcp():
    async def scene():
        a, _, _ = pair()
        with pytest.raises(Unreachable, match="Connection refused"):
            await a.request("192.168.0.12", 81, b"x")

    asyncio.run(scene())


A, B = (4, 1), (4, 2)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=4000), st.lists(st.booleans(), max_size=40))
def test_tcp_delivers_exactly_what_was_sent_whatever_is_lost(data, losses):
    client, server = Endpoint(), Endpoint()
    accepted = []
    server.listen(80, accepted.append)
    connection, now = client.connect(A, B, 80, 0.0), 0.0
    connection.send(data)
    connection.close()
    fate = iter(losses)
    for _ in range(400):
        moved = [(server, segment) for segment in client.segments(now)]
        moved += [(client, segment) for segment in server.segments(now)]
        for end, (source, destination, segment) in moved:
            if not next(fate, False):
                end.receive(destination, source, segment, now)
        if accepted and accepted[0].peer_finished:
            accepted[0].close()
        if not moved:
            times = [time for time in (client.deadline, server.deadline) if time is not None]
            if not times:
                break
            now = min(times)
            client.expire(now)
            server.expire(now)
    if not connection.reset:
        assert bytes(accepted[0].received) == data
        assert connection.state is accepted[0].state is State.CLOSED


@given(st.binary(max_size=80))
def test_garbage_is_counted_not_feared(frame):
    host = Host(1)
    host.receive(frame, 0.0)
    assert host.counters["received"] == 1


def test_a_question_that_no_way_leads_back_from_is_not_answered():
    asker, asked = Host(0x404400000001), Host(0x404400000002)
    asker.configure("192.168.0.11/24")
    asked.configure("192.168.0.12/32")
    asker.neighbours[4, ip4_int("192.168.0.12")] = asked.mac
    (frame,) = asker.ping((4, ip4_int("192.168.0.12")), 1, 1, 8, 0.0)
    assert asked.receive(frame, 0.0) == []
    assert asked.counters["unroutable"] == 1
