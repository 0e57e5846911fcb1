"""The family of control plane protection: which meters limit what a datapath hands to the controller."""

from pyovn.incr.engine import Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.model.settings import Settings
from pyovn.northd.model.spelling import KNOWN, PLAIN, Spelling
from pyovn.northd.relations import LIMITS, PROBLEMS
from pyovn.tables.nb import Copp, Meter

Outputs = tuple[object, ...]


@family(over=Copp, emits=[LIMITS, PROBLEMS])
def protections(db: Reader, uuid: Uuid) -> Outputs:
    """The protocols that have a meter; one that is not there limits nothing."""
    row = db.row(Copp, uuid)
    assert row is not None
    limits, problems = [], []
    for protocol, meter in sorted(row.meters.items()):
        if protocol not in KNOWN:
            problems.append((uuid, f"copp {row.name}: unknown protocol '{protocol}'"))
        elif not db.find(Meter, "name", meter):
            problems.append((uuid, f"copp {row.name}: there is no meter '{meter}' for {protocol}"))
        else:
            limits.append((protocol, meter))
    return tuple(limits), tuple(problems)


def spelling(db: Reader, settings: Settings, copp: Uuid | None) -> Spelling:
    """How the flows of a datapath are written that is protected by a Copp, or by none."""
    limits = None if copp is None else db.look(LIMITS, copp)
    return Spelling(settings.drop, limits or ()) if limits or settings.drop != PLAIN.drop else PLAIN
