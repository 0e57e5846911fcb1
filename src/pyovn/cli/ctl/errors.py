"""What ends a command early."""

from pyovn.net.errors import OvnError


class CtlError(OvnError):
    """Something the user asked for that cannot be done; nothing is committed."""


class TryAgain(Exception):
    """What a command waits for has not come true in the database yet."""


class Leave(Exception):
    """A command whose answer is the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
