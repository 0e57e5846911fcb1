"""A flow's match: a canonical, hashable tuple.

    match(eth_type=0x800, ip_src=(0x0a000000, 0xff000000))
        → (("eth_type", 0x800, 0xffff), ("ip_src", 0x0a000000, 0xff000000))

Canonical means: in the order of `FIELDS`, `value & mask == value`, no field with mask 0, the 64- and 128-bit
registers split into their 32-bit ones (a switch keeps no others); so two matches are the same match exactly when
the tuples are equal.  The empty tuple matches every packet.
"""

from collections.abc import Iterable, Mapping

from pyovn.net.errors import Malformed
from pyovn.openflow.fields import FULL, ORDER

Match = tuple[tuple[str, int, int], ...]

ANY: Match = ()


def match(**fields: int | tuple[int, int]) -> Match:
    """The match on these fields, each a value (exact) or a (value, mask)."""
    return canonical(
        (name, *wanted) if isinstance(wanted, tuple) else (name, wanted, FULL[name]) for name, wanted in fields.items()
    )


def canonical(terms: Iterable[tuple[str, int, int]]) -> Match:
    """The canonical match of terms in any order, each field at most once."""
    found = [(name, value & mask, mask) for name, value, mask in terms if mask]
    names = [name for name, _, _ in found]
    if not _PECULIAR.isdisjoint(names):
        found = [part for term in found for part in parts(term)]
        names = [name for name, _, _ in found]
    places = [ORDER[name] for name in names]
    if places != sorted(places):
        found.sort(key=order)
    return tuple(found)


#: wide register → ((register, bits to the right of it), …)
WIDE: dict[str, tuple[tuple[str, int], ...]] = {
    **{f"xreg{n}": ((f"reg{2 * n}", 32), (f"reg{2 * n + 1}", 0)) for n in range(8)},
    **{f"xxreg{n}": tuple((f"reg{4 * n + part}", 96 - 32 * part) for part in range(4)) for n in range(4)},
}
_PECULIAR = frozenset((*WIDE, "vlan_tci"))


def order(term: tuple[str, int, int]) -> int:
    """A term's place in a canonical match."""
    return ORDER[term[0]]


def parts(term: tuple[str, int, int]) -> list[tuple[str, int, int]]:
    """A term with a mask, in its canonical fields."""
    name, value, mask = term
    if name in WIDE:
        split = ((part, value >> at & 0xFFFFFFFF, mask >> at & 0xFFFFFFFF) for part, at in WIDE[name])
        return [part for part in split if part[2]]
    if name == "vlan_tci" and mask == 0xFFFF and not value & VLAN_PRESENT:
        return [(name, 0, UNTAGGED_MASK)]
    return [term]


VLAN_PRESENT = 0x1000  #: bit of vlan_tci that says there is a tag
UNTAGGED_MASK = 0x1FFF  #: vlan_tci 0 under this mask is how a switch keeps "no tag"


def intersection(left: Match, right: Match) -> Match | None:
    """What both match, or None where that is nothing."""
    terms = {name: (value, mask) for name, value, mask in left}
    for name, value, mask in right:
        if name in terms:
            other, other_mask = terms[name]
            if (value ^ other) & mask & other_mask:
                return None
            value, mask = value | other, mask | other_mask
        terms[name] = (value, mask)
    return canonical((name, *term) for name, term in terms.items())


def covers(broad: Match, narrow: Match) -> bool:
    """True if every packet that `narrow` matches is matched by `broad` too (OpenFlow's loose match)."""
    terms = {name: (value, mask) for name, value, mask in narrow}
    for name, value, mask in broad:
        inner, inner_mask = terms.get(name, (0, 0))
        if mask & ~inner_mask or (inner ^ value) & mask:
            return False
    return True


def matches(wanted: Match, fields: Mapping[str, int]) -> bool:
    """True if a packet with these field values matches; a field the packet lacks is 0."""
    return all(fields.get(name, 0) & mask == value for name, value, mask in wanted)


def check(wanted: Match) -> None:
    """Verify that every value and mask fits its field; raises Malformed naming the field."""
    for name, value, mask in wanted:
        if (value | mask) & ~FULL[name] and not name.startswith("tun_metadata"):
            raise Malformed(f"{name}: value does not fit in {FULL[name].bit_length()} bits")
