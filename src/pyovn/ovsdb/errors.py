"""What can go wrong between an OVSDB client and its server.

OvsdbError
├── SchemaFault          a schema, or a value that does not fit its column's type
├── ProtocolFault        the peer broke the protocol: the connection cannot go on
├── Disconnected         the connection went away before the answer came
└── TransactionFailed    the server refused; names the operation and the row
"""

from pyovn.net.errors import Malformed, OvnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class OvsdbError(OvnError):
    """A fault in talking OVSDB."""


class SchemaFault(OvsdbError, Malformed):
    """A schema that makes no sense."""


class ValueFault(OvsdbError, Malformed):
    """A value that does not fit its column's type.

    `error` is the protocol's word for it ("syntax error", "constraint violation", "ovsdb error"), `syntax` the piece
    of JSON at fault, where there is one.
    """

    def __init__(self, error: str, details: str, syntax: object = None) -> None:
        self.error = error
        self.details = details
        self.syntax = syntax
        super().__init__(error, details, syntax)

    def __str__(self) -> str:
        return f"{self.error}: {self.details}"


class ProtocolFault(OvsdbError, Malformed):
    """The peer sent something that the protocol does not allow here."""


class Disconnected(OvsdbError):
    """The connection was lost; whether a transaction under way was applied is unknown."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else "connection to the database lost"


class TransactionFailed(OvsdbError):
    """A transaction that the server refused.

    `error` and `details` are the server's; `subject` names the operation and the row at fault, as
    `insert into Logical_Switch_Port (name="p1")`, and is empty where only the commit as a whole failed.
    """

    def __init__(self, error: str, details: str = "", subject: str = "", index: int | None = None) -> None:
        self.error = error
        self.details = details
        self.subject = subject
        self.index = index
        super().__init__(error, details, subject, index)

    def __str__(self) -> str:
        text = f"{self.error}: {self.details}" if self.details else self.error
        return f"{self.subject}: {text}" if self.subject else text

    @property
    def is_transient(self) -> bool:
        """True where the same transaction may succeed if it is made again from newer data."""
        return self.error in ("timed out", "not owner", "not leader", "aborted")


def remote_error(error: object, subject: str = "", index: int | None = None) -> TransactionFailed:
    """The exception for an `<error>` object (or plain text) that a server sent."""
    if isinstance(error, dict):
        return _from_mapping(error, subject, index)
    return TransactionFailed(str(error), "", subject, index)


def _from_mapping(error: "Mapping[str, object]", subject: str, index: int | None) -> TransactionFailed:
    return TransactionFailed(str(error.get("error", "error")), str(error.get("details", "")), subject, index)
