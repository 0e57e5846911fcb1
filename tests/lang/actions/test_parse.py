import pytest

from pyovn.lang.actions import parse, prerequisites, text
from pyovn.lang.errors import SyntaxFault


def canonical(actions: str, **where: object) -> str:
    return text(parse(actions, **where))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "actions",
    [
        "drop;", "output;", "next(3);", "next(pipeline=egress, table=3);", "clone { output; };", "clone { drop; };",
        "reg0[0..3] = 1.2.3.4;", 'inport = "p\\"1";', "reg0 = reg1;", "eth.dst <-> eth.src;", "push(xxreg1[0..63]);",
        "pop(eth.src);", "ip.ttl--;", "ct_next(snat);", "ct_commit;", "ct_commit_to_zone(dnat);",
        "ct_commit { ct_mark.blocked = 1; ct_label.ecmp_reply_eth = eth.src; };", "ct_commit_nat(snat);",
        "ct_dnat;", "ct_dnat(1.2.3.4);", "ct_snat(fd00::1,1-3);", "ct_dnat_in_czone(1.2.3.4,5);", "ct_snat_in_czone;",
        "ct_clear;", "ct_snat_to_vip;", "ct_lb;", "ct_lb_mark(backends=1.2.3.4:80,[fd0f::2]:80,fd0f::3);",
        'ct_lb_mark(backends=1.2.3.4:80; hash_fields="ip_src,ip_dst"; skip_snat);',
        'ct_lb_mark_local(backends="a":1.2.3.4:80,"b":[fd00::1]:80);', "reg0 = select(1=100, 2=50);",
        'reg0[0..15] = select(values=(1=20, 2=10); hash_fields="ip_src");',
        "arp { eth.dst = ff:ff:ff:ff:ff:ff; output; };",
        "nd_na_router { output; };", "icmp4_error { icmp4.frag_mtu = 1500; output; };", "reject { output; };",
        "get_arp(outport, ip4.dst);", "put_nd(inport, nd.target, nd.sll);",
        "reg0[0] = lookup_arp(inport, arp.spa, arp.sha);",
        "reg9[3] = lookup_nd_ip(inport, ip6.src);", "outport = get_fdb(eth.dst);", "put_fdb(inport, eth.src);",
        "reg0[0] = lookup_fdb(inport, eth.src);", "remote_outport = get_remote_fdb(eth.dst);",
        'reg1[0] = put_dhcp_opts(offerip = 1.2.3.4, router = 10.0.0.1, mtu = 9, dns_server = {1.1.1.1, 2.2.2.2});',
        "reg1[0] = put_dhcpv6_opts(ia_addr = ae70::4, server_id = 00:00:00:00:10:02);",
        "reg0[7] = dhcp_relay_req_chk(192.168.1.1, 172.16.1.1);",
        'reg1[0] = put_nd_ra_opts(addr_mode = "slaac", mtu = 1500, prefix = aef0::/64, slla = ae:01:02:03:04:05);',
        "reg1[0] = dns_lookup();", 'log(name="a", verdict=allow, severity=info, meter="m");', "set_queue(5);",
        "set_meter(100, 1000);", "reg0[0] = check_pkt_larger(1500);",
        'trigger_event(event = "empty_lb_backends", vip = "10.0.0.1:80", protocol = "tcp", '
        'load_balancer = "12345678-abcd-9876-fedc-11119f8e7d6c");',
        'bind_vport("v", inport);', "handle_svc_check(inport);", "handle_dhcpv6_reply;", "handle_bfd_msg();", "igmp;",
        'fwd_group(liveness="true", childports="a", "b");', "reg0[0] = chk_lb_hairpin();",
        "commit_ecmp_nh(ipv6 = true, proto = tcp);", "mac_cache_use;", "flood_remote;", "reg4[0..7] = ct_state_save();",
        'commit_lb_aff(vip = "[::1]:80", backend = "[::2]", proto = tcp, timeout = 30);', "xxreg0 = ct_ip6_dst();",
        "sample(probability=100,collector_set=200,obs_domain=0,obs_point=$cookie);",
        "sample(probability=100,collector_set=200,obs_domain=0,obs_point=reg0);", 'mirror("m");',
    ],
)  # fmt: skip
def test_canonical_text_is_canonical(actions: str) -> None:
    assert canonical(actions) == actions


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ("", "drop;"),
        ("/* drop */", "drop;"),
        ("next(1);", "next;"),
        ("next(pipeline=ingress, table=1);", "next;"),
        ("clone {};", "clone { drop; };"),
        ("ct_next;", "ct_next(dnat);"),
        ("ct_commit {};", "ct_commit;"),
        ("reg0 = select(1, 2);", "reg0 = select(1=100, 2=100);"),
        ("ct_lb_mark(backends=[::1]:0);", "ct_lb_mark(backends=::1);"),
        ("log(severity=alert verdict=drop);", "log(verdict=drop, severity=alert);"),
    ],
)
def test_other_spellings_become_canonical(actions: str, expected: str) -> None:
    assert canonical(actions) == expected


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        ("drop; next;", "Syntax error at `next' expecting end of input."),
        ("next; drop;", "Syntax error at `drop' expecting action."),
        ("next;;", "Syntax error at `;'."),
        ("next(34);", '"next" action cannot advance beyond table 34.'),
        ("reg0 = inport;", "Can't assign string field (inport) to integer field (reg0)."),
        ("reg0 = xreg1;", "Can't assign 64-bit value to 32-bit destination."),
        ("reg0 <-> xreg1;", "Can't exchange 32-bit field with 64-bit field."),
        ("eth.type = 0x800;", "Field eth.type is not modifiable."),
        ("ct_mark = 1;", "Field ct_mark is not modifiable."),
        ("ct_commit { reg0 = 1; };", "Field reg0 is not modifiable."),
        ("ip4 = 1;", "Predicate symbol ip4 used where lvalue required."),
        ("get_arp(reg0, ip4.dst);", "Cannot use numeric field reg0 where string field is required."),
        (
            "reg0[0..1] = lookup_arp(inport, ip4.dst, eth.src);",
            "Cannot use 2-bit field reg0[0..1] where 1-bit field is required.",
        ),
        ("reg0 = select(1);", "Syntax error at `;' expecting at least 2 group members."),
        ("log();", "Syntax error at `;' expecting verdict."),
        ("clone { " * 32 + "};" * 32, "maximum depth of nested actions reached"),
        ("reg1[0] = put_dhcp_opts();", "put_dhcp_opts requires offerip to be specified."),
    ],
)
def test_faults_are_told_in_the_words_users_know(actions: str, sentence: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse(actions)
    assert str(caught.value) == sentence


def test_the_last_table_has_no_next_one() -> None:
    for actions in ("next;", "ct_next;", "ct_lb_mark;"):
        with pytest.raises(SyntaxFault):
            parse(actions, pipeline="egress", table=15)


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ("output;", None),
        ("ip.ttl--; ct_next;", "ip && ip"),
        ("ip4.src = 1.2.3.4;", "eth.type == 0x800"),
        ("arp { ip4.src = 1.2.3.4; };", "ip"),
        ("clone { arp.op = 2; };", "eth.type == 0x806"),
    ],
)
def test_actions_say_what_the_packet_must_be(actions: str, expected: str | None) -> None:
    needed = prerequisites(parse(actions))
    assert (None if needed is None else str(needed)) == expected
