"""Values in maps of options."""


def number(text: str | None) -> int | None:
    """A number from an option; None where there is none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
