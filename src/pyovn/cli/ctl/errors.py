"""What ends a command early."""

from pyovn.net.errors import OvnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class CtlError(OvnError):
    """Something the user asked for that cannot be done; nothing is committed.

    Where a `word` is the fault, and it should have been one of `choices`, the text ends in a line with a suggestion.
    """

    def __init__(self, text: str, word: str = "", choices: "Iterable[str]" = ()) -> None:
        super().__init__(text)
        self.text = text
        self._word = word
        self._choices = [*choices]

    def __str__(self) -> str:
        if not self._word:
            return self.text
        from pyovn.cli.ctl.hints import hint

        return self.text + hint(self._word, self._choices)


class TryAgain(Exception):
    """What a command waits for has not come true in the database yet."""


class Leave(Exception):
    """A command whose answer is the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
