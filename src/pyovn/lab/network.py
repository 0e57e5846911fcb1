"""A whole OVN in one process: central databases, ovn-northd, and hypervisors with their switches and guests.

    async with Lab(Layout(root), ["central", "worker1", "worker2"]) as lab:
        await lab.ready()               every hypervisor is a chassis, all tunnels are there

Nothing is short-circuited: the parts speak OVSDB, OpenFlow and Geneve to each other, over Unix sockets in one
directory and an underlay in memory.
"""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from pyovn.daemons.northd import PROGRAM, commands
from pyovn.daemons.northd_worker import Northd
from pyovn.lab.foreign import Parts, run_northd
from pyovn.lab.hypervisor import Hypervisor, Networks
from pyovn.lab.layout import Layout, UnusableRoot
from pyovn.lab.machines import Card, Machines, NoSuchThing
from pyovn.lab.segment import Segments
from pyovn.net.errors import OvnError
from pyovn.runtime.control import ControlServer
from pyovn.runtime.ovsdb import Client
from pyovn.runtime.ovsdb_server.shell import Shell
from pyovn.tables.nb import NORTHBOUND, LogicalSwitchPort, NBGlobal
from pyovn.tables.sb import SOUTHBOUND, Chassis, ChassisPrivate, PortBinding
from pyovn.vswitch.underlay import Fabric

OUR_PARTS = Parts()


class NoSuchHost(OvnError):
    """A hypervisor that the lab does not have."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"{name}: no such hypervisor; this lab has {', '.join(known)}")


class Central(NamedTuple):
    """Where the central databases are, in place of the lab's own: a cluster, or servers in other processes."""

    northbound: str
    southbound: str
    chassis: str = ""  #: where ovn-controllers find the southbound database, if elsewhere, as behind a relay


class Lab:
    """A running lab; see the module."""

    def __init__(
        self,
        layout: Layout,
        hosts: Sequence[str],
        *,
        encap: str = "geneve",
        parts: Parts = OUR_PARTS,
        central: Central | None = None,
    ) -> None:
        if not hosts or len({*hosts}) != len(hosts) or any("/" in name or not name for name in hosts):
            raise UnusableRoot(layout.root, "hypervisors need different names without slashes")
        if strangers := parts.controllers.keys() - {*hosts}:
            raise NoSuchHost(min(strangers), hosts)
        self.layout, self.fabric, self._parts = layout, Fabric(), parts
        self.segments = Segments()
        #: hosts that are on the physical networks, and no hypervisor's
        self.outside = Machines("outside", len(hosts), self.segments)
        networks = Networks(self.fabric, self.segments)
        self._own_central = central is None
        self._remotes = remotes = central or Central(f"unix:{layout.northbound}", f"unix:{layout.southbound}")
        asked = remotes.chassis or remotes.southbound
        self.hosts = {
            name: Hypervisor(layout.host(name), number, asked, networks, encap, parts.controllers.get(name))
            for number, name in enumerate(hosts)
        }
        self.northbound = Client(
            remotes.northbound, "OVN_Northbound", {NBGlobal: None, LogicalSwitchPort: ("name", "up")}
        )
        self.southbound = Client(
            remotes.southbound,
            "OVN_Southbound",
            {Chassis: ("name",), ChassisPrivate: ("name", "nb_cfg"), PortBinding: ("logical_port", "chassis", "up")},
        )
        self._central = Shell()
        self._tasks: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.layout.prepare([*self.hosts])
        if self._own_central:
            await self._central.start(
                [NORTHBOUND.schema(), SOUTHBOUND.schema()],
                [f"punix:{self.layout.northbound}", f"punix:{self.layout.southbound}"],
            )
        self._tasks = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tasks is not None:
            self._tasks.cancel()
            await asyncio.wait((self._tasks,))
        if self._own_central:
            await self._central.stop()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._northd())
            parts.create_task(self.northbound.run())
            parts.create_task(self.southbound.run())
            for host in self.hosts.values():
                parts.create_task(host.run())

    async def _northd(self) -> None:
        """Run ovn-northd and its control socket, on the first host."""
        first = next(iter(self.hosts.values()))
        if self._parts.northd is not None:
            await run_northd(self._parts.northd, self._remotes.northbound, self._remotes.southbound, first.layout)
        northd = Northd(self._remotes.northbound, self._remotes.southbound)
        path = str(first.layout.announce("ovn-northd"))
        async with ControlServer(path, commands(northd), version=PROGRAM.version):
            await northd.run()

    def host(self, name: str) -> Hypervisor:
        """The hypervisor `name`.  Raises NoSuchHost."""
        if name not in self.hosts:
            raise NoSuchHost(name, [*self.hosts])
        return self.hosts[name]

    def external(self, name: str, network: str = "eth1", vlan: int | None = None) -> Card:
        """A host of that name on a physical network, outside of OVN.  Raises NoSuchThing for a name that is taken."""
        if any(name in machines.namespaces for machines in self.everywhere()):
            raise NoSuchThing(f"{name}: there is a guest or host of that name")
        card = self.outside.plug(name)
        plug = self.segments[network].attach(card.transmit, vlan or 0)
        card.on_receive = plug.send
        self.outside.nics[name] = plug
        self.outside.namespaces[name] = {name}
        return card

    def everywhere(self) -> list[Machines]:
        """The machines of every hypervisor, and those outside."""
        return [*(host.machines for host in self.hosts.values()), self.outside]

    async def ready(self) -> None:
        """Wait until every hypervisor has registered itself as a chassis."""
        await self.until(lambda: {row.name for row in self.southbound.replica.rows(Chassis).values()} >= {*self.hosts})

    async def port_up(self, name: str) -> None:
        """Wait until logical port `name` is bound and its flows are installed."""
        await self.until(lambda: any(row.up for row in self.northbound.replica.where(LogicalSwitchPort, name=name)))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds that the databases say; a part that fails ends the wait with its fault."""
        if self._tasks is None:
            raise NoSuchHost("lab", [])
        while not condition():
            news = [asyncio.ensure_future(client.changes()) for client in (self.northbound, self.southbound)]
            await asyncio.wait((*news, self._tasks), return_when=asyncio.FIRST_COMPLETED)
            for waiting in news:
                waiting.cancel()
            if self._tasks.done():
                self._tasks.result()

    async def until_stopped(self, stop: asyncio.Event) -> None:
        """Wait until `stop` is set; a part that fails ends the wait with its fault."""
        if self._tasks is None:
            return
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait((stopped, self._tasks), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._tasks.done():
            self._tasks.result()
