"""All families of the controller, in the order in which they build on each other."""

from typing import Final

from pyovn.controller import binding, datapaths, groupflows, logical, portflows, tableflows, upkeep, view
from pyovn.controller.logical import LogicalFlows
from pyovn.incr.engine import Family

PHYSICAL: Final[tuple[Family, ...]] = (
    view.configuration,
    view.global_settings,
    view.template_variables,
    view.own_row,
    view.attachment,
    view.attached_interface,
    view.ha_group,
    view.peer,
    binding.binding,
    binding.known_port,
    datapaths.locality,
    datapaths.datapath,
    datapaths.datapath_zones,
    datapaths.datapath_group,
    logical.multicast_name,
    groupflows.fixed,
    groupflows.tunnel_arrival,
    groupflows.group,
    groupflows.chassis_mac,
    portflows.port,
    tableflows.learned_neighbour,
    tableflows.static_neighbour,
    tableflows.learned_station,
    tableflows.balancer,
    upkeep.switch_upkeep,
    upkeep.interface_upkeep,
    upkeep.chassis_upkeep,
    upkeep.port_upkeep,
)


def families(logical_flows: LogicalFlows) -> tuple[Family, ...]:
    """Those of one controller, which keeps templates and numbers for its logical flows."""
    return (*PHYSICAL, logical_flows.family())
