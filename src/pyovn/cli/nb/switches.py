"""`ls-*`: logical switches."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.lookup import SWITCH, SWITCH_NAMES, find_or_not, tell_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyovn.cli.ctl.call import Ctl

command = CommandTable("Logical switch commands")


@command("ls-add", "[SWITCH]", options="--may-exist --add-duplicate", reads=(SWITCH_NAMES,))
def ls_add(ctl: "Ctl", name: str | None = None) -> None:
    """Create a logical switch named SWITCH."""
    if not may_create(ctl, "Logical_Switch", "switch", name):
        return
    ctl.view.insert("Logical_Switch", **({} if name is None else {"name": name}))


def may_create(ctl: "Ctl", table: str, word: str, name: str | None) -> bool:
    """Whether a switch or router called `name` is still to be made; raises `CtlError` if it must not be."""
    may_exist, add_duplicate = ctl.has("--may-exist"), ctl.has("--add-duplicate")
    if may_exist and add_duplicate:
        raise CtlError("--may-exist and --add-duplicate may not be used together")
    if name is None:
        for option in ("--may-exist", "--add-duplicate"):
            if ctl.has(option):
                raise CtlError(f"{option} requires specifying a name")
        return True
    if not add_duplicate and ctl.view.find(table, "name", name):
        if may_exist:
            return False
        raise CtlError(f"{name}: a {word} with this name already exists")
    return True


@command("ls-del", "SWITCH", options="--if-exists", reads=(SWITCH_NAMES,))
def ls_del(ctl: "Ctl", name: str) -> None:
    """Delete SWITCH and all its ports."""
    switch = find_or_not(ctl, SWITCH, name)
    if switch is not None:
        switch.delete()


@command("ls-list", reads=(SWITCH_NAMES,))
def ls_list(ctl: "Ctl") -> None:
    """Print the names of all logical switches."""
    tell_names(ctl, ctl.view.rows("Logical_Switch"))
