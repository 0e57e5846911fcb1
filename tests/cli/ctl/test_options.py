import pytest

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.options import chain, leading_options
from pyovn.cli.nbctl import PROGRAM

KNOWN = {"--wait": "=", "--dry-run": "", "--may-exist": "", "--bfd": "?", "--timeout": "=", "--version": ""}


@pytest.mark.parametrize(
    ("words", "options", "rest"),
    [
        (["--wait=sb", "show"], [("--wait", "sb")], ["show"]),
        (["--wait", "sb", "show"], [("--wait", "sb")], ["show"]),
        (["--may", "ls-add", "--x"], [("--may-exist", None)], ["ls-add", "--x"]),
        (["--bfd", "x"], [("--bfd", None)], ["x"]),
        (["--bfd=x"], [("--bfd", "x")], []),
        (["-t5", "x"], [("--timeout", "5")], ["x"]),
        (["-t", "5", "-V"], [("--timeout", "5"), ("--version", None)], []),
        (["--", "--may-exist", "ls-add"], [], ["--may-exist", "ls-add"]),
        (["-", "x"], [], ["-", "x"]),
    ],
)
def test_options_are_read_as_getopt_reads_them(
    words: list[str], options: list[tuple[str, str | None]], rest: list[str]
) -> None:
    assert leading_options(words, KNOWN) == (options, rest)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--nope"], "unrecognized option '--nope'"),
        (["--dry-run=x"], "option '--dry-run=x' doesn't allow an argument"),
        (["--wait"], "option '--wait' requires an argument"),
        (["-t"], "option '-t' requires an argument"),
        (["-q"], "unrecognized option 'q'"),
    ],
)
def test_bad_options_are_named(words: list[str], complaint: str) -> None:
    with pytest.raises(CtlError) as caught:
        leading_options(words, KNOWN)
    assert caught.value.text == complaint


def test_an_ambiguous_abbreviation_is_none() -> None:
    with pytest.raises(CtlError, match="unrecognized option '--w'"):
        leading_options(["--w"], {"--wait": "=", "--watch": ""})


def test_a_chain_is_taken_apart() -> None:
    calls = chain(
        [("--may-exist", None)], ["ls-add", "a", "--", "--if-exists", "ls-del", "b", "--", "--"], PROGRAM.find
    )
    assert [(command.name, options, arguments) for command, options, arguments in calls] == [
        ("ls-add", {"--may-exist": None}, ["a"]),
        ("ls-del", {"--if-exists": None}, ["b"]),
    ]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "missing command name (use --help for help)"),
        (["nope"], "unknown command 'nope'; use --help for help"),
        (["lsp-add", "a"], "'lsp-add' command requires at least 2 arguments"),
        (["ls-list", "a"], "'ls-list' command takes at most 0 arguments"),
        (["--if-exists", "ls-add"], "'ls-add' command has no '--if-exists' option"),
        (["--id", "create", "x", "y"], "missing argument to '--id' option on 'create' command"),
        (["--may-exist=1", "ls-add"], "'--may-exist' option on 'ls-add' does not accept an argument"),
        (["--may-exist", "--may-exist", "ls-add"], "'--may-exist' option specified multiple times"),
    ],
)
def test_bad_commands_are_named(words: list[str], complaint: str) -> None:
    with pytest.raises(CtlError) as caught:
        chain([], words, PROGRAM.find)
    assert caught.value.text == complaint
