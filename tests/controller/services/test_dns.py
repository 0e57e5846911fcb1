"""The name service, told by scapy."""

import pytest
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from pyovn.controller.dispatch import SERVICES
from pyovn.controller.effects import Problem
from pyovn.controller.services.dns import NameService
from pyovn.lang.actions.userdata import Opcode
from pyovn.tables import sb
from tests.controller.services.punts import effects, told
from tests.controller.services.rows import Rows

LOOKUP = "reg0[3] = dns_lookup();"
FRAME = Ether() / IP(src="10.0.0.4", dst="9.9.9.9") / UDP(sport=5353, dport=53)


@pytest.fixture
def rows():
    found = Rows()
    found.put(sb.DatapathBinding, "switch", tunnel_key=2)
    records = {
        "VM1.example.org": "10.0.0.1 10.0.0.2 fd00::1",
        "four.example.org": "10.0.0.3,nonsense",
        "1.0.0.10.in-addr.arpa": "vm1.example.org",
    }
    found.put(sb.DNS, "names", records=records, datapaths=frozenset({"switch"}))
    return found


def ask(rows, *questions, shuffle=lambda records: None, **fields):
    service = NameService(rows, shuffle)
    query = DNS(**{"id": 7, "rd": 1, **fields}, qd=[DNSQR(qname=name, qtype=kind) for name, kind in questions])
    answered, packet = told(effects(LOOKUP, FRAME / query, {**SERVICES, Opcode.DNS_LOOKUP: service.dns_lookup}))
    return Ether(packet)[DNS] if answered else None


@pytest.mark.parametrize(
    ("name", "kind", "addresses"),
    [
        ("vm1.example.org", "A", {"10.0.0.1", "10.0.0.2"}),
        ("vm1.EXAMPLE.org", "AAAA", {"fd00::1"}),
        ("vm1.example.org", "ALL", {"10.0.0.1", "10.0.0.2", "fd00::1"}),
        ("four.example.org", "A", {"10.0.0.3"}),
        ("1.0.0.10.in-addr.arpa", "PTR", {b"vm1.example.org."}),
    ],
)
def test_a_known_name_is_answered(rows, name, kind, addresses):
    found = ask(rows, (name, kind))
    assert {each.rdata for each in found.an} == addresses
    assert {each.rrname for each in found.an} == {found.qd[0].qname} == {f"{name}.".encode()}
    assert {each.ttl for each in found.an} == {3600}
    assert (found.id, found.qr, found.rd, found.rcode) == (7, 1, 1, 0)


@pytest.mark.parametrize(
    ("questions", "fields"),
    [
        ([("other.example.org", "A")], {}),
        ([("four.example.org", "AAAA")], {}),
        ([("vm1.example.org", "MX")], {}),
        ([("vm1.example.org", "A"), ("four.example.org", "A")], {}),
        ([("vm1.example.org", "A")], {"qr": 1}),
        ([("vm1.example.org", "A")], {"opcode": 2}),
    ],
    ids=["unknown", "other family", "other type", "two at once", "a response", "no query"],
)
def test_other_queries_go_on(rows, questions, fields):
    assert ask(rows, *questions, **fields) is None


def test_names_of_another_switch_are_not_known(rows):
    rows.put(sb.DatapathBinding, "switch", tunnel_key=3)
    assert ask(rows, ("vm1.example.org", "A")) is None


def test_a_name_that_is_ours_alone_is_refused(rows):
    records = {"own.example.org": "10.0.0.9"}
    rows.put(sb.DNS, "own", records=records, datapaths=frozenset({"switch"}), options={"ovn-owned": "true"})
    assert ask(rows, ("own.example.org", "AAAA")).rcode == 5
    assert ask(rows, ("own.example.org", "TXT")) is None


def test_addresses_take_turns(rows):
    found = ask(rows, ("vm1.example.org", "A"), shuffle=lambda records: records.reverse())
    assert [each.rdata for each in found.an] == ["10.0.0.2", "10.0.0.1"]


def test_changed_records_are_seen(rows):
    service = NameService(rows, lambda records: None)
    for address in ("10.0.0.1", "10.0.0.7"):
        rows.put(sb.DNS, "names", records={"a": address}, datapaths=frozenset({"switch"}))
        query = FRAME / DNS(qd=DNSQR(qname="a"))
        _, packet = told(effects(LOOKUP, query, {Opcode.DNS_LOOKUP: service.dns_lookup}))
        assert Ether(packet)[DNS].an[0].rdata == address


def test_what_makes_no_sense_goes_on_unanswered(rows):
    service = NameService(rows, lambda records: None)
    problem, *rest = effects(LOOKUP, FRAME / b"short", {Opcode.DNS_LOOKUP: service.dns_lookup})
    assert isinstance(problem, Problem)
    assert not told(rest)[0]
