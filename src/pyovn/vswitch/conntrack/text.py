"""Connections as `ovs-appctl dpctl/dump-conntrack` prints them."""

from pyovn.net.ip import ip4_str, ip6_str
from pyovn.vswitch.conntrack.table import Connection, name_of
from pyovn.vswitch.conntrack.tuples import Tuple
from pyovn.vswitch.frame import ETH_IP, SCTP, TCP, UDP


def dumped(connection: Connection) -> str:
    """One line of the dump."""
    parts = [
        name_of(connection.original.proto),
        f"orig=({_direction(connection.original)})",
        f"reply=({_direction(connection.reply)})",
    ]
    if connection.zone:
        parts.append(f"zone={connection.zone}")
    if connection.mark:
        parts.append(f"mark={connection.mark}")
    if connection.label:
        parts.append(f"labels={connection.label:#x}")
    line = ",".join(parts) + connection.state.text
    if connection.helper:
        line += f",helper={'ftp' if connection.helper == 21 else 'tftp'}"
    return line


def _direction(tuple_: Tuple) -> str:
    address = ip4_str if tuple_.net == ETH_IP else ip6_str
    ends = f"src={address(tuple_.src)},dst={address(tuple_.dst)}"
    if tuple_.is_icmp:
        return f"{ends},id={tuple_.sport},type={tuple_.dport >> 8},code={tuple_.dport & 255}"
    return (
        f"{ends},sport={tuple_.sport},dport={tuple_.dport}"
        if tuple_.proto in (TCP, UDP, SCTP)
        else f"{ends},sport=0,dport=0"
    )
