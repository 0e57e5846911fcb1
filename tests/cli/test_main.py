import pytest

from pyovn.cli.main import CLICK, MODULES, help_text, main


def test_help_names_every_sub_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert shown == help_text()
    assert all(f"  {name} " in shown for name in MODULES)


def test_without_a_sub_command_help_is_shown_as_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: pyovn" in capsys.readouterr().out


def test_a_misspelt_sub_command_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nbclt"]) == 2
    assert "Did you mean `pyovn nbctl`?" in capsys.readouterr().err


def test_sub_commands_get_the_words_after_their_name(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["nbctl", "--version"]) == 0
    assert capfd.readouterr().out.startswith("ovn-nbctl 26.03")


@pytest.mark.parametrize("name", MODULES)
def test_sub_commands_can_be_imported(name: str) -> None:
    entry = CLICK.get(name, "main")
    assert callable(getattr(__import__(MODULES[name], fromlist=[entry]), entry))
