"""What the southbound database says about a logical switch as a whole: its Datapath_Binding."""

from pyovn.northd.model.options import number
from pyovn.northd.relations import WantedDatapath
from pyovn.tables.nb import LogicalSwitch

#: `other_config` keys that the controller reads in `Datapath_Binding.external_ids`
PASSED_ON = (
    "ct-zone-limit",
    "dynamic-routing-vni",
    "fdb_age_threshold",
    "interconn-ts",
)


def wanted_datapath(row: LogicalSwitch) -> WantedDatapath:
    """The binding of a switch."""
    ids = {"logical-switch": str(row.uuid), "name": row.name}
    if row.external_ids and (name := row.external_ids.get("neutron:network_name")):
        ids["name2"] = name
    config = row.other_config
    if config:
        ids.update((key, config[key]) for key in PASSED_ON if key in config)
    return WantedDatapath("logical-switch", row.name, ids, number(config.get("requested-tnl-key")))
