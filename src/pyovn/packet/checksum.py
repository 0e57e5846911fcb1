"""The Internet checksum (RFC 1071), whole and incremental (RFC 1624), and SCTP's CRC-32c.

A one's complement sum of 16-bit words is the number the bytes spell, modulo 2^16 - 1: one big-integer
division in C instead of a loop, 1 µs for 1500 bytes.
"""


def ones_sum(data: bytes) -> int:
    """The one's complement sum of 16-bit words, odd bytes padded."""
    number = int.from_bytes(data, "big") << (8 if len(data) & 1 else 0)
    return number % 0xFFFF or (0xFFFF if number else 0)


def internet(data: bytes) -> int:
    """The checksum to write over a zero checksum field; 0 if the data already holds its correct checksum."""
    return 0xFFFF ^ ones_sum(data)


def pseudo(version: int, src: int, dst: int, proto: int, length: int) -> bytes:
    """The pseudo header that TCP, UDP and ICMPv6 checksums cover."""
    if version == 4:
        return (src << 64 | dst << 32 | proto << 16 | length).to_bytes(12, "big")
    return (src << 192 | dst << 64 | length << 32 | proto).to_bytes(40, "big")


def transport(version: int, src: int, dst: int, proto: int, segment: bytes) -> int:
    """The checksum of a segment whose checksum field is zero; 0 if it is filled in correctly."""
    return internet(pseudo(version, src, dst, proto, len(segment)) + segment)


def updated(checksum: int, old: int, new: int) -> int:
    """The checksum after a field that held `old` came to hold `new`, both aligned to 16 bits."""
    total = (0xFFFF ^ checksum) + (-old % 0xFFFF) + new % 0xFFFF
    return 0xFFFF ^ (total % 0xFFFF or (0xFFFF if total else 0))


def _crc32c_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_CRC32C = _crc32c_table()


def crc32c(data: bytes) -> int:
    """The checksum of an SCTP packet whose checksum field is zero, as written in the packet (RFC 9260 appendix A)."""
    crc, table = 0xFFFFFFFF, _CRC32C
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return int.from_bytes((crc ^ 0xFFFFFFFF).to_bytes(4, "little"), "big")
