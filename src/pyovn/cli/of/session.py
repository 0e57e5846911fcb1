"""One run of a command against one switch: its connection, its ports' names, and how to print.

session.out("…")            a line of output
session.names / .numbers    ports of the switch by number and by name
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pyovn.net.errors import OvnError
from pyovn.openflow.flows import Flow
from pyovn.openflow.text import parse_flow
from pyovn.openflow.values import PortNames
from pyovn.runtime.openflow import OpenFlowClient
from pyovn.runtime.streams import Tls

DEFAULT_RUNDIR = "/var/run/openvswitch"
STREAMS = ("tcp:", "ssl:", "unix:")


class NoSuchSwitch(OvnError):
    """A name that is neither a bridge nor a stream."""


class Usage(OvnError):
    """A command line that does not fit the command."""


@dataclass(frozen=True, slots=True)
class Options:
    """What stands before the command."""

    names: bool = False
    stats: bool = True
    strict: bool = False
    may_create: bool = False
    #: field to sort flows by, "" for table and priority, None for the switch's order
    sort: str | None = None
    descending: bool = False
    timeout_s: float | None = None
    #: files for ssl: streams
    tls: Tls = field(default_factory=Tls)


@dataclass(slots=True)
class Session:
    """A connection and what the command needs around it."""

    client: OpenFlowClient
    options: Options
    out: Callable[[str], None]
    names: PortNames = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    requests: int = 1

    @property
    def shown(self) -> PortNames:
        """Names to print ports by."""
        return self.names if self.options.names else {}

    def heading(self, kind: str) -> str:
        """The line above a reply, as the C program prints it."""
        self.requests += 1
        return f"{kind} (OF1.5) (xid={self.requests:#x})"

    async def learn_ports(self) -> None:
        """Ask for the names of the ports, which flows and arguments may use."""
        ports = (await self.client.query("port_desc")).entries
        self.names = {port.number: port.name for port in ports}
        self.numbers = {port.name: port.number for port in ports}

    def flow(self, text: str, *, actions: bool | None = True) -> Flow:
        """The flow an argument describes."""
        return parse_flow(text, self.numbers, actions=actions)


def remote_of(switch: str, kind: str = "mgmt") -> str:
    """The OpenFlow remote of a bridge or stream; raises NoSuchSwitch."""
    if switch.startswith(STREAMS):
        return switch
    rundir = os.environ.get("OVS_RUNDIR", DEFAULT_RUNDIR)
    path = Path(switch) if "/" in switch else Path(rundir) / f"{switch}.{kind}"
    if not path.exists():
        raise NoSuchSwitch(f"{switch} is not a bridge or a socket")
    return f"unix:{path}"


def lines_of(path: str) -> list[str]:
    """The lines of a file of flows or groups, comments and blank lines left out; `-` is standard input."""
    try:
        text = Path("/dev/stdin" if path == "-" else path).read_text()
    except OSError as fault:
        raise OvnError(f"{path}: {fault.strerror}") from None
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]
