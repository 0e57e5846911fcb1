"""Our traces beside those of C's `ovn-trace`, on databases that a C northd or the test wrote."""

import shlex
import subprocess
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.northd.networks import NetworkSpec, networks
from tests.northd.oracle import Oracle, oracle
from tests.support.c_programs import need
from tests.support.servers import RunningServer, c_server_process, upstream_schema
from tests.trace.oracle import Packets, Twins, older_central

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def southbound() -> Iterator[RunningServer]:
    """A Southbound database without a northd: a switch `d` with ports a, b, c and a group `mc` of b and c."""
    need("ovn-trace", version="26.03")
    with c_server_process(upstream_schema("ovn-sb"), version="26.03") as server:
        server.transact("OVN_Southbound", *_ROWS)
        yield server


def _port(name: str, key: int) -> dict[str, object]:
    row = {"datapath": ["named-uuid", "d"], "logical_port": name, "tunnel_key": key}
    return {"op": "insert", "table": "Port_Binding", "uuid-name": name, "row": row}


_BINDING = {"logical_port": "b", "ip": "2.2.2.2", "mac": "00:00:00:00:00:22", "datapath": ["named-uuid", "d"]}
_GROUP = {
    "datapath": ["named-uuid", "d"], "name": "mc", "tunnel_key": 0x8000,
    "ports": ["set", [["named-uuid", "b"], ["named-uuid", "c"]]],
}  # fmt: skip
_NAMES = ["map", [["name", "d"], ["logical-switch", "11111111-1111-1111-1111-111111111111"]]]
_ROWS = [
    {
        "op": "insert", "table": "Datapath_Binding", "uuid-name": "d",
        "row": {"tunnel_key": 1, "external_ids": _NAMES},
    },
    _port("a", 1), _port("b", 2), _port("c", 3),
    {"op": "insert", "table": "Multicast_Group", "row": _GROUP},
    {"op": "insert", "table": "MAC_Binding", "row": _BINDING},
    {"op": "insert", "table": "FDB", "row": {"mac": "0a:00:00:00:00:02", "dp_key": 1, "port_key": 2}},
    {"op": "insert", "table": "DHCP_Options", "row": {"name": "offerip", "code": 0, "type": "ipv4"}},
    {"op": "insert", "table": "DHCPv6_Options", "row": {"name": "ia_addr", "code": 5, "type": "ipv6"}},
]  # fmt: skip

LINK = 'inport == "a" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:02'
TCP = f"{LINK} && ip4.src == 1.1.1.1 && ip4.dst == 2.2.2.2 && ip.ttl == 64 && tcp.src == 1000 && tcp.dst == 80"
UDP6 = f"{LINK} && ip6.src == fd00::1 && ip6.dst == fd00::2 && ip.ttl == 64 && udp.src == 1000 && udp.dst == 80"
NS = f"{LINK} && ip6.src == fd00::1 && ip6.dst == fd00::2 && nd_ns && nd.target == fd00::2"

#: packet and actions
ACTIONS = (
    (TCP, "drop;"),
    (TCP, "foo;"),
    (TCP, "next; next; log(verdict=allow);"),
    (TCP, "igmp; next;"),
    (TCP, 'clone { reg0 = 1; outport = "c"; output; }; next;'),
    (TCP, 'outport = "mc"; output; log(verdict=drop);'),
    (TCP, 'outport = "a"; output;'),
    (TCP, 'outport = "a"; flags.loopback = 1; output;'),
    (TCP, "output;"),
    (TCP, 'outport = "b"; reg0 = 1; flags.localnet = 1; next(pipeline=egress, table=0);'),
    (TCP, 'mirror("c"); next;'),
    (TCP, "ip.ttl--; ip4.src = ip4.dst; eth.src <-> eth.dst; reg1 = ip4.src; tcp.dst = reg1[0..15]; next;"),
    (TCP, "eth.src[0..7] = 5; ip4.src = 1.2.3.0/24; ip.dscp = 3; ip.ecn = 1; eth.dst[0..31] = ip4.src; next;"),
    (TCP, "push(eth.src); pop(eth.dst); pop(reg1); vlan.tci = 0x1005; pkt.mark = 9; log(verdict=pass);"),
    (TCP, 'inport = ""; log(name="x", verdict=reject, severity=alert, meter="m"); next;'),
    (TCP, "ct_clear; next;"),
    (TCP, "ct_next;"),
    (TCP, "ct_dnat;"),
    (TCP, "ct_dnat(9.9.9.9,1-5);"),
    (TCP, "ct_snat(9.9.9.9);"),
    (UDP6, "ct_next;"),
    (TCP, "ct_snat_in_czone;"),
    (TCP, "ct_dnat_in_czone(9.9.9.9);"),
    (TCP, "ct_commit_nat;"),
    (TCP, "ct_snat_to_vip; next;"),
    (TCP, "ct_commit_to_zone(snat);"),
    (TCP, "ct_commit { ct_mark = 1; }; next;"),
    (UDP6, "ct_dnat(fd00::9);"),
    (TCP, "ct_lb_mark;"),
    (TCP, "ct_lb_mark(backends=3.3.3.3:99);"),
    (UDP6, "ct_lb_mark(backends=[fd00::3]:99);"),
    (TCP, "ct_lb_mark(backends=[fd00::3]:99);"),
    (TCP, 'fwd_group(childports="b", "c");'),
    (NS, "ct_next;"),
    (TCP, "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = reg1; log(verdict=allow); next; };"),
    (TCP, "icmp4 { icmp4.type = 3; log(verdict=allow); next; }; next;"),
    (TCP, "icmp4_error { icmp4.frag_mtu = 1500; };"),
    (TCP, "tcp_reset { log(verdict=allow); next; };"),
    (TCP, "reject { log(verdict=allow); next; };"),
    (UDP6, "icmp6 { log(verdict=allow); };"),
    (UDP6, "reject { log(verdict=allow); };"),
    (TCP, "sctp_abort { next; };"),
    (UDP6, "nd_ns { log(verdict=allow); };"),
    (NS, "nd_na { nd.tll = 00:00:00:00:00:09; log(verdict=allow); next; };"),
    (TCP, 'outport = "b"; get_arp(outport, ip4.dst); next;'),
    (TCP, "get_arp(outport, ip4.dst); next;"),
    (TCP, "put_arp(inport, ip4.src, eth.src); next;"),
    (UDP6, "get_nd(outport, ip6.dst); next;"),
    (TCP, "reg0[0] = lookup_arp(inport, ip4.dst, eth.src); next;"),
    (TCP, "set_queue(5); set_meter(100); next;"),
    (TCP, 'outport = "b"; reg0[0] = lookup_arp_ip(outport, ip4.dst); log(verdict=allow);'),
    (TCP, "outport = get_fdb(eth.dst); log(verdict=allow);"),
    (TCP, "remote_outport = get_remote_fdb(eth.dst); next;"),
    (TCP, "reg0[0] = lookup_fdb(inport, eth.src); next;"),
    (TCP, "put_fdb(inport, eth.src); next;"),
    (TCP, 'outport = "b"; reg0[0] = lookup_fdb(outport, eth.dst); log(verdict=allow);'),
    (TCP, "reg0[0] = put_dhcp_opts(offerip = 1.2.3.4); log(verdict=allow);"),
    (TCP, "reg0[0] = check_pkt_larger(9); next;"),
    (UDP6, "reg0[0] = put_dhcpv6_opts(ia_addr = ae70::4); next;"),
    (UDP6, "reg0[0] = dns_lookup(); next;"),
    (UDP6, "reg0[0] = put_nd_ra_opts(slla = ae:01:02:03:04:05, prefix=aef0::/64); next;"),
    (TCP, "mac_cache_use; next;"),
    (TCP, "reg0[7] = dhcp_relay_req_chk(192.168.1.1, 172.16.1.1); log(verdict=allow);"),
    (TCP, "flood_remote; next;"),
    (TCP, "reg0[7] = dhcp_relay_resp_chk(192.168.1.1, 172.16.1.1); log(verdict=allow);"),
    (TCP, "reg0[0] = chk_lb_hairpin(); reg0[1] = chk_lb_aff(); reg0[2] = chk_ecmp_nh(); next;"),
    (TCP, "reg0[0] = check_in_port_sec(); next;"),
    (TCP, "reg0[0..15] = ct_tp_dst(); reg1[0..7] = ct_proto(); next;"),
    (TCP, "reg0[0..7] = ct_state_save(); next;"),
    (TCP, 'bind_vport("v", inport); handle_svc_check(inport); next;'),
    (TCP, 'trigger_event(event = "empty_lb_backends", vip = "1.1.1.1:80", protocol = "tcp"); next;'),
    (TCP, 'commit_lb_aff(vip = "1.1.1.1:80", backend = "1.1.1.2:80", proto = tcp, timeout = 3); next;'),
    (TCP, "sample(probability=1,collector_set=2,obs_domain=0,obs_point=reg0); handle_dhcpv6_reply; next;"),
)


def _flow(datapath: object, pipeline: str, table: int, actions: str) -> dict[str, object]:
    labels = ["map", [["stage-name", f"{pipeline}_{table}"], ["source", "x.c:1"]]]
    row = {
        "logical_datapath": datapath, "pipeline": pipeline, "table_id": table, "priority": 1, "match": "1",
        "actions": actions, "external_ids": labels,
    }  # fmt: skip
    return {"op": "insert", "table": "Logical_Flow", "row": row}


@pytest.mark.parametrize("then", ['outport = "b"; output;', "log(verdict=allow);"])
def test_every_action_is_traced_as_c_ovn_does(southbound: RunningServer, then: str) -> None:
    select = {"op": "select", "table": "Datapath_Binding", "where": [], "columns": ["_uuid"]}
    datapath = southbound.transact("OVN_Southbound", select)[0]["rows"][0]["_uuid"]
    twins = Twins(southbound.remote)
    for number, (packet, actions) in enumerate(ACTIONS):
        flows = [("ingress", 0, actions), ("ingress", 1, then), ("egress", 0, "output;")]
        clear = {"op": "delete", "table": "Logical_Flow", "where": []}
        southbound.transact("OVN_Southbound", clear, *(_flow(datapath, *one) for one in flows))
        twins.load()
        state = ["--ct=new"] if number % 2 else []
        twins.agree("--all", *state, "d", packet)


@pytest.mark.parametrize(
    "microflow",
    [
        "foo == 1", "ip4", 'inport == "a" && (tcp || udp)', 'inport == "a" && tcp && udp', 'inport == "nosuch"',
        'inport == "a" && tcp.dst > 5', 'inport == "a" && vlan.vid == 5', 'inport == "a" && ip4 && ip.frag == 1',
        'inport == "a" && nd_ns && nd.target == fd00::5', 'inport == "a" && rarp', 'inport == "a" && xreg4 == 1',
        'inport == "a" && ct.est && ct_mark == 3 && ct_label == 5', 'inport == "a" && pkt.mark == 7 && reg0 == 5',
    ],
)  # fmt: skip
@pytest.mark.parametrize("datapath", [[], ["d"], ["nosuch"]])
def test_microflows_are_read_as_c_ovn_does(southbound: RunningServer, microflow: str, datapath: list[str]) -> None:
    Twins(southbound.remote).agree("--minimal", *datapath, microflow)


@pytest.fixture(scope="module")
def c() -> Iterator[Oracle]:
    """The C northd."""
    with oracle() as running:
        yield running


#: direction, priority, match, action, further columns
Rule = tuple[str, int, str, str, dict[str, object]]
RULES: tuple[Rule, ...] = (
    ("to-lport", 1000, 'outport == "s0p0" && tcp.dst == 22', "drop", {}),
    ("to-lport", 1001, "tcp.dst == 23", "reject", {"log": True, "name": "r"}),
    ("from-lport", 1002, 'inport == "s0p1" && ip4', "allow-related", {}),
    ("from-lport", 900, "udp", "allow", {"log": True, "severity": "warning"}),
    ("to-lport", 1100, "arp", "allow-stateless", {}),
    ("from-lport", 1100, "icmp4", "pass", {"tier": 1}),
)


def _add_rules(c: Oracle, rules: list[Rule]) -> None:
    """Give the first switch some ACLs."""
    operations: list[dict[str, object]] = []
    for number, (direction, priority, match, action, more) in enumerate(rules):
        row = {"direction": direction, "priority": priority, "match": match, "action": action, **more}
        operations.append({"op": "insert", "table": "ACL", "uuid-name": f"acl{number}", "row": row})
    names = ["set", [["named-uuid", f"acl{number}"] for number in range(len(rules))]]
    where = [["name", "==", "s0"]]
    mutation = [["acls", "insert", names]]
    operations.append({"op": "mutate", "table": "Logical_Switch", "where": where, "mutations": mutation})
    c.rpc.transact("OVN_Northbound", *operations)
    c.settle()


@seed(2)
@settings(max_examples=25, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(
    network=networks,
    rules=st.lists(st.sampled_from(RULES), max_size=4, unique_by=id),
    choices=st.integers(0, 1 << 32).map(Random),
)
def test_random_switches_are_traced_as_c_ovn_does(
    c: Oracle, network: NetworkSpec, rules: list[Rule], choices: Random
) -> None:
    c.configure(network)
    _add_rules(c, rules)
    twins = Twins(c.server.remote)
    packets = Packets(twins, choices)
    if packets:
        for _ in range(8):
            twins.agree(*packets.line())


#: Two switches, a gateway, NAT, load balancing, DHCP, DNS: what `ovn-nbctl` is told.
ROUTED = """
ls-add sw0
lsp-add sw0 p1 -- lsp-set-addresses p1 "0a:00:00:00:00:01 10.0.0.1 fd00::1"
lsp-set-port-security p1 "0a:00:00:00:00:01 10.0.0.1"
lsp-add sw0 p2 -- lsp-set-addresses p2 "0a:00:00:00:00:02 10.0.0.2"
lsp-add sw0 p3 -- lsp-set-addresses p3 unknown
lsp-add sw0 ln -- lsp-set-type ln localnet -- lsp-set-addresses ln unknown -- lsp-set-options ln network_name=phys
acl-add sw0 to-lport 1000 "outport == \\"p2\\" && tcp.dst == 22" drop
--log --name=foo acl-add sw0 to-lport 1001 "outport == \\"p2\\" && tcp.dst == 23" reject
acl-add sw0 from-lport 1001 "inport == \\"p1\\" && ip4" allow-related
ls-add sw1 -- lsp-add sw1 q1 -- lsp-set-addresses q1 "0a:00:00:00:01:01 20.0.0.1"
lr-add lr0 -- lrp-add lr0 lr0-sw0 00:00:00:00:ff:01 10.0.0.254/24 fd00::254/64
lrp-add lr0 lr0-sw1 00:00:00:00:ff:02 20.0.0.254/24 -- lrp-add lr0 lr0-pub 00:00:00:00:ff:03 172.16.0.1/24
lsp-add sw0 sw0-lr0 -- lsp-set-type sw0-lr0 router -- lsp-set-addresses sw0-lr0 router
lsp-set-options sw0-lr0 router-port=lr0-sw0
lsp-add sw1 sw1-lr0 -- lsp-set-type sw1-lr0 router -- lsp-set-addresses sw1-lr0 router
lsp-set-options sw1-lr0 router-port=lr0-sw1
ls-add pub -- lsp-add pub pub-lr0 -- lsp-set-type pub-lr0 router -- lsp-set-addresses pub-lr0 router
lsp-set-options pub-lr0 router-port=lr0-pub -- lsp-add pub ext -- lsp-set-addresses ext unknown
lrp-set-gateway-chassis lr0-pub ch1
lb-add lb0 30.0.0.1:80 10.0.0.1:8080 tcp -- lr-lb-add lr0 lb0 -- ls-lb-add sw1 lb0
lr-nat-add lr0 snat 172.16.0.1 20.0.0.0/24 -- lr-nat-add lr0 dnat_and_snat 172.16.0.10 20.0.0.1
lr-route-add lr0 0.0.0.0/0 172.16.0.254
--id=@d create DHCP_Options cidr=10.0.0.0/24 options:router=10.0.0.254 -- set Logical_Switch_Port p1 dhcpv4_options=@d
set DHCP_Options p1 options:server_id=10.0.0.254 options:lease_time=3600 'options:server_mac="00:00:00:00:ff:01"'
set Logical_Router_Port lr0-sw0 ipv6_ra_configs:address_mode=slaac
set Logical_Router_Port lr0-pub options:gateway_mtu=1400
--id=@n create DNS records="vm1.ovn.org=10.0.0.4" -- set Logical_Switch sw0 dns_records=@n
qos-add sw0 from-lport 100 "inport == \\"p2\\" && ip4" dscp=10 rate=100
"""


def test_a_routed_network_is_traced_as_c_ovn_does(routed: Twins) -> None:
    packets = Packets(routed, Random(3))
    for _ in range(100):
        routed.agree(*packets.line())


@pytest.fixture(scope="module")
def routed(c: Oracle) -> Twins:
    """The routed network, compiled by the C northd."""
    c.configure(lambda _txn: None)
    program = need("ovn-nbctl", version="26.03")
    for line in ROUTED.strip().splitlines():
        subprocess.run([program, f"--db={c.server.remote}", "--no-leader-only", *shlex.split(line)], check=True)
    c.settle()
    return Twins(c.server.remote)


@pytest.fixture(scope="module")
def older() -> Iterator[Twins]:
    """A switch and a router in databases of OVN 23.03, compiled by its northd."""
    nbctl = need("ovn-nbctl", version="23.03")
    need("ovn-trace", version="26.03")
    with older_central() as server:
        command = [nbctl, f"--db={server.remote}", "--no-leader-only"]
        for line in ROUTED.strip().splitlines():
            subprocess.run([*command, *shlex.split(line)], check=True)
        subprocess.run([*command, "--wait=sb", "sync"], check=True)
        yield Twins(server.remote)


def test_an_older_database_is_traced_as_c_ovn_does(older: Twins) -> None:
    packets = Packets(older, Random(4))
    for _ in range(40):
        older.agree(*packets.line())
