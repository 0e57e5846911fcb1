"""Facts as southbound rows: nothing is written that is known."""

import pytest

from pyovn.controller import learning
from pyovn.controller.edits import Delete, Insert, Put, Update
from pyovn.controller.effects import Activate, Adopt, Judge, Learned, Neighbour, Record
from pyovn.controller.services.multicast import Group
from pyovn.tables import sb
from tests.controller.services.rows import Rows


@pytest.fixture
def rows():
    found = Rows()
    found.put(sb.DatapathBinding, "router", tunnel_key=2)
    found.put(sb.PortBinding, "port", logical_port="p", datapath="router", tunnel_key=7, chassis="us")
    found.put(sb.PortBinding, "vip", logical_port="v", datapath="router", tunnel_key=8, type="virtual")
    return found


NEIGHBOUR, STATION = Neighbour(2, 7, (4, 0x0A000009), 0x404400000009), Learned(2, 7, 0x404400000009)


def learned(rows, fact):
    return list(learning.learned_edits(rows, fact, 1000))


def test_a_new_neighbour_is_written(rows):
    columns = {"logical_port": "p", "ip": "10.0.0.9", "mac": "40:44:00:00:00:09", "datapath": "router"}
    assert learned(rows, NEIGHBOUR) == [Insert(sb.MACBinding, {**columns, "timestamp": 1000})]
    rows.put(sb.MACBinding, "known", **columns, timestamp=5)
    assert learned(rows, NEIGHBOUR) == []
    (update,) = learned(rows, NEIGHBOUR._replace(mac=1))
    assert update.columns == {"mac": "00:00:00:00:00:01", "timestamp": 1000}
    assert learned(rows, NEIGHBOUR._replace(port=99)) == []


def test_a_new_station_is_written(rows):
    columns = {"mac": "40:44:00:00:00:09", "dp_key": 2, "port_key": 7}
    assert learned(rows, STATION) == [Insert(sb.FDB, {**columns, "timestamp": 1000})]
    known = rows.put(sb.FDB, "known", **columns)
    assert learned(rows, STATION) == []
    assert learned(rows, STATION._replace(port=8)) == [Update(known, {"port_key": 8})]


def test_a_virtual_port_is_bound_where_its_parent_is(rows):
    (update,) = learning.adoption_edits(rows, Adopt(2, 8, 7), "us")
    assert update.columns == {"chassis": "us", "virtual_parent": "p"}
    assert list(learning.adoption_edits(rows, Adopt(2, 8, 7), "others")) == []
    assert list(learning.adoption_edits(rows, Adopt(2, 7, 8), "us")) == []
    assert list(learning.adoption_edits(rows, Adopt(2, 99, 7), "us")) == []


def test_an_activated_port_says_where(rows):
    (put,) = learning.activation_edits(rows, Activate(2, 7), "hv1")
    assert isinstance(put, Put)
    assert put.value == {"additional-chassis-activated": "hv1"}
    rows.put(
        sb.PortBinding, "port", logical_port="p", datapath="router", tunnel_key=7,
        options={"additional-chassis-activated": "hv1"},
    )  # fmt: skip
    assert list(learning.activation_edits(rows, Activate(2, 7), "hv1")) == []
    assert list(learning.activation_edits(rows, Activate(3, 7), "hv1")) == []


def test_an_event_is_told_once_until_somebody_takes_it(rows):
    event = Record("empty_lb_backends", (("vip", "10.0.0.9:80"),))
    (insert,) = learning.event_edits(rows, event, "us")
    assert (insert.columns["seq_num"], insert.columns["event_info"]) == (1, {"vip": "10.0.0.9:80"})
    rows.put(sb.ControllerEvent, "told", **insert.columns)
    assert list(learning.event_edits(rows, event, "us")) == []
    (other,) = learning.event_edits(rows, Record("empty_lb_backends", ()), "us")
    assert other.columns["seq_num"] == 2


def test_a_session_tells_its_state(rows):
    session = rows.put(sb.BFD, "bfd", status="down")
    assert list(learning.status_edits(rows, Judge("bfd", "up"))) == [Update(session, {"status": "up"})]
    assert list(learning.status_edits(rows, Judge("bfd", "down"))) == []
    assert list(learning.status_edits(rows, Judge("gone", "up"))) == []


def test_groups_are_told_as_they_come_and_go(rows):
    us = rows.put(sb.Chassis, "us", name="hv1")
    members = {Group(2, "239.1.1.1"): ("IGMPv2", frozenset({7, 99})), Group(3, "239.1.1.2"): ("IGMPv2", frozenset({7}))}
    (insert,) = learning.member_edits(rows, members, us)
    assert (insert.columns["address"], insert.columns["ports"]) == ("239.1.1.1", frozenset({"port"}))
    row = rows.put(sb.IGMPGroup, "group", **insert.columns)
    assert list(learning.member_edits(rows, members, us)) == []
    assert list(learning.member_edits(rows, {}, us)) == [Delete(row)]
