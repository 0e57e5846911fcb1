"""Addresses and prefixes in the form in which the northbound database keeps them."""

from pyovn.net.errors import Malformed
from pyovn.net.ip import BITS, ip_parse, ip_str, parse_network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def prefix(text: str) -> tuple[int, str] | None:
    """(version, `NETWORK/LENGTH` without host bits, or `ADDRESS` for a single one); None for what is none."""
    try:
        version, value, length = parse_network(text)
    except Malformed:
        return None
    host_bits = BITS[version] - length
    network = ip_str(version, value >> host_bits << host_bits)
    return version, network if not host_bits else f"{network}/{length}"


def address(text: str) -> tuple[int, str] | None:
    """(version, address in its shortest notation); None for what is none."""
    try:
        version, value = ip_parse(text)
    except Malformed:
        return None
    return version, ip_str(version, value)


def length_of(text: str) -> int:
    """The length of a prefix; -1 for what is none."""
    try:
        return parse_network(text)[2]
    except Malformed:
        return -1


def same_prefixes(one: "Iterable[str]", two: "Iterable[str]") -> bool:
    """True where both lists cover the same networks."""
    return sorted(map(str, map(prefix, one))) == sorted(map(str, map(prefix, two)))
