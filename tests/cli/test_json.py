"""`--format=json` on whatever lists something: JSON that holds what the text holds, with types."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pyovn.cli import nbctl, sbctl, vsctl
from pyovn.cli.ctl.program import Program
from tests.cli.twins import LOOK_UP, run
from tests.support.servers import server_process, upstream_schema

PROGRAMS = {"nb": nbctl.PROGRAM, "sb": sbctl.PROGRAM, "vs": vsctl.PROGRAM}

CONTENTS = Path(__file__).with_name("contents")  #: what is in each database when the listings are made, as commands

#: what lists something
LISTINGS = {
    "nb": """
        show|show sw0|show lr0|ls-list|lr-list|lsp-list sw0|lrp-list lr0|lsp-get-ls p1|acl-list sw0|--all acl-list sw0
        qos-list sw0|meter-list|copp-list cp|mirror-list|fwd-group-list|nf-list|nfg-list|lsp-hc-list p1
        ha-chassis-group-list|static-mac-binding-list|lr-policy-list lr0|lr-route-list lr0|lr-nat-list lr0
        lb-list|ls-lb-list sw0|lr-lb-list lr0|dhcp-options-list|pg-get-ports pg0|lsp-get-addresses p1
        lsp-get-port-security p1|lsp-get-options r|dhcp-options-get-options ${DHCP_Options,cidr=10.0.0.0/24}
        lrp-get-gateway-chassis rp|get-connection|get-ssl
    """,
    "sb": """
        show|--filter=Encap(vxlan) show|lflow-list|lflow-list sw0|dump-flows|--vflows lflow-list|count-flows
        get-connection|get-ssl
    """,
    "vs": """
        show|list-br|--fake list-br|list-ports br0|list-ifaces br0|get-controller br0|br-get-external-id br0
        get-aa-mapping br0|get-manager|get-ssl|list-zone-tp system|list-zone-limits system|list-dp-cap system
    """,
}

#: words that explain, and are in the text alone
EXPLAINING = set(
    (
        "switch router port nat external ip logical type mac ipv6-lla networks gateway chassis aka addresses "
        "router-port tag parent bands: kb packet burst Type Sink Filter Index/Key Rules FWD_GROUP LS VIP VMAC "
        "CHILD_PORTS id in out Logical Switch Port Protocol Source IP Address priority LOGICAL_PORT MAC Routing "
        "Policies IPv4 IPv6 Routes Route Table <main> TYPE GATEWAY_PORT MATCH EXTERNAL_IP EXTERNAL_PORT "
        "LOGICAL_IP EXTERNAL_MAC UUID LB PROTO IPs Private key Certificate CA Bootstrap route-table s log "
        "severity meter after-lb Chassis Encap Port_Binding Datapath Pipeline Total number of flows the datapath "
        "uuid table action match lflows Bindings Groups Load Balancers vips ports name tunnel_key logical_port "
        "protocol Bridge Interface Controller Manager Zone Timeout system default Limit Default read-only "
        "read-write role MC bands ecmp-symmetric-reply options -> Address : => { } "
    ).split()
)


class Shop(NamedTuple):
    """A tool and its server."""

    program: Program
    remote: str

    def say(self, words: list[str], *options: str) -> str:
        def uuid(found: re.Match[str]) -> str:
            found_words = ["--bare", "--columns=_uuid", "find", found[1], *filter(None, [found[2]])]
            return self.say(found_words).strip()

        outcome = run(self.program, [f"--db={self.remote}", *options, *(LOOK_UP.sub(uuid, word) for word in words)])
        assert outcome.status == 0, outcome.stderr
        return outcome.stdout


@pytest.fixture(scope="module")
def shops() -> Iterator[dict[str, Shop]]:
    with server_process(*(upstream_schema(name) for name in ("ovn-nb", "ovn-sb", "vswitch"))) as server:
        found = {name: Shop(program, server.remote) for name, program in PROGRAMS.items()}
        for name, shop in found.items():
            always = ["--no-wait"] if name == "vs" else []
            for line in (CONTENTS / f"{name}.txt").read_text().splitlines():
                shop.say(shlex.split(line), *always)
        yield found


def listings() -> Iterator[tuple[str, list[str]]]:
    for name, text in LISTINGS.items():
        for line in re.split(r"[|\n]", text):
            if line.strip():
                yield name, shlex.split(line)


def words_of(value: Any) -> Iterator[str]:
    """Every word in JSON, keys and values."""
    match value:
        case dict():
            for key, each in value.items():
                yield from (*parts(key), *words_of(each))
        case list():
            for each in value:
                yield from words_of(each)
        case bool() | None:
            yield str(value).lower()
        case _:
            yield from parts(str(value))


def parts(text: str) -> list[str]:
    return re.findall(r"[^\s()\[\]\"',=;{}]+", text)


@pytest.mark.parametrize(("tool", "words"), [*listings()], ids=str)
def test_json_holds_what_the_text_holds(shops: dict[str, Shop], tool: str, words: list[str]) -> None:
    options = ["--no-wait"] if tool == "vs" else []
    text = shops[tool].say(words, *options)
    document = shops[tool].say(words, *options, "--format=json")
    assert text.strip(), "a listing of nothing says nothing"
    assert document.count("\n") == 1
    held = set(words_of(json.loads(document)))
    missing = {word.strip(":") for word in parts(text)} - held - EXPLAINING - {""}
    assert {word for word in missing if word.partition(":")[2] not in held} == set()


def test_every_listing_command_is_tried() -> None:
    tried = {(tool, word) for tool, words in listings() for word in words}
    for tool, program in PROGRAMS.items():
        names = {name for topic in program.topics for name in program.table(topic)}
        lists = {name for name in names if re.search(r"(^|-)list(-|$)|^show$|-flows$|^get-", name)}
        assert {name for name in lists - {"list", "get-fail-mode"} if (tool, name) not in tried} == set()


def test_values_have_their_types(shops: dict[str, Shop]) -> None:
    first, second = json.loads(shops["nb"].say(["acl-list", "sw0"], "--format=json"))
    assert (first["priority"], first["after_lb"], first["label"], first["tier"]) == (900, True, 7, 2)
    assert (second["match"], second["log"], second["severity"]) == ("ip4 && tcp.dst == 80", True, "info")
    (balancer,) = json.loads(shops["nb"].say(["lb-list"], "--format=json"))
    assert [(vip["vip"], vip["protocol"], vip["ips"]) for vip in balancer["vips"]] == [
        ("10.9.0.1:80", "udp", ["10.0.0.1:80", "10.0.0.2:80"]),
        ("10.9.0.2", None, ["10.0.0.3"]),
    ]


def test_nothing_is_an_empty_document(shops: dict[str, Shop]) -> None:
    assert shops["nb"].say(["lsp-hc-list", "p2"], "--format=json") == "[]\n"
    assert shops["nb"].say(["show", "nothing"], "--format=json") == '{"routers":[],"switches":[]}\n'


def test_each_command_of_a_chain_says_a_line(shops: dict[str, Shop]) -> None:
    said = shops["nb"].say(["ls-list", "--", "lr-list", "--", "--columns=name", "list", "NB_Global"], "--format=json")
    assert [type(json.loads(line)) for line in said.splitlines()] == [list, list, dict]


def test_rows_made_in_the_chain_have_the_uuids_that_they_got(shops: dict[str, Shop]) -> None:
    made = json.loads(shops["nb"].say(["lr-add", "new", "--", "lr-list"], "--format=json"))
    (known,) = [row for row in made if row["name"] == "new"]
    assert shops["nb"].say(["get", "Logical_Router", "new", "_uuid"]).strip() == known["_uuid"]


def test_it_can_be_laid_out(shops: dict[str, Shop]) -> None:
    assert shops["nb"].say(["ls-list"], "--format=json", "--pretty").startswith("[\n  {\n")
