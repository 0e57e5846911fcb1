"""Patch ports: how localnet and l2gateway ports reach the bridges of physical networks.

br-int  patch-br-int-to-LPORT  ⟷  patch-LPORT-to-br-int  on the bridge that ovn-bridge-mappings names
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from pyovn.controller.edits import Edit, Insert, Put, Take
from pyovn.net.uuids import Uuid
from pyovn.tables.vswitch import Bridge, Interface, Port

LOCALNET: Final = "ovn-localnet-port"
L2GATEWAY: Final = "ovn-l2gateway-port"
#: Kinds of patch port that this program, or one before it, makes and removes.
OWNED: Final = (LOCALNET, L2GATEWAY, "ovn-l3gateway-port", "ovn-logical-patch-port")


class WantedPatch(NamedTuple):
    """A connection of one logical port to the bridge of its physical network."""

    logical_port: str
    #: LOCALNET or L2GATEWAY
    kind: str
    bridge: str


def patch_name(source: str, target: str) -> str:
    """The name of the port on `source` that leads to `target`."""
    return f"patch-{source}-to-{target}"


def patch_edits(
    integration: Bridge,
    bridges: Mapping[str, Bridge],
    ports: Mapping[Uuid, Port],
    patches: Iterable[WantedPatch],
) -> Iterator[Edit]:
    """What makes the patch ports those wanted; a pair whose far bridge is missing is left out."""
    missing: dict[tuple[str, str], tuple[Bridge, str, WantedPatch]] = {}
    for patch in patches:
        far = bridges.get(patch.bridge)
        if far is not None and far.uuid != integration.uuid:
            here = patch_name(integration.name, patch.logical_port)
            there = patch_name(patch.logical_port, integration.name)
            missing[integration.name, here] = (integration, there, patch)
            missing[far.name, there] = (far, here, patch)
    for bridge in bridges.values():
        surplus = frozenset(_surplus(bridge, ports, missing))
        if surplus:
            yield Take(bridge, "ports", surplus)
    yield from _additions(missing)


def _surplus(bridge: Bridge, ports: Mapping[Uuid, Port], missing: Collection[tuple[str, str]]) -> Iterator[Uuid]:
    """Our ports on this bridge that nothing wants; those that are wanted stop being missing."""
    assert isinstance(missing, dict)
    for uuid in bridge.ports:
        port = ports.get(uuid)
        if port is None or not any(kind in port.external_ids for kind in OWNED):
            continue
        if missing.pop((bridge.name, port.name), None) is None:
            yield uuid


def _additions(missing: Mapping[tuple[str, str], tuple[Bridge, str, WantedPatch]]) -> Iterator[Edit]:
    for (_, name), (bridge, peer, patch) in missing.items():
        interface, port = Uuid(f"new:interface:{name}"), Uuid(f"new:port:{name}")
        yield Insert(Interface, {"name": name, "type": "patch", "options": {"peer": peer}}, interface)
        external_ids = {patch.kind: patch.logical_port}
        yield Insert(Port, {"name": name, "interfaces": frozenset({interface}), "external_ids": external_ids}, port)
        yield Put(bridge, "ports", frozenset({port}))
