"""`lb-*`, `ls-lb-*` and `lr-lb-*`: load balancers, and the switches and routers they work on."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.endpoints import Endpoint, backends, virtual
from pyovn.cli.nb.lookup import BALANCER, ROUTER, SWITCH, lookup, must_find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row
    from pyovn.cli.nb.lookup import Kind

    Entry = dict[str, Any]

command = CommandTable("Load balancer commands")

BALANCERS = ("Load_Balancer name vips protocol options",)
PROTOCOLS = ("tcp", "udp", "sctp")
NAME_WIDTH, NAME_LIMIT, VIP_GAP = 20, 16, 4


@command(
    "lb-add",
    "LB VIP[:PORT] IP[:PORT],... [PROTOCOL [ADDRESS_FAMILY]]",
    options="--may-exist --add-duplicate --reject --event --add-route --template",
    reads=BALANCERS,
)
def lb_add(
    ctl: "Ctl", name: str, vip_text: str, backend_text: str, protocol: str | None = None, family: str = "ipv4"
) -> None:
    """Create a load balancer, or add a VIP to an existing one."""
    if ctl.has("--reject") and ctl.has("--event"):
        raise CtlError("--reject and --event can't specified at the same time")
    if protocol is not None and protocol not in PROTOCOLS:
        raise CtlError(f'{protocol}: protocol must be one of "tcp", "udp",  or "sctp".')
    vip, targets = _addresses(ctl, vip_text, backend_text, protocol)
    balancer = None if ctl.has("--add-duplicate") else lookup(ctl.view, BALANCER, name)
    if balancer is None:
        columns = {"name": name, "vips": {vip: targets}, "protocol": protocol or "tcp"}
        ctl.view.insert("Load_Balancer", options=_options(ctl, family), **columns)
        return
    if vip in balancer["vips"] and not ctl.has("--may-exist"):
        raise CtlError(f"{name}: a load balancer with this vip ({vip}) already exists")
    balancer.put("vips", vip, targets)
    if protocol is not None:
        balancer["protocol"] = protocol


def _addresses(ctl: "Ctl", vip_text: str, backend_text: str, protocol: str | None) -> tuple[str, str]:
    """The VIP and its backends as the database keeps them; raises `CtlError`."""
    if ctl.has("--template"):
        has_port, vip, targets = ":" in vip_text, vip_text, backend_text
    else:
        endpoint = virtual(vip_text)
        has_port, vip, targets = bool(endpoint.port), str(endpoint), backends(endpoint, backend_text)
    if protocol is not None and not has_port:
        raise CtlError("Protocol is unnecessary when no port of vip is given.")
    return vip, targets


def _options(ctl: "Ctl", family: str) -> dict[str, str]:
    options = {
        option[2:].replace("-", "_"): "true"
        for option in ("--reject", "--event", "--add-route", "--template")
        if ctl.has(option)
    }
    if ctl.has("--template"):
        options["address-family"] = "ipv4" if family == "ipv4" else "ipv6"
    return options


@command("lb-del", "LB [VIP]", options="--if-exists", reads=BALANCERS)
def lb_del(ctl: "Ctl", name: str, vip: str | None = None) -> None:
    """Remove a load balancer, or just a VIP from it."""
    balancer = lookup(ctl.view, BALANCER, name)
    if balancer is None:
        return
    if vip is None:
        balancer.delete()
    elif vip in balancer["vips"]:
        balancer.drop("vips", vip)
        if not balancer["vips"]:
            balancer.delete()
    elif not ctl.has("--if-exists"):
        raise CtlError(f"vip {vip} is not part of the load balancer.")


@command("lb-list", "[LB]", reads=BALANCERS)
def lb_list(ctl: "Ctl", name: str | None = None) -> None:
    """Print load balancers."""
    _tell(ctl, [row for row in ctl.view.rows("Load_Balancer") if name in (None, row["name"], row.uuid)])


def _tell(ctl: "Ctl", balancers: "list[Row]") -> None:
    """Say which load balancers these are."""
    balancers.sort(key=lambda row: (row["name"], row.uuid))
    ctl.tell([row.entry("name") | {"vips": [*_vips(row)]} for row in balancers], _lines)


def _vips(balancer: "Row") -> "Iterator[Entry]":
    """Each VIP with its protocol, which one without a port does not have."""
    for vip, targets in balancer["vips"].items():
        endpoint = Endpoint.parse(vip)
        protocol = None if endpoint is not None and not endpoint.port else balancer["protocol"] or "tcp"
        yield {"vip": vip, "protocol": protocol, "ips": targets.split(",") if targets else []}


def _lines(balancers: "list[Entry]") -> "Iterator[str]":
    """A line for each VIP; the balancer is named on its first."""
    widths = [len(vip["vip"]) for balancer in balancers for vip in balancer["vips"]]
    if not widths:
        return
    width = max(widths) + VIP_GAP
    yield f"{'UUID':<40}{'LB':<{NAME_WIDTH}}{'PROTO':<11}{'VIP':<{width}}IPs"
    for balancer in balancers:
        label = f"{balancer['_uuid']:<40}{balancer['name'][:NAME_LIMIT]:<{NAME_WIDTH}}"
        for vip in balancer["vips"]:
            yield f"{label}{vip['protocol'] or '':<11}{vip['vip']:<{width}}{','.join(vip['ips'])}"
            label = " " * (40 + NAME_WIDTH)


def _add(ctl: "Ctl", kind: "Kind", owner_name: str, name: str) -> None:
    owner, balancer = must_find(ctl.view, kind, owner_name), must_find(ctl.view, BALANCER, name)
    if balancer.uuid in owner["load_balancer"] and not ctl.has("--may-exist"):
        raise CtlError(f"{balancer.uuid} : a load balancer with this UUID already exists")
    owner.add("load_balancer", balancer.uuid)


def _delete(ctl: "Ctl", kind: "Kind", owner_name: str, name: str | None) -> None:
    owner = must_find(ctl.view, kind, owner_name)
    if name is None:
        owner["load_balancer"] = []
        return
    balancer = must_find(ctl.view, BALANCER, name)
    if balancer.uuid not in owner["load_balancer"] and not ctl.has("--if-exists"):
        raise CtlError(f"load balancer {name} is not part of any logical {kind[1]}.")
    owner.discard("load_balancer", balancer.uuid)


def _list(ctl: "Ctl", kind: "Kind", owner_name: str) -> None:
    owner = must_find(ctl.view, kind, owner_name)
    _tell(ctl, ctl.view.referred("Load_Balancer", owner["load_balancer"]))


ON_SWITCHES = (*BALANCERS, "Logical_Switch name load_balancer")
ON_ROUTERS = (*BALANCERS, "Logical_Router name load_balancer")


@command("ls-lb-add", "SWITCH LB", options="--may-exist", reads=ON_SWITCHES)
def ls_lb_add(ctl: "Ctl", switch: str, name: str) -> None:
    """Add a load balancer to SWITCH."""
    _add(ctl, SWITCH, switch, name)


@command("ls-lb-del", "SWITCH [LB]", options="--if-exists", reads=ON_SWITCHES)
def ls_lb_del(ctl: "Ctl", switch: str, name: str | None = None) -> None:
    """Remove load balancers from SWITCH."""
    _delete(ctl, SWITCH, switch, name)


@command("ls-lb-list", "SWITCH", reads=ON_SWITCHES)
def ls_lb_list(ctl: "Ctl", switch: str) -> None:
    """Print load balancers of SWITCH."""
    _list(ctl, SWITCH, switch)


@command("lr-lb-add", "ROUTER LB", options="--may-exist", reads=ON_ROUTERS)
def lr_lb_add(ctl: "Ctl", router: str, name: str) -> None:
    """Add a load balancer to ROUTER."""
    _add(ctl, ROUTER, router, name)


@command("lr-lb-del", "ROUTER [LB]", options="--if-exists", reads=ON_ROUTERS)
def lr_lb_del(ctl: "Ctl", router: str, name: str | None = None) -> None:
    """Remove load balancers from ROUTER."""
    _delete(ctl, ROUTER, router, name)


@command("lr-lb-list", "ROUTER", reads=ON_ROUTERS)
def lr_lb_list(ctl: "Ctl", router: str) -> None:
    """Print load balancers of ROUTER."""
    _list(ctl, ROUTER, router)
