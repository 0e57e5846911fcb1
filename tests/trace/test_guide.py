"""The guide "OVN Routing and ovn-trace": its network, its packet, and what its trace prints."""

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.txn import Txn
from pyovn.tables import nb
from pyovn.trace.network import Network
from pyovn.trace.request import Request, answer
from pyovn.trace.tables import read_tables
from tests.northd.world import World

MICROFLOW = (
    'inport == "vm1" && eth.src == 40:44:00:00:00:01 && eth.dst == 40:44:00:00:00:03'
    " && ip4.src == 192.168.0.11 && ip4.dst == 192.168.1.11 && ip.ttl == 64"
)
#: The guide's lines, with the addresses that it lost; `reg1`, the address of the router, is `reg5` by now.
PRINTED = """\
# ip,reg14=0x1,vlan_tci=0x0000,dl_src=40:44:00:00:00:01,dl_dst=40:44:00:00:00:03,nw_src=192.168.0.11,\
nw_dst=192.168.1.11,nw_proto=0,nw_tos=0,nw_ecn=0,nw_ttl=64
ingress(dp="network1", inport="vm1") {
    outport = "net1-router1";
    egress(dp="network1", inport="vm1", outport="net1-router1") {
        /* output to "net1-router1", type "patch" */;
        ingress(dp="router1", inport="router1-net1") {
            reg0 = ip4.dst;
            reg5 = 192.168.1.1;
            eth.src = 40:44:00:00:00:04;
            outport = "router1-net2";
            flags.loopback = 1;
            eth.dst = 40:44:00:00:00:02;
            egress(dp="router1", inport="router1-net1", outport="router1-net2") {
                /* output to "router1-net2", type "patch" */;
                ingress(dp="network2", inport="net2-router1") {
                    outport = "vm2";
                    egress(dp="network2", inport="net2-router1", outport="vm2") {
                        /* output to "vm2", type "" */;
"""


#: What today's pipelines do beside that.
MORE = {
    "next;", "output;", "ct_clear;", "ip.ttl--;", "mac_cache_use;", "flags.network_id = 0;", "flags.pkt_sampled = 0;",
    "reg0[15] = check_in_port_sec();", "reg0[15] = check_out_port_sec();", "reg0[18] = 1;", "reg7 = 0;",
    "reg8[0..15] = 0;", "reg9[2] = 1;", "reg9[4] = 0;", "reg9[9] = 1;", "xreg0[0..47] = 40:44:00:00:00:03;", "};",
}  # fmt: skip


def network(txn: Txn, number: int) -> frozenset[Uuid]:
    """One of the guide's networks; returns its ports."""
    guest = f"40:44:00:00:00:0{number} 192.168.{number - 1}.11"
    ports = frozenset([txn.insert(nb.LogicalSwitchPort, name=f"vm{number}", addresses=frozenset([guest]))])
    txn.insert(nb.LogicalSwitch, name=f"network{number}", ports=ports)
    return ports


def router(txn: Txn, world: World) -> None:
    """The guide's router, and the ports of the networks that lead to it."""
    ports = []
    for switch in world.rows(nb.LogicalSwitch):
        number = int(switch.name[-1])
        mac, name = f"40:44:00:00:00:0{number + 2}", f"router1-net{number}"
        networks = frozenset([f"192.168.{number - 1}.1/24"])
        ports.append(txn.insert(nb.LogicalRouterPort, name=name, mac=mac, networks=networks))
        columns = {"type": "router", "addresses": frozenset([mac]), "options": {"router-port": name}}
        link = txn.insert(nb.LogicalSwitchPort, name=f"net{number}-router1", **columns)
        txn.mutate(switch, "ports", "insert", link)
    txn.insert(nb.LogicalRouter, name="router1", ports=frozenset(ports))


def test_the_summary_of_the_guide_is_as_it_prints_it() -> None:
    world = World()
    for number in (1, 2):
        world.edit(lambda txn, number=number: network(txn, number))
    world.edit(lambda txn: router(txn, world))
    question = Request(MICROFLOW, "network1", ("summary",))
    title, *lines = answer(Network(read_tables(world.call)), question).splitlines()
    wanted_title, *wanted = PRINTED.splitlines()
    assert title == f"{wanted_title},nw_frag=no", "Open vSwitch says more of packets by now"
    left = iter(lines)
    for line in wanted:
        assert line in left, f"{line}\nis not where it should be in\n" + "\n".join(lines)
    assert {line.strip() for line in lines} - {line.strip() for line in wanted} == MORE
