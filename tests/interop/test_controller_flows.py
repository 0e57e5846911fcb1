"""Our controller beside C's of 26.03 on the same southbound database: the same flows, table by table."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyovn.openflow import messages as m
from pyovn.runtime.openflow import OpenFlowClient
from tests.support.c_programs import need
from tests.support.flow_twins import comparable
from tests.support.netns import run
from tests.support.real_ovs import RealSwitch
from tests.support.servers import c_server_process, upstream_schema

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]

OURS = [sys.executable, "-c", "import sys; from pyovn.daemons.controller import main; sys.exit(main())"]
NETWORK = (
    "ls-add sw0",
    *(f"lsp-add sw0 p{n} -- lsp-set-addresses p{n} '0a:00:00:00:00:0{n} 192.168.0.{n} fd00::{n}'" for n in range(1, 6)),
    "lsp-set-port-security p1 '0a:00:00:00:00:01 192.168.0.1 fd00::1'",
    "lsp-set-addresses p3 '0a:00:00:00:00:03 192.168.0.3' unknown",
    "lsp-add sw0 c1 p1 42 -- lsp-set-addresses c1 '0a:00:00:00:01:01 192.168.0.101'",
    "lsp-add sw0 lp -- lsp-set-type lp localport -- lsp-set-addresses lp '0a:00:00:00:00:99 192.168.0.99'",
    "ls-add sw1 -- lsp-add sw1 ln1 -- lsp-set-type ln1 localnet -- lsp-set-addresses ln1 unknown",
    "lsp-set-options ln1 network_name=net1 -- set logical_switch_port ln1 tag_request=100",
    "lsp-add sw1 q1 -- lsp-set-addresses q1 '0a:00:00:00:02:01 172.16.0.1'",
    "lsp-add sw1 q2 -- lsp-set-addresses q2 '0a:00:00:00:02:02 172.16.0.2'",
    "lr-add r0 -- lrp-add r0 r0-sw0 00:00:00:00:ff:01 192.168.0.254/24 -- lsp-add-router-port sw0 sw0-r0 r0-sw0",
    "lrp-add r0 r0-sw1 00:00:00:00:ff:02 172.16.0.254/24 -- lsp-add-router-port sw1 sw1-r0 r0-sw1",
    "pg-add pg1 p1 p2 p3",
    "create address_set name=as1 addresses=10.0.0.1,10.0.0.2",
    "acl-add pg1 to-lport 1001 'outport == @pg1 && ip4.src == $as1 && tcp.dst == {80, 443}' allow-related",
    "acl-add pg1 from-lport 1000 'inport == @pg1 && ip4.dst == {10.5.0.1, 10.5.0.2} && udp.dst == {53, 54}' drop",
    "lb-add lb1 10.99.0.1:80 192.168.0.1:8080,192.168.0.2:8080 -- ls-lb-add sw0 lb1",
    "meter-add slow drop 5 pktps -- --fair meter-add wide drop 100 kbps 200",
    "copp-add cp arp slow -- copp-add cp nd-na wide -- copp-add cp arp-resolve slow -- copp-add cp dns nobody",
    "lr-copp-add cp r0 -- ls-copp-add cp sw0",
)
HERE = {"hv1": ("p1", "p4", "lp", "q1"), "hv2": ("p2", "p3", "q2")}


@contextlib.contextmanager
def daemon(words: list[str], directory: Path) -> Iterator[None]:
    """A program that runs as long as the context."""
    kinds = ("OVS_RUNDIR", "OVN_RUNDIR", "OVS_LOGDIR", "OVN_LOGDIR", "OVN_SYSCONFDIR")
    environment = {**dict.fromkeys(kinds, str(directory)), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def prepared(switch: RealSwitch, chassis: str, southbound: str) -> None:
    """A hypervisor's switch with its interfaces plugged."""
    ids = {
        "system-id": chassis,
        "hostname": chassis,
        "ovn-remote": southbound,
        "ovn-encap-type": "geneve",
        "ovn-encap-ip": f"10.0.0.{chassis[2:]}",
        "ovn-bridge-mappings": "net1:br-phys",
        "ovn-chassis-mac-mappings": f"net1:aa:bb:cc:dd:ee:0{chassis[2:]}",
    }
    switch.vsctl("set", "open", ".", *(f'external_ids:{key}="{value}"' for key, value in ids.items()))
    switch.add_bridge("br-int")
    switch.add_bridge("br-phys")
    for port in HERE[chassis]:
        plug = ("--", "set", "interface", f"v-{port}", "type=dummy", f"external_ids:iface-id={port}")
        switch.vsctl("add-port", "br-int", f"v-{port}", *plug)


async def read(switch: RealSwitch):
    """The flows and the meters of br-int."""
    async with OpenFlowClient(switch.mgmt("br-int")) as client:
        flows = [each.flow for each in (await client.query("flow", m.FlowQuery())).entries]
        return flows, (await client.query("meter_desc")).entries


def words_of(switch: RealSwitch):
    """The flows of br-int in words."""
    ports, zones = {}, {}
    for name in (*switch.vsctl("list-ports", "br-int").split(), "br-int"):
        number = int(switch.vsctl("get", "interface", name, "ofport"))
        meaning = switch.vsctl("--if-exists", "get", "port", name, "external_ids:ovn-chassis-id").strip()
        ports[number] = meaning or name
    ids = switch.vsctl("get", "bridge", "br-int", "external_ids").strip(" {}\n")
    for pair in ids.split(", "):
        key, _, value = pair.partition("=")
        if key.startswith("ct-zone-"):
            zones[int(value.strip('"'))] = key
    flows, meters = asyncio.run(read(switch))
    return comparable(flows, ports, zones, meters)


def test_our_flows_are_those_of_the_c_controller():
    northd, controller = need("ovn-northd", "26.03"), need("ovn-controller", "26.03")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(c_server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")))
        nbctl = [str(need("ovn-nbctl", "26.03")), f"--db={server.remote}", "--timeout=30"]
        run(*nbctl, "init")
        for line in NETWORK:
            run("sh", "-c", f"{' '.join(nbctl)} {line}")
        directory = Path(server.remote.removeprefix("unix:")).parent
        options = [f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}", f"--unixctl={directory}/n.ctl"]
        stack.enter_context(daemon([str(northd), *options], directory))
        twins = {}
        for chassis in HERE:
            for kind, program in (("C", [str(controller)]), ("ours", OURS)):
                switch = stack.enter_context(RealSwitch(version="26.03"))
                prepared(switch, chassis, server.remote)
                words = [*program, switch.database, f"--unixctl={switch.rundir}/oc.ctl", "-vconsole:off"]
                stack.enter_context(daemon(words, switch.rundir))
                twins[chassis, kind] = switch
        for port in ("p1", "p2", "p3", "p4", "q1", "q2", "c1"):
            run(*nbctl, "wait-until", "Logical_Switch_Port", port, "up=true")
        run(*nbctl, "--wait=hv", "sync")
        for chassis in HERE:
            for _ in range(20):
                theirs, ours = words_of(twins[chassis, "C"]), words_of(twins[chassis, "ours"])
                if theirs == ours:
                    break
                time.sleep(0.3)
            keys = [key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key)]
            assert not [(key, theirs.get(key), ours.get(key)) for key in keys]
            assert len(ours) > 500
            assert "MeterDef" in repr(ours)
