import pytest

from pyovn.lang.actions import Env, encode, parse
from pyovn.lang.actions.dhcp import read_offer4, read_offer6
from pyovn.lang.actions.events import read_event
from pyovn.lang.actions.log import Log, read_log
from pyovn.lang.actions.move import read_note
from pyovn.lang.actions.punts import read_bind_vport
from pyovn.lang.actions.relay import read_relay
from pyovn.lang.actions.userdata import Opcode, read_result_bit, split
from pyovn.net.errors import Malformed
from pyovn.openflow.action_codec import encode_actions
from pyovn.openflow.actions import Controller, Note, Resubmit


def punted(text: str) -> tuple[Opcode, bytes, bool]:
    env = Env(table=10, lookup_port={"v": 9}.get)
    (controller,) = [one for one in encode(parse(text, table=10), env) if isinstance(one, Controller)]
    return (*split(controller.userdata), controller.pause)


def test_nested_actions_travel_as_openflow() -> None:
    assert punted("arp { next; };") == (Opcode.ARP, encode_actions((Resubmit(19),)), True)


def test_a_log_comes_back_as_it_was() -> None:
    opcode, arguments, pause = punted('log(name="deny", verdict=drop, severity=alert);')
    assert (opcode, pause) == (Opcode.LOG, False)
    assert read_log(arguments) == Log("drop", "alert", "deny")


def test_a_dhcp_offer_comes_back_as_codes_and_values() -> None:
    text = (
        'reg1[2] = put_dhcp_opts(offerip=1.2.3.4, router=10.0.0.1, bootfile_name="x", mtu=1400, '
        'classless_static_route={30.0.0.0/24,10.0.0.4,0.0.0.0/0,10.0.0.1}, domain_search_list="ovn.org,a.ovn.org");'
    )
    opcode, arguments, pause = punted(text)
    assert (opcode, pause) == (Opcode.PUT_DHCP_OPTS, True)
    field, bit, offer = read_result_bit(arguments)
    assert (field, bit) == ("reg1", 2)
    address, options = read_offer4(offer)
    assert address == 0x01020304
    assert options == (
        (67, b"x"),
        (3, bytes((10, 0, 0, 1))),
        (26, b"\x05\x78"),
        (121, bytes((24, 30, 0, 0, 10, 0, 0, 4, 0, 10, 0, 0, 1))),
        (119, b"\x03ovn\x03org\x00\x01a\xc0\x00"),
    )


def test_a_dhcpv6_offer_comes_back_as_codes_and_values() -> None:
    _, arguments, _ = punted('reg1[0] = put_dhcpv6_opts(ia_addr = ae70::4, fqdn="h.o");')
    options = read_offer6(read_result_bit(arguments)[2])
    assert options == ((5, bytes((0xAE, 0x70)) + bytes(13) + b"\x04"), (39, b"\x01h\x01o\x00"))


def test_a_router_advertisement_is_ready_to_send() -> None:
    _, arguments, _ = punted("reg1[0] = put_nd_ra_opts(slla = ae:01:02:03:04:05, prefix = aef0::/64, mtu = 1500);")
    message = read_result_bit(arguments)[2]
    assert message[:8] == bytes((134, 0, 0, 0, 255, 0, 255, 255))
    assert message[16:24] == bytes((1, 1, 0xAE, 1, 2, 3, 4, 5))
    assert len(message) == 16 + 8 + 32 + 8


def test_an_event_comes_back_by_name() -> None:
    _, arguments, _ = punted('trigger_event(event = "empty_lb_backends", vip = "[::1]:80", protocol = "udp");')
    assert read_event(arguments) == ("empty_lb_backends", {"vip": "[::1]:80", "protocol": "udp"})


def test_a_virtual_port_travels_as_its_key() -> None:
    assert read_bind_vport(punted('bind_vport("v", inport);')[1]) == 9


def test_relay_addresses_come_back() -> None:
    _, arguments, _ = punted("reg0[7] = dhcp_relay_req_chk(192.168.1.1, 172.16.1.1);")
    assert read_relay(read_result_bit(arguments)[2]) == (0xC0A80101, 0xAC100101)


def test_own_fields_travel_as_notes() -> None:
    (note,) = encode(parse("icmp4.frag_mtu = 1500;"), Env())
    assert isinstance(note, Note)
    assert read_note(note.data + bytes(2)) == ("icmp4.frag_mtu", 1500)
    assert read_note(b"else") is None


@pytest.mark.parametrize("userdata", [b"", b"\x00\x00\x00\x01", b"\x00\x00\xff\xff\x00\x00\x00\x00"])
def test_userdata_that_no_service_wrote_is_malformed(userdata: bytes) -> None:
    with pytest.raises(Malformed):
        split(userdata)


@pytest.mark.parametrize("read", [read_log, read_event, read_relay, read_offer4, read_result_bit])
def test_truncated_arguments_are_malformed(read: object) -> None:
    with pytest.raises(Malformed):
        read(b"\x01")  # type: ignore[operator]
