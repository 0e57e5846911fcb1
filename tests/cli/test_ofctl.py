"""pyovn ofctl beside C ovs-ofctl on one real switch: the same words in, the same words out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyovn.cli import ofctl
from pyovn.cli.of import watch
from pyovn.cli.of.session import Usage
from pyovn.openflow import messages as m
from pyovn.openflow.flows import Flow
from pyovn.openflow.match import match
from tests.support.real_ovs import RealSwitch


@pytest.fixture(scope="module", params=["26.03", "23.03"])
def switch(request: pytest.FixtureRequest) -> Iterator[RealSwitch]:
    with RealSwitch(version=request.param) as running:
        running.add_bridge("br0")
        running.add_port("br0", "p1", 1)
        running.add_port("br0", "ovn-abc-0", 2)
        yield running


@pytest.fixture
def ours(switch: RealSwitch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("OVS_RUNDIR", str(switch.rundir))

    def run(*words: str, status: int = 0) -> str:
        assert ofctl.main(words) == status, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def settled(output: str) -> str:
    """Without what differs from moment to moment, or from program to program by nature."""
    output = re.sub(r"duration[=:][0-9.]+s", "duration", output)
    output = re.sub(r"\n +CUSTOM Statistics\n(?: {20,}.*\n?)+", "\n", output)
    return re.sub(r"xid=0x[0-9a-f]+", "xid", output)


pytestmark = pytest.mark.interop


@pytest.mark.parametrize(
    "words",
    [
        "show br0",
        "dump-desc br0",
        "dump-tables br0",
        "dump-ports br0",
        "dump-ports br0 p1",
        "dump-ports-desc br0",
        "queue-stats br0",
        "dump-flows br0",
        "--names dump-flows br0",
        "--no-stats dump-flows br0",
        "dump-flows br0 table=3",
        "dump-flows br0 ip,out_port=2",
        "dump-flows br0 cookie=0x5/-1",
        "dump-aggregate br0",
        "dump-aggregate br0 table=3",
        "dump-groups br0",
        "dump-groups br0 group_id=7",
        "dump-group-stats br0",
        "dump-meters br0",
        "dump-meters br0 meter=5",
        "meter-stats br0",
        "dump-tlv-map br0",
        "probe br0",
    ],
)
def test_what_is_printed(switch: RealSwitch, ours, words: str) -> None:  # type: ignore[no-untyped-def]
    for command in ("del-flows", "del-groups", "del-meters", "del-tlv-map"):
        switch.ofctl(command, "br0")
    switch.ofctl("add-meter", "br0", "meter=5 pktps burst stats band=type=drop rate=100 burst_size=5")
    switch.ofctl("add-meter", "br0", "meter=6 kbps band=type=drop rate=7")
    switch.ofctl("add-tlv-map", "br0", "{class=0x102,type=0x80,len=4}->tun_metadata0")
    switch.ofctl("add-group", "br0", "group_id=7,type=select,bucket=weight:5,actions=output:1")
    switch.ofctl("add-flow", "br0", "table=3,cookie=5,ip,in_port=2,nw_src=10.0.0.0/8,actions=resubmit(1,4),output:2")
    switch.ofctl("add-flow", "br0", "table=4,priority=9,idle_timeout=60,send_flow_rem,actions=learn(table=5,reg0=1)")
    theirs = switch.ofctl(*words.split())
    assert settled(ours(*words.split())) == settled(theirs)


def held(switch: RealSwitch) -> set[str]:
    return {line.strip() for line in switch.ofctl("--no-names", "--no-stats", "dump-flows", "br0").splitlines()}


def test_flows_are_added_changed_and_deleted(switch: RealSwitch, ours, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ours("del-flows", "br0")
    ours("add-flow", "br0", 'table=1,priority=5,in_port="ovn-abc-0",ip,actions=output:p1')
    assert held(switch) == {"table=1, priority=5,ip,in_port=2 actions=output:1"}
    ours("mod-flows", "br0", "table=1,ip,actions=drop")
    assert held(switch) == {"table=1, priority=5,ip,in_port=2 actions=drop"}
    ours("--strict", "del-flows", "br0", "table=1,ip")
    assert len(held(switch)) == 1
    ours("del-flows", "br0", "table=1,ip")
    assert held(switch) == set()
    flows = tmp_path / "flows"
    flows.write_text("table=1,ip,actions=drop\n# a comment\nadd table=2,actions=output:2\n\ndelete table=1\n")
    ours("add-flows", "br0", str(flows))
    assert held(switch) == {"table=2, actions=output:2"}


def test_flows_are_replaced_and_compared(switch: RealSwitch, ours, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("table=1,ip,actions=drop\ntable=2,actions=output:2\n")
    second.write_text("table=1,ip,actions=output:1\ntable=4,actions=output:2\n")
    ours("replace-flows", "br0", str(first))
    assert held(switch) == {"table=1, ip actions=drop", "table=2, actions=output:2"}
    ours("diff-flows", "br0", str(first))
    ours("diff-flows", "br0", "br0")
    difference = ours("--no-names", "diff-flows", "br0", str(second), status=2)
    theirs = switch.ofctl("--no-names", "diff-flows", "br0", str(second), check=False)
    assert set(difference.splitlines()) == set(theirs.splitlines())


def test_groups_meters_options_and_ports(switch: RealSwitch, ours, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for command in ("del-flows", "del-groups", "del-meters", "del-tlv-map"):
        ours(command, "br0")
    ours("add-group", "br0", "group_id=9,type=all,bucket=output:1")
    ours("mod-group", "br0", "group_id=9,type=all,bucket=output:2")
    (tmp_path / "groups").write_text("group_id=10,type=indirect,bucket=output:1\n")
    ours("add-groups", "br0", str(tmp_path / "groups"))
    assert "group_id=9,type=all,bucket=bucket_id:0,actions=output:2" in switch.ofctl("dump-groups", "br0")
    ours("del-groups", "br0", "group_id=9")
    assert "group_id=10" in (left := switch.ofctl("dump-groups", "br0"))
    assert "group_id=9," not in left
    ours("add-meter", "br0", "meter=3 kbps band=type=drop rate=7")
    ours("mod-meter", "br0", "meter=3 kbps band=type=drop rate=8")
    assert "rate=8" in switch.ofctl("dump-meters", "br0")
    ours("del-meters", "br0", "meter=3")
    ours("add-tlv-map", "br0", "{class=0x102,type=0x80,len=4}->tun_metadata0,{class=0x103,type=1,len=8}->tun_metadata1")
    assert "0x103" in switch.ofctl("dump-tlv-map", "br0")
    ours("del-tlv-map", "br0", "{class=0x103,type=1,len=8}->tun_metadata1")
    ours("mod-port", "br0", "p1", "down")
    assert "PORT_DOWN" in switch.ofctl("dump-ports-desc", "br0")
    ours("mod-port", "br0", "p1", "up")
    ours("ct-flush-zone", "br0", "5")


def test_packets_are_put_in(switch: RealSwitch, ours) -> None:  # type: ignore[no-untyped-def]
    ours("del-flows", "br0")
    ours("add-flow", "br0", "table=0,actions=output:2")
    frame = "0a0000000002" + "0a0000000001" + "1234" + "00" * 46
    ours("packet-out", "br0", f"in_port=p1,packet={frame},actions=TABLE")
    ours("packet-out", "br0", "1", "TABLE", frame, frame)
    assert "n_packets=3" in switch.ofctl("dump-flows", "br0")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("add-flow br0 bogus=5,actions=drop", "bogus"),
        ("add-flow br0 nw_src=1.2.3.4,actions=drop", "OFPBMC_BAD_PREREQ"),
        ("add-flow br0 ip", "must specify an action"),
        ("add-group br0 group_id=1", "must specify a type"),
        ("dump-flows br9", "br9 is not a bridge or a socket"),
        ("packet-out br0 in_port=1,actions=drop", "must specify a packet"),
        ("packet-out br0 in_port=1,packet=0g,actions=drop", "bad packet data"),
        ("packet-out br0 1 drop", "packet-out takes"),
        ("mod-port br0 p1 sideways", "sideways"),
        ("add-tlv-map br0 bogus", "tun_metadataN"),
        ("add-flows br0 /nonexistent", "No such file"),
        ("add-group br0 group_id=1,type=indirect,bucket=output:1,bucket=output:2", "OFPGMFC"),
    ],
)
def test_what_is_wrong_is_said(
    ours, switch: RealSwitch, words: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    assert ofctl.main(words.split()) == 1
    assert re.search(complaint, capsys.readouterr().err)


def test_a_file_with_a_bad_flow_names_it(
    ours, switch: RealSwitch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "flows").write_text("table=1,actions=drop\ntable=2,nw_src=1.2.3.4,actions=drop\n")
    assert ofctl.main(["add-flows", "br0", str(tmp_path / "flows")]) == 1
    assert "OFPBMC_BAD_PREREQ: table=2" in capsys.readouterr().err


def test_time_runs_out(switch: RealSwitch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OVS_RUNDIR", str(switch.rundir))
    assert ofctl.main(["-t", "1", "monitor", "br0"]) == 1
    assert "timed out" in capsys.readouterr().err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert ofctl.main(["--help"]) == ofctl.main(["--version"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ofctl.COMMANDS)


def test_options_in_every_spelling() -> None:
    words = "-p key.pem --ca-cert=ca.pem -OOpenFlow15 --protocols=OpenFlow14,OpenFlow15 -O OpenFlow15 -t5"
    words += " --names --no-stats --rsort=in_port --bundle"
    options, rest = ofctl.parse_options([*words.split(), "dump-flows", "br0", "-"])
    assert rest == ["dump-flows", "br0", "-"]
    assert (options.timeout_s, options.names, options.stats) == (5.0, True, False)
    assert (options.sort, options.descending) == ("in_port", True)
    assert (options.tls.private_key, options.tls.ca_cert) == ("key.pem", "ca.pem")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "bogus br0",
        "show",
        "add-flow br0",
        "show br0 br1",
        "--bogus show br0",
        "-O OpenFlow10 show br0",
        "-t x show br0",
    ],
)
def test_bad_command_lines(words: str) -> None:
    with pytest.raises(Usage):
        ofctl.parse_command(ofctl.parse_options(words.split())[1])


def test_flows_sort_by_priority_or_field(switch: RealSwitch, ours) -> None:  # type: ignore[no-untyped-def]
    ours("del-flows", "br0")
    for priority, port in ((5, 2), (9, 1)):
        ours("add-flow", "br0", f"priority={priority},in_port={port},actions=drop")

    def order(option: str) -> list[str]:
        lines = ours("--no-names", "--no-stats", option, "dump-flows", "br0").splitlines()
        return [line.strip().partition(",")[0] for line in lines]

    assert order("--sort") == ["priority=9", "priority=5"]
    assert order("--sort=in_port") == ["priority=9", "priority=5"]
    assert order("--rsort=in_port") == ["priority=5", "priority=9"]


def test_what_a_switch_says_is_put_in_words() -> None:
    frame = bytes.fromhex("0a00000000020a0000000001") + b"\x08\x06" + bytes(28)
    packet = m.PacketIn(frame, match(in_port=2), 1, 3, 5, 42, b"\1\2", b"")
    said = watch.line(packet, {2: "p2"})
    assert "table_id=3 cookie=0x5 total_len=42 in_port=p2 (via action) userdata=01.02 paused data_len=42" in said
    flow = Flow(3, 4, match(eth_type=0x800), ())
    assert "idle" in watch.line(m.FlowRemoved(flow, m.IDLE_TIMEOUT), {})
    assert "ADD: 1(p1)" in watch.line(m.PortStatus(m.PORT_ADD, m.Port(1, 2, "p1")), {})
    assert "bundle_id=0x1" in (added := watch.line(m.BundleAdd(1, m.add_flow(flow)), {}))
    assert "ADD table=3, priority=4,ip actions=drop" in added
    assert watch.line(m.BarrierReply(), {}) == "BarrierReply()"
