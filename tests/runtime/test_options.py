import pytest

from pyovn.runtime.options import Option, UsageFault, help_text, read

OPTIONS = (
    Option("detach", doc="run in background"),
    Option("db", argument="DATABASE", doc="connect to"),
    Option("dry-run"),
    Option("verbose", "v", argument="SPEC", optional=True, many=True),
    Option("key", "p", argument="FILE"),
    Option("help", "h"),
)


def test_options_are_read_in_every_form() -> None:
    found = read(OPTIONS, ["--db=x", "word", "--detach", "-p", "k1", "-pk2", "-hvfoo", "--verbose", "--", "--db"])
    assert found.options == {
        "db": ["x"],
        "detach": [None],
        "key": ["k1", "k2"],
        "help": [None],
        "verbose": ["foo", None],
    }
    assert found.words == ["word", "--db"]
    assert (found.get("key"), found.text("key"), found.all("key")) == ("k2", "k2", ["k1", "k2"])
    assert (found.get("nothing", "d"), found.text("verbose"), found.all("nothing")) == ("d", "", [])
    assert "detach" in found


def test_an_argument_may_be_the_next_word() -> None:
    assert read(OPTIONS, ["--db", "--x", "-"]).options == {"db": ["--x"]}


def test_names_may_be_shortened_as_long_as_they_are_clear() -> None:
    assert "dry-run" in read(OPTIONS, ["--dr"])
    with pytest.raises(UsageFault, match="option '--d' is ambiguous; possibilities: '--detach' '--db' '--dry-run'"):
        read(OPTIONS, ["--d"])


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--nosuch"], "unrecognized option '--nosuch'"),
        (["--=x"], "unrecognized option '--'"),
        (["--db"], "option '--db' requires an argument"),
        (["--detach=yes"], "option '--detach' doesn't allow an argument"),
        (["-x"], "invalid option -- 'x'"),
        (["-hp"], "option requires an argument -- 'p'"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(argv: list[str], text: str) -> None:
    with pytest.raises(UsageFault) as refused:
        read(OPTIONS, argv)
    assert str(refused.value) == text


def test_help_shows_what_is_explained() -> None:
    text = "  --detach                    run in background\n  --db=DATABASE               connect to\n"
    assert help_text(OPTIONS) == text
    assert [option.usage for option in OPTIONS[3:]] == ["-v, --verbose[=SPEC]", "-p, --key=FILE", "-h, --help"]
