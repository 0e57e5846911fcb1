import pytest

from pyovn.lang.actions import parse, prerequisites, text
from pyovn.lang.errors import SyntaxFault
from tests.lang.actions.corpus import CORPUS


def canonical(actions: str, **where: object) -> str:
    return text(parse(actions, **where))  # type: ignore[arg-type]


@pytest.mark.parametrize("actions", CORPUS)
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
        ("icmp4.frag_mtu = reg0[0..15];", "Field icmp4.frag_mtu may only be assigned a constant."),
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
