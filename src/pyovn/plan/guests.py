"""Between which guests a plan tries packets: some of what changes, some of what is around it."""

from pyovn.plan.central import Central
from pyovn.plan.reach import Guest, Routers
from pyovn.tables.nb import LogicalRouterPort, LogicalSwitch, LogicalSwitchPort

MOST_GUESTS = 12  #: between which packets are tried
NONE = ["map", []]
GUESTS_OF_CHANGED, GUESTS_OF_OTHERS = 4, 1  #: of a switch


def datapaths(central: Central) -> tuple[dict[str, str], dict[str, str]]:
    """UUID of a southbound datapath → what people call it, and the UUID of its northbound row."""
    names: dict[str, str] = {}
    places: dict[str, str] = {}
    for uuid, row in central.contents("OVN_Southbound", "Datapath_Binding").items():
        labels = dict(row["initial"].get("external_ids", NONE)[1])
        kind = "switch" if "logical-switch" in labels else "router"
        names[uuid] = f"{kind} {labels.get('name', uuid)}"
        places[uuid] = labels.get(f"logical-{kind}", "")
    return names, places


def router_ports(central: Central) -> Routers:
    """UUID of a switch → the MACs and networks of the router ports on it."""
    north = central.replicas["OVN_Northbound"]
    ports = north.rows(LogicalSwitchPort)
    leading = {row.name: row for row in north.rows(LogicalRouterPort).values()}
    found: Routers = {}
    for uuid, switch in north.rows(LogicalSwitch).items():
        for each in switch.ports:
            row = ports.get(each)
            if row is not None and row.type == "router" and (peer := leading.get(row.options.get("router-port", ""))):
                found.setdefault(uuid, []).append((peer.mac, sorted(peer.networks)))
    return found


def chosen_guests(central: Central, changed: set[str], touched: set[str]) -> list[Guest]:
    """Guests to try packets between: some of the switches that changed (`touched` ones first), some around them."""
    north = central.replicas["OVN_Northbound"]
    ports = north.rows(LogicalSwitchPort)
    candidates: list[tuple[int, str, Guest]] = []
    around = _around(central, changed)
    for uuid, switch in north.rows(LogicalSwitch).items():
        if uuid not in around:
            continue
        most = GUESTS_OF_CHANGED if uuid in changed else GUESTS_OF_OTHERS
        here = []
        for each in switch.ports:
            row = ports.get(each)
            if row is not None and row.type == "" and (guest := _guest(row, uuid)):
                here.append((0 if each in touched else 1 if uuid in changed else 2, row.name, guest))
        candidates += sorted(here)[:most]
    return [guest for _, _, guest in sorted(candidates)[:MOST_GUESTS]]


def _guest(row: LogicalSwitchPort, switch: str) -> Guest | None:
    """A port whose addresses are known."""
    for text in (*sorted(row.addresses), *([row.dynamic_addresses] if row.dynamic_addresses else ())):
        mac, *addresses = text.split()
        if addresses and mac.count(":") == 5:
            return Guest(row.name, switch, mac, addresses[0].partition("/")[0])
    return None


def _around(central: Central, changed: set[str]) -> set[str]:
    """The switches that changed, those of routers that changed, and those that share a router with them."""
    linked: dict[str, set[str]] = {}
    labels = datapaths(central)[1]
    peers: dict[str, tuple[str, str]] = {}
    for row in central.contents("OVN_Southbound", "Port_Binding").values():
        columns = row["initial"]
        options = dict(columns.get("options", NONE)[1])
        peers[columns["logical_port"]] = (labels.get(columns["datapath"][1], ""), options.get("peer", ""))
    for place, peer in peers.values():
        if peer in peers:
            linked.setdefault(place, set()).add(peers[peer][0])
    near = {each for place in changed for each in linked.get(place, ())} | changed
    return near | {each for place in near for each in linked.get(place, ())}
