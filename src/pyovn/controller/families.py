"""All families of the controller, in the order in which they build on each other."""

from typing import Final

from pyovn.controller import binding, datapaths, portflows, upkeep, view
from pyovn.incr.engine import Family

FAMILIES: Final[tuple[Family, ...]] = (
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
    portflows.fixed,
    portflows.tunnel_arrival,
    portflows.port,
    portflows.secured_port,
    portflows.group,
    portflows.chassis_mac,
    portflows.learned_neighbour,
    portflows.static_neighbour,
    portflows.learned_station,
    upkeep.wanted_patch,
    upkeep.switch_upkeep,
    upkeep.interface_upkeep,
    upkeep.chassis_upkeep,
    upkeep.port_upkeep,
)
