"""`lr-policy-*`: routing by more than the destination."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.acls import parse_priority
from pyovn.cli.nb.lookup import ROUTER, must_find
from pyovn.cli.nb.prefixes import address, prefix
from pyovn.net.uuids import is_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

    Entry = dict[str, Any]

command = CommandTable("Policy commands")

TABLE = "Logical_Router_Policy"
POLICIES = (
    "Logical_Router name policies ports",
    f"{TABLE} priority match action nexthop nexthops chain jump_chain output_port options bfd_sessions",
    "Logical_Router_Port name networks",
    "BFD logical_port dst_ip",
)
ACTIONS = ("allow", "drop", "reroute", "jump")


class Wanted:
    """What a policy is to do, as far as the words after its action say it."""

    __slots__ = ("jump_chain", "nexthops", "options")

    def __init__(self, action: str, words: tuple[str, ...]) -> None:
        self.nexthops: list[str] = []
        self.jump_chain = ""
        settings = words
        if action == "reroute":
            if not words:
                raise CtlError("Nexthop is required when action is reroute.")
            self.nexthops, settings = _nexthops(words[0]), words[1:]
        elif action == "jump":
            if not words:
                raise CtlError("Chain name is required when action is jump.")
            self.jump_chain, settings = words[0], words[1:]
        self.options = dict(_setting(word) for word in settings)


def _nexthops(text: str) -> list[str]:
    found = [address(word) for word in text.split(",")]
    hops = [hop for hop in found if hop]
    if len(hops) != len(found):
        raise CtlError(f"bad next hop argument: {text}")
    if len({version for version, _ in hops}) > 1:
        raise CtlError(f"bad next hops argument, not in the same addr family : {text}")
    return sorted({hop for _, hop in hops})


def _setting(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    if not value:
        raise CtlError(f"No value specified for the option : {key}")
    return key, value


@command(
    "lr-policy-add",
    "ROUTER PRIORITY MATCH ACTION [NEXTHOP,... | JUMP_CHAIN] [KEY=VALUE]...",
    options="--may-exist --bfd? --chain= --output-port=",
    reads=POLICIES,
)
def lr_policy_add(ctl: "Ctl", router_name: str, priority_text: str, match: str, action: str, *words: str) -> None:
    """Add a policy to ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    priority = parse_priority(priority_text)
    if action not in ACTIONS:
        raise CtlError(f'{action}: action must be one of "allow", "drop", "reroute", "jump"')
    wanted = Wanted(action, words)
    chain = ctl.option("--chain") or ""
    for policy in _policies(ctl, router):
        if (policy["priority"], policy["match"], policy["chain"] or "") == (priority, match, chain):
            if ctl.has("--may-exist"):
                return
            raise CtlError(f"Same routing policy already existed on the logical router {router_name}.")
    if ctl.has("--bfd") and action != "reroute":
        raise CtlError("BFD is valid only with reroute action.")
    columns: dict[str, object] = {"nexthops": wanted.nexthops, "options": wanted.options}
    if chain:
        columns["chain"] = chain
    if wanted.jump_chain:
        columns["jump_chain"] = wanted.jump_chain
    if (port := _output_port(ctl, action, wanted.nexthops)) is not None:
        columns["output_port"] = port.uuid
    if ctl.has("--bfd"):
        columns["bfd_sessions"] = list(_sessions(ctl, router, wanted.nexthops))
    policy = ctl.view.insert(TABLE, priority=priority, match=match, action=action, **columns)
    router.add("policies", policy.uuid)


def _policies(ctl: "Ctl", router: "Row") -> "list[Row]":
    return ctl.view.referred(TABLE, list(router["policies"]))


def _output_port(ctl: "Ctl", action: str, nexthops: list[str]) -> "Row | None":
    name = ctl.option("--output-port")
    if name is None:
        return None
    if action != "reroute":
        raise CtlError("Specifying output-port is only allowed for reroute policies.")
    if len(nexthops) > 1:
        raise CtlError("output-port option is supported only for policies with a single reroute next hop")
    port = ctl.view.first("Logical_Router_Port", "name", name)
    if port is None:
        raise CtlError(f"unknown output-port: {name}")
    return port


def _sessions(ctl: "Ctl", router: "Row", nexthops: list[str]) -> "Iterator[str]":
    """The BFD sessions that watch the next hops: the one that was named, or one for each."""
    named = ctl.option("--bfd")
    session = ctl.view.get("BFD", named.lower()) if named else None
    if session is not None:
        yield session.uuid
        return
    for hop in nexthops:
        port = _port_towards(ctl, router, hop)
        known = (row for row in ctl.view.find("BFD", "dst_ip", hop) if row["logical_port"] == port)
        yield (next(known, None) or ctl.view.insert("BFD", logical_port=port, dst_ip=hop)).uuid


def _port_towards(ctl: "Ctl", router: "Row", hop: str) -> str:
    """The name of the router's port that has `hop` in one of its networks."""
    for port in ctl.view.referred("Logical_Router_Port", router["ports"]):
        for network in port["networks"]:
            length = network.partition("/")[2] or ("128" if ":" in network else "32")
            if prefix(f"{hop}/{length}") == prefix(network):
                name: str = port["name"]
                return name
    raise CtlError(f"out lrp not found for {hop} nexthop")


@command("lr-policy-del", "ROUTER [{PRIORITY | UUID} [MATCH]]", options="--if-exists --chain=", reads=POLICIES)
def lr_policy_del(ctl: "Ctl", router_name: str, which: str | None = None, match: str | None = None) -> None:
    """Remove policies from ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    policies = _policies(ctl, router)
    chain = ctl.option("--chain")
    if which is not None and is_uuid(which.lower()):
        policies = [policy for policy in policies if policy.uuid == which.lower()]
        if not policies and not ctl.has("--if-exists"):
            raise CtlError("Logical router policy uuid is not found.")
    else:
        if which is not None:
            priority = parse_priority(which)
            policies = [policy for policy in policies if policy["priority"] == priority]
        if which is not None or chain is not None:
            policies = [policy for policy in policies if (policy["chain"] or "") == (chain or "")]
        if match is not None:
            policies = [policy for policy in policies if policy["match"] == match]
    for policy in policies:
        router.discard("policies", policy.uuid)
        policy.delete()


@command("lr-policy-list", "ROUTER", reads=POLICIES)
def lr_policy_list(ctl: "Ctl", router_name: str) -> None:
    """Print policies of ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    policies = _policies(ctl, router)
    policies.sort(key=lambda row: (row["chain"] or "", -row["priority"], row["match"]))
    ctl.tell([_entry(ctl, policy) for policy in policies], _lines)


def _entry(ctl: "Ctl", policy: "Row") -> "Entry":
    port = ctl.view.get("Logical_Router_Port", policy["output_port"])
    return policy.entry("priority", "match", "action", "chain", "jump_chain", "options") | {
        "nexthops": policy["nexthops"] or ([policy["nexthop"]] if policy["nexthop"] else []),
        "output_port": None if port is None else port["name"],
        "bfd": bool(policy["bfd_sessions"]),
    }


def _lines(policies: "list[Entry]") -> "Iterator[str]":
    if policies:
        yield "Routing Policies"
    has_chains = any(policy["chain"] for policy in policies)
    chain = None
    for policy in policies:
        if has_chains and (policy["chain"] or "") != chain:
            if chain is not None:
                yield ""
            chain = policy["chain"] or ""
            yield f"Chain {chain or '<Default>'}:"
        yield _line(policy)


def _line(policy: "Entry") -> str:
    text = f"{policy['priority']:>10} {policy['match']:>50} {policy['action']:>15}"
    if policy["action"] == "jump":
        text += f" -> {policy['jump_chain']}"
    hops = policy["nexthops"]
    if policy["action"] == "reroute" and hops:
        text += f" {hops[0]:>25}" + "".join(f", {hop}" for hop in hops[1:])
    if policy["output_port"] is not None:
        text += f" {policy['output_port']}"
    facts = ["bfd"] if policy["bfd"] else []
    facts += [f"{key}={value}" for key, value in policy["options"].items()]
    return text + (" " * 15 + ",".join(facts) if facts else "")
