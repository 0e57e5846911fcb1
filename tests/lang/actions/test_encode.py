from pyovn.lang.actions import Env, MeterRequest, encode, parse
from pyovn.openflow import actions as of
from pyovn.openflow.flows import Bucket, GroupDef

ALL = 0xFFFFFFFF
PORTS = {"a": 5, "b": 6}


def openflow(text: str, env: Env | None = None, table: int = 10) -> of.Actions:
    env = env or Env(table=table, lookup_port=PORTS.get)
    return encode(parse(text, pipeline=env.pipeline, table=env.table), env)


def test_going_on_is_a_resubmit() -> None:
    assert openflow("next;") == (of.Resubmit(19),)
    assert openflow("next(pipeline=egress, table=3);") == (of.Resubmit(51),)
    assert openflow("output;") == (of.Resubmit(42),)
    assert openflow("output;", Env(pipeline="egress", table=9)) == (of.Resubmit(64),)


def test_dropping_is_no_action() -> None:
    assert openflow("drop;") == ()


def test_registers_are_written_in_their_narrowest_view() -> None:
    assert openflow("reg1[0..15] = 5;") == (of.SetField("reg1", 5, 0xFFFF),)
    assert openflow("xreg0[0..47] = 5;") == (of.SetField("xreg0", 5, (1 << 48) - 1),)
    assert openflow("xxreg0[16..31] = 1;") == (of.SetField("reg3", 1 << 16, 0xFFFF0000),)
    assert openflow("reg9[6] = reg0[1];") == (of.Move("reg0", 1, "reg9", 6, 1),)


def test_port_names_become_keys() -> None:
    assert openflow('outport = "a"; inport = "nosuch";') == (of.SetField("reg15", 5, ALL), of.SetField("reg14", 0, ALL))


def test_exchange_goes_over_the_stack() -> None:
    assert openflow("inport <-> outport;") == (
        of.Push("reg15", 0, 32),
        of.Push("reg14", 0, 32),
        of.Pop("reg15", 0, 32),
        of.Pop("reg14", 0, 32),
    )


def test_zones_depend_on_the_datapath() -> None:
    zone = ("reg13", 0, 16)
    assert openflow("ct_next(snat);") == (of.Ct(zone=zone, table=19),)
    router = Env(table=10, is_switch=False)
    assert openflow("ct_next(snat);", router) == (of.Ct(zone=("reg12", 0, 16), table=19),)
    assert openflow("ct_snat_in_czone;", router) == (of.Ct(zone=("reg11", 0, 16), table=19, nat=of.Nat()),)


def test_a_commit_carries_its_values() -> None:
    (commit,) = openflow("ct_commit { ct_mark.blocked = 1; ct_label.label = reg3; };")
    assert commit == of.Ct(
        commit=True,
        zone=("reg13", 0, 16),
        exec=(of.SetField("ct_mark", 1, 1), of.Move("reg3", 0, "ct_label", 96, 32)),
    )


def test_translation_with_a_range_picks_a_random_port() -> None:
    (ct,) = openflow("ct_dnat(1.2.3.4, 5-9);")
    nat = of.Nat("dst", 0x01020304, port_lo=5, port_hi=9, flags=of.NAT_RANDOM)
    assert ct == of.Ct(commit=True, zone=("reg11", 0, 16), table=19, nat=nat)


def test_backends_are_buckets_of_a_group() -> None:
    wanted: list[GroupDef] = []
    env = Env(table=10, group=lambda group: wanted.append(group) or 7)  # type: ignore[func-returns-value]
    assert openflow("ct_lb_mark(backends=1.2.3.4:80; skip_snat);", env) == (of.Group(7),)
    nat = of.Nat("dst", 0x01020304, port_lo=80)
    marks = of.SetField("ct_mark", 2, 2), of.SetField("ct_mark", 4, 4)
    ct = of.Ct(commit=True, zone=("reg13", 0, 16), table=19, nat=nat, exec=marks)
    assert wanted == [GroupDef(0, "select", (Bucket((ct,), 100, 0),), "dp_hash")]


def test_without_a_local_backend_nothing_is_done() -> None:
    assert openflow('ct_lb_mark_local(backends="a":1.2.3.4:80);') == ()


def test_arguments_are_put_in_place_and_taken_back() -> None:
    assert openflow("get_arp(inport, reg5);") == (
        of.Push("reg15", 0, 32),
        of.Push("reg0", 0, 32),
        of.Push("reg5", 0, 32),
        of.Push("reg14", 0, 32),
        of.Pop("reg15", 0, 32),
        of.Pop("reg0", 0, 32),
        of.SetField("eth_dst", 0, (1 << 48) - 1),
        of.Resubmit(66),
        of.Pop("reg0", 0, 32),
        of.Pop("reg15", 0, 32),
    )


def test_arguments_in_place_already_are_left_there() -> None:
    assert openflow("get_arp(outport, reg0);") == (of.SetField("eth_dst", 0, (1 << 48) - 1), of.Resubmit(66))


def test_a_result_is_copied_from_the_flag_the_table_sets() -> None:
    assert openflow("reg0[15] = check_in_port_sec();") == (
        of.SetField("reg10", 0, 1 << 12),
        of.Resubmit(73),
        of.Move("reg10", 12, "reg0", 15, 1),
    )


def test_meters_come_from_the_environment() -> None:
    env = Env(table=10, meter=lambda request: {MeterRequest(100, 20): 3}[request])
    assert openflow("set_meter(100, 20);", env) == (of.Meter(3),)


def test_samples_for_unknown_collectors_are_not_taken() -> None:
    text = "sample(probability=65535,collector_set=2,obs_domain=1,obs_point=$cookie);"
    env = Env(table=10, cookie=0xABCD, datapath=3, collector_sets=frozenset({2}))
    assert openflow(text, env) == (of.Sample(65535, 2, 1 << 24 | 3, 0xABCD),)
    assert openflow(text, Env(table=10, collector_sets=frozenset())) == ()


def test_a_mirrored_copy_may_go_back_out_of_its_port() -> None:
    (clone,) = openflow('mirror("a");')
    assert isinstance(clone, of.Clone)
    assert clone.actions[0] == of.SetField("in_port", of.OFPP_NONE, ALL)
