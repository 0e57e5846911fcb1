"""Logical ports of other chassis, and multicast groups: table 44, and the local half of a group in 46.

44  outport is over there      → tunnel header → tunnel(s)
44  outport is a group         → copies to local patches, one copy per chassis with members
46  outport is a group         → copies to local members
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyovn.controller import layout
from pyovn.controller.physical.ports import LogicalPort
from pyovn.controller.physical.steps import deliver, resubmit
from pyovn.controller.physical.tunnels import TYPES, Tunnel, encapsulate
from pyovn.openflow.actions import Action, Actions, Bundle, Output
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match


@dataclass(frozen=True, slots=True)
class Members:
    """Who in a multicast group gets a copy on this chassis."""

    #: (key, conntrack zone) of the ports bound here
    local: tuple[tuple[int, int], ...] = ()
    #: keys of patches into other datapaths, which are on every chassis
    patches: tuple[int, ...] = ()
    #: keys of localports, likewise
    localports: tuple[int, ...] = ()


ON: Actions = (resubmit(layout.REMOTE_VTEP_OUTPUT),)


def remote_flows(port: LogicalPort, paths: Sequence[Sequence[Tunnel]], option: str) -> Iterator[Flow]:
    """A port elsewhere: `paths[i]` are the tunnels to it for senders of local encapsulation i, one per location."""
    for encap, tunnels in enumerate(paths):
        if tunnels:
            where = port.there(reg13=(encap << layout.ENCAP_SHIFT, layout.ENCAP_BITS))
            yield port.flow(layout.REMOTE_OUTPUT, 100, where, (*_to_each(port, tunnels, option), *ON))


def from_multichassis(port: LogicalPort, sender: int, tunnels: Sequence[Tunnel], option: str) -> Flow:
    """From a port that is on several chassis even physical networks are tunnelled over."""
    return port.flow(layout.REMOTE_OUTPUT, 110, port.there(reg14=sender), _to_each(port, tunnels, option))


def failover(port: LogicalPort, tunnels: Sequence[Tunnel], option: str) -> Flow:
    """A port that several chassis could serve: the first tunnel in order of priority that works."""
    header = encapsulate(tunnels[0].type, port.datapath, port.key, option)
    ports = tuple(tunnel.ofport for tunnel in tunnels)
    steps = (*header, Bundle("eth_src", "active_backup", ports))
    return port.flow(layout.REMOTE_OUTPUT, 100, port.there(), steps)


def stays_local(port: LogicalPort) -> Flow:
    """What a localport sends never leaves its chassis."""
    where = match(metadata=port.datapath, reg14=port.key)
    return port.flow(layout.REMOTE_OUTPUT, 150, where, (resubmit(layout.LOCAL_OUTPUT),))


def group_flows(group: LogicalPort, members: Members, tunnels: Iterable[Tunnel], option: str) -> Iterator[Flow]:
    """One multicast group; `tunnels` has one to each chassis that has members."""
    if members.local:
        yield group.flow(layout.LOCAL_OUTPUT, 100, group.there(), deliver(members.local, group.key))
    everywhere = (*members.patches, *members.localports)
    near = deliver([(key, 0) for key in everywhere], group.key) if everywhere else ()
    far = tuple(_to_all(group, tunnels, option))
    if near or far:
        yield group.flow(layout.REMOTE_OUTPUT, 100, group.there(reg10=(0, layout.FROM_RAMP)), (*near, *far, *ON))
    if members.patches:
        both = layout.FROM_RAMP | layout.LOOPBACK
        near = deliver([(key, 0) for key in members.patches], group.key)
        yield group.flow(layout.REMOTE_OUTPUT, 120, group.there(reg10=(both, both)), (*near, *ON))


def by_type(tunnels: Iterable[Tunnel]) -> Mapping[str, list[Tunnel]]:
    """Tunnels under their encapsulation, the preferred one first."""
    found: dict[str, list[Tunnel]] = {}
    for tunnel in sorted(tunnels, key=lambda tunnel: (-TYPES.get(tunnel.type, 0), tunnel.ofport)):
        found.setdefault(tunnel.type, []).append(tunnel)
    return found


def _to_all(group: LogicalPort, tunnels: Iterable[Tunnel], option: str) -> Iterator[Action]:
    for type_, members in by_type(tunnels).items():
        yield from encapsulate(type_, group.datapath, group.key, option)
        for tunnel in members:
            yield Output(tunnel.ofport)


def _to_each(port: LogicalPort, tunnels: Sequence[Tunnel], option: str) -> Actions:
    steps: list[Action] = []
    for tunnel in tunnels:
        steps += (*encapsulate(tunnel.type, port.datapath, port.key, option), Output(tunnel.ofport))
    return tuple(steps)
