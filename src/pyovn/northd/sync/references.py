"""How rows that are known by a northbound UUID or a name are referred to in the southbound database.

A row that the transaction under construction inserts has a name there (`row7`); when the transaction is done and the
row has been seen, it has a UUID.
"""

from typing import Any

from pyovn.net.uuids import Uuid


class References:
    """Datapath_Bindings by northbound UUID, Port_Bindings by name."""

    def __init__(self) -> None:
        self.datapaths: dict[str, Uuid] = {}
        self.northbound: dict[str, str] = {}  #: Datapath_Binding → northbound UUID
        self.routers: set[str] = set()  #: northbound UUIDs of routers
        self.ports: dict[str, Uuid] = {}

    def datapath(self, northbound: str) -> Uuid:
        """The Datapath_Binding of a switch or router that has one, or is getting one now."""
        return self.datapaths[northbound]

    def known(self, northbound: str) -> Uuid | None:
        """Its Datapath_Binding, if it is in the database."""
        found = self.datapaths.get(northbound)
        return None if found is None or found.startswith("row") else found

    def datapath_json(self, northbound: str) -> list[Any]:
        """The same, as JSON."""
        return reference_json(self.datapaths[northbound])

    def kind(self, northbound: str | None) -> str:
        """Is it a "switch" or a "router"?"""
        return "router" if northbound in self.routers else "switch"


def reference_json(uuid: Uuid) -> list[Any]:
    """A UUID, or a name in the same transaction, as JSON."""
    return ["named-uuid" if uuid.startswith("row") else "uuid", uuid]
