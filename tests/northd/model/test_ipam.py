"""Pools and requests, as columns spell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.net.ip import ip4_int, ip6_int
from pyovn.northd.model.ipam import Request, pool, request
from pyovn.northd.sync.leases import address_int

low = address_int("10.0.0.0")
hosts = st.integers(0, 63)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("dynamic", Request()),
        ("dynamic 10.0.0.9", Request(ip4=ip4_int("10.0.0.9"))),
        ("dynamic  010.0.0.9", Request(ip4=ip4_int("10.0.0.9"))),
        ("dynamic FD00::9", Request(ip6=ip6_int("fd00::9"))),
        ("dynamic 10.0.0.9 fd00::9", Request(ip4=ip4_int("10.0.0.9"), ip6=ip6_int("fd00::9"))),
        ("dynamic 10.0.0.9 10.0.0.10", Request(ip4=ip4_int("10.0.0.9"))),
        ("0A:0:0:0:0:f dynamic", Request(mac=0x0A000000000F)),
        *((text, None) for text in ("dynamic ", " dynamic", "DYNAMIC", "xdynamic", "dynamic x", "dynamic dynamic")),
        *((text, None) for text in ("dynamic 10.0.0.9/24", "dynamic 10.0.0.300", "dynamic fd00::9 10.0.0.9")),
        *((text, None) for text in ("dynamic fd00::9 fd00::8", "dynamic abc", "dynamic :::", "x dynamic")),
        ("00:00:00:00:00:01 dynamic 10.0.0.9", None),
        ("00:00:00:00:00:01 10.0.0.9 dynamic", None),
    ],
)
def test_what_an_entry_asks_for(text: str, wanted: Request | None) -> None:
    assert request(text) == wanted


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0.0/32", "junk", "fd00::/64", "10.0.0.0/255.0.255.0"])
def test_what_is_no_subnet(text: str) -> None:
    assert pool({"subnet": text}) == (None, [f"bad 'subnet' {text}"])


@given(st.lists(st.tuples(hosts, hosts), max_size=5), hosts)
def test_a_pool_has_what_is_not_excluded(ranges: list[tuple[int, int]], start: int) -> None:
    ordered = [(min(pair), max(pair)) for pair in ranges]
    text = ", ".join(f"10.0.0.{first}..10.0.0.{last}" for first, last in ordered)
    found, problems = pool({"subnet": "10.0.0.0/26", "exclude_ips": text})
    assert found is not None
    assert problems == []
    free = [host for host in range(2, 63) if not any(first <= host <= last for first, last in ordered)]
    assert [host for host in range(64) if found.has(low + host)] == free
    after = found.next(low + start)
    assert (None if after is None else after - low) == next((host for host in free if host >= start), None)
