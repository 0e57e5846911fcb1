"""Rows that grow old: who counts as alive, who is asked, and how often the switch is looked at."""

import math

import pytest
from scapy.layers.inet6 import ICMPv6ND_NS, IPv6
from scapy.layers.l2 import ARP, Ether

from pyovn.controller import layout
from pyovn.controller.desk import Desk
from pyovn.controller.effects import Problem, Renew, Send
from pyovn.controller.learning import renewal_edits
from pyovn.controller.services.ageing import Ageing
from pyovn.net.uuids import Uuid
from pyovn.tables import sb
from tests.controller.services.rows import Rows

ROW = Uuid("0000002a-0000-0000-0000-000000000000")
FROM, TO, STATION = ((table, 42) for table in (layout.MAC_CACHE_USE, layout.MAC_BINDING, layout.LOOKUP_FDB))


def looks(*counts):
    """What each of several looks tells."""
    ageing = Ageing()
    ageing.shortest(16.0, 0.0)
    return [tuple(ageing.look([ROW], each, 3.0 * number)) for number, each in enumerate(counts, 1)]


@pytest.mark.parametrize("sign", [FROM, STATION], ids=["neighbour", "station"])
def test_who_was_heard_since_the_last_look_is_alive(sign):
    assert looks({sign: 1}, {sign: 1}, {sign: 2}) == [([ROW], []), ([], []), ([ROW], [])]


def test_counts_that_begin_anew_are_signs_too():
    assert looks({FROM: 9}, {FROM: 1})[1] == ([ROW], [])


def test_who_is_sent_to_and_silent_for_two_looks_is_doubted():
    assert looks({TO: 1}, {TO: 2}, {TO: 2}, {TO: 3}) == [([], []), ([], [ROW]), ([], []), ([], [ROW])]


def test_patience_begins_anew_with_every_sign():
    assert looks({TO: 1}, {TO: 2, FROM: 1}, {TO: 3, FROM: 1}) == [([], []), ([ROW], []), ([], [])]


def test_looks_come_several_times_before_the_first_row_is_too_old():
    ageing = Ageing()
    assert ageing.deadline is None
    ageing.shortest(16.0, 100.0)
    assert ageing.deadline == 103.0
    ageing.look([], {}, 103.5)
    ageing.shortest(16.0, 104.0)
    assert ageing.deadline == 106.5
    ageing.shortest(math.inf, 105.0)
    assert ageing.deadline is None


@pytest.fixture
def rows():
    """A router port on a switch, with a neighbour of each family, on a router where neighbours grow old."""
    found = Rows()
    ages = {"mac_binding_age_threshold": "16"}
    found.put(sb.DatapathBinding, "router", tunnel_key=2, external_ids=ages)
    found.put(sb.DatapathBinding, "switch", tunnel_key=5)
    found.put(sb.Chassis, "us", name="hv1")
    macs = frozenset(["00:00:00:00:ff:01 10.0.0.1/24 10.9.0.1/24 fd00::1/64"])
    bound = {"datapath": "router", "tunnel_key": 7, "type": "patch", "mac": macs, "options": {"peer": "out-r"}}
    found.put(sb.PortBinding, "port", logical_port="out", **bound)
    found.put(sb.PortBinding, "link", logical_port="out-r", datapath="switch", tunnel_key=9, type="patch")
    for number, ip in ((42, "10.9.0.9"), (43, "fd00::9")):
        known = {"ip": ip, "mac": "0a:00:00:00:00:09", "logical_port": "out", "datapath": "router"}
        found.put(sb.MACBinding, f"{number:08x}", **known)
    return found


def counted(rows, *counts):
    """What the desk does after the last of several looks."""
    desk = Desk(rows, "hv1", lambda low, high: low)
    desk.follow({sb.DatapathBinding: {}}, 0.0)
    assert desk.look_due == 3.0
    return [list(desk.counted(each, 3.0 * number)) for number, each in enumerate(counts, 1)][-1]


def test_a_neighbour_that_is_doubted_is_asked(rows):
    both = [{(layout.MAC_BINDING, cookie): count for cookie in (42, 43)} for count in (1, 2)]
    four, six = counted(rows, *both)
    assert isinstance(four, Send)
    found = Ether(four.message.packet)
    assert (found.src, found[ARP].psrc, found[ARP].pdst) == ("00:00:00:00:ff:01", "10.9.0.1", "10.9.0.9")
    place = {each.field: each.value for each in four.message.actions if hasattr(each, "field")}
    assert (place["metadata"], place["reg14"]) == (5, 9)
    found = Ether(six.message.packet)
    assert (found[IPv6].src, found[ICMPv6ND_NS].tgt) == ("fd00::1", "fd00::9")


def test_through_a_gateway_port_only_its_chassis_asks(rows):
    port = rows.tables[sb.PortBinding]["port"]
    rows.put(sb.PortBinding, "port", **{
        **{name: getattr(port, name) for name in ("logical_port", "datapath", "tunnel_key", "type", "mac")},
        "options": {"peer": "out-r", "chassis-redirect-port": "cr-out"},
    })  # fmt: skip
    rows.put(sb.PortBinding, "cr", logical_port="cr-out", datapath="router", tunnel_key=8, type="chassisredirect")
    counts = [{(layout.MAC_BINDING, 42): count} for count in (1, 2)]
    assert counted(rows, *counts) == []
    here = {"logical_port": "cr-out", "datapath": "router", "tunnel_key": 8, "type": "chassisredirect", "chassis": "us"}
    rows.put(sb.PortBinding, "cr", **here)
    assert len(counted(rows, *counts)) == 1


def test_a_neighbour_without_sense_is_told(rows):
    rows.put(sb.MACBinding, f"{42:08x}", ip="nonsense", logical_port="out", datapath="router")
    (found,) = counted(rows, *({(layout.MAC_BINDING, 42): count} for count in (1, 2)))
    assert isinstance(found, Problem)


def test_rows_that_are_alive_get_the_time(rows):
    assert counted(rows, {(layout.MAC_CACHE_USE, 42): 1}) == [Renew((Uuid(f"{42:08x}"),))]
    (edit,) = renewal_edits(rows, Renew((Uuid(f"{42:08x}"), Uuid("gone"))), 777)
    assert edit.columns == {"timestamp": 777}
