"""A packet in a trace: its OpenFlow fields by name; what is not there is zero."""

from collections.abc import Iterable

Packet = dict[str, int]

#: Registers that one pipeline cannot see of another.
LOGICAL_REGISTERS = tuple(f"reg{number}" for number in range(10))

#: The connection's original addresses, protocol and ports.
CONNECTION_TUPLE = (
    "ct_nw_src",
    "ct_nw_dst",
    "ct_ipv6_src",
    "ct_ipv6_dst",
    "ct_nw_proto",
    "ct_tp_src",
    "ct_tp_dst",
)

#: All that conntrack says.
CONNECTION_FIELDS = ("ct_state", "ct_mark", "ct_label", *CONNECTION_TUPLE)


def forget(packet: Packet, names: Iterable[str]) -> None:
    """Zero some fields."""
    for name in names:
        packet.pop(name, None)
