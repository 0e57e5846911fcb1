"""One hypervisor of a lab: an Open_vSwitch database, a switch, an ovn-controller, and what is plugged in.

    db.sock ── switch (OpenFlow on br-int.mgmt, tunnels on the fabric, cards of the guests)
       └────── ovn-controller ── southbound database

The three talk over sockets in the hypervisor's run directory, exactly as three processes would.
"""

import asyncio
from pathlib import Path

from pyovn.daemons.controller import PROGRAM, Config, Controller
from pyovn.daemons.controller_commands import commands
from pyovn.daemons.vswitchd import Vswitchd
from pyovn.lab.foreign import run_controller
from pyovn.lab.layout import HostLayout
from pyovn.lab.machines import Machines
from pyovn.ovsdb.txn import Txn
from pyovn.runtime.control import ControlServer
from pyovn.runtime.ovsdb import Client
from pyovn.runtime.ovsdb_server.shell import Shell
from pyovn.tables.vswitch import OPEN_VSWITCH, OpenvSwitch
from pyovn.vswitch.underlay import Fabric, MemoryUnderlay

#: Tunnel addresses are 192.0.2.11, .12, … (RFC 5737: for documentation)
FIRST_ADDRESS = 11


class Hypervisor:
    """One hypervisor; see the module."""

    def __init__(
        self, layout: HostLayout, number: int, southbound: str, fabric: Fabric, encap: str, program: Path | None
    ) -> None:
        self.layout, self.address = layout, f"192.0.2.{FIRST_ADDRESS + number}"
        self.machines = Machines(layout.name, number)
        self.database = f"unix:{layout.database}"
        self.underlay = MemoryUnderlay(fabric, self.address)
        self._settings = {
            "system-id": layout.name,
            "hostname": layout.name,
            "rundir": str(layout.rundir),
            "ovn-remote": southbound,
            "ovn-encap-type": encap,
            "ovn-encap-ip": self.address,
        }
        self._program = program  #: the ovn-controller to run, None: ours, in this process
        self._server = Shell()
        self.switch: Vswitchd | None = None
        self.controller: Controller | None = None

    async def run(self) -> None:
        """Run the hypervisor until cancelled."""
        try:
            async with asyncio.TaskGroup() as parts:
                await self._server.start([OPEN_VSWITCH.schema()], [f"punix:{self.layout.database}"])
                await self._describe()
                self.switch = Vswitchd(
                    self.database,
                    self.layout.rundir,
                    self.machines,
                    self.underlay,
                    control=str(self.layout.announce("ovs-vswitchd")),
                )
                parts.create_task(self.switch.run())
                parts.create_task(self._control())
        finally:
            await self._server.stop()

    async def _control(self) -> None:
        """Run the controller and its control socket."""
        if self._program is not None:
            await run_controller(self._program, self.layout)
        config = Config(self.database, self.layout.rundir, hostname=self.layout.name)
        self.controller = Controller(config)
        path = str(self.layout.announce("ovn-controller"))
        async with ControlServer(path, commands(self.controller), version=PROGRAM.version):
            await self.controller.run()

    async def _describe(self) -> None:
        """Write what an administrator sets with `ovs-vsctl set open . external-ids:…`."""
        client = Client(self.database, "Open_vSwitch", {OpenvSwitch: None})
        connection = asyncio.ensure_future(client.run())
        try:
            await client.synced()
            txn = Txn()
            txn.insert(OpenvSwitch, external_ids=self._settings)
            await client.transact(txn)
        finally:
            connection.cancel()
            await asyncio.wait((connection,))
