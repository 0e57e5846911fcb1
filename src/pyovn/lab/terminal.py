"""A terminal on a hypervisor of a lab: lines of shell, in the environment that `pyovn lab env` prints."""

import asyncio
import os
from typing import NamedTuple

from pyovn.lab.layout import Layout
from pyovn.net.errors import OvnError


class CommandFailed(OvnError):
    """A line whose exit code was not 0."""

    def __init__(self, line: str, code: int, output: str) -> None:
        self.line, self.code, self.output = line, code, output
        super().__init__(f"{line}: exit code {code}\n{output}".rstrip())


class Terminal(NamedTuple):
    """Types lines on one hypervisor."""

    layout: Layout
    host: str

    async def type(self, line: str) -> str:
        """Run a line; returns what it printed on both outputs.  Raises CommandFailed."""
        environment = {**os.environ, **self.layout.environment(self.host, os.environ.get("PATH", ""))}
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", line, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output = (await process.communicate())[0].decode(errors="replace")
        if process.returncode:
            raise CommandFailed(line, process.returncode, output)
        return output
