"""`--help`, `--commands` and `--options`, made from the command tables."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.command import Command
    from pyovn.cli.ctl.program import Program

INDENT = " " * 28
#: the options of all programs: heading → how an option is written, and what it does
GROUPS = {
    "Options": (
        ("--db=DATABASE", "connect to DATABASE (default: {db})"),
        ("--leader-only", "of a cluster, use the leader (default)"),
        ("--no-leader-only", "accept any cluster member, not just the leader"),
        ("--shuffle-remotes", "connect to remotes in random order (default)"),
        ("--no-shuffle-remotes", "do not shuffle the order of remotes"),
        ("--retry", "keep trying to connect to the database"),
        ("-t, --timeout=SECS", "wait at most SECS seconds"),
        ("--dry-run", "do not commit changes to database"),
        ("--oneline", "print exactly one line of output per command"),
    ),
    "Waiting for changes to take effect": (
        ("--no-wait", "do not wait until changes have taken effect"),
        ("--wait=none", "the same (default)"),
        ("--wait=sb", "wait until the southbound database has caught up"),
        ("--wait=hv", "wait until all chassis have caught up, too"),
        ("--print-wait-time", "print how long that took, part by part"),
    ),
    "Output formatting options": (
        ("-f, --format=FORMAT", '"list" (default), "table", "html", "csv" or "json"; json is for all listings'),
        ("-d, --data=FORMAT", 'table cells as "string" (default), "bare" or "json"'),
        ("--no-headings", "omit table heading row"),
        ("--pretty", "pretty-print JSON in output"),
        ("--bare", 'equivalent to "--format=list --data=bare --no-headings"'),
        ("--max-column-width=WIDTH", "cut the columns of tables after WIDTH characters"),
    ),
    "Staying in the background": (
        ("--detach", "run as a daemon and print its control socket, for {daemon}"),
        ("-u, --unixctl=SOCKET", "the socket to listen at, or of the daemon that is to do the work"),
        ("--pidfile[=FILE]", "create pidfile (default: NAME.pid in the run directory)"),
        ("--overwrite-pidfile", "with --pidfile, start even if already running"),
        ("--no-chdir", "do not chdir to '/'"),
        ("--monitor", "accepted for compatibility"),
        ("--user=USER[:GROUP]", "accepted for compatibility"),
        ("--no-self-confinement", "accepted for compatibility"),
    ),
    "Logging options (accepted for compatibility: warnings go to standard error)": (
        ("-v, --verbose[=SPEC]", "set logging levels"),
        ("--log-file[=FILE]", "enable logging to FILE"),
        ("--no-syslog", "do not log to syslog"),
        ("--syslog-method=METHOD", "how to reach syslog"),
        ("--syslog-target=HOST:PORT", "also send syslog messages there"),
    ),
    "TLS options (for remotes ssl:HOST:PORT)": (
        ("-p, --private-key=FILE", "file with private key"),
        ("-c, --certificate=FILE", "file with certificate for private key"),
        ("-C, --ca-cert=FILE", "file with peer CA certificate"),
        ("--bootstrap-ca-cert=FILE", "file with peer CA certificate to read or create"),
        ("--peer-ca-cert=FILE", "file with the CA certificate to send to peers"),
        ("--ssl-protocols=PROTOS", "list of SSL/TLS protocols to enable"),
        ("--ssl-ciphers=CIPHERS", "list of SSL/TLS ciphers to enable with TLSv1.2"),
        ("--ssl-ciphersuites=SUITES", "list of SSL/TLS ciphersuites to enable with TLSv1.3"),
        ("--ssl-server-name=NAME", "server name to ask for (SNI), in place of the host"),
    ),
    "Other options": (
        ("--commands", "list the commands, for completion scripts"),
        ("--options", "list the options, for completion scripts"),
        ("-h, --help", "display this help message"),
        ("-V, --version", "display version information"),
    ),
}  # fmt: skip


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
    facts = {"db": default_address(program), "daemon": program.environment[2]}
    lines += (line.format(**facts) for line in _globals(program))
    return "\n".join(lines) + "\n"


def _globals(program: "Program") -> "Iterator[str]":
    """The program's own options, by what they are about."""
    first = True
    for heading, options in GROUPS.items():
        shown = [each for each in options if _name(each[0]) in {*program.options} - {*program.refused}]
        if shown:
            yield from ([] if first else [""])
            first = False
            yield f"{heading}:"
            yield from (f"  {usage:<{len(INDENT) - 2}}{what}" for usage, what in shown)


def _name(usage: str) -> str:
    """The long option that is written so."""
    return usage.split(" ")[-1].partition("=")[0].removesuffix("[")


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
