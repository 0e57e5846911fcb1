"""Just enough HTTP/1.0 (RFC 1945) for guests to fetch a page from each other, and to see from where they are seen."""

from typing import NamedTuple

from pyovn.net.errors import Malformed
from pyovn.net.ip import ip_parse, ip_str

PORT = 80


class Url(NamedTuple):
    """Where a page is."""

    address: str
    port: int
    path: str


def parse_url(text: str) -> Url:
    """Read http://ADDRESS[:PORT][/PATH]; raises Malformed."""
    scheme, separator, rest = text.rpartition("://")
    if separator and scheme != "http":
        raise Malformed(f"{text}: guests of a lab speak http only")
    place, slash, path = rest.partition("/")
    address, port = place, PORT
    if place.startswith("["):
        address, _, tail = place[1:].partition("]")
        port = _port(tail.removeprefix(":"), text)
    elif place.count(":") == 1:
        address, _, tail = place.partition(":")
        port = _port(tail, text)
    ip_parse(address)
    return Url(address, port, slash + path or "/")


def _port(text: str, url: str) -> int:
    if text and not (text.isdecimal() and 0 < int(text) < 65536):
        raise Malformed(f"{url}: bad port")
    return int(text) if text else PORT


def request(url: Url) -> bytes:
    """What a client says."""
    host = f"[{url.address}]" if ":" in url.address else url.address
    return f"GET {url.path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: curl\r\n\r\n".encode()


def page(server: str, client: tuple[tuple[int, int], int]) -> bytes:
    """What a server answers: who it is, and whom it sees."""
    (address, port) = client
    body = f"{server} sees {ip_str(*address)} port {port}\n".encode()
    head = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def body(response: bytes) -> bytes:
    """The page in a response; raises Malformed."""
    head, separator, rest = response.partition(b"\r\n\r\n")
    if not separator or not head.startswith(b"HTTP/1."):
        raise Malformed("no HTTP response")
    return rest
