"""The stage on which demos play: a lab, lines that are really typed in it, and a console that shows both.

play = Play(name, topology, hosts, tell)
await perform(play, plain=False)        0 where `tell` found that everything agrees
"""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.text import Text

from pyovn.lab import external, shims, wire
from pyovn.lab.layout import Layout
from pyovn.lab.network import Lab
from pyovn.lab.service import Service
from pyovn.lab.terminal import Terminal
from pyovn.net.errors import OvnError


class Step(NamedTuple):
    """A heading, a hypervisor, and the lines typed there."""

    title: str
    host: str
    lines: Sequence[str]


class Stage:
    """What a demo acts on."""

    def __init__(self, lab: Lab, console: Console, *, plain: bool) -> None:
        self.lab, self._console, self._plain = lab, console, plain

    def title(self, text: str) -> None:
        """Begin a part."""
        if self._plain:
            self._console.print(f"\n== {text}")
        else:
            self._console.print()
            self._console.rule(Text(text, style="bold cyan"), align="left")

    def show(self, what: RenderableType) -> None:
        """Show something; text as it is."""
        self._console.print(Text(what) if isinstance(what, str) else what)

    def prompt(self, host: str, line: str, remark: str = "") -> None:
        """Show a line as it is typed."""
        comment = (f"     # {remark}", "dim") if remark else ""
        self._console.print(Text.assemble((f"[{host}]$ ", "green"), (line, "bold"), comment))

    async def step(self, step: Step) -> None:
        """Type the lines of a step and show what they print."""
        self.title(step.title)
        for line in step.lines:
            await self.line(step.host, line)

    async def line(self, host: str, line: str) -> str:
        """Type a line and show what it prints."""
        self.prompt(host, line)
        output = await self.type(host, line)
        if output:
            self.show(output.rstrip("\n"))
        return output

    async def type(self, host: str, line: str) -> str:
        """Type a line; returns what it prints.  Raises CommandFailed."""
        return await Terminal(self.lab.layout, host).type(line)


class Play(NamedTuple):
    """A demo; `tell` says whether what it saw agreed with what it expected."""

    name: str
    topology: str
    hosts: Sequence[str]
    tell: Callable[[Stage], Awaitable[bool]]
    externals: Sequence[external.External] = ()


async def perform(play: Play, *, plain: bool = False) -> int:
    """Show a demo; gives the exit code."""
    console = Console(highlight=False, no_color=plain or None, soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="pyovn-") as directory:
        layout = Layout(Path(directory))
        console.print(Panel(Text(play.topology), title=play.name, expand=False))
        async with Lab(layout, play.hosts) as lab:
            shims.install(layout.bin)
            for host in play.externals:
                external.connect(lab, host)
            server = await wire.listen(layout.control, Service(lab, lambda: None))
            try:
                await lab.ready()
                agrees = await play.tell(Stage(lab, console, plain=plain))
            except OvnError as fault:
                console.print(Text(f"{fault}", style="bold red"))
                return 1
            finally:
                server.close()
    verdict = "Everything agrees." if agrees else "What was seen is not what was expected."
    console.print(Text(f"\n{verdict}", style="bold green" if agrees else "bold red"))
    return 0 if agrees else 1
