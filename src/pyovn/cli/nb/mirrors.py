"""`mirror-*`: copies of a port's traffic."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.numbers import whole_integer
from pyovn.cli.nb.acls import parse_priority
from pyovn.cli.nb.lookup import MIRROR, PORT, must_find
from pyovn.net.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

    Entry = dict[str, Any]

command = CommandTable("Mirror commands")

MIRRORS = ("Mirror name type filter sink index mirror_rules", "Mirror_Rule priority match action")
TUNNELS = ("gre", "erspan")
LOCAL = ("local", "lport")
FILTERS = {"t": "to-lport", "f": "from-lport", "b": "both"}
NO_INDEX = -1  #: of mirrors without a tunnel
ACTIONS = ("mirror", "skip")


@command("mirror-add", "NAME TYPE [INDEX] FILTER SINK", options="--may-exist", reads=MIRRORS)
def mirror_add(ctl: "Ctl", name: str, type_: str, third: str, fourth: str, fifth: str | None = None) -> None:
    """Add a mirror with a tunnel (gre, erspan: INDEX, and SINK an address) or a port (local, lport) at its end."""
    if ctl.view.find("Mirror", "name", name):
        raise CtlError(f"Mirror with {name} name already exists.")
    if type_ not in (*TUNNELS, *LOCAL):
        raise CtlError(f'{type_}: type must be "gre", "erspan", or "local" or "lport"')
    columns: dict[str, object] = {"index": NO_INDEX}
    way, sink = third, fourth
    if type_ in TUNNELS:
        columns["index"] = whole_integer(third)
        if columns["index"] is None:
            raise CtlError("Invalid Index")
        way, sink = fourth, fifth or ""
    columns["filter"] = FILTERS.get(way[:1])
    if columns["filter"] is None:
        raise CtlError(f'{way}: selection must be "to-lport", "from-lport", or "both"')
    if type_ in TUNNELS and not _is_address(sink):
        raise CtlError(f"Invalid sink ip: {sink}")
    ctl.view.insert("Mirror", name=name, type=type_, sink=sink, **columns)


def _is_address(text: str) -> bool:
    from pyovn.net.ip import ip_parse

    try:
        ip_parse(text)
    except Malformed:
        return False
    return True


@command("mirror-del", "[NAME]", reads=MIRRORS)
def mirror_del(ctl: "Ctl", name: str | None = None) -> None:
    """Remove a mirror, or all."""
    for mirror in ctl.view.rows("Mirror") if name is None else list(ctl.view.find("Mirror", "name", name)):
        mirror.delete()


@command("mirror-list", reads=MIRRORS)
def mirror_list(ctl: "Ctl") -> None:
    """Print mirrors."""
    mirrors = sorted(ctl.view.rows("Mirror"), key=lambda row: str(row["name"]))
    found = [row.entry("name", "type", "sink", "filter", "index") | {"rules": _rules(ctl, row)} for row in mirrors]
    ctl.tell(found, _lines)


def _rules(ctl: "Ctl", mirror: "Row") -> "list[Entry]":
    rules = ctl.view.referred("Mirror_Rule", mirror["mirror_rules"] or ())
    rules.sort(key=lambda row: (row["priority"], row["match"], row["action"]))
    return [rule.entry("priority", "match", "action") for rule in rules]


def _lines(mirrors: "list[Entry]") -> "Iterator[str]":
    for mirror in mirrors:
        yield f"{mirror['name']}:"
        yield f"  Type     :  {mirror['type']}"
        yield f"  Sink     :  {mirror['sink']}"
        yield f"  Filter   :  {mirror['filter']}"
        if mirror["type"] in TUNNELS:
            yield f"  Index/Key:  {mirror['index']}"
        if mirror["rules"]:
            yield "  Rules    :"
        for rule in mirror["rules"]:
            yield f"       {rule['priority']:>5} {rule['match']:>30} {rule['action']:>15}"
        yield ""


@command("mirror-rule-add", "MIRROR PRIORITY MATCH ACTION", reads=MIRRORS)
def mirror_rule_add(ctl: "Ctl", name: str, priority_text: str, match: str, action: str) -> None:
    """Let MIRROR copy, or skip, the packets that MATCH."""
    mirror = must_find(ctl.view, MIRROR, name)
    priority = parse_priority(priority_text)
    if action not in ACTIONS:
        raise CtlError(f'{action}: action must be one of "mirror", "skip"')
    for rule in ctl.view.referred("Mirror_Rule", mirror["mirror_rules"]):
        if (rule["priority"], rule["match"], rule["action"]) == (priority, match, action):
            raise CtlError(f"Same mirror-rule already exists on the mirror {mirror['name']}.")
    rule = ctl.view.insert("Mirror_Rule", priority=priority, match=match, action=action)
    mirror.add("mirror_rules", rule.uuid)


@command("mirror-rule-del", "MIRROR [PRIORITY [MATCH]]", reads=MIRRORS)
def mirror_rule_del(ctl: "Ctl", name: str, priority_text: str | None = None, match: str | None = None) -> None:
    """Remove rules from MIRROR."""
    mirror = must_find(ctl.view, MIRROR, name)
    priority = None if priority_text is None else parse_priority(priority_text)
    rules = ctl.view.referred("Mirror_Rule", list(mirror["mirror_rules"]))
    if priority is not None:
        rules = [rule for rule in rules if rule["priority"] == priority and match in (None, rule["match"])][:1]
    for rule in rules:
        mirror.discard("mirror_rules", rule.uuid)
        rule.delete()


def _port_and_mirror(ctl: "Ctl", port: str, mirror: str) -> "tuple[Row, Row]":
    return must_find(ctl.view, PORT, port), must_find(ctl.view, MIRROR, mirror)


ATTACHED = ("Logical_Switch_Port name mirror_rules", "Mirror name")


@command("lsp-attach-mirror", "PORT MIRROR", options="--may-exist", reads=ATTACHED)
def lsp_attach_mirror(ctl: "Ctl", port_name: str, mirror_name: str) -> None:
    """Mirror the traffic of PORT."""
    port, mirror = _port_and_mirror(ctl, port_name, mirror_name)
    if mirror.uuid in port["mirror_rules"] and not ctl.has("--may-exist"):
        raise CtlError(f"mirror {mirror_name} is already attached to the logical port {port_name}.")
    port.add("mirror_rules", mirror.uuid)


@command("lsp-detach-mirror", "PORT MIRROR", reads=ATTACHED)
def lsp_detach_mirror(ctl: "Ctl", port_name: str, mirror_name: str) -> None:
    """Stop mirroring the traffic of PORT."""
    port, mirror = _port_and_mirror(ctl, port_name, mirror_name)
    port.discard("mirror_rules", mirror.uuid)
