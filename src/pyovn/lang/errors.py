"""What can be wrong with a text in the logical-flow language."""

from pyovn.net.errors import OvnError


class SyntaxFault(OvnError):
    """A text that is not in the language, or breaks one of its type rules.

    `str()` is the sentence OVN says about it; `position` is where in `source` the parser stood.
    """

    def __init__(self, text: str, source: str = "", position: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.source = source
        self.position = position

    def pointed(self) -> str:
        """The sentence, the source and a caret under the position, on three lines."""
        return f"{self.text}\n    {self.source}\n    {' ' * self.position}^"
