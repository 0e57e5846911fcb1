"""One hypervisor of a lab: an Open_vSwitch database, a switch, an ovn-controller, and what is plugged in.

    db.sock ── switch (OpenFlow on br-int.mgmt, tunnels on the fabric, cards of the guests)
       └────── ovn-controller ── southbound database

The three talk over sockets in the hypervisor's run directory, exactly as three processes would, and switch and
controller can be killed and started again, as processes can.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pyovn.daemons.controller import PROGRAM, Config, Controller
from pyovn.daemons.controller_commands import commands
from pyovn.daemons.vswitchd import Vswitchd
from pyovn.lab.foreign import run_controller
from pyovn.lab.layout import HostLayout
from pyovn.lab.machines import Machines
from pyovn.lab.segment import Segments
from pyovn.net.errors import OvnError
from pyovn.ovsdb.replica import Replica
from pyovn.ovsdb.txn import Txn
from pyovn.runtime.commands import Command
from pyovn.runtime.control import ControlServer
from pyovn.runtime.ovsdb import Client
from pyovn.runtime.ovsdb_server.shell import Shell
from pyovn.tables.vswitch import OPEN_VSWITCH, OpenvSwitch
from pyovn.vswitch.underlay import Fabric, MemoryUnderlay
from pyovn.vswitch.wanted import RESTORING


class Networks(NamedTuple):
    """What hypervisors are connected by: tunnels run over the fabric, `ethN` are on the segments."""

    fabric: Fabric
    segments: Segments


#: Tunnel addresses are 192.0.2.11, .12, … (RFC 5737: for documentation)
FIRST_ADDRESS = 11


class NoSuchPart(OvnError):
    """A part that hypervisors do not have."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part}: no such part of a hypervisor; there are {', '.join(PARTS)}")


#: what can be killed, in the order in which it starts
PARTS = ("switch", "controller")


async def _farewell(controller: Controller, told: asyncio.Event, words: list[str]) -> None:
    """`ovn-appctl exit`: take back what a controller that goes for good does not leave behind."""
    if "--restart" not in words:
        await controller.leave()
    told.set()


class Hypervisor:
    """One hypervisor; see the module."""

    def __init__(
        self,
        layout: HostLayout,
        number: int,
        southbound: str,
        networks: Networks,
        encap: str,
        program: Path | None,
    ) -> None:
        self.layout, self.address = layout, f"192.0.2.{FIRST_ADDRESS + number}"
        self.machines = Machines(layout.name, number, networks.segments)
        self.database = f"unix:{layout.database}"
        self.underlay = MemoryUnderlay(networks.fabric, self.address)
        self.machines.nics["eth0"] = self.underlay
        self._settings = {
            "system-id": layout.name,
            "hostname": layout.name,
            "rundir": str(layout.rundir),
            "ovn-remote": southbound,
            "ovn-encap-type": encap,
            "ovn-encap-ip": self.address,
            "ovn-managed-flow-restore-wait": "true",
        }
        self._program = program  #: the ovn-controller to run, None: ours, in this process
        self._server = Shell()
        self.switch: Vswitchd | None = None
        self.controller: Controller | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._parts: dict[str, asyncio.Task[None]] = {}
        self._run: dict[str, Callable[[], Awaitable[None]]] = {"switch": self._switch, "controller": self._control}

    async def run(self) -> None:
        """Run the hypervisor until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self._server.start([OPEN_VSWITCH.schema()], [f"punix:{self.layout.database}"])
                await self._describe()
                for part in PARTS:
                    self.start(part)
                await asyncio.Event().wait()
        finally:
            await self._server.stop()

    def start(self, part: str) -> None:
        """Start a part that does not run.  Raises NoSuchPart."""
        if part not in PARTS:
            raise NoSuchPart(part)
        running = self._parts.get(part)
        if self._tasks is not None and (running is None or running.done()):
            self._parts[part] = self._tasks.create_task(self._play(part))

    async def _play(self, part: str) -> None:
        await self._run[part]()

    async def kill(self, part: str) -> None:
        """End a part at once, without its farewell; guests stay plugged in.  Raises NoSuchPart."""
        if part not in PARTS:
            raise NoSuchPart(part)
        running = self._parts.get(part)
        if running is not None:
            with self.machines.held():
                running.cancel()
                await asyncio.wait((running,))

    def down(self) -> list[str]:
        """What of it does not work: parts that ended, cables that are cut."""
        parts = [part for part in PARTS if part in self._parts and self._parts[part].done()]
        return parts + sorted(name for name, nic in self.machines.nics.items() if not nic.up)

    def cables(self, *, up: bool) -> None:
        """Plug in all cables, or cut them."""
        for nic in self.machines.nics.values():
            nic.up = up

    async def _switch(self) -> None:
        """Run the switch and its control socket; one that was there before waits for its flows."""
        if self.switch is not None and self._program is None:
            await self._write(self._wait_for_flows)
        self.switch = Vswitchd(
            self.database,
            self.layout.rundir,
            self.machines,
            self.underlay,
            control=str(self.layout.announce("ovs-vswitchd")),
        )
        await self.switch.run()

    async def _control(self) -> None:
        """Run the controller and its control socket."""
        if self._program is not None:
            await run_controller(self._program, self.layout)
        config = Config(self.database, self.layout.rundir, hostname=self.layout.name)
        self.controller = Controller(config)
        path = str(self.layout.announce("ovn-controller"))
        running, told = asyncio.ensure_future(self.controller.run()), asyncio.Event()
        farewell = Command(partial(_farewell, self.controller, told), "[--restart]", 0, 1)
        everything = {**commands(self.controller), "exit": farewell}
        async with ControlServer(path, everything, version=PROGRAM.version):
            leaving = asyncio.ensure_future(told.wait())
            try:
                await asyncio.wait((running, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                if not running.done():
                    running.cancel()
                    await asyncio.wait((running,))
        if not running.cancelled():
            running.result()

    async def _describe(self) -> None:
        """Write what an administrator sets with `ovs-vsctl set open . external-ids:…`."""

        def settings(txn: Txn, _: Replica) -> None:
            txn.insert(OpenvSwitch, external_ids=self._settings)

        await self._write(settings)

    @staticmethod
    def _wait_for_flows(txn: Txn, replica: Replica) -> None:
        """What a service manager sets before it starts a switch again."""
        for row in replica.rows(OpenvSwitch).values():
            txn.update(row, other_config={**row.other_config, RESTORING: "true"})

    async def _write(self, edit: Callable[[Txn, Replica], None]) -> None:
        """Edit the hypervisor's database."""
        client = Client(self.database, "Open_vSwitch", {OpenvSwitch: ("other_config",)})
        connection = asyncio.ensure_future(client.run())
        try:
            await client.synced()
            txn = Txn()
            edit(txn, client.replica)
            await client.transact(txn)
        finally:
            connection.cancel()
            await asyncio.wait((connection,))
