"""Two switches and a router over two hypervisors: what only packet-in services of the controller can answer.

The logical flows are those of the C ovn-northd; the controllers and switches are ours.
"""

import asyncio
import functools
import operator
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from scapy.contrib.igmp import IGMP
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import (
    DUID_LL,
    DHCP6_Advertise,
    DHCP6_InfoRequest,
    DHCP6_Reply,
    DHCP6_Request,
    DHCP6_Solicit,
    DHCP6OptClientId,
    DHCP6OptElapsedTime,
    DHCP6OptIA_NA,
    DHCP6OptServerId,
)
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.layers.sctp import SCTP, SCTPChunkAbort, SCTPChunkData, SCTPChunkInit

from pyovn.lab import shims, wire
from pyovn.lab.foreign import Parts
from pyovn.lab.layout import Layout
from pyovn.lab.network import Lab
from pyovn.lab.service import Service
from pyovn.lab.terminal import Terminal
from tests.support.c_programs import need

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

NETWORK = (
    "ovn-nbctl lr-add r -- lrp-add r r-one 00:00:00:00:ff:01 10.0.1.1/24 fd01::1/64"
    " -- lrp-add r r-two 00:00:00:00:ff:02 10.0.2.1/24 fd02::1/64",
    "ovn-nbctl ls-add one -- lsp-add one one-r -- lsp-set-type one-r router -- lsp-set-addresses one-r router"
    " -- lsp-set-options one-r router-port=r-one",
    "ovn-nbctl ls-add two -- lsp-add two two-r -- lsp-set-type two-r router -- lsp-set-addresses two-r router"
    " -- lsp-set-options two-r router-port=r-two",
    # unknown: the router has to ask for their addresses
    "ovn-nbctl lsp-add one vm1 -- lsp-set-addresses vm1 unknown -- lsp-add two vm2 -- lsp-set-addresses vm2 unknown",
)


def plugging(name, number):
    """The lines that plug guest `name` into its hypervisor's switch, with a default route."""
    inside = f"ip netns exec {name}"
    return (
        f"ovs-vsctl add-port br-int {name} -- set Interface {name} type=internal"
        f" -- set Interface {name} external_ids:iface-id={name}",
        f"ip netns add {name}",
        f"ip link set {name} netns {name}",
        f"{inside} ip link set {name} address 40:44:00:00:00:0{number}",
        f"{inside} ip addr add 10.0.{number}.11/24 dev {name}",
        f"{inside} ip -6 addr add fd0{number}::11/64 dev {name}",
        f"{inside} ip link set {name} up",
        f"{inside} ip route add default via 10.0.{number}.1",
        f"{inside} ip -6 route add default via fd0{number}::1",
    )


class Net:
    """A running network of that kind."""

    def __init__(self, lab, layout):
        self.lab = lab
        self.one, self.two = Terminal(layout, "hv1"), Terminal(layout, "hv2")

    async def sync(self):
        """Wait until everybody has the newest configuration."""
        assert not await self.one.type("ovn-nbctl --timeout=20 --wait=hv sync")

    def guest(self, host, name):
        """The simulated machine behind a port."""
        return self.lab.host(host).machines.guest(name)


@asynccontextmanager
async def routed(*more, controllers=None):
    parts = Parts(need("ovn-northd", "26.03"), controllers or {})
    with tempfile.TemporaryDirectory(prefix="l3-") as directory:
        layout = Layout(Path(directory))
        async with Lab(layout, ["hv1", "hv2"], parts=parts) as lab:
            shims.install(layout.bin)
            server = await wire.listen(layout.control, Service(lab, lambda: None))
            net = Net(lab, layout)
            async with asyncio.timeout(60):
                await lab.ready()
                for line in (*NETWORK, *more, *plugging("vm1", 1)):
                    await net.one.type(line)
                for line in plugging("vm2", 2):
                    await net.two.type(line)
                await lab.port_up("vm1")
                await lab.port_up("vm2")
                await net.sync()
            yield net
            server.close()
            await server.wait_closed()


def told(net, what):
    """The words of a database query."""
    return net.one.type(f"ovn-sbctl --bare {what}")


def test_guests_ping_across_the_router_which_asks_for_their_addresses():
    async def story():
        async with routed() as net:
            assert "2 received" in await net.one.type("ip netns exec vm1 ping -c2 -i0.2 10.0.2.11")
            assert "2 received" in await net.two.type("ip netns exec vm2 ping -c2 -i0.2 fd01::11")
            for port, number in (("r-one", 1), ("r-two", 2)):
                learned = await told(net, f"--columns=mac find MAC_Binding logical_port={port} ip=10.0.{number}.11")
                assert learned.strip() == f"40:44:00:00:00:0{number}"

    asyncio.run(story())


class Wire:
    """A guest's end of its cable, for frames that its network stack would not send."""

    def __init__(self, net, host, name):
        self.card = net.lab.host(host).machines.card(name)
        self.frames = asyncio.Queue()
        self.card.taps.append(lambda frame, sent: None if sent else self.frames.put_nowait(frame))

    async def ask(self, frame, layer, timeout_s=3):
        """Send a frame; the first that comes with `layer` in it is the answer, None if none comes."""
        while not self.frames.empty():
            self.frames.get_nowait()
        self.card.guest.send([bytes(frame)])
        try:
            async with asyncio.timeout(timeout_s):
                while layer not in (answer := Ether(await self.frames.get())):
                    pass
        except TimeoutError:
            return None
        return answer


#: What the services answer from: a narrow link, a third guest with known addresses, and all that it can ask for.
SERVICES = (
    "ovn-nbctl set Logical_Router_Port r-two options:gateway_mtu=1300",
    "ovn-nbctl lsp-add one vm3 -- lsp-set-addresses vm3 '40:44:00:00:00:03 10.0.1.13 fd01::13'",
    "ovn-nbctl --id=@four create DHCP_Options cidr=10.0.1.0/24 options:server_id=10.0.1.1"
    " options:server_mac=00:00:00:00:ff:01 options:lease_time=3600 options:router=10.0.1.1 options:mtu=1400"
    " options:dns_server='{10.0.1.2,10.0.1.3}' options:domain_name='\"\\\"example.org\\\"\"'"
    " options:classless_static_route='{10.9.0.0/16,10.0.1.9}'"
    " -- set Logical_Switch_Port vm3 dhcpv4_options=@four",
    "ovn-nbctl --id=@six create DHCP_Options cidr='\"fd01::/64\"' options:server_id=00:00:00:00:ff:01"
    ' options:dns_server=\'"fd01::2"\' options:domain_search=\'"\\"example.org\\""\''
    " -- set Logical_Switch_Port vm3 dhcpv6_options=@six",
    "ovn-nbctl set Logical_Router_Port r-one ipv6_ra_configs:address_mode=slaac ipv6_ra_configs:mtu=1400"
    " ipv6_ra_configs:rdnss='\"fd01::2\"' ipv6_ra_configs:dnssl=example.org ipv6_ra_configs:send_periodic=true"
    " ipv6_ra_configs:min_interval=3 ipv6_ra_configs:max_interval=4",
    "ovn-nbctl --id=@dns create DNS options:ovn-owned=true records:vm2.example.org='\"10.0.2.11 fd02::11\"'"
    " records:four.example.org='\"10.0.2.44\"' records:11.2.0.10.in-addr.arpa=vm2.example.org"
    " -- set Logical_Switch one dns_records=@dns",
    "ovn-nbctl acl-add one from-lport 1000 'inport == \"vm3\" && ip4.dst == 10.0.1.99' reject"
    " -- acl-add one from-lport 1000 'inport == \"vm3\" && ip6.dst == fd01::99' reject",
)

VM1, ROUTER = "40:44:00:00:00:01", "00:00:00:00:ff:01"
OUT = Ether(src=VM1, dst=ROUTER)
FOUR, SIX = OUT / IP(src="10.0.1.11", dst="10.0.1.1"), OUT / IPv6(src="fd01::11", dst="fd01::1")
ON4, ON6 = OUT / IP(src="10.0.1.11", dst="10.0.2.11", ttl=1), OUT / IPv6(src="fd01::11", dst="fd02::11", hlim=1)
BEYOND4 = OUT / IP(src="10.0.1.11", dst="10.0.2.11", flags="DF")
BEYOND6 = OUT / IPv6(src="fd01::11", dst="fd02::11")

#: what a guest says to its router, and what it hears then
REFUSED = {
    "TTL exceeded": (ON4 / UDP(dport=33434) / b"probe", ICMP),
    "hop limit exceeded": (ON6 / UDP(dport=33434) / b"probe", ICMPv6TimeExceeded),
    "a closed UDP port": (FOUR / UDP(dport=9) / b"x", ICMP),
    "a closed UDP port over IPv6": (SIX / UDP(dport=9) / b"x", ICMPv6DestUnreach),
    "a SYN": (FOUR / TCP(dport=9, seq=7, flags="S"), TCP),
    "a SYN over IPv6": (SIX / TCP(dport=9, seq=7, flags="S"), TCP),
    "a packet too big": (BEYOND4 / UDP(sport=9, dport=9) / bytes(1350), ICMP),
    "a packet too big for IPv6": (BEYOND6 / UDP(sport=9, dport=9) / bytes(1350), ICMPv6PacketTooBig),
    "an unknown protocol": (OUT / IP(src="10.0.1.11", dst="10.0.1.1", proto=200) / b"data", ICMP),
    "INIT": (FOUR / SCTP(dport=9, tag=0) / SCTPChunkInit(init_tag=77, a_rwnd=1500), SCTPChunkAbort),
    "DATA": (FOUR / SCTP(dport=9, tag=55) / SCTPChunkData(data=b"hello"), SCTPChunkAbort),
}
VM3 = "40:44:00:00:00:03"
CLIENT = Ether(src=VM3, dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)
ASKING = CLIENT / BOOTP(chaddr=bytes.fromhex("404400000003"), xid=0x1234)
CLIENT6 = Ether(src=VM3, dst="33:33:00:01:00:02") / IPv6(src="fe80::4244:ff:fe00:3", dst="ff02::1:2")
DUID = DHCP6OptClientId(duid=DUID_LL(lladdr=VM3))
QUERY = Ether(src=VM3, dst=ROUTER) / IP(src="10.0.1.13", dst="9.9.9.9") / UDP(sport=5353, dport=53)
DENIED = Ether(src=VM3, dst="00:00:00:00:00:99") / IP(src="10.0.1.13", dst="10.0.1.99")
DENIED6 = Ether(src=VM3, dst="00:00:00:00:00:99") / IPv6(src="fd01::13", dst="fd01::99")


def dhcp(*options):
    return ASKING / DHCP(options=[*options, "end"])


def dhcp6(message, *options):
    return CLIENT6 / UDP(sport=546, dport=547) / message / DUID / functools.reduce(operator.truediv, options)


def lookup(name, kind):
    return QUERY / DNS(id=7, rd=1, qd=DNSQR(qname=name, qtype=kind))


SERVED = {
    "DISCOVER": (dhcp(("message-type", "discover")), DHCP),
    "REQUEST": (dhcp(("message-type", "request"), ("requested_addr", "10.0.1.13")), DHCP),
    "SOLICIT": (dhcp6(DHCP6_Solicit(trid=5), DHCP6OptIA_NA(iaid=9)), DHCP6_Advertise),
    "REQUEST over IPv6": (
        dhcp6(DHCP6_Request(trid=5), DHCP6OptServerId(duid=DUID_LL(lladdr=ROUTER)), DHCP6OptIA_NA(iaid=9)),
        DHCP6_Reply,
    ),
    "INFORMATION-REQUEST": (dhcp6(DHCP6_InfoRequest(trid=5), DHCP6OptElapsedTime()), DHCP6_Reply),
    "a router solicitation": (
        Ether(src=VM3, dst="33:33:00:00:00:02")
        / IPv6(src="fe80::4244:ff:fe00:3", dst="ff02::2", hlim=255)
        / ICMPv6ND_RS(),
        ICMPv6ND_RA,
    ),
    "an A query": (lookup("VM2.example.org", "A"), DNS),
    "an AAAA query": (lookup("vm2.example.org", "AAAA"), DNS),
    "a PTR query": (lookup("11.2.0.10.in-addr.arpa", "PTR"), DNS),
    "an AAAA query for a name with IPv4 only": (lookup("four.example.org", "AAAA"), DNS),
    "a rejected SYN": (DENIED / TCP(dport=80, seq=5), TCP),
    "a rejected datagram": (DENIED / UDP(dport=80) / b"hello", ICMP),
    "a rejected ping": (DENIED / ICMP(), ICMP),
    "a rejected datagram over IPv6": (DENIED6 / UDP(dport=80) / b"hello", ICMPv6DestUnreach),
    "a rejected SYN over IPv6": (DENIED6 / TCP(dport=80, seq=5), TCP),
}


@functools.cache
def answers(version):
    """What the guests hear from the controllers of a version, by errand."""

    async def story():
        program = None if version == "ours" else need("ovn-controller", version)
        controllers = {} if program is None else {"hv1": program, "hv2": program}
        async with routed(*SERVICES, controllers=controllers) as net:
            for line in plugging("vm3", 3)[:4]:
                await net.one.type(line)
            await net.one.type("ip netns exec vm3 ip link set vm3 up")
            await net.lab.port_up("vm3")
            await net.sync()
            async with asyncio.timeout(20):
                one, three = Wire(net, "hv1", "vm1"), Wire(net, "hv1", "vm3")
                while await one.ask(FOUR / ICMP(), ICMP) is None:
                    pass
            heard = {name: await one.ask(*errand) for name, errand in REFUSED.items()}
            return heard | {name: await three.ask(*errand) for name, errand in SERVED.items()}

    return asyncio.run(story())


TOO_BIG, LONGEST_COMPARED = ICMPv6PacketTooBig, 570


def shown(frame):
    """A frame in words, without what may differ."""
    if DNS in frame:  # C does not compress names, nor fill in the checksum
        del frame[UDP].chksum, frame[UDP].len, frame[IP].chksum, frame[IP].len
        return repr((frame[Ether].src, frame[IP].src, frame[UDP].sport, frame[UDP].dport)) + frame[DNS].show(dump=True)
    if UDP in frame and frame[UDP].sport == 547:  # the order of the options; C sends domains as one label
        message = bytes(frame[UDP].payload).replace(b"\x0bexample.org", b"\x07example\x03org")
        return repr((frame.src, frame[IPv6].src, frame[IPv6].dst, sorted(options6(message))))
    if len(frame) > LONGEST_COMPARED:  # C quotes 14 bytes less: it counts the Ethernet header
        frame = Ether(bytes(frame)[:LONGEST_COMPARED])
        for layer, fields in ((IP, ("len", "chksum")), (ICMP, ("chksum",)), (IPv6, ("plen",)), (TOO_BIG, ("cksum",))):
            for field in fields if layer in frame else ():
                frame[layer].setfieldval(field, 0)
    if DHCP in frame:  # nor pads alike
        said = sorted(map(repr, (option for option in frame[DHCP].options if option not in ("pad", "end"))))
        frame[BOOTP].remove_payload()
        return repr((frame.src, frame.dst, frame[IP].src, frame[IP].dst, said)) + frame[BOOTP].show(dump=True)
    if TCP in frame or SCTP in frame:  # C keeps the time to live of the packet that it refuses
        if IP in frame:
            frame[IP].ttl = frame[IP].chksum = 0
        else:
            frame[IPv6].hlim = 0
    return frame.show(dump=True)


def options6(message):
    """A DHCPv6 message as its first four bytes and its options."""
    yield b"", message[:4]
    at = 4
    while at < len(message):
        length = int.from_bytes(message[at + 2 : at + 4], "big")
        yield message[at : at + 2], message[at + 4 : at + 4 + length]
        at += 4 + length


@pytest.mark.parametrize("errand", [*REFUSED, *SERVED])
def test_guests_hear_what_they_hear_from_the_c_controller(errand):
    ours, theirs = answers("ours")[errand], answers("26.03")[errand]
    assert None not in (ours, theirs)
    assert shown(ours) == shown(theirs)


def test_a_virtual_port_follows_who_announces_its_address():
    virtual = (
        "ovn-nbctl lsp-add one vip -- lsp-set-type vip virtual -- lsp-set-addresses vip '40:44:00:00:00:09 10.0.1.99'"
        " -- lsp-set-options vip virtual-ip=10.0.1.99 virtual-parents=vm1"
    )

    async def story():
        async with routed(virtual) as net:
            card = net.lab.host("hv1").machines.card("vm1")
            address = ARP(op=1, hwsrc=VM1, psrc="10.0.1.99", pdst="10.0.1.99")
            card.guest.send([bytes(Ether(src=VM1, dst="ff:ff:ff:ff:ff:ff") / address)])
            await net.one.type("ovn-sbctl --timeout=10 wait-until Port_Binding vip virtual_parent=vm1")
            bound, here = await told(net, "get Port_Binding vip chassis"), await told(net, "get Chassis hv1 _uuid")
            assert bound == here

    asyncio.run(story())


def test_who_listens_to_a_group_gets_its_packets():
    snooping = "ovn-nbctl set Logical_Switch one other_config:mcast_snoop=true"

    async def story():
        async with routed(snooping) as net:
            wire = Wire(net, "hv1", "vm1")
            joining = IP(src="10.0.1.11", dst="239.1.1.1", ttl=1) / IGMP(type=0x16, gaddr="239.1.1.1")
            wire.card.guest.send([bytes(Ether(src=VM1, dst="01:00:5e:01:01:01") / joining)])
            async with asyncio.timeout(10):
                while not (listening := await told(net, "--columns=protocol,ports find IGMP_Group address=239.1.1.1")):
                    pass
            assert listening.split() == ["IGMPv2", (await told(net, "get Port_Binding vm1 _uuid")).strip()]
            leaving = IP(src="10.0.1.11", dst="224.0.0.2", ttl=1) / IGMP(type=0x17, gaddr="239.1.1.1")
            wire.card.guest.send([bytes(Ether(src=VM1, dst="01:00:5e:00:00:02") / leaving)])
            async with asyncio.timeout(10):
                while await told(net, "list IGMP_Group"):
                    pass

    asyncio.run(story())
