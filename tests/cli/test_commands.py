"""What holds for the command tables as a whole."""

import pytest

from pyovn.cli import nbctl, sbctl, vsctl
from pyovn.cli.ctl.command import Command
from pyovn.cli.ctl.help import command_lines, help_text, option_lines
from pyovn.cli.ctl.program import Program
from pyovn.cli.ctl.records import RecordId
from tests.support.servers import upstream_schema

PROGRAMS = {"ovn-nb": nbctl.PROGRAM, "ovn-sb": sbctl.PROGRAM, "vswitch": vsctl.PROGRAM}
SCHEMAS = {name: upstream_schema(name)["tables"] for name in PROGRAMS}
COMMANDS = [
    pytest.param(name, row, id=f"{name}-{row.name}")
    for name, program in PROGRAMS.items()
    for topic in program.topics
    for row in program.table(topic).values()
]


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=[*PROGRAMS])
def test_the_index_has_every_command_of_every_topic(program: Program) -> None:
    for topic, names in program.topics.items():
        assert sorted(names.split()) == sorted(program.table(topic))


@pytest.mark.parametrize(("schema", "command"), COMMANDS)
def test_commands_read_columns_that_exist(schema: str, command: Command) -> None:
    if isinstance(command.reads, tuple):
        for words in command.reads:
            table, *columns = words.split()
            assert not set(columns) - set(SCHEMAS[schema][table]["columns"])


@pytest.mark.parametrize(("schema", "command"), COMMANDS)
def test_commands_say_what_they_do(schema: str, command: Command) -> None:
    assert command.summary.endswith(".")
    assert command.summary in help_text(PROGRAMS[schema])
    assert f",{command.name}," in command_lines(PROGRAMS[schema])
    assert all(option in option_lines(PROGRAMS[schema]) for option in command.options)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=[*PROGRAMS])
def test_help_has_every_option_of_the_program(program: Program) -> None:
    text = help_text(program)
    for option in program.options:
        assert (f"{option}=" in text or f"{option}[=" in text or f"{option} " in text) == (
            option not in program.refused
        )


@pytest.mark.parametrize(
    ("schema", "table", "way"),
    [
        (name, table, way)
        for name, program in PROGRAMS.items()
        for table, ways in program.records.items()
        for way in ways
    ],
)
def test_records_are_known_by_columns_that_exist(schema: str, table: str, way: RecordId) -> None:
    assert table in SCHEMAS[schema]
    for words in way.reads(table):
        where, *columns = words.split()
        assert not set(columns) - set(SCHEMAS[schema][where]["columns"])


def test_the_same_option_takes_a_value_everywhere_or_nowhere() -> None:
    for program in PROGRAMS.values():
        seen: dict[str, str] = dict(program.options)
        for topic in program.topics:
            for row in program.table(topic).values():
                for option, how in row.options.items():
                    assert seen.setdefault(option, how) == how
