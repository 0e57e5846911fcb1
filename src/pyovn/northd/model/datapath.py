"""What the southbound database says about a logical switch or router as a whole: its Datapath_Binding."""

from pyovn.northd.model.aging import shortest, thresholds
from pyovn.northd.model.options import number
from pyovn.northd.relations import WantedDatapath
from pyovn.tables.nb import LogicalRouter, LogicalSwitch

#: `other_config` keys that the controller reads in `Datapath_Binding.external_ids`
PASSED_ON = (
    "ct-zone-limit",
    "dynamic-routing-vni",
    "fdb_age_threshold",
    "interconn-ts",
)
ROUTER_PASSED_ON = (
    "ct-zone-limit",
    "dynamic-routing-v4-prefix-nexthop",
    "dynamic-routing-v6-prefix-nexthop",
    "snat-ct-zone",
)

VRF_ID = "dynamic-routing-vrf-id"  #: a number, but for 0


def wanted_router(row: LogicalRouter) -> WantedDatapath:
    """The binding of a router."""
    ids = {"logical-router": str(row.uuid), "name": row.name}
    if row.external_ids and (name := row.external_ids.get("neutron:router_name")):
        ids["name2"] = name
    options = row.options
    ids.update((key, options[key]) for key in ROUTER_PASSED_ON if key in options)
    if number(options.get(VRF_ID)):
        ids[VRF_ID] = options[VRF_ID]
    if age := shortest(thresholds(options.get("mac_binding_age_threshold", ""))):
        ids["mac_binding_age_threshold"] = str(age)
    if options.get("always_learn_from_arp_request") == "false":
        ids["always_learn_from_arp_request"] = "false"
    ids["disable_garp_rarp"] = "true" if options.get("disable_garp_rarp") == "true" else "false"
    return WantedDatapath("logical-router", row.name, ids, number(options.get("requested-tnl-key")))


def wanted_datapath(row: LogicalSwitch) -> WantedDatapath:
    """The binding of a switch."""
    ids = {"logical-switch": str(row.uuid), "name": row.name}
    if row.external_ids and (name := row.external_ids.get("neutron:network_name")):
        ids["name2"] = name
    config = row.other_config
    if config:
        ids.update((key, config[key]) for key in PASSED_ON if key in config)
    return WantedDatapath("logical-switch", row.name, ids, number(config.get("requested-tnl-key")))
