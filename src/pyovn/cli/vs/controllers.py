"""Controllers, fail modes and managers."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.connections import STREAMS, get_connection, reads, replace
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.numbers import scan_integer
from pyovn.cli.vs.model import BRIDGES, real_bridge, the_bridge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyovn.cli.ctl.call import Ctl

command = CommandTable("Controller commands")

CONTROLLERS = (*BRIDGES, "Bridge controller fail_mode", "Controller target inactivity_probe")
FAIL_MODES = ("standalone", "secure")


@command("get-controller", "BRIDGE", reads=CONTROLLERS)
def get_controller(ctl: "Ctl", name: str) -> None:
    """Print the controllers for BRIDGE."""
    row = the_bridge(ctl.view, name).row
    ctl.tell(sorted({each["target"] for each in ctl.view.referred("Controller", row["controller"])}), iter)


@command("del-controller", "BRIDGE", reads=CONTROLLERS)
def del_controller(ctl: "Ctl", name: str) -> None:
    """Delete the controllers for BRIDGE."""
    set_controllers(ctl, name, ())


@command("set-controller", "BRIDGE [TARGET]...", options="--inactivity-probe=", reads=CONTROLLERS)
def set_controller(ctl: "Ctl", name: str, *targets: str) -> None:
    """Set the controllers for BRIDGE."""
    set_controllers(ctl, name, targets)


def set_controllers(ctl: "Ctl", name: str, targets: "tuple[str, ...]") -> None:
    """Have these controllers instead of those there were."""
    row = real_bridge(ctl.view, name).row
    row.verify("controller")
    for old in ctl.view.referred("Controller", row["controller"]):
        old.delete()
    uuids = []
    for target in targets:
        if not target.startswith(STREAMS):
            ctl.program.warn("vsctl", f'target type "{target}" is possibly erroneous')
        controller = ctl.view.insert("Controller", target=target)
        if (probe := ctl.option("--inactivity-probe")) is not None:
            controller["inactivity_probe"] = scan_integer(probe) or 0
        uuids.append(controller.uuid)
    row["controller"] = uuids


@command("get-fail-mode", "BRIDGE", reads=CONTROLLERS)
def get_fail_mode(ctl: "Ctl", name: str) -> None:
    """Print the fail-mode for BRIDGE."""
    mode = the_bridge(ctl.view, name).row["fail_mode"]
    if mode:
        ctl.print(mode)


@command("del-fail-mode", "BRIDGE", reads=CONTROLLERS)
def del_fail_mode(ctl: "Ctl", name: str) -> None:
    """Delete the fail-mode for BRIDGE."""
    real_bridge(ctl.view, name).row["fail_mode"] = None


@command("set-fail-mode", "BRIDGE MODE", reads=CONTROLLERS)
def set_fail_mode(ctl: "Ctl", name: str, mode: str) -> None:
    """Set the fail-mode for BRIDGE to MODE."""
    bridge = real_bridge(ctl.view, name)
    if mode not in FAIL_MODES:
        raise CtlError('fail-mode must be "standalone" or "secure"')
    bridge.row["fail_mode"] = mode


@command("get-manager", reads=reads)
def get_manager(ctl: "Ctl") -> None:
    """Print the managers."""
    get_connection(ctl)


@command("del-manager", reads=reads)
def del_manager(ctl: "Ctl") -> None:
    """Delete the managers."""
    replace(ctl, ())


@command("set-manager", "TARGET...", options="--inactivity-probe=", reads=reads)
def set_manager(ctl: "Ctl", first: str, *rest: str) -> None:
    """Set the list of managers to TARGETs."""
    replace(ctl, ({"target": target} for target in (first, *rest)))
