"""Name service: `R = dns_lookup();` answers a DNS query from the DNS table."""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

from dataclasses import dataclass

from pyovn.lang.actions.env import Env, Out
from pyovn.lang.actions.place import place
from pyovn.lang.actions.scope import Results, Scope, full_name
from pyovn.lang.actions.userdata import Opcode, punt, result_bit
from pyovn.lang.match.parse import Part


@dataclass(frozen=True, slots=True)
class DnsLookup:
    """Answer a DNS query."""

    result: Part

    def __str__(self) -> str:
        return f"{full_name(self.result)} = dns_lookup();"

    def needs(self) -> tuple[str, ...]:
        return ("udp",)

    def encode(self, env: Env, out: Out) -> None:
        out.append(punt(Opcode.DNS_LOOKUP, result_bit(place(self.result)), pause=True, meter=env.controller_meter))


def parse_dns_lookup(scope: Scope, result: Part) -> DnsLookup:
    scope.no_arguments("dns_lookup")
    scope.check_result(result)
    return DnsLookup(result)


RESULTS: Results = {"dns_lookup": parse_dns_lookup}
