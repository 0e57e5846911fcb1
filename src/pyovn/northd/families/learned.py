"""Routes that chassis learned from the world outside: Learned_Route → routes, of routers with dynamic routing.

Where `dynamic-routing-no-learning` is set, controllers take back what they learned.
"""

from pyovn.incr.engine import Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.model.routes import Route, destination_of, hop_by
from pyovn.northd.relations import LEARNED, PROBLEMS, ROUTER_PORT, ROUTES
from pyovn.tables.nb import LogicalRouterPort
from pyovn.tables.sb import DatapathBinding, LearnedRoute, PortBinding

Outputs = tuple[object, ...]


@family(over=LearnedRoute, emits=[ROUTES, LEARNED, PROBLEMS])
def learned_routes(db: Reader, uuid: Uuid) -> Outputs:
    """A route that a chassis learned, if its router still does that."""
    row = db.row(LearnedRoute, uuid)
    assert row is not None
    name = db.column(PortBinding, row.logical_port, "logical_port") or ""
    redirects = (db.column(PortBinding, row.logical_port, "options") or {}).get("distributed-port", name)
    ids = db.column(DatapathBinding, row.datapath, "external_ids") or {}
    views = (db.look(ROUTER_PORT, each) for each in db.find(LogicalRouterPort, "name", redirects))
    port = next((each for each in views if each is not None and each.router == ids.get("logical-router")), None)
    if port is None or not port.learns:
        return (), None, ()
    to = destination_of(row.ip_prefix, port.router)
    if to is None:
        return (), True, ((uuid, f"route learned on {name}: bad prefix '{row.ip_prefix}'"),)
    hop = hop_by([port], row.nexthop, port.label)
    if isinstance(hop, str):
        return (), True, ((uuid, f"route learned on {name} to {row.ip_prefix}: {hop}"),)
    return ((to._replace(learned=True), Route(hop, False, (), uuid)),), True, ()
