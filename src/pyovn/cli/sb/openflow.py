"""`lflow-list --ovs`: the OpenFlow flows of a switch that each logical flow became."""

from pyovn.cli.switch_flows import default_remote, flows_of, plain, with_stats
from pyovn.net.errors import OvnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyovn.cli.ctl.call import Ctl


def flows_by_cookie(ctl: "Ctl", remote: str | None, *, stats: bool) -> dict[int, list[str]]:
    """The switch's flows as indented lines, by cookie; none, and a warning, where it cannot be asked."""
    remote = remote or default_remote()
    try:
        entries = flows_of(remote)
    except (OvnError, OSError) as fault:
        ctl.program.warn("sbctl", f"{remote}: connection failed ({getattr(fault, 'strerror', None) or fault})")
        return {}
    found: dict[int, list[str]] = {}
    for entry in entries:
        found.setdefault(entry.flow.cookie, []).append("    " + (with_stats(entry) if stats else plain(entry)))
    return found
