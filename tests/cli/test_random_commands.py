"""Random sequences of commands, through the C tool and ours: they never come apart."""

import shlex
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyovn.cli import nbctl, vsctl
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
