"""What is said after an error message about a mistyped word."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.cli import nbctl, sbctl
from pyovn.cli.ctl.hints import FEW, hint, nearest
from tests.cli.twins import run
from tests.support.servers import server_process, upstream_schema

MANY = [f"{kind}-{number}" for kind in ("vm", "pod") for number in range(FEW)]


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    with server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")) as server:
        made = run(nbctl.PROGRAM, [f"--db={server.remote}", "ls-add", "sw0", "--", "lsp-add", "sw0", "port-a"])
        assert made.status == 0
        assert run(sbctl.PROGRAM, [f"--db={server.remote}", "chassis-add", "worker1", "geneve", "::1"]).status == 0
        yield server.remote


@pytest.mark.parametrize(
    ("words", "first", "suggestion"),
    [
        ("lsp-lst sw0", "unknown command 'lsp-lst'; use --help for help", "'lsp-list'"),
        ("lport-set-macs p 1", "unknown command 'lport-set-macs'; use --help for help", "'lsp-set-addresses'"),
        ("ls_list", "unknown command 'ls_list'; use --help for help", "'ls-list'"),
        ("--may-exst ls-add x", "unrecognized option '--may-exst'", "'--may-exist'"),
        ("show -- --may-exst ls-add x", "'ls-add' command has no '--may-exst' option", "'--may-exist'"),
        ("lsp-list sw-0", "sw-0: switch name not found", "'sw0'"),
        ("lsp-get-up porta", "porta: port name not found", "'port-a'"),
        ("acl-list sw", "'sw' is not found for port-group or switch.", "'sw0'"),
        ("list Logical_Swich", 'unknown table "Logical_Swich"', "'Logical_Switch'"),
        ("get Logical_Switch sw1 name", 'no row "sw1" in table Logical_Switch', "'sw0'"),
        (
            "get Logical_Switch sw0 prots",
            'Logical_Switch does not contain a column whose name matches "prots"',
            "'ports'",
        ),
    ],
)
def test_a_mistyped_word_is_guessed(remote: str, words: str, first: str, suggestion: str) -> None:
    said = run(nbctl.PROGRAM, [f"--db={remote}", *words.split()]).stderr.splitlines()
    assert said[0] == f"ovn-nbctl: {first}"
    assert said[1].startswith("Did you mean ")
    assert suggestion in said[1]
    assert len(said) == 2


@pytest.mark.parametrize("words", ["chassis-del worker2", "lsp-bnd p worker1", "list Chassis Worker1"])
def test_so_it_is_in_the_southbound_tool(remote: str, words: str) -> None:
    assert "\nDid you mean '" in run(sbctl.PROGRAM, [f"--db={remote}", *words.split()]).stderr


def test_what_is_like_nothing_gets_no_guess(remote: str) -> None:
    said = run(nbctl.PROGRAM, [f"--db={remote}", "lsp-list", "entirely-else"]).stderr
    assert said == "ovn-nbctl: entirely-else: switch name not found\n"


def test_suggestions_are_listed_like_a_sentence() -> None:
    assert hint("lsp-get-op", ["lsp-get-up", "lsp-get-ls"]) == "\nDid you mean 'lsp-get-up' or 'lsp-get-ls'?"
    assert hint("port", ["port1", "port2", "port3"]).count("'port") == 3
    assert hint("x", []) == ""


@given(st.sampled_from(MANY), st.integers(0, 20), st.sampled_from(["", "x", "0", "-"]), st.booleans())
def test_one_edit_is_mended_among_many(name: str, at: int, letter: str, replaces: bool) -> None:
    at = min(at, len(name) - 1)
    typed = name[:at] + letter + name[at + (replaces or not letter) :]
    assert typed in MANY or nearest(typed, MANY)
