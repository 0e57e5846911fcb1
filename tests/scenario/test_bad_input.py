"""Bad input in a running network: an error or warning that names the object, and everything else goes on."""

import asyncio
import logging
import socket

import pytest

from pyovn.lab.demo import plugging
from pyovn.lab.terminal import CommandFailed
from tests.scenario.test_l2_stories import NETWORK1, lab

pytestmark = pytest.mark.timeout(120)


async def built(type_on):
    await type_on("hv1", *NETWORK1, *plugging("vm1", 1))
    await type_on("hv2", *plugging("vm2", 2), "ovn-nbctl --timeout=20 --wait=hv sync")


async def still_pings(type_on):
    assert "1 received" in await type_on("hv1", "ip netns exec vm1 ping -c1 -W2 192.168.0.12")


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_no_warning_where_nothing_is_wrong(caplog):
    async def story():
        async with lab("hv1", "hv2") as (_, type_on):
            await built(type_on)
            await still_pings(type_on)

    asyncio.run(story())
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("match", "actions", "named"),
    [
        ("""'"ip4.src == "'""", """'"next;"'""", "ip4.src =="),
        ("""'"1"'""", """'"fly;"'""", "fly"),
        ("""'"ip4 && nonsense"'""", """'"drop;"'""", "nonsense"),
    ],
)
def test_a_logical_flow_that_makes_no_sense(caplog, match, actions, named):
    async def story():
        async with lab("hv1", "hv2") as (_, type_on):
            await built(type_on)
            datapath = (await type_on("hv1", "ovn-sbctl --bare --columns=_uuid list Datapath_Binding")).strip()
            # northd would heal the row at once
            await type_on("hv1", 'OVN_RUNDIR="$PYOVN_LAB/hv1" ovn-appctl -t ovn-northd pause')
            await type_on(
                "hv1",
                f"ovn-sbctl create Logical_Flow logical_datapath={datapath} pipeline=ingress table_id=3"
                f" priority=7 match={match} actions={actions}",
            )
            await type_on("hv1", "ovs-vsctl set open . external_ids:wake=up")
            await still_pings(type_on)

    asyncio.run(story())
    assert any(named in text for text in warnings(caplog)), warnings(caplog)


def test_addresses_that_make_no_sense(caplog):
    async def story():
        async with lab("hv1", "hv2") as (_, type_on):
            await built(type_on)
            with pytest.raises(CommandFailed, match="40:44:00:00:00:zz: Invalid address format"):
                await type_on("hv1", "ovn-nbctl lsp-set-addresses vm1 40:44:00:00:00:zz")
            await type_on("hv1", "ovn-nbctl lsp-set-addresses vm1 '40:44:00:00:00:01 192.168.0.11'")
            with pytest.raises(
                CommandFailed, match="duplicate IPv4 address '192.168.0.11' found on logical switch port"
            ):
                await type_on("hv1", "ovn-nbctl lsp-set-addresses vm2 '40:44:00:00:00:02 192.168.0.11'")
            # past the tool's own checks: northd names the row and goes on
            await type_on("hv1", "ovn-nbctl lsp-add network1 odd -- set Logical_Switch_Port odd addresses=garbage")
            await type_on("hv1", "ovn-nbctl --timeout=20 --wait=hv sync")
            await still_pings(type_on)

    asyncio.run(story())
    assert any("garbage" in text for text in warnings(caplog)), warnings(caplog)


def test_a_port_that_nobody_knows(caplog):
    async def story():
        async with lab("hv1", "hv2") as (_, type_on):
            await built(type_on)
            await type_on("hv1", *plugging("vm9", 9), "ovn-nbctl --timeout=20 --wait=hv sync")
            assert "vm9" not in await type_on("hv1", "ovn-sbctl show")
            await still_pings(type_on)

    asyncio.run(story())


def test_a_database_client_that_talks_nonsense(caplog):
    async def story():
        async with lab("hv1", "hv2") as (network, type_on):
            await built(type_on)
            for nonsense in (b'{"id":1,"method":', b"GET / HTTP/1.1\r\n\r\n", b'{"id":1}{"id"', b"\xff\xfe\0"):
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(str(network.layout.southbound))
                    client.sendall(nonsense)
                    await asyncio.sleep(0)
            await type_on("hv1", "ovn-nbctl --timeout=20 --wait=hv sync")
            await still_pings(type_on)

    asyncio.run(story())
