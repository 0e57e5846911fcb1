"""Guests that are configured by the network: addresses given by northd, told by DHCP, and names; without root."""

import asyncio
import re

import pytest

from pyovn.controller.services import dhcp4 as responder
from pyovn.lab.guest import Guest
from pyovn.lab.terminal import CommandFailed
from pyovn.net.ip import ip4_int, ip_str
from pyovn.packet import dhcp4
from tests.scenario.test_l2_stories import lab

pytestmark = pytest.mark.timeout(120)

NETWORK = """\
ovn-nbctl ls-add net -- set Logical_Switch net other_config:subnet=10.0.0.0/24 other_config:ipv6_prefix=fd00::
ovn-nbctl lr-add r -- lrp-add r to-net 40:44:00:00:00:ff 10.0.0.1/24 fd00::1/64
ovn-nbctl lsp-add-router-port net net-r to-net
ovn-nbctl lsp-add net vm1 -- lsp-set-addresses vm1 "40:44:00:00:00:01 dynamic"
ovn-nbctl lsp-add net vm2 -- lsp-set-addresses vm2 "40:44:00:00:00:02 dynamic"
ovn-nbctl dhcp-options-create 10.0.0.0/24
ovn-nbctl dhcp-options-create fd00::/64"""
OPTIONS4 = (
    "lease_time=3600 router=10.0.0.1 server_id=10.0.0.1 server_mac=40:44:00:00:00:ff dns_server=10.0.0.1 mtu=1400"
)
OPTIONS6 = "server_id=40:44:00:00:00:ff"
GUEST = """\
ovs-vsctl add-port br-int {0} -- set Interface {0} type=internal -- set Interface {0} external_ids:iface-id={0}
ip netns add {0}
ip link set {0} netns {0}
ip netns exec {0} ip link set {0} address 40:44:00:00:00:0{1}
ip netns exec {0} ip link set {0} up"""
SYNC = "ovn-nbctl --timeout=20 --wait=hv sync"


def test_guests_get_addresses_and_names_from_the_network():
    async def story():
        async with lab("worker1", "worker2") as (_, type_on):
            await type_on("worker1", *NETWORK.splitlines())
            rows = await type_on("worker1", "ovn-nbctl --bare --columns=_uuid,cidr list DHCP_Options")
            uuids = {cidr: uuid for uuid, cidr in (block.split() for block in rows.strip().split("\n\n"))}
            await type_on(
                "worker1",
                f"ovn-nbctl dhcp-options-set-options {uuids['10.0.0.0/24']} {OPTIONS4}",
                f"ovn-nbctl dhcp-options-set-options {uuids['fd00::/64']} {OPTIONS6}",
                *(f"ovn-nbctl lsp-set-dhcpv4-options {vm} {uuids['10.0.0.0/24']}" for vm in ("vm1", "vm2")),
                *(f"ovn-nbctl lsp-set-dhcpv6-options {vm} {uuids['fd00::/64']}" for vm in ("vm1", "vm2")),
                "ovn-nbctl acl-add net to-lport 1 ip drop",
                "ovn-nbctl acl-add net to-lport 2 'icmp || icmp6' allow-related",
                """ovn-nbctl -- --id=@d create DNS records:vm2.ovn.org='"10.0.0.3 fd00::4244:ff:fe00:2"'"""
                """ records:3.0.0.10.in-addr.arpa=vm2.ovn.org -- add Logical_Switch net dns_records @d""",
            )
            for host, number in (("worker1", 1), ("worker2", 2)):
                await type_on(host, *GUEST.format(f"vm{number}", number).splitlines(), SYNC)
                told = await type_on(host, f"ip netns exec vm{number} dhclient -v vm{number}")
                assert told == f"bound to 10.0.0.{number + 1}/24 by 10.0.0.1\n"
                await type_on(host, f"ip netns exec vm{number} dhclient -6 vm{number}")
            shown = await type_on("worker1", "ip netns exec vm1 ip addr")
            assert re.findall(r"inet6? ([^ ]+) scope global", shown) == ["10.0.0.2/24", "fd00::4244:ff:fe00:1/128"]
            assert "mtu 1400" in shown
            assert "default via 10.0.0.1" in await type_on("worker1", "ip netns exec vm1 ip route")
            assert "1 received" in await type_on("worker1", "ip netns exec vm1 ping -c1 10.0.0.3")

            answer = await type_on("worker1", "ip netns exec vm1 host VM2.ovn.org")
            assert answer == ("VM2.ovn.org has address 10.0.0.3\nVM2.ovn.org has IPv6 address fd00::4244:ff:fe00:2\n")
            answer = await type_on("worker1", "ip netns exec vm1 host 10.0.0.3")
            assert answer == "3.0.0.10.in-addr.arpa domain name pointer vm2.ovn.org.\n"
            with pytest.raises(CommandFailed, match="Host nobody.ovn.org not found"):
                await type_on("worker1", "ip netns exec vm1 host nobody.ovn.org")

            # another address is given as soon as this one is not to be, and told when it is asked for again
            await type_on("worker1", "ovn-nbctl set Logical_Switch net other_config:exclude_ips=10.0.0.2", SYNC)
            told = await type_on("worker1", "ip netns exec vm1 dhclient -v vm1")
            assert told == "bound to 10.0.0.4/24 by 10.0.0.1\n"

    asyncio.run(story())


RELAYED = """\
ovn-nbctl ls-add net -- set Logical_Switch net other_config:dhcp_relay_port=net-r
ovn-nbctl ls-add far
ovn-nbctl lr-add r -- lrp-add r to-net 40:44:00:00:00:ff 10.0.0.1/24 -- lrp-add r to-far 40:44:00:00:00:fe 172.16.0.1/24
ovn-nbctl lsp-add-router-port net net-r to-net -- lsp-add-router-port far far-r to-far
ovn-nbctl lsp-add net vm1 -- lsp-set-addresses vm1 "40:44:00:00:00:01 10.0.0.5"
ovn-nbctl lsp-add far srv -- lsp-set-addresses srv "40:44:00:00:00:02 172.16.0.9"
ovn-nbctl -- --id=@d create DHCP_Relay name=far servers=172.16.0.9 -- set Logical_Router_Port to-net dhcp_relay=@d"""


async def answer_dhcp(server: Guest, offer: responder.Offer) -> None:
    """Be a DHCP server behind relays, until cancelled."""
    frames = []
    while True:
        data = await server.talk(frames, dhcp4.SERVER_PORT, lambda _: True, timeout_s=60)
        assert data is not None
        request = dhcp4.parse(data)
        answer = responder.answer(request, offer)
        assert answer is not None
        reply, relay = dhcp4.build(answer._replace(giaddr=request.giaddr)), (4, request.giaddr)
        frames = server.host.send(relay, dhcp4.SERVER_PORT, reply, server.now(), from_port=dhcp4.SERVER_PORT)


def test_a_router_passes_on_what_guests_ask_and_what_they_are_told():
    async def story():
        async with lab("worker1", "worker2") as (network, type_on):
            await type_on("worker1", *RELAYED.splitlines(), *GUEST.format("vm1", 1).splitlines())
            await type_on(
                "worker2",
                *GUEST.format("srv", 2).splitlines(),
                "ip netns exec srv ip addr add 172.16.0.9/24 dev srv",
                "ip netns exec srv ip route add default via 172.16.0.1",
                SYNC,
            )
            (server,) = [machines.cards["srv"] for machines in network.everywhere() if "srv" in machines.cards]
            own, mask = ip4_int("172.16.0.9").to_bytes(4, "big"), ip4_int("255.255.255.0").to_bytes(4, "big")
            options = {1: mask, 3: ip4_int("10.0.0.1").to_bytes(4, "big"), 51: bytes((0, 0, 2, 0)), 54: own}
            task = asyncio.ensure_future(answer_dhcp(server.guest, responder.Offer(ip4_int("10.0.0.5"), options)))
            told = await type_on("worker1", "ip netns exec vm1 dhclient -v vm1")
            task.cancel()
            assert told == f"bound to 10.0.0.5/24 by {ip_str(4, int.from_bytes(own, 'big'))}\n"
            assert "1 received" in await type_on("worker1", "ip netns exec vm1 ping -c1 172.16.0.9")

    asyncio.run(story())
