"""Names: the questions that `host` asks, and how it prints the answers (RFC 1035, 3596)."""

from collections.abc import Iterator

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse, ip_str
from pyovn.packet import dns

WORDS = {dns.A: "has address", dns.AAAA: "has IPv6 address", dns.PTR: "domain name pointer"}
LENGTHS = {dns.A: 4, dns.AAAA: 16}
BOTH = (dns.A, dns.AAAA)


def questions(name: str) -> list[dns.Question]:
    """What to ask about a name, or about an address."""
    try:
        version, value = ip_parse(name)
    except Malformed:
        return [dns.Question(name.rstrip("."), kind) for kind in BOTH]
    if version == 4:
        labels, suffix = list(ip_str(4, value).split(".")), "in-addr.arpa"
    else:
        labels, suffix = list(f"{value:032x}"), "ip6.arpa"
    return [dns.Question(".".join([*reversed(labels), suffix]), dns.PTR)]


def query(question: dns.Question, number: int) -> bytes:
    """A question, as a datagram."""
    return dns.build(dns.Message(number, dns.RECURSION_DESIRED, (question,)))


def lines(question: dns.Question, response: dns.Message) -> Iterator[str]:
    """What an answer is worth, in the words of host(1)."""
    for record in response.answers:
        if record.type != question.type:
            continue
        if record.type == dns.PTR:
            text = read_name(record.data)
        elif len(record.data) == LENGTHS[record.type]:
            text = ip_str(4 if record.type == dns.A else 6, int.from_bytes(record.data, "big"))
        else:
            raise Malformed(f"address of {len(record.data)} bytes")
        dot = "." if record.type == dns.PTR else ""
        yield f"{question.name} {WORDS[record.type]} {text}{dot}\n"


def read_name(data: bytes) -> str:
    """A name that is spelled out.  Raises Malformed."""
    labels, at = [], 0
    while at < len(data) and data[at]:
        size = data[at]
        label = data[at + 1 : at + 1 + size]
        if size > 63 or len(label) < size:
            raise Malformed("DNS name")
        labels.append(label.decode("latin-1"))
        at += size + 1
    return ".".join(labels)
