"""A DHCPv6 server that delegates a prefix to whoever asks (RFC 8415, section 6.3)."""

from typing import Final

from scapy.layers.dhcp6 import (
    DUID_LL,
    DHCP6_Advertise,
    DHCP6_Reply,
    DHCP6_Request,
    DHCP6_Solicit,
    DHCP6OptClientId,
    DHCP6OptIA_PD,
    DHCP6OptIAPrefix,
    DHCP6OptServerId,
)
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

SERVER: Final = "40:44:00:00:00:01"
PREFIX: Final = "2001:db8:5::"


def reply(frame: bytes) -> bytes | None:
    """What a server that has a prefix for everybody says; None to what is nothing for it."""
    said = Ether(frame)
    answers = {DHCP6_Solicit: DHCP6_Advertise, DHCP6_Request: DHCP6_Reply}
    asked = next((said[each] for each in answers if each in said), None)
    if asked is None:
        return None
    given = DHCP6OptIAPrefix(prefix=PREFIX, plen=64, preflft=3600, validlft=7200)
    message = answers[type(asked)](trid=asked.trid) / DHCP6OptClientId(duid=asked[DHCP6OptClientId].duid)
    message /= DHCP6OptServerId(duid=DUID_LL(lladdr=SERVER))
    message /= DHCP6OptIA_PD(iaid=asked[DHCP6OptIA_PD].iaid, T1=1800, T2=2880, iapdopt=[given])
    inner = IPv6(src="fe80::4244:ff:fe00:1", dst=said[IPv6].src) / UDP(sport=547, dport=546) / message
    return bytes(Ether(src=SERVER, dst=said.src) / inner)
