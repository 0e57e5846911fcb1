"""Numbers in arguments, read as C's scanf and strtol do."""

DIGITS = frozenset("0123456789")


def scan_integer(text: str) -> int | None:
    """The decimal number that `text` begins with; None if it begins with none."""
    word = text.lstrip()
    start = 1 if word[:1] in ("+", "-") and word else 0
    end = start
    while end < len(word) and word[end] in DIGITS:
        end += 1
    return int(word[:end]) if end > start else None


def whole_integer(text: str) -> int | None:
    """The decimal number that `text` is; None if it is anything else or more."""
    word = text.strip() if text[:1].isspace() else text
    digits = word[1:] if word[:1] in ("+", "-") else word
    return int(word) if digits and DIGITS.issuperset(digits) else None


def scan_within(text: str, allowed: range) -> int | None:
    """Like `scan_integer`; None also for numbers that are not `allowed`."""
    return _within(scan_integer(text), allowed)


def whole_within(text: str, allowed: range) -> int | None:
    """Like `whole_integer`; None also for numbers that are not `allowed`."""
    return _within(whole_integer(text), allowed)


def _within(number: int | None, allowed: range) -> int | None:
    """The number if it is one and allowed (`None in range` would look at every number there is)."""
    return number if number is not None and number in allowed else None
