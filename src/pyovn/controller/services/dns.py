"""Name service: the `dns_lookup` action answers from the DNS rows of the packet's switch.

A, AAAA, ANY    addresses of the name, in any order          TTL 3600
PTR             the name of an address (`….in-addr.arpa`, `….ip6.arpa`)
a name that is ours alone (`ovn-owned`) without an address of that family → refused
other names     silence: the query goes on to a real server
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from pyovn.controller import layout
from pyovn.controller.effects import Effect, answered, fields_of
from pyovn.incr.engine import Source
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse
from pyovn.net.uuids import Uuid
from pyovn.openflow.messages import PacketIn
from pyovn.packet import datagram, dns
from pyovn.tables.sb import DNS, DatapathBinding

TTL_S: Final = 3600
LENGTHS: Final = {4: 4, 6: 16}
VERSIONS: Final[dict[int, tuple[int, ...]]] = {dns.A: (4,), dns.AAAA: (6,), dns.ANY: (4, 6)}
TYPES: Final = {4: dns.A, 6: dns.AAAA}
Shuffle = Callable[[list[dns.Record]], None]


class NameService:
    """The names that chassis answer for."""

    def __init__(self, rows: Source, shuffle: Shuffle) -> None:
        """`shuffle` puts several addresses into another order each time."""
        self._rows, self._shuffle = rows, shuffle
        #: lower-case records of each row, with the records they were made of
        self._lowered: dict[Uuid, tuple[Mapping[str, str], Mapping[str, str]]] = {}

    def dns_lookup(self, pin: PacketIn, arguments: bytes) -> Iterator[Effect]:
        """Answer the paused packet, or let it pass unchanged if it is not ours to answer."""
        asked = datagram.parse(pin.packet)
        query = dns.parse(asked.data)
        response = self.answer(query, fields_of(pin).get(layout.DATAPATH, 0))
        packet = None if response is None else datagram.build(asked.saying(dns.build(response)))
        yield answered(pin, arguments, packet)

    def answer(self, query: dns.Message, datapath: int) -> dns.Message | None:
        """The response, or None where we know nothing."""
        if query.flags & (dns.RESPONSE | dns.OPCODE) or len(query.questions) != 1:
            return None
        question = query.questions[0]
        if question.cls not in (dns.INTERNET, dns.ANY):
            return None
        value, owned = self._record(question.name.lower(), datapath)
        if value is None:
            return None
        records = list(_records(question, value))
        self._shuffle(records)
        if records:
            return respond(query, dns.NO_ERROR, records)
        return respond(query, dns.REFUSED, ()) if owned and question.type in VERSIONS else None

    def _record(self, name: str, datapath: int) -> tuple[str | None, bool]:
        """(what the switch's rows say of a name, whether nobody else may answer)."""
        for switch in self._rows.where(DatapathBinding, tunnel_key=datapath):
            for row in self._rows.rows(DNS).values():
                if switch.uuid in row.datapaths and (value := self._names(row).get(name)) is not None:
                    return value, row.options.get("ovn-owned") == "true"
        return None, False

    def _names(self, row: DNS) -> Mapping[str, str]:
        source, lowered = self._lowered.get(row.uuid, ({}, {}))
        if source is not row.records:
            lowered = {name.lower(): value for name, value in row.records.items()}
            if len(self._lowered) > len(self._rows.rows(DNS)):
                self._lowered.clear()
            self._lowered[row.uuid] = row.records, lowered
        return lowered


def respond(query: dns.Message, code: int, records: Iterable[dns.Record]) -> dns.Message:
    """The response to a query, with its question."""
    flags = dns.RESPONSE | query.flags & dns.RECURSION_DESIRED | code
    return dns.Message(query.id, flags, query.questions, tuple(records))


def _records(question: dns.Question, value: str) -> Iterator[dns.Record]:
    if question.type == dns.PTR:
        yield dns.Record(question.name, dns.PTR, dns.name(value.strip()), TTL_S)
        return
    versions = VERSIONS.get(question.type, ())
    for text in value.replace(",", " ").split():
        try:
            version, address = ip_parse(text)
        except Malformed:
            continue
        if version in versions:
            yield dns.Record(question.name, TYPES[version], address.to_bytes(LENGTHS[version], "big"), TTL_S)
