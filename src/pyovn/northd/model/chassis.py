"""What the chassis can do together: a feature is used only where every one of ours has it.

other_config:fdb-timestamp=true on all chassis of this availability zone   →   fdb_timestamp
"""

from collections.abc import Iterable

from pyovn.tables.sb import Chassis, Encap

#: northd's name of a feature → the key in `Chassis.other_config`
FEATURES = {
    "mac_binding_timestamp": "mac-binding-timestamp",
    "fdb_timestamp": "fdb-timestamp",
    "ls_dpg_column": "ls-dpg-column",
    "ct_commit_nat_v2": "ct-commit-nat-v2",
    "ct_commit_to_zone": "ct-commit-to-zone",
    "sample_with_reg": "ovn-sample-with-registers",
    "ct_next_zone": "ct-next-zone",
    "ct_label_flush": "ct-label-flush",
    "ct_state_save": "ct-state-save",
}


def is_remote(row: Chassis) -> bool:
    """Does the chassis belong to another availability zone?"""
    return row.other_config.get("is-remote") == "true"


def remote_chassis(chassis: Iterable[Chassis]) -> frozenset[str]:
    """The names of chassis that belong to other availability zones."""
    return frozenset(row.name for row in chassis if is_remote(row))


def common_features(chassis: Iterable[Chassis]) -> dict[str, bool]:
    """Which features all chassis of ours have: every one, while there are no chassis."""
    ours = [row.other_config for row in chassis if not is_remote(row)]
    return {name: all(each.get(key) == "true" for each in ours) for name, key in FEATURES.items()}


def know_groups_apart(chassis: Iterable[Chassis]) -> bool:
    """Do all chassis of ours look for switches and routers of a load balancer in two columns?"""
    return all(is_remote(row) or row.other_config.get(FEATURES["ls_dpg_column"]) == "true" for row in chassis)


def has_vxlan(encaps: Iterable[Encap], remote: frozenset[str]) -> bool:
    """Do any of our chassis use VXLAN, which has little room for keys?"""
    return any(row.type == "vxlan" and row.chassis_name not in remote for row in encaps)
