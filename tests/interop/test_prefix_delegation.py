"""A gateway router asks a DHCPv6 server for a prefix, and its guests hear of it."""

import asyncio

import pytest
from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6NDOptPrefixInfo
from scapy.layers.l2 import Ether

from pyovn.lab.foreign import Parts
from tests.scenario.test_l2_stories import lab
from tests.support.c_programs import need
from tests.support.delegation import PREFIX, reply

pytestmark = pytest.mark.timeout(120)

NETWORK = (
    "ovn-nbctl ls-add out -- lsp-add out server -- lsp-set-addresses server unknown",
    "ovn-nbctl ls-add in -- lsp-add in guest -- lsp-set-addresses guest '40:44:00:00:00:02'",
    "ovn-nbctl lr-add r -- set Logical_Router r options:chassis=hv1",
    "ovn-nbctl lrp-add r r-out 00:00:00:00:ff:01 10.0.0.1/24 -- set Logical_Router_Port r-out"
    " options:prefix_delegation=true -- lsp-add-router-port out out-r r-out",
    "ovn-nbctl lrp-add r r-in 00:00:00:00:ff:02 10.0.1.1/24 -- set Logical_Router_Port r-in options:prefix=true"
    " ipv6_ra_configs:address_mode=slaac ipv6_ra_configs:send_periodic=true ipv6_ra_configs:min_interval=3"
    " ipv6_ra_configs:max_interval=4 -- lsp-add-router-port in in-r r-in",
)


def plugging(name, number):
    """The lines that plug a guest in."""
    yield f"ovs-vsctl add-port br-int {name} -- set Interface {name} type=internal external_ids:iface-id={name}"
    yield f"ip netns add {name}"
    yield f"ip link set {name} netns {name}"
    yield f"ip netns exec {name} ip link set {name} address 40:44:00:00:00:0{number}"
    yield f"ip netns exec {name} ip link set {name} up"


def parts_of(kind):
    """The programs of a network of this kind."""
    if kind == "ours":
        return Parts()
    if kind == "C northd":
        return Parts(need("ovn-northd", "26.03"), {})
    return Parts(None, {"hv1": need("ovn-controller", "26.03")})


@pytest.mark.parametrize(
    "kind",
    ["ours", *(pytest.param(kind, marks=pytest.mark.interop) for kind in ("C northd", "C controller"))],
)
def test_a_router_gets_a_prefix_and_advertises_it(kind):
    async def story():
        async with lab("hv1", parts=parts_of(kind)) as (network, type_on), asyncio.timeout(60):
            lines = (*NETWORK, *plugging("server", 1), *plugging("guest", 2))
            await type_on("hv1", *lines)
            machines = network.host("hv1").machines
            server, guest = machines.card("server"), machines.card("guest")
            heard = asyncio.Queue()
            guest.taps.append(lambda frame, sent: None if sent else heard.put_nowait(frame))

            def serve(frame, sent):
                if not sent and (answer := reply(frame)) is not None:
                    server.guest.send([answer])

            server.taps.append(serve)
            await type_on("hv1", "ovn-nbctl --timeout=30 wait-until Logical_Router_Port r-in ipv6_prefix!='[]'")
            given = await type_on("hv1", "ovn-nbctl --bare get Logical_Router_Port r-in ipv6_prefix")
            assert given.strip() == f'["{PREFIX}/64"]'
            while True:
                advert = Ether(await heard.get())
                if ICMPv6NDOptPrefixInfo in advert and ICMPv6ND_RA in advert:
                    assert advert[ICMPv6NDOptPrefixInfo].prefix == PREFIX
                    return

    asyncio.run(story())
