"""What a user who mistyped a word may have meant.

lsp-lst ─▶ Did you mean 'lsp-list'?          sw-0 ─▶ Did you mean 'sw0'?

The hint is a line of its own after the C tools' message, so whoever reads only the first line reads what C says.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 3  #: suggestions
FEW = 1_000  #: choices up to which each is compared letter by letter
ALIKE = 0.65  #: how alike words must be, from 0 to 1, to be worth suggesting


def hint(word: str, choices: "Iterable[str]") -> str:
    """A line to put after an error message about `word`; empty where nothing is like it."""
    near = nearest(word, choices)
    if not near:
        return ""
    shown = [f"'{choice}'" for choice in near]
    return f"\nDid you mean {' or '.join([', '.join(shown[:-1]), shown[-1]]) if shown[1:] else shown[0]}?"


def nearest(word: str, choices: "Iterable[str]") -> list[str]:
    """The choices most like `word`, best first.

    Of very many choices, such as the ports of a cloud, only those are looked at that are an edit or two away.
    """
    from difflib import get_close_matches

    names = sorted({choice for choice in choices if choice})
    if word in names:
        return [word]
    plain = _plain(word)
    same = [name for name in names if _plain(name) == plain]
    if same:
        return same[:MOST]
    if len(names) > FEW:
        near = _shortened(word)
        names = [name for name in names if abs(len(name) - len(word)) < 2 and not near.isdisjoint(_shortened(name))]
    return get_close_matches(word, names[:FEW], MOST, ALIKE)


def _plain(word: str) -> str:
    """A word without what is easily got wrong: case, and the sign between its parts."""
    return word.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _shortened(word: str) -> set[str]:
    """The word, and the word without any one of its letters: words an edit or two apart have one of these in common."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
