"""`*-aa-mapping`: which service a VLAN belongs to (IEEE 802.1Qcj auto attach)."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.numbers import scan_integer
from pyovn.cli.vs.model import BRIDGES, the_bridge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("Auto attach commands")

MAPPINGS = (*BRIDGES, "Bridge auto_attach", "AutoAttach mappings")


def _settings(ctl: "Ctl", bridge: str) -> "Row | None":
    return ctl.view.get("AutoAttach", the_bridge(ctl.view, bridge).row["auto_attach"])


@command("add-aa-mapping", "BRIDGE I-SID VLAN", reads=MAPPINGS)
def add_aa_mapping(ctl: "Ctl", bridge: str, service: str, vlan: str) -> None:
    """Add auto attach mapping to BRIDGE."""
    settings = _settings(ctl, bridge)
    if settings is None:
        settings = ctl.view.insert("AutoAttach")
        the_bridge(ctl.view, bridge).row["auto_attach"] = settings.uuid
    key = scan_integer(service) or 0
    if key not in settings["mappings"]:
        settings.put("mappings", key, scan_integer(vlan) or 0)


@command("del-aa-mapping", "BRIDGE I-SID VLAN", reads=MAPPINGS)
def del_aa_mapping(ctl: "Ctl", bridge: str, service: str, vlan: str) -> None:
    """Delete auto attach mapping from BRIDGE."""
    settings = _settings(ctl, bridge)
    key = scan_integer(service) or 0
    if settings is not None and settings["mappings"].get(key) == (scan_integer(vlan) or 0):
        settings.drop("mappings", key)


@command("get-aa-mapping", "BRIDGE", reads=MAPPINGS)
def get_aa_mapping(ctl: "Ctl", bridge: str) -> None:
    """Print auto attach mappings of BRIDGE."""
    settings = _settings(ctl, bridge)
    mappings = {} if settings is None else settings["mappings"]
    found = [{"isid": service, "vlan": vlan} for service, vlan in mappings.items()]
    ctl.tell(found, lambda entries: (f"{entry['isid']} {entry['vlan']}" for entry in entries))
