"""The addresses that a switch port asks for, and those that it has."""

from pyovn.incr.engine import Reader
from pyovn.net.uuids import Uuid
from pyovn.northd.model.ipam import (
    LEASED,
    NOTHING,
    WRITTEN,
    Claim,
    Hosts,
    Macs,
    Wish,
    has_prefix,
    host_claims,
    mac_claims,
)
from pyovn.northd.model.port import Port
from pyovn.northd.model.switch import Switch
from pyovn.northd.relations import POOLS


def addressing(db: Reader, switch: Switch, port: Port, datapath: Uuid) -> tuple[Wish | None, Hosts, Macs]:
    """What a port wants of the pool of its switch, and what nobody else is to be given because of it."""
    row, prefix = port.row, switch.settings.mac_prefix
    if not (switch.assigns or port.requests or row.dynamic_addresses) and not has_prefix(port.written, prefix):
        return None, (), ()
    pool = db.look(POOLS, datapath) if switch.assigns else None
    written, leased = Claim(WRITTEN, row.name, row.uuid), Claim(LEASED, row.name, row.uuid)
    hosts = host_claims(datapath, pool, port.written, written)
    macs = mac_claims(prefix, port.written, written)
    if not port.requests and not row.dynamic_addresses:
        return None, hosts, macs
    asked = next(iter(port.requests.values()), None)
    hosts += host_claims(datapath, pool, port.leased, leased)
    macs += mac_claims(prefix, port.leased, written if asked and asked.mac else leased)
    had = port.leased[0] if port.leased else NOTHING
    return Wish(datapath, row.name, pool, asked, row.dynamic_addresses or "", had, prefix), hosts, macs
