"""Logical_Switch_Port.dynamic_addresses: gives ports the addresses that they ask for.

    wishes ──────────┐
    claims to IPs ───┼─► who has what he asks for? ──► a northbound transaction ──► the same rows, with leases
    claims to MACs ──┘

A port keeps what it has as long as it may have it.  What is new is settled before the southbound database hears of it:
fixed addresses first, then by name; the lowest free IP, and from it the MAC.  Only ports that something changed for are
looked at: their own wish, somebody else's claim to their address, or an address that they wait for.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pyovn.incr.relation import Facts
from pyovn.net.ip import ip4_str, ip6_int, ip6_str
from pyovn.net.mac import mac_int, mac_str
from pyovn.net.uuids import Uuid
from pyovn.northd.model.addresses import Addresses, address6
from pyovn.northd.model.ipam import LEASED, Claim, Pool, Request, Wish, eui64
from pyovn.ovsdb.txn import Txn

Host = tuple[Uuid, int]  #: an IPv4 address on a switch
LAST_SUFFIX = 0xFFFFFE  #: of MACs; 0 and the one after this are not used


class Lease(NamedTuple):
    """What a port is to have."""

    mac: int
    ip4: int | None
    ip6: int | None

    def words(self) -> list[str]:
        """As the database spells it."""
        found = [mac_str(self.mac)]
        if self.ip4 is not None:
            found.append(ip4_str(self.ip4))
        if self.ip6 is not None:
            found.append(ip6_str(self.ip6))
        return found


class LeaseSync:
    """The addresses that ports are given."""

    def __init__(
        self,
        wishes: Facts[Uuid, Wish | None, Any],
        hosts: Facts[Host, tuple[Claim, ...], Any],
        macs: Facts[int, tuple[Claim, ...], Any],
    ) -> None:
        self.wishes = wishes
        self.hosts = hosts
        self.macs = macs
        self._problems: dict[Uuid, list[str]] = {}
        self._shared: dict[Host | int, list[tuple[Uuid, str]]] = {}  # addresses that several have
        self._dirty: dict[Uuid, None] = {}
        self._lowest: dict[Uuid, tuple[Pool, int]] = {}  # by switch: no address below this is free
        self._waiting: dict[Host | Uuid, dict[Uuid, None]] = {}  # who wants an address, or any of a switch's
        self._given: dict[Host | int, Uuid] = {}  # in this plan
        self._after: dict[int, int] = {}  # MAC → a later one; all between them are taken

    def everything(self) -> None:
        """Look at all wishes again."""
        self._dirty.update(dict.fromkeys(self.wishes))
        self._lowest.clear()
        self._after.clear()

    def problems(self) -> list[tuple[Uuid, str]]:
        """Ports that do not get what they ask for, and addresses that several have."""
        found = [(port, text) for port, texts in self._problems.items() for text in texts]
        return found + [each for shared in self._shared.values() for each in shared]

    def plan(self, txn: Txn) -> None:
        """Set what differs."""
        self._listen()
        dirty, self._dirty = self._dirty, {}
        for _, port in sorted((self._turn(port), port) for port in dirty):
            self._problems.pop(port, None)
            wish = self.wishes.get(port)
            if wish is not None and wish.mac_prefix:
                self._settle(txn, port, wish)

    def _turn(self, port: Uuid) -> tuple[bool, str]:
        wish = self.wishes.get(port)
        if wish is None:
            return True, ""
        return wish.request is None or wish.request.ip4 is None, wish.name

    # -- what has changed -------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        self._given.clear()
        self._dirty.update(self.wishes.take())
        shared = self._shared
        for host in self.hosts.take():
            claims = self.hosts.get(host)
            if len(claims) > 1 or host in shared:
                self._dirty.update((each.port, None) for each in claims[1:] if each.rank == LEASED)
                self._note_shared(host, ip4_str(host[1]), claims)
            if not claims:
                self._freed(host)
        for mac in self.macs.take():
            claims = self.macs.get(mac)
            if len(claims) > 1 or mac in shared:
                leased = any(each.rank == LEASED for each in claims)
                self._note_shared(mac, mac_str(mac), claims if leased else ())
            if not claims:
                self._after.clear()

    def _freed(self, host: Host) -> None:
        switch, address = host
        if switch in self._lowest:
            pool, lowest = self._lowest[switch]
            self._lowest[switch] = (pool, min(lowest, address))
        for waited_for in (host, switch):
            self._dirty.update(self._waiting.pop(waited_for, {}))

    def _note_shared(self, what: Host | int, text: str, claims: tuple[Claim, ...]) -> None:
        """Several ports have an address: say so, unless it is a lease of ours that can be exchanged."""
        self._shared.pop(what, None)
        if len(claims) > 1:
            first, *others = claims
            found = [
                (each.port, f"logical port {each.name}: {text} is also an address of {first.name}")
                for each in others
                if each.port != first.port and (each.rank != LEASED or isinstance(what, int))
            ]
            if found:
                self._shared[what] = found

    # -- what a port gets -------------------------------------------------------------------------------------------

    def _settle(self, txn: Txn, port: Uuid, wish: Wish) -> None:
        lease, had = None, wish.had
        if wish.request is not None and wish.pool is None:
            self._say(port, wish, "there are no addresses to be given on its switch")
        elif wish.request is not None and wish.pool is not None:
            lease = self._lease(port, wish, wish.pool, wish.request, had)
        if lease is not None and spelled(lease) == had:
            return
        if lease is not None or wish.lease:
            where = [["_uuid", "==", ["uuid", port]]]
            row: Mapping[str, Any] = {"dynamic_addresses": ["set", []] if lease is None else " ".join(lease.words())}
            txn.raw({"op": "update", "table": "Logical_Switch_Port", "where": where, "row": row})

    def _lease(self, port: Uuid, wish: Wish, pool: Pool, request: Request, had: Addresses) -> Lease:
        ip4 = self._ip4(port, wish, pool, request, had) if pool.subnet else None
        if request.mac is not None:
            mac = request.mac
        elif had.mac.startswith(wish.mac_prefix):
            mac = mac_int(had.mac)
        else:
            mac = self._new_mac(port, wish, ip4 if request.ip4 is None or not pool.subnet else request.ip4)
        return Lease(mac, ip4, None if pool.prefix6 is None else _ip6(pool.prefix6, mac, request, had))

    def _ip4(self, port: Uuid, wish: Wish, pool: Pool, request: Request, had: Addresses) -> int | None:
        """What it asks for, or else what it has, or else the lowest that is free."""
        has = [address_int(text) for text in had.ip4[:1]]
        for wanted in dict.fromkeys(([] if request.ip4 is None else [request.ip4]) + has):
            if pool.has(wanted) and self._may_have(port, wish, wanted):
                self._given[wish.switch, wanted] = port
                return wanted
            if wanted == request.ip4:
                self._refuse(port, wish, pool, wanted)
        found = self._lowest_free(wish.switch, pool)
        if found is None:
            self._waiting.setdefault(wish.switch, {})[port] = None
            self._say(port, wish, f"all addresses of {pool.subnet} are in use")
            return None
        self._given[wish.switch, found] = port
        return found

    def _may_have(self, port: Uuid, wish: Wish, address: int) -> bool:
        """Is an address free, or a lease of this port already?"""
        host = (wish.switch, address)
        claims = self.hosts.get(host)
        return host not in self._given and (not claims or claims[0] == Claim(LEASED, wish.name, port))

    def _refuse(self, port: Uuid, wish: Wish, pool: Pool, address: int) -> None:
        """Say why a port does not get the address that it asks for, and wait for it."""
        if not pool.has(address):
            self._say(port, wish, f"{ip4_str(address)} is not an address to be given in {pool.subnet}")
            return
        host = (wish.switch, address)
        self._waiting.setdefault(host, {})[port] = None
        holders = [each.name for each in self.hosts.get(host)]
        self._say(port, wish, f"{ip4_str(address)} is in use{f' by {holders[0]}' if holders else ''}")

    def _lowest_free(self, switch: Uuid, pool: Pool) -> int | None:
        known, start = self._lowest.get(switch, (pool, 0))
        found = pool.next(start if known == pool else 0)
        while found is not None and ((switch, found) in self.hosts or (switch, found) in self._given):
            found = pool.next(found + 1)
        self._lowest[switch] = (pool, pool.high + 1 if found is None else found)
        return found

    def _new_mac(self, port: Uuid, wish: Wish, ip4: int | None) -> int:
        """The MAC after the last 24 bits of the IP address, or the next one that is free."""
        prefix = mac_int(f"{wish.mac_prefix}:00:00:00")
        seen = []
        mac = prefix | _next_suffix((ip4 or 0) & 0xFFFFFF)
        while mac in self.macs or mac in self._given:
            seen.append(mac)
            mac = self._after.get(mac) or prefix | _next_suffix(mac & 0xFFFFFF)
        self._after.update(dict.fromkeys(seen, mac))
        self._given[mac] = port
        return mac

    def _say(self, port: Uuid, wish: Wish, text: str) -> None:
        self._problems.setdefault(port, []).append(f"logical switch port {wish.name}: {text}")


def _ip6(prefix: int, mac: int, request: Request, had: Addresses) -> int:
    """What a port asks for, or else what it has in the network, or else what is made of its MAC."""
    if request.ip6 is not None:
        return request.ip6
    has = [ip6_int(each.address) for each in had.ip6[:1]]
    kept = has and has[0] >> 64 == prefix >> 64 and had.mac == mac_str(mac)
    return has[0] if kept else eui64(prefix, mac)


def _next_suffix(suffix: int) -> int:
    return suffix + 1 if suffix < LAST_SUFFIX else 1


def spelled(lease: Lease) -> Addresses:
    """A lease as it is read back."""
    mac, *_ = lease.words()
    ip4 = () if lease.ip4 is None else (ip4_str(lease.ip4),)
    return Addresses(mac, ip4, () if lease.ip6 is None else (address6(ip6_str(lease.ip6)),))


def address_int(text: str) -> int:
    """An IPv4 address as a number."""
    first, second, third, fourth = map(int, text.split("."))
    return first << 24 | second << 16 | third << 8 | fourth
