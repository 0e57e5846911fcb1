"""`--help`, `--commands` and `--options`, made from the command tables."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.command import Command
    from pyovn.cli.ctl.program import Program

INDENT = " " * 28
GLOBALS = """\
Options:
  --db=DATABASE               connect to DATABASE (default: {db})
  -t, --timeout=SECS          wait at most SECS seconds
  --dry-run                   do not commit changes to database
  --oneline                   print exactly one line of output per command
  --no-leader-only            accept any cluster member, not just the leader
  --no-shuffle-remotes        do not shuffle the order of remotes

Output formatting options:
  -f, --format=FORMAT         "list" (default), "table", "html", "csv" or "json"
  -d, --data=FORMAT           table cells as "string" (default), "bare" or "json"
  --no-headings               omit table heading row
  --pretty                    pretty-print JSON in output
  --bare                      equivalent to "--format=list --data=bare --no-headings"

TLS options (for remotes ssl:HOST:PORT):
  -p, --private-key=FILE      file with private key
  -c, --certificate=FILE      file with certificate for private key
  -C, --ca-cert=FILE          file with peer CA certificate
  --bootstrap-ca-cert=FILE    file with peer CA certificate to read or create

Other options:
  -h, --help                  display this help message
  -V, --version               display version information
"""


def help_text(program: "Program") -> str:
    """The whole of `--help`."""
    from pyovn.cli.ctl.frame import default_address

    lines = [f"{program.name}: {program.title}", f"usage: {program.name} [OPTIONS] COMMAND [ARG...]", ""]
    for topic in program.topics:
        table = program.table(topic)
        lines.append(f"{table.title}:")
        for row in table.values():
            lines += _entry(row)
        lines.append("")
    lines += _records(program)
    return "\n".join(lines) + "\n" + GLOBALS.format(db=default_address(program))


def _entry(row: "Command") -> "Iterator[str]":
    head = " ".join(["  ", *(f"[{_option(name, how)}]" for name, how in row.options.items()), row.name, row.synopsis])
    head = "  " + head.strip()
    if len(head) < len(INDENT) - 1:
        yield f"{head:<{len(INDENT)}}{row.summary}"
    else:
        yield head
        yield INDENT + row.summary


def _option(name: str, how: str) -> str:
    value = name[2:].upper().replace("-", "_")
    return {"": name, "=": f"{name}={value}", "?": f"{name}[={value}]"}[how]


def _records(program: "Program") -> "Iterator[str]":
    yield "Database commands may reference a row in each table by UUID, and in these tables also:"
    for table, ways in sorted(program.records.items()):
        yield f"  {table}: " + ", ".join(str(way) for way in ways)
    yield ""


def command_lines(program: "Program") -> str:
    """`--commands`: a line per command for completion scripts, as the C tools print them."""
    lines = []
    for topic in program.topics:
        for row in program.table(topic).values():
            options = "".join(f"[{name}{how}] " for name, how in row.options.items())
            arguments = " ".join(_argument(word) for word in _words(row.synopsis))
            lines.append(f"{options},{row.name},{arguments}")
    return "\n".join(lines) + "\n"


def _words(synopsis: str) -> list[str]:
    return synopsis.replace("{", "").replace("}", "").replace(" | ", "|").split()


def _argument(word: str) -> str:
    """`!` needed, `?` optional, `*` any number, `+` at least one."""
    many, word = "..." in word, word.replace("...", "").rstrip(",")
    core = word.removeprefix("[") if _opens(word) else word
    optional = core != word or core.count("]") > core.count("[")
    while core.count("]") > core.count("["):
        core = core[:-1]
    sign = {(False, False): "!", (False, True): "?", (True, False): "+", (True, True): "*"}[many, optional]
    return sign + core.replace("[", "?").replace("]", "")


def _opens(word: str) -> bool:
    """True for words in brackets, or with one that closes in a later word; not for `[KEY=]VALUE`."""
    return word.startswith("[") and ("]" not in word or word.rstrip("]").count("[") > word.rstrip("]").count("]"))


def option_lines(program: "Program") -> str:
    """`--options`: every option, for completion scripts."""
    everything = program.options | program.command_options()
    return "".join(f"{name}{'=ARG' if how else ''}\n" for name, how in everything.items())
