"""The lock commands: ask for a lock, and print what the server says about it."""

from typing import TYPE_CHECKING, Any

from pyovn.cli.ctl.output import compact
from pyovn.cli.ovsdb.call import write, write_json

if TYPE_CHECKING:
    from pyovn.cli.ovsdb_client import Call

Json = Any


def run(call: "Call", method: str) -> None:
    """Ask, then print `locked` and `stolen` as they come."""

    def start() -> None:
        answer = call.session.call(method, call.words[0])
        if answer:
            write_json(answer, call.options)

    def take(name: str, params: Json) -> None:
        write(f"{name}\n{compact(params)}\n")

    call.follow(start, take)
