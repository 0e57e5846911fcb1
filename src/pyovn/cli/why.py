"""`pyovn why`: what becomes of a packet, because of what, and what could still keep it from getting there.

pyovn why sw0 'inport == "vm1" && eth.src == … && ip4.dst == … && tcp.dst == 80'

A trace tells every step; this tells each end of the packet's way, and the row of the northbound database behind it.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import click

from pyovn.cli.ctl.frame import address
from pyovn.cli.detrace_rows import NORTHBOUND, Rows, described
from pyovn.cli.nbctl import PROGRAM
from pyovn.cli.session import connect
from pyovn.cli.trace import connection_state, default_database, destination
from pyovn.net.errors import OvnError
from pyovn.trace.endings import Ending, endings
from pyovn.trace.flow_text import flow_text
from pyovn.trace.network import Network
from pyovn.trace.presence import PHYSICAL, Presence
from pyovn.trace.reasons import decisions, reason
from pyovn.trace.request import Request, deep, run
from pyovn.trace.tables import read_tables
from pyovn.trace.tracer import Options
from pyovn.trace.tree import Node

Json = Any
#: northbound table → the tables and columns of the rows that it may be part of
OWNERS = {
    "ACL": (("Logical_Switch", "acls"), ("Port_Group", "acls")),
    "QoS": (("Logical_Switch", "qos_rules"),),
    "NAT": (("Logical_Router", "nat"),),
    "Logical_Router_Policy": (("Logical_Router", "policies"),),
    "Logical_Router_Static_Route": (("Logical_Router", "static_routes"),),
}
#: rows of these tables are worth mentioning where they decided something before the end
TELLING = ("ACL", "NAT", "Load_Balancer", "Logical_Router_Policy", "Logical_Router_Static_Route")
TITLES = {
    "delivered": "delivered to {port}",
    "returned": "answered: {port} gets it back",
    "dropped": "dropped by {place}{way}",
    "refused": "refused by {place}: it answers with {instead}",
    "unresolved": "held by {place}, which asks for a neighbour",
    "answered": "answered by {place}",
    "taken": "taken by the controller, of {place}",
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("packet", nargs=-1, required=True, metavar="[DATAPATH] MICROFLOW")
@click.option("--db", "southbound", metavar="DATABASE", help="The southbound database [OVN_SB_DB].")
@click.option("--nb", "northbound", metavar="DATABASE", help="The northbound database [OVN_NB_DB]; - for none.")
@click.option(
    "--ct", "states", multiple=True, metavar="FLAGS", help="ct_state of the next conntrack action; repeatable."
)
@click.option("--lb-dst", metavar="IP[:PORT]", help="The backend that load balancers choose.")
@click.option("--select-id", type=click.IntRange(1, 65535), help="The route that is chosen where several are equal.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to tell it.")
def why(
    packet: tuple[str, ...],
    southbound: str | None,
    northbound: str | None,
    states: tuple[str, ...],
    lb_dst: str | None,
    select_id: int | None,
    form: str,
) -> None:
    """Tell what becomes of the packet MICROFLOW that enters DATAPATH (by default the one of its inport), and why.

    The exit status is 0 where it is delivered (or answered) everywhere, and 3 where it is not.
    """
    if len(packet) > 2:
        raise click.UsageError(f"Got unexpected extra argument ({packet[2]})")
    try:
        options = Options(
            ct_states=[connection_state(each) for each in states],
            lb_dst=None if lb_dst is None else destination(lb_dst),
            select_id=select_id,
        )
        request = Request(packet[-1], packet[0] if len(packet) == 2 else None, options=options)
        with closing(connect(southbound or default_database(), "OVN_Southbound", leader_only=True)) as session:
            tables = read_tables(session.call, PHYSICAL)
        told, ends = explained(tables, request, asked_north(northbound))
    except OvnError as fault:
        raise click.ClickException(str(fault)) from None
    sys.stdout.write(
        json.dumps({"packet": told, "endings": ends}, indent=2) + "\n" if form == "json" else text(told, ends)
    )
    good = all(each["fate"] in ("delivered", "answered") and not each["obstacles"] for each in ends)
    sys.exit(0 if good and ends else 3)


def asked_north(remote: str | None) -> Callable[..., Json] | None:
    """What carries out operations on the northbound database; nothing where that is not to be had."""
    if remote == "-":
        return None
    try:
        session = connect(address(PROGRAM, {"--db": remote}), "OVN_Northbound", leader_only=True)
    except OvnError:
        if remote:
            raise
        return None
    return lambda *operations: session.call("transact", "OVN_Northbound", *operations)


def explained(
    tables: dict[str, list[dict[str, Any]]], request: Request, north: Callable[..., Json] | None
) -> tuple[str, list[Json]]:
    """The packet, and each end of its way for a program; raises OvnError where the request makes no sense."""
    network, presence = Network(tables, warn=_warn), Presence(tables)
    rows = None if north is None else Rows(north)
    with deep():
        trace = run(network, request)
        if trace.problem:
            raise OvnError(trace.problem.strip())
        found = [_told(ending, network, presence, rows, north) for ending in endings(trace.nodes)]
    return flow_text(trace.packet), found


def _warn(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _told(
    ending: Ending, network: Network, presence: Presence, rows: Rows | None, north: Callable[..., Json] | None
) -> Json:
    said = None if ending.fate in ("delivered", "answered", "taken") else reason(ending, network)
    table, because = ending.table, list(_rows_behind(rows, north, "" if said is None else said.hint))
    return {
        "fate": ending.fate,
        "title": _title(ending, network),
        "reason": "" if said is None else said.text,
        "because": because,
        "stage": "" if table is None else table.text.partition(" uuid")[0].rstrip(",").strip(),
        "flow": "" if table is None else table.facts.get("flow", ""),
        "way": _way(ending, network),
        "passed": [row for node in decisions(ending) for row in _passed(rows, north, node) if row not in because],
        "obstacles": presence.obstacles(ending),
    }


def _rows_behind(
    rows: Rows | None, north: Callable[..., Json] | None, hint: str, tables: Sequence[str] = tuple(NORTHBOUND)
) -> Iterator[str]:
    """The northbound rows of some tables whose UUIDs begin so, in words."""
    if rows is None or north is None or not hint:
        return
    for table in tables:
        for row in rows.beginning_with(table, hint):
            yield described(NORTHBOUND[table], row) + _owner(north, table, row["_uuid"])


def _passed(rows: Rows | None, north: Callable[..., Json] | None, node: Node) -> Iterator[str]:
    return _rows_behind(rows, north, node.facts["hint"], TELLING)


def _owner(north: Callable[..., Json], table: str, uuid: str) -> str:
    """What a row is part of."""
    found = []
    for owner, column in OWNERS.get(table, ()):
        where = [[column, "includes", ["uuid", uuid]]]
        (answer,) = north({"op": "select", "table": owner, "where": where, "columns": ["name"]})
        found += [f"{owner.replace('Logical_', '').replace('_', ' ').lower()} {row['name']}" for row in answer["rows"]]
    return f", of {', '.join(found)}" if found else ""


def _title(ending: Ending, network: Network) -> str:
    """One line about an end."""
    facts = ending.node.facts
    on_its_way = ending.place.get("outport", "")
    return TITLES["returned" if ending.comes_back else ending.fate].format(
        port=f'"{ending.node.text}"',
        place=_place(ending.place.get("datapath", ""), network),
        way=f', on its way out to "{on_its_way}"' if on_its_way else "",
        instead=facts and ending.node.text.replace("_", " "),
    )


def _place(name: str, network: Network) -> str:
    datapath = network.find_datapath(name)
    return "nobody" if datapath is None else f"{'switch' if datapath.is_switch else 'router'} {datapath.friendly}"


def _way(ending: Ending, network: Network) -> list[str]:
    """The datapaths that it went through."""
    names = [node.facts["datapath"] for node in ending.path if node.kind == "pipeline" and "datapath" in node.facts]
    found: list[str] = []
    for name in names:
        place = _place(name, network)
        if not found or found[-1] != place:
            found.append(place)
    return found


def text(packet: str, ends: list[Json]) -> str:
    """What is printed for people."""
    lines = [f"# {packet}"]
    for each in ends:
        lines += ["", each["title"]]
        lines += _lines("because", [each["reason"], *each["because"]])
        lines += _lines("but", each["obstacles"])
        lines += _lines("table", [each["stage"]] if each["reason"] else [])
        lines += _lines("way", [" → ".join(each["way"])])
        lines += _lines("passed", each["passed"])
    return "\n".join(lines) + "\n"


def _lines(title: str, found: Sequence[str]) -> list[str]:
    told = [each for each in found if each]
    return [f"  {title if not index else '':8} {each}" for index, each in enumerate(told)]
