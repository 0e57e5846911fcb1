"""The integration bridge's private map: OpenFlow tables, registers and flag bits.

    0        physical → logical          42-47  output: size, remote, local, loopback
    8-41     logical ingress             48-63  logical egress      64-65  logical → physical
    66-88    look-up tables that logical actions call

Only a chassis itself reads these numbers; what crosses the wire is in `physical.tunnels`.
"""

from typing import Final

PHY_TO_LOG: Final = 0
INGRESS: Final = 8
OUTPUT_LARGE: Final = 42
OUTPUT_LARGE_PROCESS: Final = 43
REMOTE_OUTPUT: Final = 44
REMOTE_VTEP_OUTPUT: Final = 45
LOCAL_OUTPUT: Final = 46
CHECK_LOOPBACK: Final = 47
EGRESS: Final = 48
SAVE_INPORT: Final = 64
LOG_TO_PHY: Final = 65
MAC_BINDING: Final = 66
MAC_LOOKUP: Final = 67
CHECK_HAIRPIN: Final = 68
CHECK_HAIRPIN_REPLY: Final = 69
SNAT_HAIRPIN: Final = 70
GET_FDB: Final = 71
LOOKUP_FDB: Final = 72
CHECK_IN_PORT_SEC: Final = 73
CHECK_IN_PORT_SEC_ND: Final = 74
CHECK_OUT_PORT_SEC: Final = 75
ECMP_NEXT_HOP_MAC: Final = 76
ECMP_NEXT_HOP: Final = 77
CHECK_AFFINITY: Final = 78
MAC_CACHE_USE: Final = 79
CT_ZONE_LOOKUP: Final = 80
CT_ORIG_NW_DST: Final = 81
CT_ORIG_IP6_DST: Final = 82
CT_ORIG_TP_DST: Final = 83
FLOOD_REMOTE: Final = 84
CT_STATE_SAVE: Final = 85
CT_ORIG_PROTO: Final = 86
GET_REMOTE_FDB: Final = 87

INGRESS_STAGES: Final = 34
EGRESS_STAGES: Final = 16

#: Register use.
DATAPATH: Final = "metadata"
INPORT: Final = "reg14"
OUTPORT: Final = "reg15"
FLAGS: Final = "reg10"
DNAT_ZONE: Final = "reg11"
SNAT_ZONE: Final = "reg12"
#: Bits 0..15: the conntrack zone of the logical port; bits 16..31: which local encapsulation it uses.
PORT_ZONE: Final = "reg13"
ZONE_BITS: Final = 0xFFFF
ENCAP_SHIFT: Final = 16
ENCAP_BITS: Final = 0xFFFF0000
#: Bits 16..31: the OpenFlow port of the tunnel a packet came through.
TUNNEL_PORT: Final = "reg5"
#: The logical registers, wiped whenever a packet enters a pipeline.
SCRATCH: Final = tuple(f"reg{number}" for number in range(10))

#: Flag bits of reg10.
LOOPBACK: Final = 1 << 0
FROM_RAMP: Final = 1 << 1
LOCAL_ONLY: Final = 1 << 4
NESTED_CONTAINER: Final = 1 << 5
MAC_FOUND: Final = 1 << 6
HAIRPIN: Final = 1 << 7
FDB_FOUND: Final = 1 << 8
FROM_LOCALPORT: Final = 1 << 10
PORT_SEC_VIOLATED: Final = 1 << 12
LOCALNET: Final = 1 << 15
TUNNEL_RX: Final = 1 << 16
OVERRIDE_LOCAL_ONLY: Final = 1 << 18

#: Bit of `reg9`: the packet is too large for the tunnel it may have to take.
TOO_LARGE_REGISTER: Final = "reg9"
TOO_LARGE: Final = 1 << 1

VLAN_PRESENT: Final = 0x1000
VLAN_VID: Final = 0x0FFF
IPV4: Final = 0x0800
IPV6: Final = 0x86DD
ARP: Final = 0x0806
RARP: Final = 0x8035

#: Id of the conjunction that turns a chassis' MAC back into a router's.
CHASSIS_MAC_CONJUNCTION: Final = 100
