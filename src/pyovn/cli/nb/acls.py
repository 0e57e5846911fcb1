"""`acl-*`: what a switch, or the ports of a group, let through."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.numbers import scan_integer, scan_within
from pyovn.cli.nb.lookup import FUNCTION_GROUP, GROUP, SWITCH, lookup, must_find, names
from pyovn.net.uuids import is_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

    Entry = dict[str, Any]
    Key = tuple[str, int, str, int]

command = CommandTable("ACL commands")

DIRECTIONS = {"t": "to-lport", "f": "from-lport"}
PRIORITIES = range(32768)
LABELS = range(2**32)
ACTIONS = ("allow", "allow-related", "allow-stateless", "drop", "reject", "pass")
LABELLED = ("allow", "allow-related")
SEVERITIES = ("alert", "warning", "notice", "info", "debug")
LOGGING = ("--log", "--severity", "--name", "--meter")
AFTER_LB = "apply-after-lb"
LOG = ("log", "name", "severity", "meter")

OWNERS = ("Logical_Switch name acls", "Port_Group name acls")
RULES = (*OWNERS, "ACL direction priority match tier")


def parse_direction(text: str) -> str:
    """The direction that a word begins like; raises `CtlError`."""
    direction = DIRECTIONS.get(text[:1])
    if direction is None:
        raise CtlError(f'{text}: direction must be "to-lport" or "from-lport"')
    return direction


def parse_priority(text: str) -> int:
    """A priority; raises `CtlError`."""
    priority = scan_within(text, PRIORITIES)
    if priority is None:
        raise CtlError(f"{text}: priority must in range 0...32767")
    return priority


def find_owner(ctl: "Ctl", name: str) -> "Row":
    """The switch or port group that has the ACLs; raises `CtlError`."""
    kind = ctl.option("--type")
    if kind is not None:
        if kind not in ("switch", "port-group"):
            raise CtlError(f"Invalid value '{kind}' for option --type")
        return must_find(ctl.view, SWITCH if kind == "switch" else GROUP, name)
    group, switch = lookup(ctl.view, GROUP, name), lookup(ctl.view, SWITCH, name)
    if group is not None and switch is not None:
        raise CtlError(
            f"Same name '{name}' exists in both port-groups and logical switches. "
            "Specify --type=port-group or switch, or use a UUID."
        )
    if group is None and switch is None:
        choices = (*names(ctl.view, GROUP), *names(ctl.view, SWITCH))
        raise CtlError(f"'{name}' is not found for port-group or switch.", name, choices)
    found = group or switch
    assert found is not None
    return found


def parse_tier(ctl: "Ctl") -> int | None:
    """The value of `--tier`, if it was given; raises `CtlError`."""
    text = ctl.option("--tier")
    if text is None:
        return None
    tier = scan_integer(text)
    if tier is None:
        raise CtlError(f"Invalid tier {text}")
    return tier


@command(
    "acl-add",
    "{SWITCH | PORTGROUP} DIRECTION PRIORITY MATCH ACTION [NETWORK-FUNCTION-GROUP]",
    options="--type= --log --severity= --name= --meter= --label= --may-exist --apply-after-lb --tier= --sample-new="
    " --sample-est=",
    reads=(*RULES, "Network_Function_Group name"),
)
def acl_add(
    ctl: "Ctl", owner_name: str, direction: str, priority: str, match: str, action: str, group: str | None = None
) -> None:
    """Add an ACL to SWITCH or PORTGROUP."""
    owner = find_owner(ctl, owner_name)
    key = (parse_direction(direction), parse_priority(priority), match, parse_tier(ctl) or 0)
    if action not in ACTIONS:
        raise CtlError(
            f'{action}: action must be one of "allow", "allow-related", "allow-stateless", "drop", and "reject"'
        )
    acl = ctl.view.insert("ACL", direction=key[0], priority=key[1], match=match, action=action)
    if key[3]:
        acl["tier"] = key[3]
    if group is not None:
        acl["network_function_group"] = must_find(ctl.view, FUNCTION_GROUP, group).uuid
    _set_logging(ctl, acl)
    _set_label(ctl, acl, action)
    _set_samples(ctl, acl)
    if ctl.has("--apply-after-lb") and key[0] == "from-lport":
        acl["options"] = {AFTER_LB: "true"}
    if any(_key(other) == key for other in ctl.view.referred("ACL", owner["acls"])):
        if not ctl.has("--may-exist"):
            raise CtlError(f"Same ACL already existed on the ls {owner['name']}.")
        acl.delete()
        return
    owner.add("acls", acl.uuid)


def _key(acl: "Row") -> "Key":
    """What tells an ACL from others."""
    return acl["direction"], acl["priority"], acl["match"], acl["tier"] or 0


def _set_logging(ctl: "Ctl", acl: "Row") -> None:
    severity = ctl.option("--severity")
    if severity is not None and severity not in SEVERITIES:
        raise CtlError(f"bad severity: {severity}")
    if any(ctl.has(option) for option in LOGGING):
        acl["log"] = True
    for option in LOGGING[1:]:
        if (value := ctl.option(option)) is not None:
            acl[option[2:]] = value


def _set_label(ctl: "Ctl", acl: "Row", action: str) -> None:
    text = ctl.option("--label")
    if text is None:
        return
    if action not in LABELLED:
        raise CtlError('label can only be set with actions "allow" or "allow-related"')
    label = scan_within(text, LABELS)
    if label is None:
        raise CtlError(f"{text}: label must in range 0...4294967295")
    acl["label"] = label


def _set_samples(ctl: "Ctl", acl: "Row") -> None:
    for option in ("--sample-new", "--sample-est"):
        uuid = ctl.option(option)
        if uuid is None:
            continue
        if uuid.startswith("@"):
            uuid = ctl.symbols.reference(uuid)
        elif not is_uuid(uuid.lower()):
            raise CtlError(f'invalid {option}: "{uuid}" is not a valid UUID')
        acl[option[2:].replace("-", "_")] = uuid.lower()


@command("acl-del", "{SWITCH | PORTGROUP} [DIRECTION [PRIORITY MATCH]]", options="--type= --tier=", reads=RULES)
def acl_del(
    ctl: "Ctl", owner_name: str, direction: str | None = None, priority: str | None = None, match: str | None = None
) -> None:
    """Remove ACLs from SWITCH or PORTGROUP."""
    owner = find_owner(ctl, owner_name)
    tier = parse_tier(ctl)
    way = None if direction is None else parse_direction(direction)
    if priority is not None and match is None:
        raise CtlError("cannot specify priority without match")
    rank = None if priority is None else parse_priority(priority)
    for acl in ctl.view.referred("ACL", list(owner["acls"])):
        wanted = ((tier, acl["tier"] or 0), (way, acl["direction"]), (rank, acl["priority"]), (match, acl["match"]))
        if all(want is None or want == have for want, have in wanted):
            owner.discard("acls", acl.uuid)
            acl.delete()


@command(
    "acl-list",
    "{SWITCH | PORTGROUP}",
    options="--all --type=",
    reads=(
        "Logical_Switch name acls ports",
        "Port_Group name acls ports",
        "ACL direction priority match tier action network_function_group log name severity meter label options",
        "Network_Function_Group name",
    ),
)
def acl_list(ctl: "Ctl", owner_name: str) -> None:
    """Print ACLs of SWITCH or PORTGROUP, with `--all` also those of the groups of SWITCH's ports."""
    owner = find_owner(ctl, owner_name)
    found = _entries(ctl, owner)
    if ctl.has("--all") and owner.table.name == "Logical_Switch":
        ports = set(owner["ports"])
        for group in sorted(ctl.view.rows("Port_Group"), key=lambda row: str(row["name"])):
            if not ports.isdisjoint(group["ports"]):
                found += [{**entry, "port_group": group["name"]} for entry in _entries(ctl, group)]
    ctl.tell(found, lambda entries: ["".join(_parts(entry)) for entry in entries])


def _entries(ctl: "Ctl", owner: "Row") -> "list[Entry]":
    """The ACLs of a switch or port group, in the order of a packet's way."""
    acls = ctl.view.referred("ACL", owner["acls"])
    acls.sort(
        key=lambda acl: (
            acl["direction"] != "from-lport",
            _is_after_lb(acl),
            acl["tier"] or 0,
            -acl["priority"],
            acl["match"],
        )
    )
    return [_entry(ctl, acl) for acl in acls]


def _entry(ctl: "Ctl", acl: "Row") -> "Entry":
    group = ctl.view.get("Network_Function_Group", acl["network_function_group"])
    return acl.entry("direction", "priority", "match", "action", *LOG, "label", "tier") | {
        "network_function_group": None if group is None else group["name"],
        "after_lb": _is_after_lb(acl),
    }


def _is_after_lb(acl: "Row") -> bool:
    return bool(acl["options"].get(AFTER_LB) == "true")


def _parts(acl: "Entry") -> "Iterator[str]":
    yield f"{acl['direction']:>10} {acl['priority']:>5} ({acl['match']}) {acl['action']}"
    if acl["network_function_group"] is not None:
        yield f" network-function-group={acl['network_function_group']}"
    if acl["log"]:
        facts = [f"{column}={acl[column]}" for column in ("name", "severity") if acl[column]]
        if acl["meter"]:
            facts.append(f'meter="{acl["meter"]}"')
        yield f" log({','.join(facts)})"
    if acl["label"]:
        yield f" label={acl['label']}"
    if acl["tier"] is not None:
        yield f" [tier {acl['tier']}]"
    if acl["after_lb"]:
        yield " [after-lb]"
    if "port_group" in acl:
        yield f" [{acl['port_group']}]"
