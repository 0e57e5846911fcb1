"""DHCP relay: `R = dhcp_relay_req_chk(RELAY_IP, SERVER_IP);` and `…_resp_chk`.

userdata   result bit · relay's address (4) · server's address (4)
"""
# ruff: noqa: D102, D103  (the verbs of every family are described by `Action` and `Scope`)

import struct
from dataclasses import dataclass

from pyovn.lang.actions.env import NOTHING, Env, Out
from pyovn.lang.actions.place import place
from pyovn.lang.actions.scope import Results, Scope, full_name
from pyovn.lang.actions.userdata import Opcode, punt, result_bit
from pyovn.lang.match.parse import Part
from pyovn.net.errors import Malformed
from pyovn.net.ip import ip4_str

_ADDRESSES = struct.Struct(">II")
_OPCODES = {
    "dhcp_relay_req_chk": Opcode.DHCP_RELAY_REQ_CHK,
    "dhcp_relay_resp_chk": Opcode.DHCP_RELAY_RESP_CHK,
}


@dataclass(frozen=True, slots=True)
class DhcpRelay:
    """Check a DHCP message on its way through a relay, and rewrite it."""

    name: str
    result: Part
    relay: int
    server: int

    def __str__(self) -> str:
        return f"{full_name(self.result)} = {self.name}({ip4_str(self.relay)}, {ip4_str(self.server)});"

    def needs(self) -> tuple[str, ...]:
        return NOTHING

    def encode(self, env: Env, out: Out) -> None:
        arguments = result_bit(place(self.result)) + _ADDRESSES.pack(self.relay, self.server)
        out.append(punt(_OPCODES[self.name], arguments, pause=True, meter=env.controller_meter))


def read_relay(arguments: bytes) -> tuple[int, int]:
    """(relay, server) after the result bit; raises Malformed."""
    if len(arguments) < _ADDRESSES.size:
        raise Malformed("truncated DHCP relay arguments")
    relay, server = _ADDRESSES.unpack_from(arguments)
    return relay, server


def _address(scope: Scope, what: str) -> int:
    value, mask, notation = scope.number()
    if notation != "ip4" or mask is not None:
        scope.tokens.expected(what)
    scope.tokens.at += 1
    return value


def _parse(name: str, scope: Scope, result: Part) -> DhcpRelay:
    tokens = scope.tokens
    scope.check_result(result)
    tokens.force("(")
    relay = _address(scope, "IPv4 dhcp relay and server ips")
    tokens.accept(",")
    server = _address(scope, "IPv4 dhcp server ip") if tokens.kind == "num" else 0
    if not server:
        tokens.force(")")
    tokens.force(")")
    return DhcpRelay(name, result, relay, server)


def parse_req_chk(scope: Scope, result: Part) -> DhcpRelay:
    return _parse("dhcp_relay_req_chk", scope, result)


def parse_resp_chk(scope: Scope, result: Part) -> DhcpRelay:
    return _parse("dhcp_relay_resp_chk", scope, result)


RESULTS: Results = {"dhcp_relay_req_chk": parse_req_chk, "dhcp_relay_resp_chk": parse_resp_chk}
