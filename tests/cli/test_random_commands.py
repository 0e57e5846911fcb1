"""Random sequences of commands, through the C tool and ours: they never come apart."""

import shlex
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.cli import nbctl, sbctl, vsctl
from tests.cli.twins import Twins, wipe
from tests.support.c_programs import need
from tests.support.servers import c_server_process, upstream_schema

pytestmark = pytest.mark.interop

switches = st.sampled_from(["s0", "s1", "s2"])
ports = st.sampled_from(["p0", "p1", "p2", "p3"])
routers = st.sampled_from(["r0", "r1"])
groups = st.sampled_from(["g0", "g1"])
may_exist = st.sampled_from(["", "--may-exist "])
if_exists = st.sampled_from(["", "--if-exists "])
addresses = st.sampled_from(
    ["unknown", "dynamic", "router", "'f0:00:00:00:00:01 10.0.0.1'", "'f0:00:00:00:00:02 10.0.0.2 fe80::1'", "junk"]
)
values = st.sampled_from(
    ["a", "true", "0", "'\"a b\"'", "[]", "{}", "a,b", "a=b", "'{a=b, c=d}'", "-1", "70000", "@x", "]"]
)
columns = st.sampled_from(
    [
        "name",
        "type",
        "tag",
        "tag_request",
        "addresses",
        "options",
        "options:a",
        "enabled",
        "up",
        "external_ids:k",
        "nope",
    ]
)
records = st.one_of(ports, st.just("nope"))


def line(template: str, **parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Commands made by filling a template in."""
    return st.fixed_dictionaries(parts).map(lambda words: template.format(**words))


commands = st.one_of(
    line("{m}ls-add {s}", m=may_exist, s=switches),
    line("{i}ls-del {s}", i=if_exists, s=switches),
    line("{m}lsp-add {s} {p}", m=may_exist, s=switches, p=ports),
    line(
        "{m}lsp-add {s} {p} {q} {t}", m=may_exist, s=switches, p=ports, q=ports, t=st.sampled_from(["0", "7", "5000"])
    ),
    line("{i}lsp-del {p}", i=if_exists, p=ports),
    line("lsp-list {s}", s=switches),
    line("lsp-set-addresses {p} {a} {b}", p=ports, a=addresses, b=addresses),
    line("lsp-get-addresses {p}", p=ports),
    line("lsp-set-type {p} {t}", p=ports, t=st.sampled_from(["router", "localnet", "''", "virtual", "junk"])),
    line("lsp-set-enabled {p} {t}", p=ports, t=st.sampled_from(["enabled", "disabled", "maybe"])),
    line("lsp-set-options {p} a=1 b={q}", p=ports, q=ports),
    line("{m}lr-add {r}", m=may_exist, r=routers),
    line(
        "{m}lr-route-add {r} {n} 10.0.0.{h}",
        m=may_exist,
        r=routers,
        n=st.sampled_from(["10.1.0.0/16", "0.0.0.0/0"]),
        h=st.sampled_from("12"),
    ),
    line("lr-route-list {r}", r=routers),
    line("{i}lr-route-del {r} 10.1.0.0/16", i=if_exists, r=routers),
    line("pg-add {g} {p}", g=groups, p=ports),
    line("pg-set-ports {g} {p} {q}", g=groups, p=ports, q=ports),
    line(
        "{m}acl-add {o} to-lport {n} ip4 drop",
        m=may_exist,
        o=st.one_of(switches, groups),
        n=st.sampled_from(["1", "2", "x"]),
    ),
    line("acl-list {o}", o=st.one_of(switches, groups)),
    line("acl-del {o}", o=st.one_of(switches, groups)),
    line("set Logical_Switch_Port {p} {c}={v}", p=records, c=columns, v=values),
    line("{i}set Logical_Switch_Port {p} {c}={v}", i=if_exists, p=records, c=columns, v=values),
    line("add Logical_Switch_Port {p} {c} {v}", p=records, c=columns, v=values),
    line("remove Logical_Switch_Port {p} {c} {v}", p=records, c=columns, v=values),
    line("clear Logical_Switch_Port {p} {c}", p=records, c=columns),
    line("get Logical_Switch_Port {p} {c}", p=records, c=columns),
    line(
        "--columns=name find Logical_Switch_Port {c}{o}{v}",
        c=columns,
        v=values,
        o=st.sampled_from(["=", "!=", "<", ">=", "{>=}", "{in}"]),
    ),
    line("--columns=name,{c} list Logical_Switch_Port", c=columns),
    st.just("show"),
)


router_ports = st.sampled_from(["rp0", "rp1", "rp2"])
macs = st.sampled_from(["0a:00:00:00:00:01", "0a:00:00:00:00:02", "junk"])
ips = st.sampled_from(
    ["10.0.0.1", "10.0.0.2", "10.0.1.0/24", "fd00::1", "fd00::/64", "::ffff:1.2.3.4", "junk", "0.0.0.0/0"]
)
names = st.sampled_from(["n0", "n1", "n2"])
priorities = st.sampled_from(["0", "1", "1000", "32767", "32768", "-1", "x", "0x10"])
matches = st.sampled_from(["ip4", "ip6", "1", "'ip4 && tcp'"])
chassis = st.sampled_from(["ch0", "ch1"])
protocols = st.sampled_from(["", "tcp", "udp", "sctp", "icmp"])
vips = st.sampled_from(["10.9.0.1", "10.9.0.1:80", "[fd00::9]:80", "fd00::9", "10.9.0.2:99999", "junk", "10.9.0.1:"])
backends = st.sampled_from(
    ["10.0.0.1", "10.0.0.1:80", "10.0.0.1:80,10.0.0.2:81", "[fd00::1]:80", "fd00::1", "junk", ","]
)
routing_commands = st.one_of(
    line("{m}lr-add {r}", m=may_exist, r=routers),
    line("{i}lr-del {r}", i=if_exists, r=routers),
    line("{m}lrp-add {r} {p} {a} {n}", m=may_exist, r=routers, p=router_ports, a=macs, n=ips),
    line("{m}lrp-add {r} {p} {a} {n} peer={q}", m=may_exist, r=routers, p=router_ports, a=macs, n=ips, q=router_ports),
    line("{i}lrp-del {p}", i=if_exists, p=router_ports),
    line("lrp-list {r}", r=routers),
    line("lrp-set-gateway-chassis {p} {c} {n}", p=router_ports, c=chassis, n=priorities),
    line("lrp-del-gateway-chassis {p} {c}", p=router_ports, c=chassis),
    line("lrp-get-gateway-chassis {p}", p=router_ports),
    line("lrp-set-redirect-type {p} {t}", p=router_ports, t=st.sampled_from(["overlay", "bridged", "x"])),
    line(
        "{m}{o}lr-route-add {r} {a} {b} {p}",
        m=may_exist,
        o=st.sampled_from(
            ["", "--ecmp ", "--ecmp-symmetric-reply ", "--policy=src-ip ", "--route-table=t ", "--policy=x "]
        ),
        r=routers,
        a=ips,
        b=st.one_of(ips, st.just("discard")),
        p=st.one_of(st.just(""), router_ports),
    ),
    line("{i}lr-route-del {r} {a}", i=if_exists, r=routers, a=ips),
    line("{i}lr-route-del {r} {a} {b}", i=if_exists, r=routers, a=ips, b=ips),
    line("lr-route-list {r}", r=routers),
    line(
        "{m}lr-policy-add {r} {n} {x} {a} {b}",
        m=may_exist,
        r=routers,
        n=priorities,
        x=matches,
        a=st.sampled_from(["allow", "drop", "reroute", "jump", "x"]),
        b=st.one_of(st.just(""), ips, st.just("10.0.0.1,10.0.0.2"), st.just("k=v")),
    ),
    line("{i}lr-policy-del {r} {n}", i=if_exists, r=routers, n=priorities),
    line("{i}lr-policy-del {r} {n} {x}", i=if_exists, r=routers, n=priorities, x=matches),
    line("lr-policy-list {r}", r=routers),
    line(
        "{m}{o}lr-nat-add {r} {t} {a} {b}",
        m=may_exist,
        o=st.sampled_from(["", "--stateless ", "--add-route ", "--match=ip4 ", "--priority=5 ", "--gateway-port=rp0 "]),
        r=routers,
        t=st.sampled_from(["snat", "dnat", "dnat_and_snat", "x"]),
        a=ips,
        b=ips,
    ),
    line("{m}lr-nat-add {r} dnat_and_snat 10.0.0.9 10.0.0.1 p0 {a}", m=may_exist, r=routers, a=macs),
    line(
        "--portrange lr-nat-add {r} dnat 10.0.0.8 10.0.0.1 {x}",
        r=routers,
        x=st.sampled_from(["1-5", "5-1", "7", "x", "0"]),
    ),
    line(
        "{i}lr-nat-del {r} {t}",
        i=if_exists,
        r=routers,
        t=st.sampled_from(["", "snat", "dnat 10.0.0.1", "snat 10.0.1.0/24"]),
    ),
    line("lr-nat-list {r}", r=routers),
    line("{m}lb-add {n} {v} {b} {p}", m=may_exist, n=names, v=vips, b=backends, p=protocols),
    line("{i}lb-del {n}", i=if_exists, n=names),
    line("{i}lb-del {n} {v}", i=if_exists, n=names, v=vips),
    line("lb-list {n}", n=names),
    line("{m}lr-lb-add {r} {n}", m=may_exist, r=routers, n=names),
    line("{i}lr-lb-del {r} {n}", i=if_exists, r=routers, n=names),
    line("lr-lb-list {r}", r=routers),
    line("static-mac-binding-add {p} {a} {b}", p=router_ports, a=ips, b=macs),
    line("{i}static-mac-binding-del {p} {a}", i=if_exists, p=router_ports, a=ips),
    st.sampled_from(["static-mac-binding-list", "show r0"]),
)
switching_commands = st.one_of(
    line(
        "{m}{o}acl-add {s} {d} {n} {x} {a}",
        m=may_exist,
        o=st.sampled_from(
            ["", "--log ", "--severity=info ", "--severity=x ", "--label=5 ", "--tier=1 ", "--apply-after-lb "]
        ),
        s=st.one_of(switches, groups),
        d=st.sampled_from(["to-lport", "from-lport", "t", "x"]),
        n=priorities,
        x=matches,
        a=st.sampled_from(["allow", "allow-related", "drop", "reject", "pass", "x"]),
    ),
    line(
        "acl-del {s} {d}", s=st.one_of(switches, groups), d=st.sampled_from(["", "to-lport", "from-lport 1 ip4", "x"])
    ),
    line("--all acl-list {s}", s=switches),
    line(
        "{m}qos-add {s} {d} {n} {x} {v}",
        m=may_exist,
        s=switches,
        d=st.sampled_from(["to-lport", "from-lport", "x"]),
        n=priorities,
        x=matches,
        v=st.sampled_from(
            ["", "dscp=5", "dscp=64", "rate=100", "rate=100 burst=5", "burst=5", "mark=7", "mark=0", "x=1", "dscp"]
        ),
    ),
    line("qos-del {s} {d}", s=switches, d=st.sampled_from(["", "to-lport", "from-lport 1 ip4", "to-lport 1"])),
    line("qos-list {s}", s=switches),
    line(
        "{f}{m}meter-add {n} {a} {r} {u} {b}",
        f=st.sampled_from(["", "--fair "]),
        m=may_exist,
        n=names,
        a=st.sampled_from(["drop", "x"]),
        r=st.sampled_from(["0", "100", "x", "4294967296"]),
        u=st.sampled_from(["kbps", "pktps", "x"]),
        b=st.sampled_from(["", "0", "200", "x"]),
    ),
    line("meter-del {n}", n=names),
    st.just("meter-list"),
    line("copp-add {n} {p} {m}", n=names, p=st.sampled_from(["arp", "dns", "x"]), m=names),
    line("copp-del {n} {p}", n=names, p=st.sampled_from(["", "arp", "x"])),
    line("copp-list {n}", n=names),
    line("ls-copp-add {n} {s}", n=names, s=switches),
    line(
        "mirror-add {n} {t} {x} {f} {k}",
        n=names,
        t=st.sampled_from(["gre", "erspan", "local", "lport", "x"]),
        x=st.sampled_from(["", "5", "x"]),
        f=st.sampled_from(["to-lport", "from-lport", "both", "x"]),
        k=st.sampled_from(["10.0.0.9", "p0", "junk"]),  # C dies of a tunnel without
    ),
    line("mirror-del {n}", n=names),
    line("lsp-attach-mirror {p} {n}", p=ports, n=names),
    line("lsp-detach-mirror {p} {n}", p=ports, n=names),
    line(
        "mirror-rule-add {n} {q} {x} {a}", n=names, q=priorities, x=matches, a=st.sampled_from(["mirror", "skip", "x"])
    ),
    line("mirror-rule-del {n} {q}", n=names, q=st.sampled_from(["", "1", "1 ip4"])),
    st.just("mirror-list"),
    line("{i}pg-del {g}", i=st.just(""), g=groups),
    line("pg-get-ports {g}", g=groups),
    line("fwd-group-add {n} {s} 10.0.0.1 0a:00:00:00:00:01 {p} {q}", n=names, s=switches, p=ports, q=ports),
    line("{i}fwd-group-del {n}", i=if_exists, n=names),
    line("fwd-group-list {s}", s=switches),
    line("{m}nf-add {n} {x} {p} {q}", m=may_exist, n=names, x=st.sampled_from(["1", "0", "256"]), p=ports, q=ports),
    line("{i}nf-del {n}", i=if_exists, n=names),
    line("{m}nfg-add {n} 1 {x} {k}", m=may_exist, n=names, x=st.sampled_from(["inline", "x"]), k=names),
    line("nfg-add-nf {n} {k}", n=names, k=names),
    line("nfg-del-nf {n} {k}", n=names, k=names),
    line(
        "lsp-hc-add {p} {t} 10.0.0.3 {x}",
        p=ports,
        t=st.sampled_from(["tcp", "udp", "icmp", "x"]),
        x=st.sampled_from(["", "80", "80 10.0.0.1", "10.0.0.1"]),
    ),
    line("lsp-hc-list {p}", p=ports),
    line("ha-chassis-group-add {n}", n=names),
    line("ha-chassis-group-add-chassis {n} {c} {q}", n=names, c=chassis, q=priorities),
    line("ha-chassis-group-remove-chassis {n} {c}", n=names, c=chassis),
    line("ha-chassis-group-list {n}", n=names),
    line("lsp-add-router-port {s} {p} {q}", s=switches, p=ports, q=router_ports),
    line("{m}lsp-add-localnet-port {s} {p} net", m=may_exist, s=switches, p=ports),
    line("{m}ls-lb-add {s} {n}", m=may_exist, s=switches, n=names),
)
datapaths = st.sampled_from(["sw0", "nn", "nope"])
southbound_commands = st.one_of(
    line(
        "{m}chassis-add {c} {t} {a}",
        m=may_exist,
        c=chassis,
        t=st.sampled_from(["geneve", "vxlan", "geneve,vxlan", "x"]),
        a=ips,
    ),
    line("{i}chassis-del {c}", i=if_exists, c=chassis),
    line("{m}lsp-bind {p} {c}", m=may_exist, p=ports, c=chassis),
    line("{i}lsp-unbind {p}", i=if_exists, p=ports),
    line("lflow-list {d}", d=datapaths),
    line("count-flows {d}", d=datapaths),
    line("ip-multicast-flush {d}", d=datapaths),
    line("set Chassis {c} hostname={n}", c=chassis, n=names),
    line("set Port_Binding {p} external_ids:a={n}", p=ports, n=names),
    line("--columns=logical_port,tunnel_key,up,external_ids find Port_Binding logical_port={p}", p=ports),
    line("get Chassis {c} hostname", c=chassis),
    line("set-connection {r} ptcp:{n}", r=st.sampled_from(["", "read-only", "role=x"]), n=st.sampled_from(["1", "2"])),
    st.sampled_from(["show", "get-connection", "del-connection", "--filter=Chassis(ch0) show", "list Encap"]),
)
PORTS_BOUND = (
    "--id=@d create Datapath_Binding tunnel_key=1 external_ids='{name=sw0,name2=nn}'"
    " -- create Port_Binding logical_port=p0 tunnel_key=1 datapath=@d"
    " -- create Port_Binding logical_port=p1 tunnel_key=2 datapath=@d"
)

bridges = st.sampled_from(["b0", "b1", "f0"])
switch_commands = st.one_of(
    line("{m}add-br {b}", m=may_exist, b=bridges),
    line("{m}add-br {f} {b} {v}", m=may_exist, f=bridges, b=bridges, v=st.sampled_from(["5", "7"])),
    line("{i}del-br {b}", i=if_exists, b=bridges),
    line("{m}add-port {b} {p}", m=may_exist, b=bridges, p=ports),
    line("{m}add-port {b} {p} tag={v}", m=may_exist, b=bridges, p=ports, v=st.sampled_from(["5", "9"])),
    line("{m}add-bond {b} {p} {q} e1", m=may_exist, b=bridges, p=ports, q=ports),
    line("{i}del-port {p}", i=if_exists, p=st.one_of(ports, bridges)),
    line("{i}del-port {b} {p}", i=if_exists, b=bridges, p=ports),
    line("{m}add-bond-iface {p} {q}", m=may_exist, p=ports, q=ports),
    line("{i}del-bond-iface {p} {q}", i=if_exists, p=ports, q=ports),
    line("list-ports {b}", b=bridges),
    line("list-ifaces {b}", b=bridges),
    line("port-to-br {p}", p=ports),
    line("iface-to-br {p}", p=ports),
    line("br-to-vlan {b}", b=bridges),
    line("br-exists {b}", b=bridges),
    line("br-set-external-id {b} k v", b=bridges),
    line("br-get-external-id {b}", b=bridges),
    line("set-controller {b} tcp:1.2.3.4", b=bridges),
    line("set-fail-mode {b} secure", b=bridges),
    st.sampled_from(["list-br", "--fake list-br", "show", "emer-reset"]),
)


@pytest.fixture(scope="module")
def switch_tools() -> Iterator[Twins]:
    schema = upstream_schema("vswitch")
    with c_server_process(schema) as one, c_server_process(schema) as two:
        yield Twins(need("ovs-vsctl", "any"), vsctl.PROGRAM, (one.remote, two.remote), always=["--no-wait"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(switch_commands, min_size=4, max_size=12))
def test_no_sequence_of_switch_commands_tells_them_apart(switch_tools: Twins, lines: list[str]) -> None:
    for remote in (switch_tools.theirs, switch_tools.ours):
        wipe(remote, switch_tools.program.database)
    for each in ["add-br b0 -- add-port b0 p0", *lines]:
        assert switch_tools.say(each) is None
    assert switch_tools.contents_differ() is None


@pytest.fixture(scope="module")
def both() -> Iterator[Twins]:
    schema = upstream_schema("ovn-nb")
    with c_server_process(schema) as one, c_server_process(schema) as two:
        yield Twins(need("ovn-nbctl", "26.03"), nbctl.PROGRAM, (one.remote, two.remote))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(commands, min_size=4, max_size=12))
def test_no_sequence_of_commands_tells_them_apart(both: Twins, lines: list[str]) -> None:
    for remote in (both.theirs, both.ours):
        wipe(remote, both.program.database)
    for each in ["ls-add s0 -- lsp-add s0 p0 -- lr-add r0", *lines]:
        assert both.say(each) is None
    assert both.contents_differ() is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(routing_commands, switching_commands), min_size=5, max_size=15))
def test_no_sequence_of_any_commands_tells_them_apart(both: Twins, lines: list[str]) -> None:
    for remote in (both.theirs, both.ours):
        wipe(remote, both.program.database)
    start = "ls-add s0 -- lsp-add s0 p0 -- lsp-add s0 p1 -- lr-add r0 -- pg-add g0 p0"
    for each in [start, "lrp-add r0 rp0 0a:00:00:00:00:01 10.0.0.254/24", "lb-add n0 10.9.0.1:80 10.0.0.1:80", *lines]:
        assert both.say(each) is None
    assert both.contents_differ() is None


@pytest.fixture(scope="module")
def southbound() -> Iterator[Twins]:
    schema = upstream_schema("ovn-sb")
    with c_server_process(schema) as one, c_server_process(schema) as two:
        yield Twins(need("ovn-sbctl", "26.03"), sbctl.PROGRAM, (one.remote, two.remote))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(southbound_commands, min_size=4, max_size=12))
def test_no_sequence_of_southbound_commands_tells_them_apart(southbound: Twins, lines: list[str]) -> None:
    for remote in (southbound.theirs, southbound.ours):
        wipe(remote, southbound.program.database)
    for each in [PORTS_BOUND, *lines]:
        assert southbound.say(each) is None
    assert southbound.contents_differ() is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(["ls-add s3", "ls-add s4", "lr-add r3", "pg-add g3", "meter-add m drop 1 kbps", "junk"]))
def test_a_chain_is_all_or_nothing(both: Twins, lines: list[str]) -> None:
    for remote in (both.theirs, both.ours):
        wipe(remote, both.program.database)
    assert both.say(" -- ".join(lines[:4])) is None
    assert both.contents_differ() is None


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet='ab1,=:[]{}"\\ !<>-', max_size=8), st.sampled_from(["addresses", "options", "tag", "name"]))
def test_values_are_read_alike(both: Twins, text: str, column: str) -> None:
    for remote in (both.theirs, both.ours):
        wipe(remote, both.program.database)
    assert both.say("ls-add s0 -- lsp-add s0 p0") is None
    assert both.say(f"set Logical_Switch_Port p0 {shlex.quote(f'{column}={text}')}") is None
    assert both.contents_differ() is None
