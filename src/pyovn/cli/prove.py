"""`pyovn prove`: that no connection can be opened from some ports to others, or a packet that shows the opposite.

pyovn prove --from tenant1 --to tenant2        switches, ports, and @groups of ports
"""

import json
import sys
from contextlib import closing
from typing import Any

import click

from pyovn.cli.session import connect
from pyovn.cli.trace import default_database
from pyovn.net.errors import OvnError
from pyovn.trace.network import Network
from pyovn.trace.render import summary
from pyovn.trace.tables import read_tables
from pyovn.verify.claim import MOST_STEPS, Verdict, no_connection

Json = Any
STATUS = {"proved": 0, "refuted": 3, "undecided": 4}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--from", "sources", multiple=True, required=True, metavar="NAME", help="A switch, a port or @GROUP.")
@click.option("--to", "targets", multiple=True, required=True, metavar="NAME", help="Likewise.")
@click.option("--db", "southbound", metavar="DATABASE", help="The southbound database [OVN_SB_DB].")
@click.option("--steps", default=MOST_STEPS, show_default=True, help="After so many steps it is not decided.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to tell it.")
def prove(sources: tuple[str, ...], targets: tuple[str, ...], southbound: str | None, steps: int, form: str) -> None:
    """Prove that no packet from the ports --from can open a connection to the ports --to.

    All packets are looked at, whatever addresses, protocols and ports they have.  Every port is taken to be plugged in,
    and conntrack to know of no connection.  The exit status is 0 if it is proved, 3 if a packet gets there, 4 if it
    could not be decided.
    """
    try:
        with closing(connect(southbound or default_database(), "OVN_Southbound", leader_only=True)) as session:
            tables = read_tables(session.call)
        network = Network(tables, warn=lambda text: click.echo(text, err=True))
        ends = [[port for name in names for port in ports_of(network, name)] for names in (sources, targets)]
        verdict = no_connection(network, *ends, most_steps=steps)
    except OvnError as fault:
        raise click.ClickException(str(fault)) from None
    sys.stdout.write(as_json(verdict) if form == "json" else text(verdict, len(ends[0]), len(ends[1])))
    sys.exit(STATUS[verdict.outcome])


def ports_of(network: Network, name: str) -> list[str]:
    """The ports of guests that a name stands for; raises OvnError where it stands for none."""
    if name.startswith("@"):
        groups = (ports for each, ports in network.port_groups.items() if name[1:] in (each, each.partition("_")[2]))
        found = sorted({port for ports in groups for port in ports})
    elif (port := network.find_port(name)) is not None:
        found = [port.name]
    else:
        datapath = network.find_datapath(name)
        found = [] if datapath is None else sorted(each.name for each in datapath.ports.values() if each.type == "")
    if not found:
        raise OvnError(f"{name}: there is no such port, nor a switch or group with ports")
    return found


def text(verdict: Verdict, sources: int, targets: int) -> str:
    """What is printed for people."""
    pair = f"{_several(sources)} to {_several(targets)}"
    if verdict.outcome == "proved":
        return f"Proved: no connection can be opened from {pair}. ({verdict.steps} steps)\n"
    if verdict.outcome == "undecided":
        return f"Not decided, from {pair}: {verdict.why}. ({verdict.steps} steps)\n"
    head = f'Refuted: this packet gets from "{verdict.source}" to "{verdict.target}".\n\n{verdict.microflow}\n\n'
    return f"{head}# {verdict.packet}\n{summary(verdict.trace)}"


def _several(count: int) -> str:
    return f"{count} port{'s' if count != 1 else ''}"


def as_json(verdict: Verdict) -> str:
    """What is printed for programs."""
    keys = ("outcome", "steps", "source", "target", "packet", "microflow", "why")
    return json.dumps({key: getattr(verdict, key) for key in keys}, indent=2) + "\n"
