"""`qos-*`: marking and rate limits on a switch."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.numbers import scan_within
from pyovn.cli.nb.acls import parse_direction, parse_priority
from pyovn.cli.nb.lookup import SWITCH, must_find
from pyovn.net.uuids import is_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("QoS commands")

RULES = ("Logical_Switch name qos_rules", "QoS direction priority match")

#: setting → its column, the values it may have, and what to say about others
SETTINGS = {
    "rate": ("bandwidth", range(1, 2**32), "rate must be in the range 1...4294967295"),
    "burst": ("bandwidth", range(1, 2**32), "burst must be in the range 1...4294967295"),
    "dscp": ("action", range(64), "dscp must be in the range 0...63"),
    "mark": ("action", range(2**63), "mark must be a positive integer"),
}


@command(
    "qos-add",
    "SWITCH DIRECTION PRIORITY MATCH [rate=RATE [burst=BURST]] [dscp=DSCP] [mark=MARK]",
    options="--may-exist",
    reads=RULES,
)
def qos_add(
    ctl: "Ctl",
    switch_name: str,
    direction: str,
    priority: str,
    match: str,
    first: str,
    second: str | None = None,
    third: str | None = None,
) -> None:
    """Add a QoS rule to SWITCH."""
    key = (parse_direction(direction), parse_priority(priority), match)
    switch = must_find(ctl.view, SWITCH, switch_name)
    columns = _columns([word for word in (first, second, third) if word is not None])
    if any(_key(rule) == key for rule in ctl.view.referred("QoS", switch["qos_rules"])):
        if not ctl.has("--may-exist"):
            raise CtlError(f"Same qos already existed on the ls {switch['name']}.")
        return
    rule = ctl.view.insert("QoS", direction=key[0], priority=key[1], match=match, **columns)
    switch.add("qos_rules", rule.uuid)


def _key(rule: "Row") -> tuple[str, int, str]:
    """What tells a rule from others."""
    return rule["direction"], rule["priority"], rule["match"]


def _columns(words: list[str]) -> dict[str, dict[str, int]]:
    columns: dict[str, dict[str, int]] = {"action": {}, "bandwidth": {}}
    for word in words:
        name, _, text = word.partition("=")
        if name not in SETTINGS or "=" not in word:
            raise CtlError(f'{word}: supported arguments are "dscp=", "rate=", "burst=" and "mark="')
        column, allowed, complaint = SETTINGS[name]
        number = scan_within(text, allowed)
        if number is None:
            raise CtlError(f"{text}: {complaint}")
        columns[column][name] = number
    if not columns["action"].get("mark", 1):
        del columns["action"]["mark"]
    if not columns["action"] and "rate" not in columns["bandwidth"]:
        raise CtlError('Either "mark", "rate" and/or "dscp" must be specified')
    return columns


@command("qos-del", "SWITCH [{DIRECTION | UUID} [PRIORITY MATCH]]", reads=RULES)
def qos_del(
    ctl: "Ctl", switch_name: str, which: str | None = None, priority: str | None = None, match: str | None = None
) -> None:
    """Remove QoS rules from SWITCH."""
    switch = must_find(ctl.view, SWITCH, switch_name)
    rules = ctl.view.referred("QoS", list(switch["qos_rules"]))
    if which is not None and is_uuid(which.lower()):
        rules = [rule for rule in rules if rule.uuid == which.lower()]
        if not rules:
            raise CtlError("uuid is not found")
        if priority is not None:
            raise CtlError("uuid must be the only argument")
    elif which is not None:
        direction = parse_direction(which)
        rules = [rule for rule in rules if rule["direction"] == direction]
    if priority is not None:
        if match is None:
            raise CtlError("cannot specify priority without match")
        rank = parse_priority(priority)
        rules = [rule for rule in rules if (rule["priority"], rule["match"]) == (rank, match)]
    for rule in rules:
        switch.discard("qos_rules", rule.uuid)
        rule.delete()


@command("qos-list", "SWITCH", reads=(*RULES, "QoS action bandwidth"))
def qos_list(ctl: "Ctl", switch_name: str) -> None:
    """Print QoS rules of SWITCH."""
    switch = must_find(ctl.view, SWITCH, switch_name)
    rules = ctl.view.referred("QoS", switch["qos_rules"])
    rules.sort(key=lambda rule: (rule["direction"] != "from-lport", -rule["priority"], rule["match"]))
    found = [rule.entry("direction", "priority", "match") | _settings(rule) for rule in rules]
    ctl.tell(found, _lines)


def _settings(rule: "Row") -> "dict[str, int | None]":
    return {name: rule[column].get(name) for name, (column, _, _) in SETTINGS.items()}


def _lines(rules: "list[dict[str, Any]]") -> "Iterator[str]":
    for rule in rules:
        settings = "".join(f" {name}={rule[name]}" for name in SETTINGS if rule[name] is not None)
        yield f"{rule['direction']:>10} {rule['priority']:>5} ({rule['match']}){settings}"
