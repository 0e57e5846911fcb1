"""Registration: the Chassis, Chassis_Private and Encap rows this chassis keeps in the southbound database.

settings, switch   → Chassis(name, hostname, encaps, other_config, transport_zones)
type × ip          → Encap(type, ip, options: csum, is_default)
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pyovn.controller.edits import Delete, Edit, Insert, column_edits, map_edits
from pyovn.controller.settings import Settings
from pyovn.net.uuids import Uuid
from pyovn.tables.sb import Chassis, ChassisPrivate, Encap

#: What this controller can do; northd uses a feature when every chassis has it.
FEATURES: Final = (
    "port-up-notif",
    "ct-no-masked-label",
    "mac-binding-timestamp",
    "fdb-timestamp",
    "ovn-ct-lb-related",
    "ls-dpg-column",
    "ct-commit-nat-v2",
    "ct-commit-to-zone",
    "ct-next-zone",
    "ct-state-save",
)
#: Capabilities of the switch that are features too.
SAMPLE_REGISTERS: Final = "ovn-sample-with-registers"
LABEL_FLUSH: Final = "ct-label-flush"

#: Settings that others read in `Chassis.other_config`, with what an absent one counts as.
PUBLISHED: Final = {
    "ovn-bridge-mappings": "",
    "ovn-chassis-mac-mappings": "",
    "ovn-cms-options": "",
    "ovn-enable-lflow-cache": "true",
    "ovn-evpn-local-ip": "",
    "ovn-evpn-vxlan-ports": "",
    "ovn-limit-lflow-cache": "",
    "ovn-memlimit-lflow-cache-kb": "",
    "ovn-monitor-all": "false",
    "ovn-trim-limit-lflow-cache": "",
    "ovn-trim-timeout-ms": "",
    "ovn-trim-wmark-perc-lflow-cache": "",
}


def other_config(
    settings: Settings, datapath_type: str, iface_types: Iterable[str], switch_features: Iterable[str]
) -> dict[str, str]:
    """What a Chassis row says about its chassis."""
    return {
        **{key: settings.raw.get(key, default) for key, default in PUBLISHED.items()},
        **dict.fromkeys((*FEATURES, *switch_features), "true"),
        "datapath-type": datapath_type,
        "iface-types": ",".join(sorted(iface_types)),
        "is-interconn": str(settings.interconnect).lower(),
    }


def encap_options(settings: Settings, ip: str) -> dict[str, str]:
    """Options of the Encap row at `ip`."""
    options = {"csum": str(settings.encap_csum).lower()}
    if ip == settings.raw.get("ovn-encap-ip-default"):
        options["is_default"] = "true"
    return options


def registration(
    settings: Settings,
    row: Chassis | None,
    private: ChassisPrivate | None,
    encaps: Mapping[Uuid, Encap],
    config: Mapping[str, str],
) -> Iterator[Edit]:
    """What makes the rows say what they should; `encaps` are those this chassis has now."""
    kept, new = _encaps(settings, encaps)
    yield from new
    wanted = frozenset((*kept, *(insert.id for insert in new)))
    if row is None:
        chassis = Uuid("new:chassis")
        columns = {
            "name": settings.chassis,
            "hostname": settings.hostname,
            "encaps": wanted,
            "other_config": config,
            "transport_zones": settings.transport_zones,
        }
        yield Insert(Chassis, columns, chassis)
    else:
        chassis = row.uuid
        columns = {"hostname": settings.hostname, "encaps": wanted, "transport_zones": settings.transport_zones}
        yield from column_edits(row, columns)
        yield from map_edits(row, "other_config", config)
    if private is None:
        yield Insert(ChassisPrivate, {"name": settings.chassis, "chassis": chassis})
    elif private.chassis != chassis:
        yield from column_edits(private, {"chassis": chassis})


def removal(row: Chassis | None, private: ChassisPrivate | None) -> Iterator[Edit]:
    """What a controller that leaves for good takes with it; Encap rows follow by themselves."""
    yield from (Delete(found) for found in (row, private) if found is not None)


def _encaps(settings: Settings, have: Mapping[Uuid, Encap]) -> tuple[list[Uuid], list[Insert]]:
    """Encap rows that can stay, and those still to be made."""
    known: dict[tuple[str, str], Encap] = {(encap.type, encap.ip): encap for encap in have.values()}
    kept: list[Uuid] = []
    new: list[Insert] = []
    for type_ in settings.encap_types:
        for ip in settings.encap_ips:
            options = encap_options(settings, ip)
            encap = known.get((type_, ip))
            if encap is not None and encap.options == options and encap.chassis_name == settings.chassis:
                kept.append(encap.uuid)
            else:
                columns = {"type": type_, "ip": ip, "chassis_name": settings.chassis, "options": options}
                new.append(Insert(Encap, columns, Uuid(f"new:{type_}:{ip}")))
    return kept, new
