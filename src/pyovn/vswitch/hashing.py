"""What a hash over a packet covers, and hashes that are the same in both directions of a connection."""

from pyovn.vswitch.key import bits, get

#: hash algorithm of dp_hash groups (upper half of selection_method_param) that is the same both ways
SYMMETRIC_L4 = 1

#: hash_fields of bundle and multipath -> bits of the key; others cover the five-tuple
HASHED = {
    "eth_src": bits("eth_src"),
    "nw_src": bits("ip_src"),
    "nw_dst": bits("ip_dst"),
    "symmetric_l3": bits("ip_src", "ip_dst", "ipv6_src", "ipv6_dst"),
}


def symmetric(key: int) -> int:
    """Something of the connection that is the same in both directions."""
    ends = (
        (get(key, "ip_src"), get(key, "ipv6_src"), get(key, "tp_src")),
        (get(key, "ip_dst"), get(key, "ipv6_dst"), get(key, "tp_dst")),
    )
    (a4, a6, a_port), (b4, b6, b_port) = sorted(ends)
    return (((((a4 << 128 | a6) << 16 | a_port) << 32 | b4) << 128 | b6) << 16 | b_port) << 8 | get(
        key, "ip_proto"
    ) & 0xFF
