"""The shortest way from a command line to a daemon of the tool's own: most of what a call costs is what it imports.

    OVN_NB_DAEMON=… ovn-nbctl --may-exist ls-add sw0     words ─▶ daemon ─▶ output, with no module of the tool loaded

Only plain command lines take it: options spelt out that a daemon knows, and a command.  Everything else, and every
daemon that cannot be reached, goes the long way through `frame`, which says the same.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

CHUNK = 1 << 16
UNIX = "-u", "--unixctl"
#: options that a daemon takes as they are
FLAGS = frozenset((
    "--may-exist", "--if-exists", "--oneline", "--dry-run", "--no-headings", "--pretty", "--bare", "--no-wait",
    "--print-wait-time",
))  # fmt: skip
VALUED = ("--wait=", "--format=", "--data=", "--max-column-width=", "--columns=", "--id=")


def shortcut(words: "Sequence[str]", environment: "tuple[str, str, str]") -> int | None:
    """Let a daemon carry a command line out; the exit status, or None where the long way has to be gone."""
    if any(os.environ.get(name) for name in (environment[1], "OVS_CTL_TIMEOUT")):
        return None
    path, at = os.environ.get(environment[2]), 0
    if words[:1] and words[0] in UNIX and len(words) > 1:
        path, at = words[1], 2
    first = next((n for n, word in enumerate(words[at:], at) if not _is_plain(word)), len(words))
    if not path or first == len(words) or words[first].startswith("-"):
        return None
    answer = _ask(path, words[at:])
    if answer is None:
        return None
    sys.stdout.flush()
    if answer.get("error") is not None:
        text = str(answer["error"]).removesuffix("\n")
        sys.stderr.write(f"{os.path.basename(sys.argv[0])}: {text}\n")
        return 1
    sys.stdout.buffer.write(answer["result"].encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    return 0


def _is_plain(word: str) -> bool:
    return word in FLAGS or word.startswith(VALUED)


def _ask(path: str, words: "Sequence[str]") -> "dict[str, Any] | None":
    """What the daemon at `path` answers; None where it does not."""
    codec = _codec()
    if codec is None:
        return None
    quote, scan = codec
    from _socket import AF_UNIX, SOCK_STREAM, socket

    stream = socket(AF_UNIX, SOCK_STREAM)
    try:
        stream.connect(path)
    except OSError:
        return None
    request = f'{{"id":1,"method":"run","params":[{",".join(map(quote, words))}]}}'
    try:
        stream.sendall(request.encode("utf-8", "surrogateescape"))
        return _answer(stream.recv, scan)
    except OSError as fault:
        return {"error": f"{path}: transaction error ({fault.strerror or fault})"}


def _answer(receive: "Callable[[int], bytes]", scan: "Callable[[str, int], tuple[Any, int]]") -> "dict[str, Any]":
    """One message, which ends where its JSON does.

    One that comes in a piece is read by the bare scanner; that cannot tell what is wrong with JSON that goes on.
    """
    data = receive(CHUNK)
    if len(data) < CHUNK and data.count(b"{") == data.count(b"}"):
        try:
            answer: dict[str, Any] = scan(data.decode("utf-8", "surrogateescape"), 0)[0]
        except (StopIteration, ValueError, SystemError):
            pass
        else:
            return answer
    from json import JSONDecoder

    decode, last = JSONDecoder().raw_decode, data
    while last:
        if last.rstrip().endswith(b"}"):
            try:
                answer = decode(data.decode("utf-8", "surrogateescape"))[0]
            except ValueError:
                pass  # the brace was not the last
            else:
                return answer
        last = receive(CHUNK)
        data += last
    raise OSError("End of file")


def _codec() -> "tuple[Callable[[str], str], Callable[[str, int], tuple[Any, int]]] | None":
    """What quotes a string and what reads JSON: CPython's own, without the regular expressions that `json` imports."""
    try:
        from _json import encode_basestring, make_scanner

        return encode_basestring, make_scanner(_Reading)  # type: ignore[arg-type]  # anything with these attributes
    except (ImportError, AttributeError, TypeError):
        return None


class _Reading:
    """How JSON is to be read, as CPython's scanner wants to know it."""

    strict = False
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = None
