"""What is offered where, and that no place of any command was forgotten."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.cli import nbctl, sbctl, vsctl
from pyovn.cli.completion.choices import TABLES, choices, placeholders, tokens
from pyovn.cli.completion.line import cursor, reply
from pyovn.cli.completion.places import GENERIC, places, typed
from pyovn.cli.ctl.program import Program

PROGRAMS = [nbctl.PROGRAM, sbctl.PROGRAM, vsctl.PROGRAM]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_every_placeholder_of_every_command_is_decided_on(program: Program) -> None:
    open_ = {
        f"{row.name}: {name}"
        for topic in program.topics
        for row in program.table(topic).values()
        for token in tokens(row.synopsis)
        for name in placeholders(token)
        if name.isupper() and name not in GENERIC and choices(TABLES[program.name], row.name, name) is None
    }
    assert not open_


@pytest.mark.parametrize(
    ("synopsis", "at", "expected"),
    [
        ("SWITCH PORT [PARENT TAG_REQUEST]", 0, ["SWITCH"]),
        ("SWITCH PORT [PARENT TAG_REQUEST]", 1, ["PORT"]),
        ("PORT {enabled | disabled}", 1, ["enabled", "disabled"]),
        ("[SWITCH | ROUTER]", 0, ["SWITCH", "ROUTER"]),
        ("PG [PORT]...", 7, ["PORT"]),
        ("TABLE RECORD COLUMN[:KEY]=VALUE...", 2, ["COLUMN"]),
        ("TABLE RECORD COLUMN[:KEY]=VALUE...", 3, ["COLUMN"]),
        ("[read-only|read-write] [role=ROLE] TARGET...", 0, ["read-only", "read-write", "role=", "TARGET"]),
        ("CHASSIS ENCAP-TYPE[,ENCAP-TYPE]... ENCAP-IP", 2, ["ENCAP-IP"]),
        ("SWITCH", 1, []),
    ],
)
def test_places_are_read_off_the_synopsis(synopsis: str, at: int, expected: list[str]) -> None:
    assert [*places(synopsis, at)] == expected


def test_a_line_is_options_a_command_and_arguments() -> None:
    seen = typed(nbctl.PROGRAM, ["-t", "5", "--wait=hv", "--may-exist", "ls-add", "a", "--", "--if-exists", "ls-del"])
    assert seen.options == {"--timeout": "5", "--wait": "hv"}
    assert (seen.own, seen.command, seen.arguments, seen.is_first) == (["--if-exists"], "ls-del", [], False)
    assert typed(nbctl.PROGRAM, ["--db"]).pending == "--db"


names = st.text(st.sampled_from("ab :='\"\\$*é[-"), min_size=1, max_size=6)


@given(names, names)
def test_a_line_is_taken_apart_as_a_shell_does(first: str, second: str) -> None:
    place = cursor(f"{shlex.quote(first)} {shlex.quote(second)}")
    assert (place.words, place.current, place.quote) == ([first], second, "")


@given(names.filter(lambda name: not name.endswith((":", "="))))
def test_a_shell_reads_back_the_word_that_it_is_told(name: str) -> None:
    assert shlex.split(reply(cursor("tool "), name)) == [name]
    assert reply(cursor("tool "), name).endswith(" ")


def test_only_the_part_that_the_shell_replaces_is_told() -> None:
    assert reply(cursor("tool --wait=h"), "--wait=hv") == "hv "
    assert reply(cursor("tool a:b"), "a:b c") == "b\\ c "
    assert reply(cursor("tool 'my"), "my switch") == "my switch"
    assert reply(cursor("tool ext"), "external_ids=") == "external_ids="
