"""The underlay on UDP sockets."""

import asyncio

import pytest

from pyovn.runtime.underlay import NoSocket, SocketUnderlay


def test_datagrams_arrive_with_both_addresses():
    async def story() -> None:
        here, there = SocketUnderlay(), SocketUnderlay()
        try:
            got: asyncio.Queue[tuple[bytes, str, int, str]] = asyncio.Queue()
            there.listen("127.0.0.3", 47123, lambda *datagram: got.put_nowait(datagram))
            here.send("127.0.0.2", "127.0.0.3", 47123, 50000, b"hello")
            payload, remote, _, local = await asyncio.wait_for(got.get(), 5)
            assert (payload, remote, local) == (b"hello", "127.0.0.2", "127.0.0.3")
        finally:
            here.close()
            there.close()

    asyncio.run(story())


def test_a_port_in_use_is_an_error_that_names_it():
    async def story() -> None:
        one, two = SocketUnderlay(), SocketUnderlay()
        try:
            one.listen("127.0.0.4", 47124, lambda *datagram: None)
            with pytest.raises(NoSocket, match="47124"):
                two.listen("127.0.0.4", 47124, lambda *datagram: None)
        finally:
            one.close()
            two.close()

    asyncio.run(story())


def test_what_cannot_be_sent_is_lost():
    async def story() -> None:
        underlay = SocketUnderlay()
        underlay.send("", "127.0.0.1", 1, 1, bytes(70000))
        assert underlay.errors == 1
        underlay.close()

    asyncio.run(story())
