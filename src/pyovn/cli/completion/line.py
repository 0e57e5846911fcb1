"""A command line up to the cursor, taken apart as a shell does it, and words put so that a shell takes them as one."""

#: what bash would read as more than itself
SPECIAL = frozenset(" \t\n\\'\"`$&|;<>()[]{}*?!#~^")
BREAKS = "=:"  #: where bash lets a word to be completed begin anew


class Cursor:
    """The words before the cursor, and the beginning of the one that it is in."""

    __slots__ = ("current", "quote", "raw", "words")

    def __init__(self, words: list[str], current: str, raw: str, quote: str) -> None:
        self.words = words
        self.current = current  #: as the command would get it
        self.raw = raw  #: as it was typed
        self.quote = quote  #: the quotation mark that is still open


def cursor(line: str) -> Cursor:
    """Take a line apart that ends at the cursor."""
    words: list[str] = []
    current, start, quote = "", None, ""
    at = 0
    while at < len(line):
        sign = line[at]
        if quote:
            if sign == quote:
                quote = ""
            elif sign == "\\" and quote == '"' and line[at + 1 : at + 2] in ('"', "\\", "$", "`"):
                at += 1
                current += line[at]
            else:
                current += sign
        elif sign in " \t\n":
            if start is not None:
                words.append(current)
            current, start = "", None
            at += 1
            continue
        elif sign in "'\"":
            quote = sign
        elif sign == "\\":
            at += 1
            current += line[at : at + 1]
        else:
            current += sign
        start = at if start is None else start
        at += 1
    return Cursor(words, current, "" if start is None else line[start:], quote)


def reply(cursor: Cursor, word: str) -> str:
    """What bash has to put in the place of the word that is being typed, or of its last part, to make it `word`."""
    goes_on = word.endswith(tuple(BREAKS))
    if cursor.quote:
        text = word
    else:
        text = "".join("\\" + sign if sign in SPECIAL else sign for sign in word) + ("" if goes_on else " ")
    kept = max((cursor.current.rfind(sign) for sign in BREAKS), default=-1) + 1
    if cursor.quote or not kept:
        return text
    return text[len(_quoted(cursor.current[:kept])) :]


def _quoted(word: str) -> str:
    return "".join("\\" + sign if sign in SPECIAL else sign for sign in word)
