"""All families of the controller, in the order in which they build on each other."""

from typing import Final

from pyovn.controller import binding, datapaths, logical, portflows, upkeep, view
from pyovn.controller.logical import LogicalFlows
from pyovn.incr.engine import Family

PHYSICAL: Final[tuple[Family, ...]] = (
    view.configuration,
    view.attachment,
    view.attached_interface,
    view.ha_group,
    view.peer,
    binding.binding,
    binding.port_name,
    binding.edge,
    datapaths.notable_port,
    datapaths.locality,
    datapaths.datapath,
    datapaths.datapath_group,
    logical.multicast_name,
    portflows.fixed,
    portflows.tunnel_arrival,
    portflows.port,
    portflows.secured_port,
    portflows.group,
    portflows.chassis_mac,
    portflows.learned_neighbour,
    portflows.static_neighbour,
    portflows.learned_station,
    portflows.balancer,
    portflows.announced,
    upkeep.wanted_patch,
    upkeep.switch_upkeep,
    upkeep.interface_upkeep,
    upkeep.chassis_upkeep,
    upkeep.port_upkeep,
)


def families(logical_flows: LogicalFlows) -> tuple[Family, ...]:
    """Those of one controller, which keeps templates and numbers for its logical flows."""
    return (*PHYSICAL, logical_flows.family())
