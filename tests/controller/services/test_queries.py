"""Multicast queries: what scapy and a report reader make of them, and when they come."""

import pytest
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3mq
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6MLQuery2, IPv6, IPv6ExtHdrHopByHop, RouterAlert
from scapy.layers.l2 import Ether

from pyovn.controller import layout
from pyovn.controller.desk import Desk
from pyovn.controller.services.queries import FLOOD, Querier, Queries, frames
from pyovn.net.ip import ip4_int, ip6_int
from pyovn.packet import igmp
from pyovn.tables import sb
from tests.controller.services.rows import Rows

QUERIER = Querier(0x7701, ip4_int("10.0.0.250"), ip6_int("fe80::250"), 3, 2)


def again(frame, *fields):
    """The frame as scapy writes it when it computes these fields itself."""
    copy = Ether(frame)
    for layer, field in fields:
        delattr(copy[layer], field)
    return bytes(copy)


def test_an_igmp_query_is_what_scapy_writes():
    frame, _ = frames(QUERIER)
    found = Ether(frame)
    assert (found.src, found.dst) == ("00:00:00:00:77:01", "01:00:5e:00:00:01")
    assert (found[IP].src, found[IP].dst, found[IP].ttl) == ("10.0.0.250", "224.0.0.1", 1)
    assert found[IP].options[0].option == 20, "router alert"
    assert (found[IGMPv3].mrcode, found[IGMPv3mq].gaddr, found[IGMPv3mq].qqic) == (20, "0.0.0.0", 3)
    assert again(frame, (IP, "chksum"), (IGMPv3, "chksum")) == frame


def test_an_mld_query_is_what_scapy_writes():
    _, frame = frames(QUERIER)
    found = Ether(frame)
    assert (found.dst, found[IPv6].src, found[IPv6].dst) == ("33:33:00:00:00:01", "fe80::250", "ff02::1")
    assert found[IPv6].hlim == 1
    assert isinstance(found[IPv6ExtHdrHopByHop].options[0], RouterAlert)
    assert (found[ICMPv6MLQuery2].mrd, found[ICMPv6MLQuery2].mladdr, found[ICMPv6MLQuery2].QQIC) == (2000, "::", 3)
    assert again(frame, (ICMPv6MLQuery2, "cksum")) == frame


@pytest.mark.parametrize(("address", "count"), [({"ip4": 0}, 1), ({"ip6": 0}, 1)])
def test_without_an_address_there_is_no_query_of_its_family(address, count):
    assert len(list(frames(QUERIER._replace(**address)))) == count


@pytest.mark.parametrize("seconds", [1, 12, 13, 100, 1000, 3174])
def test_long_times_are_said_as_nearly_as_can_be(seconds):
    code = igmp.general_query4(1, seconds)[9]
    meant = code if code < 128 else (code & 15 | 16) << (code >> 4 & 7) + 3
    assert seconds * 15 / 16 < meant <= seconds


def test_what_is_too_long_is_the_longest_time():
    assert igmp.general_query4(1, 99999)[9] == 255


def test_queries_come_again_and_again():
    queries = Queries()
    queries.follow({5: QUERIER}, 0.0)
    assert list(queries.handle(2.9)) == []
    assert len(list(queries.handle(3.0))) == 2
    queries.follow({5: QUERIER}, 4.0)
    assert queries.deadline == 6.0
    queries.follow({5: QUERIER._replace(interval_s=9)}, 4.0)
    assert queries.deadline == 13.0
    queries.follow({}, 5.0)
    assert queries.deadline is None


def test_the_database_says_who_asks_where():
    rows = Rows()
    rows.put(sb.DatapathBinding, "switch", tunnel_key=5)
    asked = {"datapath": "switch", "enabled": True, "eth_src": "00:00:00:00:77:01", "query_interval": 3}
    rows.put(sb.IPMulticast, "asks", querier=True, ip4_src="10.0.0.250", **asked)
    rows.put(sb.IPMulticast, "silent", querier=False, ip4_src="10.0.0.250", **asked)
    desk = Desk(rows, "hv1", lambda low, high: low)
    desk.follow({sb.IPMulticast: {}}, 0.0)
    (query,) = desk.handle(3.0)
    place = {each.field: each.value for each in query.message.actions if hasattr(each, "field")}
    assert (place["metadata"], place["reg15"]) == (5, FLOOD)
    assert query.message.actions[-1].table == layout.LOCAL_OUTPUT
