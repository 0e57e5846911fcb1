"""`ovs-ofctl` as guides type it, without `-O`, on our switch and on a real one: the tool says the same of both."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.test_controller_flows import daemon
from tests.support.c_programs import need
from tests.support.clusters import eventually
from tests.support.real_ovs import RealSwitch
from tests.support.servers import server_process, upstream_schema

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

#: as root in a network of its own, for it makes devices
APART = ["unshare", "--net"] if os.geteuid() == 0 else []
VSWITCHD = [*APART, sys.executable, "-c", "import sys; from pyovn.daemons.vswitchd import main; sys.exit(main())"]
#: what a controller that speaks OpenFlow 1.5 installs
INSTALLED = """\
table=1,ip,actions=set_field:0a:00:00:00:00:01->eth_src,set_field:10.0.0.1->ip_src,set_field:10.0.0.2->ip_dst
table=2,tcp,actions=set_field:80->tcp_src,set_field:5->ip_dscp,set_field:1->ip_ecn,dec_ttl,set_field:9->nw_ttl
table=3,vlan_tci=0x1000/0x1000,actions=set_field:4101->vlan_vid,set_field:3->vlan_pcp,pop_vlan
table=4,actions=push_vlan:0x8100,set_field:4101->vlan_vid,output:1
table=5,ipv6,actions=set_field:fe80::1->ipv6_src,set_field:ff02::/ffff::->ipv6_dst
table=6,actions=set_field:0x5/0xf5->reg1,set_field:0x1122->metadata,move:reg1[3..5]->reg2[7..9]
table=7,actions=controller,controller(userdata=01.02,pause),output:1,output:LOCAL,in_port,flood,all,normal
table=8,ip,actions=ct(commit,zone=reg1[0..15],nat(src=1.2.3.4),exec(set_field:1->ct_mark)),clone(output:1),ct_clear
table=10,actions=write_actions(output:1)
table=11,actions=clear_actions,goto_table:98
table=12,actions=learn(table=5,reg0=1,load:5->reg1[]),set_queue:5,pop_queue,push:reg1[],pop:reg2[]
table=13,conj_id=5,actions=resubmit(3,),resubmit(3,4),note:11.22,bundle(eth_src,0,hrw,ofport,members:1,2),exit
table=14,reg1=5/7,actions=conjunction(7,1/2),conjunction(8,1/3)
table=16,mpls,mpls_label=5,actions=dec_mpls_ttl,pop_mpls:0x0800
table=17,arp,arp_op=1,arp_spa=1.2.3.4,actions=set_field:2->arp_op,set_field:1.2.3.4->arp_spa
table=18,icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::1,nw_ttl=255,actions=set_field:fe80::2->nd_target
table=19,in_port=LOCAL,dl_vlan=5,metadata=5,ct_state=+trk-new,ct_label=1,tun_id=5,pkt_mark=3,sctp,tp_dst=5,actions=drop
table=20,in_port=3,vlan_tci=0x0000,xreg2=5,tcp,tcp_flags=+syn-ack,tun_src=1.2.3.4,cookie=7,actions=dec_ttl(1,2)
"""
#: what a user types
TYPED = """\
table=1,udp,nw_src=10.0.0.0/8,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=mod_tp_dst:5,mod_vlan_vid:7
table=2,ip,actions=mod_nw_src:10.0.0.1,load:0xb->NXM_NX_REG1[],resubmit(,4)
in_port=1,dl_vlan=5,actions=mod_vlan_vid:6,output:2,strip_vlan
arp,arp_op=1,nw_dst=10.0.0.1,actions=normal
cookie=0x77,udp,tp_src=9,actions=mod_tp_src:8,mod_tp_dst:9,controller:77
priority=3,icmp,icmp_type=3,actions=mod_dl_src:00:00:00:00:00:07,mod_nw_tos:16,local
table=3,ipv6,ipv6_dst=fe80::/64,actions=ct(table=4),load:1->NXM_NX_XXREG0[0..63]
"""
FRAME = "ffffffffffff0a000000000108060001080006040001" + "0a0000000001" + "0a000001" + "00" * 6 + "0a000002"
TO_CONTROLLER = f"packet-out SWITCH in_port=local,packet={FRAME},actions=resubmit(,0)"
CONVERSATION = (
    "add-flows SWITCH FILE",
    "add-flow SWITCH table=3,actions=group:7",
    "add-flow SWITCH check_overlap,priority=3,ip,actions=drop",
    "mod-flows SWITCH table=1,ip,actions=drop",
    "mod-flows SWITCH table=77,ip,actions=drop",
    "mod-flows SWITCH cookie=0x77/-1,actions=output:3",
    "mod-flows SWITCH cookie=0x78/-1,actions=output:3",
    "--strict mod-flows SWITCH priority=3,icmp,icmp_type=3,actions=output:4",
    "--no-stats --sort dump-flows SWITCH",
    "dump-flows SWITCH cookie=0x77/-1",
    "dump-flows SWITCH table=1",
    "dump-flows SWITCH out_port=2",
    "--names dump-flows SWITCH table=77",
    "dump-aggregate SWITCH udp",
    "dump-aggregate SWITCH",
    "-F openflow10 dump-aggregate SWITCH",
    "-F openflow10 dump-flows SWITCH dl_vlan=5",
    "-F openflow10 dump-flows SWITCH arp",
    "show SWITCH",
    "dump-ports SWITCH p1",
    "dump-ports-desc SWITCH",
    "dump-tlv-map SWITCH",
    "get-frags SWITCH",
    "add-group SWITCH group_id=9,type=select,bucket=weight:3,output:1,bucket=weight:4,output:2",
    "dump-groups SWITCH",
    "dump-group-stats SWITCH",
    "del-groups SWITCH group_id=9",
    "dump-groups SWITCH",
    f"packet-out SWITCH in_port=local,packet={FRAME},actions=output:1",
    TO_CONTROLLER,
    "ct-flush-zone SWITCH 5",
    "mod-port SWITCH p1 down",
    "mod-port SWITCH p1 up",
    "--strict del-flows SWITCH priority=3,icmp,icmp_type=3",
    "del-flows SWITCH cookie=0x77/-1",
    "del-flows SWITCH table=3",
    "del-flows SWITCH ip",
    "probe SWITCH",
    "--no-stats dump-flows SWITCH",
    "replace-flows SWITCH FILE",
    "diff-flows SWITCH FILE",
    "del-flows SWITCH",
    "dump-flows SWITCH",
)


class Tool:
    """C's `ovs-ofctl`, and a switch's bridge."""

    def __init__(self, program: Path, remote: str, directory: Path) -> None:
        self.program, self.remote, self.directory = program, remote, directory

    def run(self, line: str) -> tuple[str, int, str, str]:
        """A command line, with its exit status and what was printed but for what differs from moment to moment."""
        words = [
            word.replace("SWITCH", self.remote).replace("FILE", str(self.directory / "typed")) for word in line.split()
        ]
        done = subprocess.run([self.program, *words], capture_output=True, text=True, timeout=30)
        return line, done.returncode, settled(done.stdout), settled(done.stderr).replace(self.remote, "SWITCH")


def settled(text: str) -> str:
    """Without what is each switch's own; flows in an order of ours."""
    text = re.sub(r"duration=[0-9.]+s,? ?|idle_age=\d+, ", "", text)
    text = re.sub(r"addr:[0-9a-f:]+|dpid:[0-9a-f]+|(drop|errs|frame|over|crc|coll)=[0-9?]+", "…", text)
    text = re.sub(r"\n +CUSTOM Statistics\n(?: {20,}.*\n?)+", "\n", text)
    text = re.sub(r"\n +(LINK_DOWN|state:.*|config:.*|current:.*|speed:.*)", "", text)
    return "\n".join(sorted(text.splitlines())) if "actions=" in text else text


@pytest.fixture(scope="module", params=["26.03", "23.03"])
def tools(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tool, Tool]]:
    """The tool of a release with our switch, and with a real one."""
    program, directory = need("ovs-ofctl", request.param), tmp_path_factory.mktemp("flows")
    (directory / "installed").write_text(INSTALLED)
    (directory / "typed").write_text(TYPED)
    with contextlib.ExitStack() as stack:
        real = stack.enter_context(RealSwitch(version=request.param))
        server = stack.enter_context(server_process(upstream_schema("vswitch")))
        run, place = [need("ovs-vsctl"), f"--db={server.remote}"], server.directory
        subprocess.run([*run, "--no-wait", "init"], check=True)
        stack.enter_context(daemon([*VSWITCHD, server.remote, f"--unixctl={place}/vs.ctl", "-vconsole:off"], place))
        subprocess.run(
            [*run, "add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure"], check=True, timeout=30
        )
        port = ["add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy", "ofport_request=1"]
        subprocess.run([*run, *port], check=True, timeout=30)
        real.add_bridge("br0")
        real.add_port("br0", "p1", 1)
        yield Tool(program, f"unix:{place}/br0.mgmt", directory), Tool(program, real.mgmt("br0"), directory)


@pytest.mark.parametrize("version", ["", "-O OpenFlow13 ", "-O OpenFlow14 "])
def test_what_a_controller_installed_is_shown(tools: tuple[Tool, Tool], version: str) -> None:
    shown = []
    for tool in tools:
        added = tool.run("-O OpenFlow15 add-flows SWITCH FILE".replace("FILE", str(tool.directory / "installed")))
        assert added[1:] == (0, "", "")
        shown.append(tool.run(f"{version}dump-flows SWITCH"))
        tool.run("del-flows SWITCH")
    assert shown[0] == shown[1]
    assert shown[0][2].count("\n") == INSTALLED.count("\n")


#: what OpenFlow 1.3 and 1.4 tell otherwise, or cannot do
OLDEST_ONLY = ("openflow10", "mod-flows", "cookie", "group-stats", "FILE", "get-frags")
NEWER = (
    "add-flow SWITCH table=1,tcp,tp_dst=80,actions=set_field:10.0.0.1->ip_dst,load:0xb->NXM_NX_REG1[0..7],resubmit(,4)",
    "add-flow SWITCH table=1,importance=3,idle_timeout=60,arp,actions=move:reg0[]->reg1[],goto_table:5",
    "add-flow SWITCH table=2,actions=ct(commit,exec(load:1->NXM_NX_CT_MARK[])),write_actions(output:1),goto_table:9",
    "mod-flows SWITCH table=2,actions=output:2",
    "mod-flows SWITCH table=3,actions=output:2",
    "add-meter SWITCH meter=5,pktps,burst,band=type=drop,rate=100,burst_size=5",
    "add-flow SWITCH table=4,actions=meter:5,output:1",
    "dump-meters SWITCH",
    "add-group SWITCH group_id=8,type=ff,bucket=watch_port:1,output:1",
    "add-flow SWITCH table=4,ip,actions=group:8",
    "dump-groups SWITCH",
    "del-groups SWITCH",
    "del-meters SWITCH",
    "-O OpenFlow14 --bundle add-flow SWITCH table=7,actions=output:1",
)


@pytest.mark.parametrize("version", ["OpenFlow13", "OpenFlow14"])
def test_newer_versions_are_spoken_too(tools: tuple[Tool, Tool], version: str) -> None:
    lines = [*NEWER, *(line for line in CONVERSATION if not any(word in line for word in OLDEST_ONLY))]
    ours, theirs = ([tool.run(f"-O {version} {line}") for line in lines] for tool in tools)
    assert ours == theirs


def test_what_a_user_types_is_done(tools: tuple[Tool, Tool]) -> None:
    ours, theirs = ([tool.run(line) for line in CONVERSATION] for tool in tools)
    assert ours == theirs


@contextlib.contextmanager
def monitored(tool: Tool) -> Iterator[Path]:
    """What `ovs-ofctl monitor` prints, as a file that grows."""
    log, places = tool.directory / "log", dict.fromkeys(("OVS_RUNDIR", "OVS_LOGDIR"), str(tool.directory))
    with log.open("w") as out:
        words = [tool.program, "monitor", tool.remote, "65534"]
        process = subprocess.Popen(words, stdout=out, stderr=out, env=os.environ | places)
    try:
        yield log
    finally:
        process.terminate()
        process.wait()


def test_what_a_switch_says_unasked_is_printed(tools: tuple[Tool, Tool]) -> None:
    said = []
    for tool in tools:
        tool.run("add-flow SWITCH priority=9,send_flow_rem,cookie=5,actions=controller")
        with monitored(tool) as log:
            eventually(lambda tool=tool, log=log: tool.run(TO_CONTROLLER) and "arp" in log.read_text())
            tool.run("--strict del-flows SWITCH priority=9")
            eventually(lambda log=log: "FLOW_REMOVED" in log.read_text())
            lines = log.read_text().splitlines()
        said.append({re.sub(r"pkts\d+ bytes\d+|duration[0-9.]+s", "", line) for line in lines})
    assert said[0] == said[1]
