"""`ovn-trace` as a program: its command line, its database, its faults."""

import re
from collections.abc import Iterator

import pytest

from pyovn.cli.trace import USAGE, main, request_of, split
from tests.support.real_ovs import RealSwitch
from tests.support.servers import RunningServer, server_process, upstream_schema
from tests.trace.oracle import Twins

MICROFLOW = 'inport == "a" && eth.dst == 0a:00:00:00:00:02'


def _insert(table: str, name: str, **row: object) -> dict[str, object]:
    return {"op": "insert", "table": table, "uuid-name": name, "row": row}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A database with one switch: whatever comes from port a goes to b."""
    datapath = ["named-uuid", "d"]
    names = ["map", [["name", "sw"], ["name2", "nice"], ["logical-switch", "1111"]]]
    flow = {"logical_datapath": datapath, "priority": 1, "match": "1"}
    with server_process(upstream_schema("ovn-sb")) as running:
        running.transact(
            "OVN_Southbound",
            _insert("Datapath_Binding", "d", tunnel_key=1, external_ids=names),
            _insert("Port_Binding", "a", datapath=datapath, logical_port="a", tunnel_key=1),
            _insert("Port_Binding", "b", datapath=datapath, logical_port="b", tunnel_key=2),
            _insert("Logical_Flow", "f", **flow, pipeline="ingress", table_id=0, actions='outport = "b"; output;'),
            _insert("Logical_Flow", "g", **flow, pipeline="egress", table_id=0, actions="output;"),
            _insert("Logical_Flow", "h", **flow, pipeline="egress", table_id=1, actions="what?;"),
        )
        yield running


def run(server: RunningServer, *words: str) -> int:
    return main([f"--db={server.remote}", *words])


def test_a_trace_is_printed(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(server, "--minimal", "sw", MICROFLOW) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("# reg14=0x1,")
    assert lines[1:] == ['output("b");']


def test_all_forms_come_in_one_order(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    run(server, "--all", MICROFLOW)
    banners = [line for line in capsys.readouterr().out.splitlines() if line.endswith("trace.")]
    assert banners == ["# Detailed trace.", "# Summary trace.", "# Minimal trace."]


def test_datapaths_have_names_for_people(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    run(server, "nice", MICROFLOW)
    assert 'ingress(dp="nice", inport="a")' in capsys.readouterr().out
    run(server, "--no-friendly-names", "sw", MICROFLOW)
    assert 'ingress(dp="1111", inport="a")' in capsys.readouterr().out


def test_the_answer_to_a_bad_microflow_is_on_standard_output(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(server, "sw", "foo") == 0
    assert capsys.readouterr().out == "error parsing flow: Syntax error at `foo' expecting field name.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "one or two non-option arguments are required (use --help for help)"),
        (["a", "b", "c"], "one or two non-option arguments are required (use --help for help)"),
        (["--ct=foo", "x"], "foo: unknown connection tracking state flag"),
        (["--lb-dst=foo", "x"], "foo: bad address"),
        (["--lb-dst=1.2.3.4:99999", "x"], "1.2.3.4:99999: bad address"),
        (["--select-id=0", "x"], "0: bad select-id"),
        (["--foo", "x"], "unrecognized option '--foo'"),
        (["--db=unix:/nonexistent/socket", "x"], "unix:/nonexistent/socket: database connection failed "),
    ],
)
def test_bad_command_lines_are_told(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert capsys.readouterr().err.startswith(f"ovn-trace: {sentence}")


def test_options_become_a_request() -> None:
    words = ["--summary", "--ct=new,trk", "--ct", "est rpl", "--lb-dst=[fd00::1]:80", "--select-id=7", "sw", "ip4"]
    request = request_of(*split(words))
    assert (request.datapath, request.microflow, request.forms) == ("sw", "ip4", ["summary"])
    assert request.options.ct_states == [0x21, 0x0A]
    assert request.options.lb_dst == (6, 0xFD << 120 | 1, 80)
    assert request.options.select_id == 7
    assert 0 <= request.options.choose(3) < 3


def test_help_and_version_need_no_database(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == USAGE.splitlines()[0].format(program="ovn-trace")
    assert main(["-V"]) == 0
    assert capsys.readouterr().out.startswith("ovn-trace 26.03.2\n")


def test_a_switch_that_does_not_answer_is_told(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(server, "--ovs=unix:/nonexistent/socket", "--minimal", MICROFLOW) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("ovntrace|WARN|unix:/nonexistent/socket: connection failed (")
    assert captured.out.endswith('output("b");\n')


@pytest.mark.interop
def test_the_flows_of_a_real_switch_stand_under_their_logical_flows(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    select = {"op": "select", "table": "Logical_Flow", "where": [["pipeline", "==", "ingress"]], "columns": ["_uuid"]}
    (row,) = server.transact("OVN_Southbound", select)[0]["rows"]
    cookie = f"cookie=0x{row['_uuid'][1][:8].lstrip('0')}"
    with RealSwitch() as switch:
        switch.add_bridge("br-int")
        for flow in ("table=8,priority=7,metadata=1,tcp,actions=resubmit(,9)", "table=8,metadata=2,actions=drop"):
            switch.ofctl("add-flow", "br-int", f"{cookie},{flow}")
        switch.ofctl("add-flow", "br-int", "cookie=5,table=9,actions=drop")
        words = [f"--ovs={switch.mgmt('br-int')}", "--all", MICROFLOW]
        run(server, *words)
        ours = capsys.readouterr().out
        theirs = Twins(server.remote, "any").theirs(*words)
    flows = [line.split(", idle_age=0, ")[1] for line in ours.splitlines() if line.strip().startswith(cookie)]
    assert flows == 2 * ["metadata=0x2 actions=drop", "priority=7,tcp,metadata=0x1 actions=resubmit(,9)"]
    assert "*** no OpenFlow flows" in ours, "of the egress pipeline"
    assert settled(ours) == settled(theirs)


def settled(text: str | None) -> list[str]:
    """Without times and counts, and in an order: C has that of a hash table."""
    counts = r"(duration|idle_age|n_packets|n_bytes)=[0-9.]+s?"
    return sorted(re.sub(counts, r"\1", line) for line in (text or "").splitlines())
