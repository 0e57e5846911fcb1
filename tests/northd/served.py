"""Random networks whose guests are answered by DHCP and DNS, with external ports beside a router."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb

V4 = {"server_id": "10.0.0.1", "server_mac": "c0:ff:ee:00:00:01", "lease_time": "3600"}
V6 = {"server_id": "c0:ff:ee:00:00:02"}
#: (cidr, options); each wants something
OPTIONS: list[tuple[str, dict[str, str]]] = [
    ("10.0.0.0/24", {**V4, "router": "10.0.0.1", "dns_server": "{8.8.8.8, 8.8.4.4}"}),
    ("10.0.0.9/255.255.0.0", {**V4, "hostname": '"h"', "netmask": "255.0.0.0"}),
    ("10.0.1.0/24", {**V4, "domain_name": '"ovn.org"', "ip_forward_enable": "1"}),
    ("10.0.0.1", V4),
    ("10.0.0.0/24", {key: V4[key] for key in ("server_id", "server_mac")}),
    ("fd00::/64", {**V6, "dns_server": "fd00::53"}),
    ("fd00::/64", {**V6, "dhcpv6_stateless": "true", "domain_search": '"ovn.org"'}),
    ("fd01::/64", {**V6, "dhcpv6_stateless": "false"}),
    ("fd00::/64", {"dns_server": "fd00::53"}),
    ("fd00::/64", {"server_id": "nonsense"}),
]
ADDRESSES = [
    ["00:00:00:00:00:01 10.0.0.1 fd00::1"],
    ["00:00:00:00:00:02 10.0.1.2 10.0.0.2 fd01::2 fd00::2", "00:00:00:00:00:03 10.0.0.3"],
    ["00:00:00:00:00:04", "unknown"],
    [],
]
NAMES: list[dict[str, Any]] = [
    {"records": {"a.ovn.org": "10.0.0.1 fd00::1", "B": "10.0.0.2"}},
    {"records": {"1.0.0.10.in-addr.arpa": "a.ovn.org"}, "options": {"ovn-owned": "True", "x": "y"}},
    {"external_ids": {"a": "b"}},
]
LINKS = [["router"], ["router", "00:00:00:00:00:77 10.0.0.77 fd00::77"], ["00:00:00:00:00:77 10.0.0.77"]]


class Served(NamedTuple):
    """A switch with its ports and, perhaps, a router."""

    ports: tuple[Mapping[str, Any], ...]
    names: frozenset[int]
    link: list[str] | None
    localnets: int
    acl: str | None
    relay: tuple[str | None, str | None]  #: the server, and the switch's port

    def __call__(self, txn: Txn) -> None:
        """Write the network down."""
        options = [txn.insert(nb.DHCPOptions, cidr=cidr, options=given) for cidr, given in OPTIONS]
        names = [txn.insert(nb.DNS, **columns) for columns in NAMES]
        members = [txn.insert(nb.HAChassis, chassis_name="ch1", priority=1)]
        group = txn.insert(nb.HAChassisGroup, name="g", ha_chassis=frozenset(members))
        ports: list[Uuid] = []
        config: dict[str, str] = {}
        for number in range(self.localnets):
            network = {"network_name": f"phys{number}"}
            ports.append(txn.insert(nb.LogicalSwitchPort, name=f"ln{number}", type="localnet", options=network))
        for number, port in enumerate(self.ports):
            columns = {**port, "name": f"p{number}"}
            for column in ("dhcpv4_options", "dhcpv6_options"):
                columns[column] = options[port[column]] if column in port else None
            if columns.pop("grouped"):
                columns["ha_chassis_group"] = group
            ports.append(txn.insert(nb.LogicalSwitchPort, **columns))
        if self.link is not None:
            way: dict[str, Any] = {
                "name": "rp",
                "mac": "00:00:00:00:01:01",
                "networks": frozenset(["10.0.0.254/24", "fd00::fe/64"]),
            }
            server, asked = self.relay
            if server is not None:
                way["dhcp_relay"] = txn.insert(nb.DHCPRelay, name="relay", servers=server)
            if asked is not None:
                config["dhcp_relay_port"] = asked
            txn.insert(nb.LogicalRouter, name="r", ports=frozenset([txn.insert(nb.LogicalRouterPort, **way)]))
            link = {"type": "router", "addresses": frozenset(self.link), "options": {"router-port": "rp"}}
            ports.append(txn.insert(nb.LogicalSwitchPort, name="to-r", **link))
        acls = [self.acl] if self.acl else []
        txn.insert(
            nb.LogicalSwitch,
            name="s",
            other_config=config,
            ports=frozenset(ports),
            dns_records=frozenset(names[each] for each in self.names),
            acls=frozenset(
                txn.insert(nb.ACL, action=each, direction="to-lport", match="ip", priority=7) for each in acls
            ),
        )
        txn.insert(nb.LogicalSwitch, name="t", dns_records=frozenset(names[:1]) if 0 in self.names else frozenset())


TYPES = ["", "", "", "external", "external", "localport", "virtual", "vtep", "remote"]


def relayable(network: Served) -> Served:
    """With a relay, the C northd takes the first MAC of each guest, and writes nonsense where there is none."""
    if None in network.relay:
        return network
    one = frozenset(ADDRESSES[0])
    return network._replace(ports=tuple({**port, "addresses": one} for port in network.ports))


networks = st.builds(
    Served,
    st.lists(
        st.fixed_dictionaries(
            {
                "addresses": st.sampled_from(ADDRESSES).map(frozenset),
                "type": st.sampled_from(TYPES),
                "enabled": st.sampled_from([None, None, None, False]),
                "options": st.sampled_from([{}, {}, {"hostname": '"own"'}]),
                "grouped": st.booleans(),
            },
            optional={"dhcpv4_options": st.integers(0, 4), "dhcpv6_options": st.integers(5, 9)},
        ),
        max_size=3,
    ).map(tuple),
    st.frozensets(st.integers(0, 2)),
    st.sampled_from([None, *LINKS]),
    st.integers(0, 2),
    st.sampled_from([None, None, "allow-related", "drop"]),
    st.tuples(st.sampled_from([None, "172.16.1.1"]), st.sampled_from([None, "to-r", "to-r", "nobody"])),
).map(relayable)
