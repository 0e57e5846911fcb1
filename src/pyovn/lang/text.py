"""Constants of the language: numbers in their notations, strings, and back to text.

    notation    examples                            kept because
    decimal     10                                  a set of constants prints as it was written
    hex         0x1f, 0x10/0xf0
    ip4         1.2.3.4, 1.2.3.0/24
    ip6         ::1, fd00::/8
    mac         0a:00:00:00:00:01

A masked constant's value is zero outside its mask.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

from pyovn.lang.errors import SyntaxFault
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_int, ip4_str, ip6_int, ip6_str, mask4, mask6
from pyovn.net.mac import mac_int, mac_str

Notation = Literal["decimal", "hex", "ip4", "ip6", "mac"]

MAX_BITS = 1024  #: widest number the language knows

_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}").fullmatch
_WIDTH: dict[Notation, int] = {"ip4": 32, "ip6": 128, "mac": 48}


class Constant(NamedTuple):
    """A number as it was written."""

    value: int
    #: None: exact
    mask: int | None
    notation: Notation

    @property
    def width(self) -> int:
        """Bits that a field needs to be compared with it: the mask's, the notation's, or the number's own."""
        if self.mask is not None:
            return self.mask.bit_length()
        return _WIDTH.get(self.notation) or self.value.bit_length()

    def __str__(self) -> str:
        return format_constant(self)


@lru_cache(maxsize=1 << 16)
def parse_number(text: str) -> Constant:
    """The constant a numeric token means.

    Raises:
        SyntaxFault: the token is no number in any notation, or value and mask do not go together.
    """
    value_text, slash, mask_text = text.partition("/")
    value, notation = _plain(value_text)
    if not slash:
        return Constant(value, None, notation)
    mask, mask_notation = _plain(mask_text)
    if mask_notation != notation:
        mask, notation = _reconciled(value, notation, mask, mask_notation)
    return Constant(value & mask, mask, notation)


def _reconciled(value: int, notation: Notation, mask: int, mask_notation: Notation) -> tuple[int, Notation]:
    """The mask and notation of `VALUE/MASK` written in two notations: a prefix length, or `0/0x…`."""
    if mask_notation == "decimal" and notation == "ip4" and mask <= 32:
        return mask4(mask), notation
    if mask_notation == "decimal" and notation == "ip6" and mask <= 128:
        return mask6(mask), notation
    if notation == "decimal" and value == 0 and mask_notation == "hex":
        return mask, "hex"
    raise SyntaxFault("Value and mask have incompatible formats.")


def _plain(text: str) -> tuple[int, Notation]:
    if text.isdigit() and text.isascii():
        return _decimal(text), "decimal"
    if not text:
        raise SyntaxFault("Integer constant expected.")
    if text[:2] in ("0x", "0X"):
        return _hex(text[2:]), "hex"
    try:
        if ":" in text:
            return (mac_int(text), "mac") if _MAC(text) else (ip6_int(text), "ip6")
        return ip4_int(text), "ip4"
    except Malformed:
        raise SyntaxFault("Invalid numeric constant.") from None


def _decimal(text: str) -> int:
    if text[0] == "0" and len(text) > 1:
        raise SyntaxFault("Decimal constants must not have leading zeros.")
    value = int(text) if len(text) <= 20 else 1 << 64
    if value >= 1 << 64:
        raise SyntaxFault("Decimal constants must be less than 2**64.")
    return value


def _hex(digits: str) -> int:
    if not digits or digits[0] not in "0123456789abcdefABCDEF":
        raise SyntaxFault("Invalid syntax in hexadecimal constant." if digits else "Hex digits expected following 0x.")
    try:
        value = int(digits, 16)
    except ValueError:
        raise SyntaxFault("Invalid syntax in hexadecimal constant.") from None
    if value.bit_length() > MAX_BITS:
        raise SyntaxFault("Hexadecimal constant requires more than 1024 bits.")
    return value


def format_constant(constant: Constant) -> str:
    """The constant in its notation; a contiguous address mask as a prefix length."""
    value, mask, notation = constant
    text = _FORMAT[notation](value)
    if mask is None:
        return text
    if notation in ("ip4", "ip6"):
        width = _WIDTH[notation]
        zeros = width - mask.bit_count()
        if mask == (1 << width) - (1 << zeros):
            return f"{text}/{width - zeros}"
    return f"{text}/{_FORMAT[notation](mask)}"


def hex_text(value: int) -> str:
    """Hexadecimal with 0x, except that zero is plain `0`."""
    return f"{value:#x}" if value else "0"


_FORMAT: dict[Notation, Callable[[int], str]] = {
    "decimal": str,
    "hex": hex,
    "ip4": ip4_str,
    "ip6": ip6_str,
    "mac": mac_str,
}


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile(r'["\\\x00-\x1f]')
_UNESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)


def quote(text: str) -> str:
    """`text` as a string constant (JSON's syntax, other characters than controls as they are)."""
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"


def unquote(body: str) -> str:
    """What the inside of a string constant means; raises SyntaxFault."""
    if "\\" not in body:
        return body
    text = _ESCAPED.sub(_unescape, body)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise SyntaxFault("malformed \\u escape") from None


def _unescape(found: re.Match[str]) -> str:
    hexadecimal, simple = found.groups()
    if hexadecimal:
        if hexadecimal == "0000":
            raise SyntaxFault("null bytes not supported in quoted strings")
        return chr(int(hexadecimal, 16))
    if simple == "u":
        rest = found.string[found.end() :]
        raise SyntaxFault("quoted string ends within \\u escape" if len(rest) < 4 else "malformed \\u escape")
    if simple not in _UNESCAPES:
        raise SyntaxFault(f"bad escape \\{simple}")
    return _UNESCAPES[simple]
