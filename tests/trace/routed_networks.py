"""Random routed networks in which packets get somewhere, and packets for them.

    guests ── s0, s1 ── r0 ── peer link ── r1 … ── pub ── localnet
              10.N.0.0/24, fd0N::/64      192.168.N.0/30   172.16.0.0/24, fd99::/64

A network is a function that writes itself into a transaction, like those of `tests.northd.networks`.
"""

from collections.abc import Mapping
from operator import itemgetter
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb, sb
from tests.northd.routed import discarding_once

PUB = 9  #: the number of the outer network


class Guest(NamedTuple):
    """Somebody who sends packets."""

    port: str
    mac: str
    ip4: str
    ip6: str


class Rows(NamedTuple):
    """Columns of the rows that a router owns."""

    routes: tuple[Mapping[str, Any], ...]
    policies: tuple[Mapping[str, Any], ...]
    nats: tuple[Mapping[str, Any], ...]
    options: Mapping[str, str]


class RoutedNetwork(NamedTuple):
    """A network; of each router the switches it is on."""

    switches: tuple[int, ...]  #: how many guests each has
    reach: tuple[tuple[int, ...], ...]
    rows: tuple[Rows, ...]
    outer: tuple[str, ...]  #: of each router: how it is on the outer network ("", "plain", "gateway", "router")
    balancers: tuple[Mapping[str, Any], ...]
    stateful: bool
    secure: bool
    port_options: Mapping[str, str]

    def guests(self) -> list[Guest]:
        """All guests; one from outside comes last."""
        found = [guest(number, index) for number, count in enumerate(self.switches) for index in range(count)]
        return [*found, Guest("ln", "0a:00:00:00:09:63", "172.16.0.99", "fd99::99")]

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        members: dict[int, list[Uuid]] = {number: [] for number in (*range(len(self.switches)), PUB)}
        for each in self.guests()[:-1]:
            addresses = frozenset([f"{each.mac} {each.ip4} {each.ip6}"])
            security = addresses if self.secure else frozenset()
            columns = {"addresses": addresses, "port_security": security}
            number = int(each.port[1])
            members[number].append(txn.insert(nb.LogicalSwitchPort, name=each.port, **columns))
        outside = {"type": "localnet", "addresses": frozenset(["unknown"]), "options": {"network_name": "phys"}}
        members[PUB].append(txn.insert(nb.LogicalSwitchPort, name="ln", **outside))
        balancers = frozenset(txn.insert(nb.LoadBalancer, **each) for each in self.balancers)
        for number in range(len(self.reach)):
            self._router(txn, number, members, balancers)
        for number, ports in members.items():
            filters = self._filters(txn, number) if self.stateful and number != PUB else frozenset()
            own = {"load_balancer": balancers} if number == 0 else {}
            name = "pub" if number == PUB else f"s{number}"
            txn.insert(nb.LogicalSwitch, name=name, ports=frozenset(ports), acls=filters, **own)

    def _filters(self, txn: Txn, number: int) -> frozenset[Uuid]:
        rules = (
            ("from-lport", "ip4", "allow-related"),
            ("to-lport", f"ip.proto == 17 && ip4.dst[0] == {number}", "drop"),
        )
        return frozenset(
            txn.insert(nb.ACL, direction=direction, priority=100, match=match, action=action)
            for direction, match, action in rules
        )

    def _router(self, txn: Txn, number: int, members: dict[int, list[Uuid]], balancers: frozenset[Uuid]) -> None:
        rows, how = self.rows[number], self.outer[number]
        ports = [self._port(txn, number, switch, members[switch]) for switch in self.reach[number]]
        if how:
            gateways = [txn.insert(nb.GatewayChassis, name=f"g{number}", chassis_name="ch1", priority=1)]
            own = {"gateway_chassis": frozenset(gateways)} if how == "gateway" else {}
            ports.append(self._port(txn, number, PUB, members[PUB], **own))
        ports += self._links(txn, number)
        options = {**rows.options, **({"chassis": "ch1"} if how == "router" else {})}
        txn.insert(
            nb.LogicalRouter,
            name=f"r{number}",
            ports=frozenset(ports),
            static_routes=frozenset(txn.insert(nb.LogicalRouterStaticRoute, **each) for each in rows.routes),
            policies=frozenset(txn.insert(nb.LogicalRouterPolicy, **each) for each in rows.policies),
            nat=frozenset(txn.insert(nb.NAT, **each) for each in self.nats(number)),
            load_balancer=balancers,
            options=options,
        )

    def _port(self, txn: Txn, number: int, switch: int, members: list[Uuid], **own: Any) -> Uuid:
        """A port on a switch, and the switch port that leads to it."""
        name = f"r{number}s{switch}"
        link = {"type": "router", "addresses": frozenset(["router"]), "options": {"router-port": name}}
        members.append(txn.insert(nb.LogicalSwitchPort, name=f"to-{name}", **link))
        networks = frozenset(router_address(number, switch))
        mac = router_mac(number, switch)
        return txn.insert(nb.LogicalRouterPort, name=name, mac=mac, networks=networks, options=self.port_options, **own)

    def _links(self, txn: Txn, number: int) -> list[Uuid]:
        """The ports on the links to the routers before and after."""
        found = []
        for link, end in ((number - 1, 2), (number, 1)):
            if 0 <= link < len(self.reach) - 1:
                names = f"r{link}-r{link + 1}", f"r{link + 1}-r{link}"
                own, peer = names if end == 1 else names[::-1]
                networks = frozenset([f"192.168.{link}.{end}/30", f"fd8{link}::{end}/64"])
                mac = f"00:00:00:01:0{link}:0{end}"
                found.append(txn.insert(nb.LogicalRouterPort, name=own, mac=mac, networks=networks, peer=peer))
        return found

    def nats(self, number: int) -> list[Mapping[str, Any]]:
        """The translations of a router: no two answer for one address."""
        return [
            {**each, "external_ip": each["external_ip"].format(number, number + 1)} for each in self.rows[number].nats
        ]

    def predictable(self) -> "RoutedNetwork":
        """The same without what no trace can tell: the port chosen from a range, what a gateway router un-SNATs."""
        rows = tuple(
            each._replace(
                nats=tuple({key: nat[key] for key in nat if key != "external_port_range"} for nat in each.nats)
            )
            for each in self.rows
        )
        return self._replace(rows=rows, outer=tuple("gateway" if how == "router" else how for how in self.outer))

    def macs(self) -> list[str]:
        """The MAC addresses of routers and guests."""
        routers = [
            router_mac(number, switch)
            for number, switches in enumerate(self.reach)
            for switch in (*switches, *((PUB,) if self.outer[number] else ()))
        ]
        return [*routers, *(each.mac for each in self.guests())]

    def routers_near(self, sender: Guest) -> list[str]:
        """The MAC addresses of the routers on the network of a guest."""
        switch = PUB if sender.port == "ln" else int(sender.port[1])
        return [
            router_mac(number, switch)
            for number, switches in enumerate(self.reach)
            if switch in switches or (switch == PUB and self.outer[number])
        ]

    def addresses(self, version: int) -> list[str]:
        """The addresses that somebody may send to."""
        found = [each.ip4 if version == 4 else each.ip6 for each in self.guests()]
        for number, switches in enumerate(self.reach):
            own = [router_address(number, switch)[version == 6] for switch in (*switches, PUB)]
            found += [each.partition("/")[0] for each in own]
            found += [each["external_ip"] for each in self.nats(number)]
        found += ["192.168.0.1", "192.168.0.2", "fd80::1", "fd80::2", *FAR]
        found += [vip.rpartition(":")[0].strip("[]") for each in self.balancers for vip in each["vips"]]
        return [each for each in found if (":" in each) == (version == 6)]

    def neighbours(self, txn: Txn, datapaths: Mapping[str, Uuid]) -> None:
        """What routers have learned of the outer network, southbound; `datapaths` by logical port."""
        outside = self.guests()[-1]
        for number, how in enumerate(self.outer):
            port = f"r{number}s{PUB}"
            if how:
                for ip in (outside.ip4, outside.ip6, "172.16.0.254"):
                    txn.insert(sb.MACBinding, logical_port=port, ip=ip, mac=outside.mac, datapath=datapaths[port])


FAR = ("8.8.8.8", "20.0.0.7", "2001:db8::7")


def guest(switch: int, index: int) -> Guest:
    """A guest of a switch."""
    mac = f"0a:00:00:00:0{switch}:0{index + 1}"
    return Guest(f"s{switch}g{index}", mac, f"10.{switch}.0.{11 + index}", f"fd0{switch}::1{index}")


def router_mac(number: int, switch: int) -> str:
    """Of the port of a router on a switch."""
    return f"00:00:00:00:1{number}:0{switch}"


def router_address(number: int, switch: int) -> tuple[str, str]:
    """Of the port of a router on a switch."""
    if switch == PUB:
        return f"172.16.0.{1 + number}/24", f"fd99::{1 + number}/64"
    return f"10.{switch}.0.{250 - number}/24", f"fd0{switch}::f{number}/64"


HOPS4 = ("192.168.0.1", "192.168.0.2", "192.168.1.2", "172.16.0.254", "172.16.0.2", "10.0.0.11", "discard")
HOPS6 = ("fd80::1", "fd80::2", "fd99::254", "fd00::10", "discard")


def _routes(prefixes: tuple[str, ...], hops: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"ip_prefix": st.sampled_from(prefixes), "nexthop": st.sampled_from(hops)},
        optional={
            "policy": st.sampled_from(["src-ip", "dst-ip"]),
            "options": st.sampled_from([{}, {"ecmp_symmetric_reply": "true"}]),
        },
    ).filter(_decides)


def _decides(route: Mapping[str, Any]) -> bool:
    """By source and for everybody, a route has the priority of the flow that drops: either may win."""
    return route.get("policy") != "src-ip" or not route["ip_prefix"].endswith("/0")


routes = st.one_of(
    _routes(("0.0.0.0/0", "10.0.0.0/24", "10.1.0.0/24", "20.0.0.0/16"), HOPS4),
    _routes(("0.0.0.0/0", "10.1.0.0/24"), HOPS4[:4]),
    _routes(("::/0", "fd00::/64", "fd01::/64"), HOPS6),
)
_match = st.sampled_from(["ip4.src == 10.0.0.0/24", "tcp", "ip6 && udp", "ip4.dst == 8.8.8.8", "ip.ttl == 64"])
policies = st.one_of(
    st.fixed_dictionaries({"action": st.sampled_from(["allow", "drop"])}),
    st.fixed_dictionaries(
        {"action": st.just("reroute"), "nexthops": st.frozensets(st.sampled_from(HOPS4[:4]), min_size=1, max_size=2)}
    ),
).flatmap(
    lambda what: st.fixed_dictionaries(
        {
            "priority": st.sampled_from([1, 2, 100]),
            "match": _match,
            "options": st.sampled_from([{}, {"pkt_mark": "7"}]),
        }
    ).map(lambda rest: {**what, **rest})
)
_floating = st.builds(
    lambda index, more: {"external_ip": f"172.16.0.1{{0}}{index}", "logical_ip": guest(index, 0).ip4, **more},
    st.sampled_from([0, 1]),
    st.one_of(
        st.just({"type": "dnat_and_snat"}),
        st.just({"type": "dnat_and_snat", "options": {"stateless": "true"}}),
        st.just({"type": "dnat_and_snat", "external_mac": "00:00:00:00:ee:01", "logical_port": "s0g0"}),
        st.just({"type": "dnat"}),
        st.just({"type": "dnat", "match": "tcp", "priority": 5}),
        st.just({"type": "dnat_and_snat", "external_port_range": "100-200"}),
    ),
)
_masquerade = st.builds(
    lambda external, inside, more: {"type": "snat", "external_ip": external, "logical_ip": inside, **more},
    st.sampled_from(["172.16.0.15{0}", "172.16.0.{1}"]),
    st.sampled_from(["10.0.0.0/24", "10.1.0.11", "10.1.0.0/24", "0.0.0.0/0"]),
    st.sampled_from([{}, {"match": "udp", "priority": 9}, {"external_port_range": "100-200"}]),
)
_translation6 = st.builds(
    lambda kind, inside: {"type": kind, "external_ip": "fd99::6{0}", "logical_ip": inside},
    st.sampled_from(["dnat_and_snat", "dnat", "snat"]),
    st.sampled_from(["fd00::10", "fd01::10"]),
)
nats = st.one_of(_floating, _masquerade, _translation6)
rows = st.builds(
    Rows,
    st.lists(routes, max_size=4).map(discarding_once),
    st.lists(policies, max_size=2, unique_by=itemgetter("priority")).map(tuple),
    st.lists(nats, max_size=3, unique_by=(itemgetter("external_ip"), itemgetter("logical_ip"))).map(tuple),
    st.fixed_dictionaries(
        {},
        optional={
            "dynamic_neigh_routers": st.sampled_from(["true", "false"]),
            "always_learn_from_arp_request": st.just("false"),
            "dnat_force_snat_ip": st.just("172.16.0.70"),
            "lb_force_snat_ip": st.sampled_from(["router_ip", "172.16.0.71"]),
        },
    ),
)
BACKENDS = ("10.0.0.11:8080", "10.1.0.11:81", "10.0.0.11")
balancers = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["lb0", "lb1"]),
        "vips": st.dictionaries(
            st.sampled_from(["30.0.0.1:80", "172.16.0.1:80", "30.0.0.2"]),
            st.sampled_from(["10.0.0.11:8080", "10.0.0.11:8080,10.1.0.11:81", "10.1.0.11:81", ""]),
            min_size=1,
        ).map(lambda vips: {vip: _fitting(vip, backends) for vip, backends in vips.items()}),
        "protocol": st.sampled_from(["tcp", "udp"]),
    },
    optional={"options": st.sampled_from([{"skip_snat": "true"}, {"reject": "true"}, {"hairpin_snat_ip": "30.0.0.9"}])},
)


def _fitting(vip: str, backends: str) -> str:
    """Backends without ports for an address without a port."""
    if ":" in vip:
        return backends
    return ",".join(each.partition(":")[0] for each in backends.split(",")) if backends else ""


def routed(*, balanced: bool = False) -> st.SearchStrategy[RoutedNetwork]:
    """Networks of up to three routers, balanced ones with load balancers."""

    def of(shape: tuple[tuple[int, ...], int]) -> st.SearchStrategy[RoutedNetwork]:
        switches, count = shape

        def each(one: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
            return st.tuples(*[one] * count)

        reach = st.sets(st.integers(0, len(switches) - 1), min_size=1).map(sorted).map(tuple)
        return st.builds(
            RoutedNetwork,
            st.just(switches),
            each(reach),
            each(rows),
            each(st.sampled_from(["", "plain", "gateway", "gateway", "router"])),
            st.lists(balancers, max_size=2, unique_by=lambda lb: lb["name"]).map(tuple) if balanced else st.just(()),
            st.booleans(),
            st.booleans(),
            st.sampled_from([{}, {}, {"gateway_mtu": "1400"}]),
        )

    shapes = st.tuples(st.lists(st.integers(1, 2), min_size=1, max_size=2).map(tuple), st.integers(1, 3))
    return shapes.flatmap(of)


STATES = ("new", "est", "rpl,est", "rel", "inv")
FORMS = ("--detailed", "--summary", "--minimal", "--all")
OVER4 = (
    "tcp.dst == 80 && tcp.flags == 2", "udp.dst == 53", "icmp4.type == 8", "icmp4.type == 3 && icmp4.code == 4", "tcp",
    "ip.frag == 1 && tcp.src == 9", "ip.proto == 2",
)  # fmt: skip


class Traffic:
    """Command lines of `ovn-trace` for packets of a network; the choices are the caller's."""

    def __init__(self, network: RoutedNetwork, choices: Random) -> None:
        self._network, self._random = network, choices
        self._choose = choices.choice
        self._macs = network.macs()
        self._routers = {guest.port: network.routers_near(guest) for guest in network.guests()}

    def line(self, form: str | None = None) -> list[str]:
        """Options and microflow; what the database leaves open is said."""
        states = [f"--ct={self._choose(STATES)}" for _ in range(self._random.choice((0, 0, 1, 2, 4)))]
        chosen = [
            f"--lb-dst={self._choose(BACKENDS)}" for _ in range(self._choose((0, 1)) if self._network.balancers else 0)
        ]
        return [*states, *chosen, f"--select-id={self._choose((1, 2))}", form or self._choose(FORMS), self.microflow()]

    def microflow(self) -> str:
        """A packet that a guest may send."""
        sender = self._choose(self._network.guests())
        kind = self._choose((self._over_ip4, self._over_ip4, self._over_ip4, self._over_ip6, self._over_ip6, self._arp))
        return f'inport == "{sender.port}" && eth.src == {sender.mac} && {kind(sender)}'

    def _from(self, own: str, version: int) -> str:
        return own if self._random.random() < 0.8 else self._choose(self._network.addresses(version))

    def _towards(self, sender: Guest) -> str:
        """A router that the sender knows, or anybody."""
        near = self._routers[sender.port]
        return self._choose(near if near and self._random.random() < 0.8 else self._macs)

    def _above(self, sender: Guest, version: int) -> str:
        source = self._from(sender.ip4 if version == 4 else sender.ip6, version)
        destination = self._choose(self._network.addresses(version))
        name = f"ip{version}"
        ttl = self._choose((64, 64, 64, 1))
        return (
            f"eth.dst == {self._towards(sender)} && {name}.src == {source} && {name}.dst == {destination}"
            f" && ip.ttl == {ttl}"
        )

    def _over_ip4(self, sender: Guest) -> str:
        return f"{self._above(sender, 4)} && {self._choose(OVER4)}"

    def _over_ip6(self, sender: Guest) -> str:
        target = self._choose(self._network.addresses(6))
        if self._random.random() < 0.2:
            discovery = self._choose((f"nd_ns && nd.target == {target}", f"nd_na && nd.target == {target}", "nd_rs"))
            return (
                f"eth.dst == 33:33:ff:00:00:f0 && ip6.src == {sender.ip6} && ip6.dst == {target}"
                f" && ip.ttl == 255 && {discovery}"
            )
        over = self._choose(
            ("tcp.dst == 80 && tcp.flags == 2", "udp.dst == 53", "icmp6.type == 128 && icmp6.code == 0")
        )
        return f"{self._above(sender, 6)} && {over}"

    def _arp(self, sender: Guest) -> str:
        target = self._choose(self._network.addresses(4))
        operation = self._choose((1, 1, 2))
        return (
            f"eth.dst == ff:ff:ff:ff:ff:ff && arp.op == {operation} && arp.sha == {sender.mac}"
            f" && arp.spa == {self._from(sender.ip4, 4)} && arp.tpa == {target}"
        )
