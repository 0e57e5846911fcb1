"""`Refused`: an operation or request that the server turns down, in the words of RFC 7047 §3.1."""

from typing import Any

from pyovn.ovsdb.errors import OvsdbError
from pyovn.ovsdb.server.text import json_text

_ABSENT: Any = object()


class Refused(OvsdbError):
    """An `<error>`: its kind, what is wrong, and the piece of JSON that is to blame, if one is."""

    def __init__(self, error: str, details: str | None = None, syntax: Any = _ABSENT) -> None:
        super().__init__(error, details)
        self.error = error
        self.details = details
        self._syntax = syntax

    def __str__(self) -> str:
        return f"{self.error}: {self.details}" if self.details else self.error

    def json(self) -> dict[str, str]:
        """The error as it goes over the wire."""
        parts = {"error": self.error}
        if self._syntax is not _ABSENT:
            parts["syntax"] = json_text(self._syntax)
        if self.details is not None:
            parts["details"] = self.details
        return parts


def syntax_error(details: str, syntax: Any = _ABSENT) -> Refused:
    """A request that does not follow the protocol's grammar."""
    return Refused("syntax error", details, syntax)


def constraint_violation(details: str, syntax: Any = _ABSENT) -> Refused:
    """A value, or a set of rows, that the schema forbids."""
    return Refused("constraint violation", details, syntax)


def unknown_column(name: object, table: str, syntax: Any) -> Refused:
    """A column that the table lacks."""
    return Refused("unknown column", f"No column {name} in table {table}.", syntax)
