"""UUIDs as OVSDB writes them: 36 characters of lower-case text.

Rows are looked up by UUID far more often than UUIDs are taken apart, so a `Uuid` is a plain string at run time and
a type of its own only to the type checkers.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:

    class Uuid(str):
        """The text of one UUID."""

else:
    Uuid = str

ZERO = Uuid("00000000-0000-0000-0000-000000000000")  #: "no row", "no transaction"

_HYPHENS = (8, 13, 18, 23)
_HEX = frozenset("0123456789abcdef")


def is_uuid(text: str) -> bool:
    """True for text in the canonical form of a UUID."""
    return (
        len(text) == 36
        and all(text[place] == "-" for place in _HYPHENS)
        and text.count("-") == 4
        and _HEX.issuperset(text.replace("-", ""))
    )


def uuid_text(number: int) -> Uuid:
    """The canonical text of a 128-bit number."""
    digits = f"{number:032x}"
    return Uuid(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


def uuid_int(text: str) -> int:
    """The 128-bit number that a UUID's text stands for."""
    return int(text.replace("-", ""), 16)
