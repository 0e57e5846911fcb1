"""`lr-*`: logical routers."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.nb.lookup import ROUTER, ROUTER_NAMES, find_or_not, tell_names
from pyovn.cli.nb.switches import may_create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyovn.cli.ctl.call import Ctl

command = CommandTable("Logical router commands")


@command("lr-add", "[ROUTER]", options="--may-exist --add-duplicate", reads=(ROUTER_NAMES,))
def lr_add(ctl: "Ctl", name: str | None = None) -> None:
    """Create a logical router named ROUTER."""
    if may_create(ctl, "Logical_Router", "router", name):
        ctl.view.insert("Logical_Router", **({} if name is None else {"name": name}))


@command("lr-del", "ROUTER", options="--if-exists", reads=(ROUTER_NAMES,))
def lr_del(ctl: "Ctl", name: str) -> None:
    """Delete ROUTER and all its ports."""
    router = find_or_not(ctl, ROUTER, name)
    if router is not None:
        router.delete()


@command("lr-list", reads=(ROUTER_NAMES,))
def lr_list(ctl: "Ctl") -> None:
    """Print the names of all logical routers."""
    tell_names(ctl, ctl.view.rows("Logical_Router"))
