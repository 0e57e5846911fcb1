"""How this chassis is configured: `Open_vSwitch.external_ids`, each key perhaps for one chassis only.

    ovn-encap-ip            for every controller on this host
    ovn-encap-ip-chassis7   for the one named chassis7, and wins

Facts: ovn-controller(8).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pyovn.controller.physical.tunnels import TYPES
from pyovn.net.errors import Malformed
from pyovn.net.mac import mac_int

DEFAULT_BRIDGE: Final = "br-int"
MAX_ZONE: Final = 65535
#: Keys without which a chassis cannot register.
NEEDED: Final = ("ovn-encap-type", "ovn-encap-ip")


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of one chassis."""

    chassis: str
    hostname: str
    remote: str
    remote_probe_ms: int | None
    monitor_all: bool
    encap_types: tuple[str, ...]
    #: the default first: its place is the encapsulation id in `reg13`
    encap_ips: tuple[str, ...]
    encap_csum: bool
    encap_tos: str | None
    encap_df: str | None
    bridge: str
    #: None: leave what is there
    datapath_type: str | None
    bridge_mappings: Mapping[str, str]
    chassis_macs: Mapping[str, int]
    transport_zones: frozenset[str]
    interconnect: bool
    match_northd_version: bool
    cleanup_on_exit: bool
    bridge_remote: str | None
    bridge_probe_s: int
    zones: range
    garp_max_timeout_s: int
    #: a switch that waits for its flows is told when it has them
    ends_restore: bool
    #: key → value as they stand, for what is copied into the Chassis row
    raw: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """True if the chassis can register."""
        return bool(self.encap_types and self.encap_ips)


def chassis_keys(external_ids: Mapping[str, str], chassis: str) -> dict[str, str]:
    """The keys as `chassis` sees them: those that carry its name override the plain ones."""
    suffix = f"-{chassis}"
    own = {key.removesuffix(suffix): value for key, value in external_ids.items() if key.endswith(suffix)}
    return {**external_ids, **own}


def settings(external_ids: Mapping[str, str], chassis: str, hostname: str) -> Settings:
    """What the keys say; `hostname` is this machine's, where they name none."""
    keys = chassis_keys(external_ids, chassis)
    problems = [f"{key} is not set: chassis {chassis} cannot take part" for key in NEEDED if not keys.get(key)]
    return Settings(
        chassis=chassis,
        hostname=keys.get("hostname", hostname),
        remote=keys.get("ovn-remote", ""),
        remote_probe_ms=_number(keys, "ovn-remote-probe-interval"),
        monitor_all=_flag(keys, "ovn-monitor-all"),
        encap_types=tuple(_known_types(_items(keys.get("ovn-encap-type", "")), problems)),
        encap_ips=_default_first(_items(keys.get("ovn-encap-ip", "")), keys.get("ovn-encap-ip-default"), problems),
        encap_csum=_flag(keys, "ovn-encap-csum", default=True),
        encap_tos=keys.get("ovn-encap-tos"),
        encap_df=keys.get("ovn-encap-df_default"),
        bridge=keys.get("ovn-bridge") or DEFAULT_BRIDGE,
        datapath_type=keys.get("ovn-bridge-datapath-type"),
        bridge_mappings=_pairs(keys, "ovn-bridge-mappings", problems),
        chassis_macs=_macs(_pairs(keys, "ovn-chassis-mac-mappings", problems), problems),
        transport_zones=frozenset(_items(keys.get("ovn-transport-zones", ""))),
        interconnect=_flag(keys, "ovn-is-interconn"),
        match_northd_version=_flag(keys, "ovn-match-northd-version"),
        cleanup_on_exit=_flag(keys, "ovn-cleanup-on-exit", default=True),
        bridge_remote=keys.get("ovn-bridge-remote"),
        bridge_probe_s=(_number(keys, "ovn-bridge-remote-probe-interval") or 0) // 1000,
        zones=_zone_range(keys.get("ct-zone-range"), problems),
        garp_max_timeout_s=_number(external_ids, "garp-max-timeout-sec") or 0,
        ends_restore=_flag(keys, "ovn-managed-flow-restore-wait"),
        raw=keys,
        problems=tuple(problems),
    )


def _items(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _flag(keys: Mapping[str, str], key: str, *, default: bool = False) -> bool:
    return keys.get(key, str(default)).lower() != "false" if default else keys.get(key, "").lower() == "true"


def _number(keys: Mapping[str, str], key: str) -> int | None:
    text = keys.get(key, "")
    return int(text) if text.isdecimal() else None


def _known_types(types: Iterable[str], problems: list[str]) -> Iterable[str]:
    for type_ in types:
        if type_ in TYPES:
            yield type_
        else:
            problems.append(f"ovn-encap-type: {type_} is not a tunnel type (geneve or vxlan)")


def _default_first(ips: tuple[str, ...], default: str | None, problems: list[str]) -> tuple[str, ...]:
    if not default or not ips or default == ips[0]:
        return ips
    if default not in ips:
        problems.append(f"ovn-encap-ip-default: {default} is not in ovn-encap-ip")
        return ips
    return (default, *(ip for ip in ips if ip != default))


def _pairs(keys: Mapping[str, str], key: str, problems: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in _items(keys.get(key, "")):
        name, colon, value = item.partition(":")
        if colon and name and value:
            pairs[name] = value
        else:
            problems.append(f"{key}: {item} is not written NETWORK:VALUE")
    return pairs


def _macs(pairs: Mapping[str, str], problems: list[str]) -> dict[str, int]:
    macs: dict[str, int] = {}
    for network, text in pairs.items():
        try:
            macs[network] = mac_int(text)
        except Malformed as fault:
            problems.append(f"ovn-chassis-mac-mappings: {fault}")
    return macs


def _zone_range(text: str | None, problems: list[str]) -> range:
    everything = range(1, MAX_ZONE + 1)
    if text is None:
        return everything
    low, _, high = text.partition("-")
    if low.isdecimal() and high.isdecimal() and 1 <= int(low) <= int(high) <= MAX_ZONE:
        return range(int(low), int(high) + 1)
    problems.append(f"ct-zone-range: {text} is not written MIN-MAX within 1-{MAX_ZONE}")
    return everything
