"""NB_Global and SB_Global: how far configuration has travelled, and options that are passed on or made up once.

NB_Global.nb_cfg ──► SB_Global.nb_cfg ──► (controllers) ──► Chassis_Private.nb_cfg
    sb_cfg ◄── transaction done                hv_cfg ◄── the smallest of them
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pyovn.net.mac import mac_str
from pyovn.northd.model.settings import mac_prefix
from pyovn.northd.sync.datapath_binding import MOST
from pyovn.tables.nb import NBGlobal
from pyovn.tables.sb import ChassisPrivate, SBGlobal

#: what controllers with `ovn-match-northd-version` compare with: release, southbound schema, actions of the language
VERSION = "26.03.2-21.8.0-82.14"
LOCAL_UNICAST = 0x020000000000
NOT_MULTICAST = ~0x010000000000

Random = Callable[[int], int]  #: so many random bits


def options(present: Mapping[str, str], random: Random, most: int = MOST) -> dict[str, str]:
    """`NB_Global.options` with what northd adds to them."""
    found = dict(present)
    if not mac_prefix(found.get("mac_prefix", "")):
        found["mac_prefix"] = mac_str(random_mac(random))[:8]
    for key in ("svc_monitor_mac", "svc_monitor_mac_dst"):
        if key not in found:
            found[key] = mac_str(random_mac(random))
    found["max_tunid"] = str(most)
    found["northd_internal_version"] = VERSION
    return found


def random_mac(random: Random) -> int:
    """An address for one machine that its administrator made up."""
    return (random(48) | LOCAL_UNICAST) & NOT_MULTICAST


def southbound_options(northbound: Mapping[str, str], present: Mapping[str, str]) -> dict[str, str]:
    """`SB_Global.options`: the northbound ones, and what tells controllers how to read our flows."""
    found = {**northbound, "arp_ns_explicit_output": "true", "register_consolidation": "true"}
    if "sbctl_probe_interval" in present:
        found["sbctl_probe_interval"] = present["sbctl_probe_interval"]
    return found


def southbound(nb: NBGlobal, sb: SBGlobal | None) -> dict[str, Any]:
    """The columns of SB_Global."""
    return {
        "nb_cfg": nb.nb_cfg,
        "options": southbound_options(nb.options, {} if sb is None else sb.options),
        "ipsec": nb.ipsec,
    }


class Progress(NamedTuple):
    """How far configuration has travelled."""

    hv_cfg: int
    hv_cfg_timestamp: int


def progress(sb: SBGlobal, private: Iterable[ChassisPrivate], remote: frozenset[str]) -> Progress:
    """The configuration that every chassis of ours has put in force, and when the last one did."""
    configuration, timestamp = sb.nb_cfg, 0
    for row in private:
        if row.name in remote:
            continue
        if row.nb_cfg < configuration:
            configuration, timestamp = row.nb_cfg, row.nb_cfg_timestamp
        elif row.nb_cfg == configuration:
            timestamp = max(timestamp, row.nb_cfg_timestamp)
    return Progress(configuration, timestamp)
