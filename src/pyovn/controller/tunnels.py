"""Tunnel ports: one for every pair of a local and a remote address of the type two chassis prefer.

    chassis c2 at 10.0.0.2, we at 10.0.0.1   →   Port ovn-c2-0, external_ids:ovn-chassis-id = c2@10.0.0.2%10.0.0.1

Chassis meet if a transport zone is common to both, or neither is in any.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from pyovn.controller.edits import Edit, Insert, Put, Take, column_edits
from pyovn.controller.physical.tunnels import TYPES
from pyovn.controller.settings import Settings
from pyovn.net.uuids import Uuid
from pyovn.tables.sb import Chassis, Encap
from pyovn.tables.vswitch import Bridge, Interface, Port

CHASSIS_ID: Final = "ovn-chassis-id"
INDEX_PREFIX: Final = "ovn-chassis-idx-"
INDEX_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class WantedTunnel:
    """A tunnel that should exist."""

    chassis: str
    type: str
    local_ip: str
    remote_ip: str
    options: Mapping[str, str]
    other_config: Mapping[str, str]

    @property
    def id(self) -> str:
        """What names it in `Port.external_ids:ovn-chassis-id`."""
        return f"{self.chassis}@{self.remote_ip}%{self.local_ip}"


def parse_id(text: str) -> tuple[str, str, str]:
    """Chassis, remote and local address of an `ovn-chassis-id`; older ones lack the addresses."""
    chassis, _, addresses = text.rpartition("@")
    remote, _, local = addresses.partition("%")
    return (chassis, remote, local) if chassis else (text, "", "")


def meets(settings: Settings, chassis: Chassis) -> bool:
    """True if packets for `chassis` may be tunnelled to it."""
    if chassis.other_config.get("is-remote") == "true" and not settings.interconnect:
        return False
    mine, theirs = settings.transport_zones, chassis.transport_zones
    return bool(mine & theirs) if mine or theirs else True


def preferred(encaps: Iterable[Encap], own_types: Collection[str]) -> list[Encap]:
    """The encapsulations of the type two chassis use between them, the default one first."""
    usable = [encap for encap in encaps if encap.type in own_types]
    best = max((TYPES[encap.type] for encap in usable), default=0)
    chosen = [encap for encap in usable if TYPES[encap.type] == best]
    return sorted(chosen, key=lambda encap: (encap.options.get("is_default") == "true", encap.uuid), reverse=True)


def wanted(settings: Settings, chassis: Chassis, encaps: Iterable[Encap]) -> Iterator[WantedTunnel]:
    """The tunnels to one chassis."""
    if chassis.name == settings.chassis or not meets(settings, chassis):
        return
    ramp = chassis.other_config.get("is-vtep") == "true"
    for encap in preferred(encaps, ("vxlan",) if ramp else settings.encap_types):
        for local_ip in settings.encap_ips:
            yield WantedTunnel(
                chassis.name,
                encap.type,
                local_ip,
                encap.ip,
                _options(settings, encap, local_ip),
                {"is-vtep": "true"} if ramp else {},
            )


def _options(settings: Settings, encap: Encap, local_ip: str) -> dict[str, str]:
    options = {"remote_ip": encap.ip, "key": "flow", "local_ip": local_ip}
    for name in ("csum", "dst_port"):
        if encap.options.get(name):
            options[name] = encap.options[name]
    if settings.encap_tos and settings.encap_tos != "none":
        options["tos"] = settings.encap_tos
    if settings.encap_df is not None:
        options["df_default"] = settings.encap_df
    return options


def chassis_index(taken: Mapping[str, str], chassis: str) -> str:
    """What tells the tunnels of several controllers on one host apart: "" for the first, then 0-9a-z."""
    own = taken.get(INDEX_PREFIX + chassis)
    if own is not None:
        return own
    used = {value for key, value in taken.items() if key.startswith(INDEX_PREFIX)}
    return "" if "" not in used else next((letter for letter in INDEX_LETTERS if letter not in used), "")


def tunnel_edits(
    bridge: Bridge,
    ports: Iterable[tuple[Port, Interface | None]],
    tunnels: Iterable[WantedTunnel],
    taken_names: Collection[str],
    index: str,
) -> Iterator[Edit]:
    """What makes the bridge's tunnel ports those wanted; `ports` are all of its ports."""
    missing = {tunnel.id: tunnel for tunnel in tunnels}
    surplus: set[Uuid] = set()
    for port, interface in ports:
        id_ = port.external_ids.get(CHASSIS_ID)
        if id_ is None:
            continue
        tunnel = missing.pop(id_, None)
        if tunnel is None or interface is None:
            surplus.add(port.uuid)
        else:
            yield from _corrections(interface, tunnel)
    if surplus:
        yield Take(bridge, "ports", frozenset(surplus))
    yield from _additions(bridge, missing.values(), set(taken_names), index)


def _corrections(interface: Interface, tunnel: WantedTunnel) -> Iterator[Edit]:
    kept = {key: value for key, value in interface.options.items() if key in ("ipsec_encapsulation", "remote_name")}
    yield from column_edits(interface, {"type": tunnel.type, "options": {**tunnel.options, **kept}})


def _additions(bridge: Bridge, tunnels: Iterable[WantedTunnel], taken: set[str], index: str) -> Iterator[Edit]:
    added: list[Uuid] = []
    for tunnel in tunnels:
        name = free_name(tunnel.chassis, index, taken)
        taken.add(name)
        interface, port = Uuid(f"new:interface:{name}"), Uuid(f"new:port:{name}")
        columns = {
            "name": name,
            "type": tunnel.type,
            "options": tunnel.options,
            "other_config": tunnel.other_config,
        }
        yield Insert(Interface, columns, interface)
        external_ids = {CHASSIS_ID: tunnel.id}
        yield Insert(Port, {"name": name, "interfaces": frozenset({interface}), "external_ids": external_ids}, port)
        added.append(port)
    if added:
        yield Put(bridge, "ports", frozenset(added))


def free_name(chassis: str, index: str, taken: Collection[str]) -> str:
    """`ovn<index>-<beginning of the chassis name>-<number>`, the first number nobody has."""
    stem = f"ovn{index}-{chassis[: 5 if index else 6]}-"
    return next(name for number in count() if (name := f"{stem}{number:x}") not in taken)
