"""The families: northbound rows → views → flows and wanted southbound rows, in the order in which they run."""

from pyovn.incr.engine import Family
from pyovn.northd.families.advertised import advertised, told_routes
from pyovn.northd.families.balancers import BALANCER_FAMILIES, BALANCER_SITES
from pyovn.northd.families.filters import FILTER_FAMILIES, FILTERING
from pyovn.northd.families.listeners import LISTENER_FAMILIES
from pyovn.northd.families.mirrors import MIRROR_FAMILIES
from pyovn.northd.families.monitors import MONITOR_FAMILIES
from pyovn.northd.families.parts import PART_FAMILIES, switch_parts
from pyovn.northd.families.ports import liveness, ports, queues, router_claims, special_ports, tags
from pyovn.northd.families.protection import protections
from pyovn.northd.families.redundancy import REDUNDANCY_FAMILIES
from pyovn.northd.families.routers import NAT_FAMILIES, ROUTER_FAMILIES
from pyovn.northd.families.services import names, relays
from pyovn.northd.families.switches import global_settings, switch_flows, switch_views, switches

FAMILIES: tuple[Family, ...] = (
    global_settings,
    protections,
    switches,
    special_ports,
    queues,
    tags,
    *BALANCER_SITES,
    switch_parts,
    *FILTERING,
    *ROUTER_FAMILIES,
    relays,
    switch_views,
    *NAT_FAMILIES,
    switch_flows,
    *FILTER_FAMILIES,
    *BALANCER_FAMILIES,
    *PART_FAMILIES,
    *LISTENER_FAMILIES,
    *MIRROR_FAMILIES,
    *MONITOR_FAMILIES,
    ports,
    told_routes,
    advertised,
    names,
    router_claims,
    liveness,
    *REDUNDANCY_FAMILIES,
)
