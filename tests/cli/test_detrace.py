"""`ovn-detrace`: blocks of a trace, what is said of rows, and C's tool on a real switch's trace."""

import io
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from pyovn.cli.detrace import blocks, main
from tests.support.real_ovs import RealSwitch
from tests.support.servers import RunningServer, server_process, upstream_schema

NAMED = dict[str, object]


def insert(table: str, **row: object) -> NAMED:
    return {"op": "insert", "table": table, "row": row, "uuid-name": table}


def named(name: str) -> list[str]:
    return ["named-uuid", name]


def pairs(**items: str) -> list[object]:
    return ["map", [[key.replace("_", "-"), value] for key, value in items.items()]]


def hinted(number: int, hint: str, columns: NAMED) -> NAMED:
    """A logical flow that came from the northbound row whose UUID begins so."""
    ids = pairs(stage_name="ls_out_acl_eval", stage_hint=hint)
    own = {"logical_datapath": named("Datapath_Binding"), "actions": f"next({number});", "external_ids": ids}
    return {**insert("Logical_Flow", **columns, **own), "uuid-name": f"hinted{number}"}


NORTH = (
    insert("ACL", direction="to-lport", priority=1001, match='outport == "p"', action="drop", log=True),
    insert("Logical_Switch", name="sw", acls=named("ACL")),
    insert("NAT", type="dnat_and_snat", external_ip="1.1.1.1", logical_ip="10.0.0.1", logical_port="p"),
    insert("Logical_Router", name="lr", nat=named("NAT")),
    insert("Load_Balancer", name="lb", vips=pairs(a="b"), protocol="tcp"),
)
#: tables whose rows become cookies
KINDS = ("Logical_Flow", "Port_Binding", "MAC_Binding", "Multicast_Group", "Chassis")


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """Both databases."""
    with server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")) as running:
        results = running.transact("OVN_Northbound", *NORTH)
        hints = [result["uuid"][1][:8] for result in results]
        datapath = named("Datapath_Binding")
        flow: NAMED = {"priority": 2001, "match": "ip4", "pipeline": "egress", "table_id": 6}
        group, encap = named("Logical_DP_Group"), named("Encap")
        running.transact(
            "OVN_Southbound",
            insert("Datapath_Binding", tunnel_key=1, external_ids=pairs(name="sw")),
            insert("Logical_DP_Group", datapaths=datapath),
            insert("Encap", type="geneve", ip="10.0.0.1", chassis_name="ch"),
            insert("Chassis", name="ch", hostname="host", encaps=encap),
            insert("Port_Binding", datapath=datapath, logical_port="p", tunnel_key=7, chassis=named("Chassis")),
            insert("MAC_Binding", datapath=datapath, logical_port="p", ip="1.2.3.4", mac="00:00:00:00:00:01"),
            insert("Multicast_Group", datapath=datapath, name="_MC", tunnel_key=32768, ports=named("Port_Binding")),
            insert("Logical_Flow", **flow, logical_dp_group=group, actions="reg0 = 0; next;"),
            *(hinted(number, hint, flow) for number, hint in enumerate(hints)),
        )
        yield running


def cookies(server: RunningServer, table: str) -> list[str]:
    select = {"op": "select", "table": table, "where": [], "columns": ["_uuid"]}
    rows = server.transact("OVN_Southbound", select)[0]["rows"]
    return [row["_uuid"][1][:8] for row in rows]


def detrace(server: RunningServer, text: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return main([f"--ovnsb={server.remote}", f"--ovnnb={server.remote}", *words])


def test_a_block_begins_with_a_table_number_or_an_empty_line() -> None:
    text = "Flow: x\n\n 0. in_port=5, cookie 0xab\n    output:6\n    output:x\n 8. y, cookie 0x1\n    cookie=0x2\nzz"
    found = list(blocks(text.splitlines()))
    assert [block.lines[0] for block in found] == ["Flow: x", "", "0. in_port=5, cookie 0xab", "8. y, cookie 0x1", ""]
    assert [block.cookies for block in found] == [[], [], ["000000ab"], ["00000001", "00000002"], []]
    assert [block.ports for block in found] == [[], [], [5, 6], [], []]


def test_rows_are_told_after_the_block_that_names_them(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (port,) = cookies(server, "Port_Binding")
    assert detrace(server, f" 0. a, cookie 0x{port}\n    output:5\n 1. b, cookie 0x1\n", monkeypatch) == 0
    first, second, datapath, binding, *rest = capsys.readouterr().out.splitlines()
    assert [first, second] == [f"0. a, cookie 0x{port}", "output:5"]
    assert datapath.startswith('  * Logical datapath: "sw" (')
    assert binding == (
        '  * Port Binding: logical_port "p", tunnel_key 7, chassis-name "ch", chassis-str "host"'
    )  # fmt: skip
    assert rest == ["1. b, cookie 0x1", ""]


def test_a_logical_flow_is_told_with_what_it_came_from(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    detrace(server, "".join(f"0. cookie 0x{each}\n" for each in cookies(server, "Logical_Flow")), monkeypatch)
    text = capsys.readouterr().out
    assert text.count("  * Logical datapaths:\n") == 1 + len(NORTH)
    assert "] [egress]" not in text
    assert text.count(") [egress]\n") == 1 + len(NORTH)
    assert "  * Logical flow: table=6 (None), priority=2001, match=(ip4), actions=(reg0 = 0; next;)\n" in text
    assert '   * ACL: to-lport, priority=1001, match=(outport == "p"), drop (log)\n' in text
    assert "external_mac [] logical_ip 10.0.0.1 logical_port ['p'] type dnat_and_snat\n" in text
    assert "   * Load Balancer: lb protocol ['tcp'] vips {'a': 'b'} ip_port_mappings {}\n" in text


def test_bad_command_lines_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    for words, complaint in (
        (["x"], "ovn-detrace: non-option argument not supported (use --help for help)\n"),
        (["--foo"], "ovn-detrace: option --foo not recognized (use --help for help)\n"),
    ):
        assert main(words) == 1
        assert capsys.readouterr().err == complaint
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "ovn-detrace (OVN) 26.03.2\n"


def need_c_detrace() -> list[str]:
    """The command that runs Debian's tool; the test is skipped where that can't be run."""
    command = ["/usr/bin/python3", shutil.which("ovn-detrace", path="/usr/bin") or "/nonexistent"]
    if subprocess.run([*command, "--help"], capture_output=True).returncode:
        pytest.skip("C's ovn-detrace, or the Python library that it needs, is not installed")
    return command


@pytest.mark.interop
def test_the_trace_of_a_real_switch_is_explained_as_c_ovn_does(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = need_c_detrace()
    found = [cookie for table in KINDS for cookie in cookies(server, table)]
    with RealSwitch() as switch:
        switch.add_bridge("br-int")
        switch.add_port("br-int", "v1", 5, "external_ids:iface-id=p")
        switch.add_port("br-int", "v2", 6)
        for table, cookie in enumerate(found):
            match = "in_port=5," if not table else ""
            flow = f"cookie=0x{cookie},table={table},{match}actions=resubmit(,{table + 1})"
            switch.ofctl("add-flow", "br-int", flow)
        switch.ofctl("add-flow", "br-int", f"cookie=0x7,table={len(found)},actions=output:6")
        trace = switch.appctl("ofproto/trace", "br-int", "in_port=5,tcp")
        assert trace.count("cookie 0x") == len(found) + 1
        words = [f"--ovnsb={server.remote}", f"--ovnnb={server.remote}", "--ovs", f"--ovsdb={switch.database}"]
        theirs = subprocess.run([*command, *words], input=trace, capture_output=True, text=True, check=True).stdout
        detrace(server, trace, monkeypatch, *words[2:])
    ours = capsys.readouterr().out
    assert "  * OVS Interface: v1 (p)\n" in ours
    # C's tool drops a quotation mark at the end of a match.
    assert ours.replace('"), ', "), ") == theirs.replace('"), ', "), ")
