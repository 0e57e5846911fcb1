"""The DHCP client of guests, beside the responder of the controller; names as `host` asks for them."""

from hypothesis import given
from hypothesis import strategies as st

from pyovn.controller.services import dhcp4 as responder
from pyovn.lab import dhcp_client, resolver
from pyovn.lab.dhcp_client import Lease
from pyovn.net.ip import ip4_int, ip6_int, ip6_str
from pyovn.packet import dhcp4, dhcp6, dns

MAC = 0x404400000001
ROUTES = bytes([0, 10, 0, 0, 1, 16, 172, 16, 10, 0, 0, 9, 32, 169, 254, 169, 254, 0, 0, 0, 0])


def told(**options: bytes) -> Lease:
    """What a client makes of what the responder says about an offer with these options."""
    codes = {"mask": 1, "router": 3, "servers": 6, "mtu": 26, "seconds": 51, "server": 54, "routes": 121}
    offer = responder.Offer(ip4_int("10.0.0.5"), {codes[name]: value for name, value in options.items()})
    question = dhcp4.parse(dhcp4.build(dhcp_client.discover(MAC, 7)))
    first = responder.answer(question, offer)
    assert first is not None
    request = dhcp4.parse(dhcp4.build(dhcp_client.accept(question, first)))
    second = responder.answer(request, offer)
    assert second is not None
    assert second.type == dhcp4.Type.ACK
    return dhcp_client.lease(dhcp4.parse(dhcp4.build(second)))


def test_a_client_takes_what_the_responder_offers() -> None:
    ours, router = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 254))
    mask = bytes((255, 255, 255, 0))
    found = told(server=ours, router=router, mask=mask, mtu=b"\x05\x78", servers=ours + router, seconds=b"\0\0\0\x3c")
    assert found == Lease("10.0.0.1", "10.0.0.5/24", (("default", "10.0.0.254"),), ("10.0.0.1", "10.0.0.254"), 1400, 60)


def test_classless_routes_count_instead_of_the_router() -> None:
    found = told(server=bytes((10, 0, 0, 1)), router=bytes((10, 0, 0, 254)), routes=ROUTES)
    assert found.routes == (("default", "10.0.0.1"), ("172.16.0.0/16", "10.0.0.9"))


def test_an_address_of_ipv6_comes_with_name_servers() -> None:
    question = dhcp_client.solicit(MAC, 7)
    association = dhcp6.Association(1, options=(dhcp6.address(ip6_int("fd00::5")),))
    given = (dhcp6.Code.IA_NA, dhcp6.build_association(association))
    servers = (dhcp6.Code.DNS_SERVERS, ip6_int("fd00::53").to_bytes(16, "big"))
    offer = dhcp6.Message(dhcp6.Type.ADVERTISE, 7, (given, (dhcp6.Code.SERVER_ID, b"them"), servers))
    request = dhcp_client.accept6(question, offer)
    assert request.option(dhcp6.Code.SERVER_ID) == b"them"
    assert request.option(dhcp6.Code.IA_NA) == given[1]
    reply = dhcp6.parse(dhcp6.build(offer._replace(type=dhcp6.Type.REPLY)))
    assert dhcp_client.lease6(reply, "ff02::1:2") == Lease("ff02::1:2", "fd00::5/128", name_servers=("fd00::53",))


@given(st.integers(0, 2**128 - 1))
def test_an_address_is_asked_for_backwards(value: int) -> None:
    (question,) = resolver.questions(ip6_str(value))
    labels = question.name.removesuffix(".ip6.arpa").split(".")
    assert int("".join(reversed(labels)), 16) == value
    answer = dns.Record(question.name, dns.PTR, dns.name("a.example"))
    response = dns.Message(1, dns.RESPONSE, (question,), (answer,))
    assert list(resolver.lines(question, response)) == [f"{question.name} domain name pointer a.example.\n"]
