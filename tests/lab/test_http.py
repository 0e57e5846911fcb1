"""HTTP between guests."""

import pytest

from pyovn.lab.http import Url, body, page, parse_url, request
from pyovn.net.errors import Malformed


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://10.0.0.1", Url("10.0.0.1", 80, "/")),
        ("10.0.0.1/x/y", Url("10.0.0.1", 80, "/x/y")),
        ("http://10.0.0.1:8080/", Url("10.0.0.1", 8080, "/")),
        ("http://[fd00::1]/", Url("fd00::1", 80, "/")),
        ("http://[fd00::1]:8080/", Url("fd00::1", 8080, "/")),
    ],
)
def test_urls_are_read(text, url):
    assert parse_url(text) == url
    assert request(url).startswith(f"GET {url.path} HTTP/1.0\r\n".encode())


@pytest.mark.parametrize("text", ["https://10.0.0.1/", "http://name/", "http://10.0.0.1:0/", "http://10.0.0.1:x/"])
def test_urls_that_lead_nowhere_are_refused(text):
    with pytest.raises(Malformed):
        parse_url(text)


def test_a_page_says_whom_the_server_sees():
    assert body(page("vm1", ((4, 0x0A000001), 4711))) == b"vm1 sees 10.0.0.1 port 4711\n"
    with pytest.raises(Malformed):
        body(b"hello")
