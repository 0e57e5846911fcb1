"""`lr-route-*`: static routes."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.lookup import ROUTER, ROUTER_PORT, ROUTER_PORT_NAMES, must_find
from pyovn.cli.nb.prefixes import address, length_of, prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

    Entry = dict[str, Any]
    Key = tuple[str, str, str]

command = CommandTable("Route commands")

TABLE = "Logical_Router_Static_Route"
ROUTES = (
    "Logical_Router name static_routes",
    f"{TABLE} ip_prefix nexthop output_port policy route_table options external_ids bfd",
    "BFD logical_port dst_ip",
    ROUTER_PORT_NAMES,
)
POLICIES = ("dst-ip", "src-ip")
DISCARD = "discard"
SYMMETRIC = "ecmp_symmetric_reply"
WORDS = {"ecmp": "ecmp", SYMMETRIC: "ecmp-symmetric-reply", "bfd": "bfd"}  #: how routes are, in listings


def _policy(ctl: "Ctl") -> str | None:
    policy = ctl.option("--policy")
    if policy is not None and policy not in POLICIES:
        raise CtlError(f"bad policy: {policy}")
    return policy


def _prefix(text: str) -> str:
    found = prefix(text)
    if found is None:
        raise CtlError(f"bad prefix argument: {text}")
    return found[1]


def _nexthop(text: str, read: "Callable[[str], tuple[int, str] | None]" = address) -> str:
    if text == DISCARD:
        return text
    found = read(text)
    if found is None:
        raise CtlError(f"bad nexthop argument: {text}")
    return found[1]


def _routes(ctl: "Ctl", router: "Row") -> "list[Row]":
    return ctl.view.referred(TABLE, list(router["static_routes"]))


def _key(route: "Row") -> "Key":
    """What several routes must share to be ECMP routes of each other."""
    found = prefix(route["ip_prefix"])
    return route["route_table"] or "", route["policy"] or "dst-ip", found[1] if found else route["ip_prefix"]


@command(
    "lr-route-add",
    "ROUTER PREFIX NEXTHOP [PORT]",
    options="--may-exist --ecmp --ecmp-symmetric-reply --policy= --route-table= --bfd?",
    reads=ROUTES,
)
def lr_route_add(ctl: "Ctl", router_name: str, prefix_text: str, nexthop_text: str, port: str | None = None) -> None:
    """Add a route to ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    policy = _policy(ctl)
    key = (ctl.option("--route-table") or "", policy or "dst-ip", _prefix(prefix_text))
    nexthop = _nexthop(nexthop_text)
    is_symmetric = ctl.has("--ecmp-symmetric-reply")
    is_ecmp = ctl.has("--ecmp") or is_symmetric
    if port is not None:
        must_find(ctl.view, ROUTER_PORT, port)
    if is_ecmp and nexthop == DISCARD:
        raise CtlError("ecmp is not valid for discard routes.")
    columns: dict[str, object] = {"ip_prefix": key[2], "nexthop": nexthop}
    columns["bfd"] = _bfd(ctl, nexthop, port)
    if port is not None and nexthop == DISCARD:
        raise CtlError("outport is not valid for discard routes.")
    if port is not None:
        columns["output_port"] = port
    if policy is not None:
        columns["policy"] = policy
    same = [route for route in _routes(ctl, router) if _key(route) == key]
    if same and not is_ecmp:
        _change(ctl, same[0], key, columns)
        return
    if any(route["nexthop"] == nexthop and (route["output_port"] or None) == port for route in same):
        if ctl.has("--may-exist"):
            return
        raise CtlError("duplicate nexthop for the same ECMP route")
    columns["route_table"] = key[0]
    if is_symmetric:
        columns["options"] = {SYMMETRIC: "true"}
    router.add("static_routes", ctl.view.insert(TABLE, **columns).uuid)


def _bfd(ctl: "Ctl", nexthop: str, port: str | None) -> str | None:
    """The BFD session that watches the next hop, if one is asked for."""
    if not ctl.has("--bfd"):
        return None
    uuid = ctl.option("--bfd")
    if uuid is not None:
        session = ctl.view.get("BFD", uuid.lower())
        if session is None:
            raise CtlError("no entry found in the BFD table")
        return session.uuid
    if nexthop == DISCARD:
        raise CtlError("bfd dst_ip cannot be discard.")
    for session in ctl.view.find("BFD", "dst_ip", nexthop):
        if port in (None, session["logical_port"]):
            return session.uuid
    if port is None:
        raise CtlError("insert entry in the BFD table failed")
    return ctl.view.insert("BFD", logical_port=port, dst_ip=nexthop).uuid


def _change(ctl: "Ctl", route: "Row", key: "Key", columns: dict[str, object]) -> None:
    if not ctl.has("--may-exist"):
        raise CtlError(
            f"duplicate prefix: {key[2]} (policy: {key[1]}). Use option --ecmp to allow this for ECMP routing."
        )
    for column, value in columns.items():
        if column != "bfd" or value is not None:
            route[column] = value
    if "output_port" not in columns:
        route["output_port"] = None


@command(
    "lr-route-del",
    "ROUTER [PREFIX [NEXTHOP [PORT]]]",
    options="--if-exists --policy= --route-table=",
    reads=ROUTES,
)
def lr_route_del(
    ctl: "Ctl",
    router_name: str,
    prefix_text: str | None = None,
    nexthop_text: str | None = None,
    port: str | None = None,
) -> None:
    """Remove routes from ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    policy = _policy(ctl)
    if policy is None and prefix_text is None:
        for route in _routes(ctl, router):
            _delete(router, route)
        return
    network = None if prefix_text is None else _prefix(prefix_text)
    nexthop = None if nexthop_text is None else _nexthop(nexthop_text, prefix)
    found = False
    for route in _routes(ctl, router):
        table, way, covers = _key(route)
        wanted = ((network, covers), (policy, way), (nexthop, route["nexthop"]), (port, route["output_port"] or ""))
        if table == (ctl.option("--route-table") or "") and all(want in (None, have) for want, have in wanted):
            _delete(router, route)
            found = True
    if not found and not ctl.has("--if-exists"):
        shown = f"policy '{policy or 'any'}', prefix '{network or '(null)'}', nexthop '{nexthop or 'any'}'"
        raise CtlError(f"no matching route: {shown}, output_port '{port or 'any'}'.")


def _delete(router: "Row", route: "Row") -> None:
    router.discard("static_routes", route.uuid)
    route.delete()


@command("lr-route-list", "ROUTER", options="--route-table=", reads=ROUTES)
def lr_route_list(ctl: "Ctl", router_name: str) -> None:
    """Print routes of ROUTER."""
    router = must_find(ctl.view, ROUTER, router_name)
    wanted = ctl.option("--route-table")
    routes = [route for route in _routes(ctl, router) if wanted in (None, route["route_table"] or "")]
    routes = [route for route in routes if prefix(route["ip_prefix"])]
    routes.sort(key=_order)
    keys = [_key(route) for route in routes]
    alike: dict[Key, int] = {}
    for key in keys:
        alike[key] = alike.get(key, 0) + 1
    ctl.tell([_entry(route, key, is_ecmp=alike[key] > 1) for route, key in zip(routes, keys, strict=True)], _lines)


def _order(route: "Row") -> "tuple[object, ...]":
    table, policy, network = _key(route)
    return table, -length_of(network), policy, network, route["nexthop"], route["output_port"] or ""


def _entry(route: "Row", key: "Key", *, is_ecmp: bool) -> "Entry":
    table, policy, network = key
    return route.entry("nexthop", "output_port") | {
        "route_table": table,
        "policy": policy,
        "ip_prefix": network,
        "learned": bool(route["external_ids"].get("ic-learned-route")),
        "ecmp": is_ecmp,
        "ecmp_symmetric_reply": route["options"].get(SYMMETRIC) == "true",
        "bfd": bool(route["bfd"]),
    }


def _lines(routes: "list[Entry]") -> "Iterator[str]":
    """The routes of each IP version by route table."""
    version, table = 0, None
    for route in sorted(routes, key=_version):
        if version != (now := _version(route)):
            if version:
                yield ""
            version, table = now, None
            yield f"IPv{version} Routes"
        if table != route["route_table"]:
            if table is not None:
                yield ""
            table = route["route_table"]
            yield f"Route Table {table or '<main>'}:"
        yield _line(route)


def _version(route: "Entry") -> int:
    return 6 if ":" in route["ip_prefix"] else 4


def _line(route: "Entry") -> str:
    parts = [f"{route['ip_prefix']:>25} {route['nexthop']:>25} {route['policy']}"]
    if route["output_port"]:
        parts.append(route["output_port"])
    if route["learned"]:
        parts.append("(learned)")
    parts += [word for column, word in WORDS.items() if route[column]]
    return " ".join(parts)
