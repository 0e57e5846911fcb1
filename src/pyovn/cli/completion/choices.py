"""The words that may stand for a placeholder of a synopsis: fixed ones, or names that the database has.

    SWITCH ─▶ Logical_Switch.name      DIRECTION ─▶ to-lport from-lport      MATCH ─▶ anything, so nothing is offered

A placeholder means the same in all commands of a tool, unless a row names the command too; `lsp-*` are all commands
that begin so, and the first row that fits counts.
"""

from fnmatch import fnmatchcase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILES = "<files>"  #: stands for the names of files
ANYTHING: tuple[str, ...] = ()


class Column:
    """The values of a column, or of one key of a map, in all rows of a table."""

    __slots__ = ("key", "name", "table")

    def __init__(self, text: str) -> None:
        self.table, _, rest = text.partition(".")
        self.name, _, self.key = rest.partition(":")


def columns(*texts: str) -> "tuple[Column, ...]":
    """Columns as `Table.column` or `Table.column:key`."""
    return tuple(map(Column, texts))


def words(text: str) -> tuple[str, ...]:
    """Fixed words."""
    return tuple(text.split())


if TYPE_CHECKING:
    Choice = str | Column
    Table = Sequence[tuple[str, str, tuple[Choice, ...]]]

SWITCHES = columns("Logical_Switch.name")
ROUTERS = columns("Logical_Router.name")
PORTS = columns("Logical_Switch_Port.name")
ROUTER_PORTS = columns("Logical_Router_Port.name")
GROUPS = columns("Port_Group.name")
HA_GROUPS = columns("HA_Chassis_Group.name")
FORWARDING_GROUPS = columns("Forwarding_Group.name")
DATAPATHS = columns("Datapath_Binding.external_ids:name", "Datapath_Binding.external_ids:name2")
BRIDGES = columns("Bridge.name")
DIRECTIONS = words("to-lport from-lport")
STREAMS = words("ptcp: pssl: punix: tcp: ssl: unix:")

#: what every tool's database commands and connections take
EVERYWHERE: "Table" = (
    ("set-ssl", "PRIVATE-KEY CERTIFICATE CA-CERT", (FILES,)),
    ("*", "TARGET", STREAMS),
    ("*", "VALUE KEY ARGUMENT PROTOCOLS CIPHERS CIPHERSUITES TABLE RECORD COLUMN", ANYTHING),
)

#: command, placeholders, choices
NB: "Table" = (
    ("ls-add", "SWITCH", ANYTHING),
    ("lr-add", "ROUTER", ANYTHING),
    ("lsp-add*", "PORT NETWORK", ANYTHING),
    ("lrp-add", "PORT", ANYTHING),
    ("pg-add", "PG", ANYTHING),
    ("nf-add", "NETWORK-FUNCTION", ANYTHING),
    ("nfg-add", "NETWORK-FUNCTION-GROUP", ANYTHING),
    ("fwd-group-add", "GROUP", ANYTHING),
    ("ha-chassis-group-add", "GROUP", ANYTHING),
    ("m*-add", "NAME", ANYTHING),
    ("lrp-*", "PORT", ROUTER_PORTS),
    ("lr-route-*", "PORT", ROUTER_PORTS),
    ("static-mac-binding-*", "LOGICAL_PORT", ROUTER_PORTS),
    ("fwd-group-*", "GROUP", FORWARDING_GROUPS),
    ("ha-chassis-*", "GROUP", HA_GROUPS),
    ("mirror-*", "NAME", columns("Mirror.name")),
    ("meter-*", "NAME", columns("Meter.name")),
    ("*copp-*", "NAME", columns("Copp.name")),
    ("acl-add", "ACTION", words("allow allow-related allow-stateless drop reject pass")),
    ("lr-policy-add", "ACTION", words("allow drop reroute jump")),
    ("mirror-rule-add", "ACTION", words("mirror skip")),
    ("meter-add", "ACTION", words("drop")),
    ("lsp-set-type", "TYPE", words("router switch localnet localport l2gateway vtep external virtual remote")),
    ("mirror-add", "TYPE", words("gre erspan local lport")),
    ("lr-nat-*", "TYPE", words("dnat snat dnat_and_snat")),
    ("lsp-hc-add", "PROTOCOL", words("tcp udp icmp")),
    ("lb-add", "PROTOCOL", words("tcp udp sctp")),
    ("lr-route-add", "NEXTHOP", words("discard")),
    ("*", "SWITCH", SWITCHES),
    ("*", "ROUTER", ROUTERS),
    ("*", "PORT PARENT LOGICAL_PORT PORT-IN PORT-OUT", PORTS),
    ("*", "LRP_PEER GATEWAY_PORT", ROUTER_PORTS),
    ("*", "PG PORTGROUP", GROUPS),
    ("*", "LB", columns("Load_Balancer.name")),
    ("*", "MIRROR", columns("Mirror.name")),
    ("*", "METER", columns("Meter.name")),
    ("*", "ADDRESS_SET", columns("Address_Set.name")),
    ("*", "NETWORK-FUNCTION", columns("Network_Function.name")),
    ("*", "NETWORK-FUNCTION-GROUP", columns("Network_Function_Group.name")),
    ("*", "CHASSIS", columns("Gateway_Chassis.chassis_name", "HA_Chassis.chassis_name")),
    ("*", "DHCP_OPTIONS_UUID", columns("DHCP_Options._uuid")),
    ("*", "HC_UUID", columns("Logical_Switch_Port_Health_Check._uuid")),
    ("*", "DIRECTION", DIRECTIONS),
    ("*", "FILTER", (*DIRECTIONS, "both")),
    ("*", "UNIT", words("kbps pktps")),
    ("*", "MODE", words("inline")),
    ("*", "ADDRESS_FAMILY", words("ipv4 ipv6")),
    ("*", "PROTO", words(
        "arp arp-resolve dhcpv4-opts dhcpv6-opts dns event-elb icmp4-error icmp6-error igmp nd-na nd-ns nd-ns-resolve"
        " nd-ra-opts tcp-reset bfd reject svc-monitor dhcpv4-relay"
    )),
    ("*", "TAG_REQUEST ADDRESS PRIORITY MATCH UUID RATE BURST INDEX SINK VIP VMAC ID SRC_IP DST_PORT IP MAC NETWORK"
          " JUMP_CHAIN NEXTHOP PREFIX EXTERNAL_IP LOGICAL_IP EXTERNAL_MAC EXTERNAL_PORT_RANGE CIDR", ANYTHING),
    *EVERYWHERE,
)  # fmt: skip

SB: "Table" = (
    ("chassis-add", "CHASSIS ENCAP-IP", ANYTHING),
    ("*", "ENCAP-TYPE", words("geneve vxlan")),
    ("*", "CHASSIS", columns("Chassis.name")),
    ("*", "PORT", columns("Port_Binding.logical_port")),
    ("*", "DATAPATH SWITCH", DATAPATHS),
    ("*", "LFLOW", ANYTHING),
    *EVERYWHERE,
)

VS: "Table" = (
    ("add-br", "BRIDGE", ANYTHING),
    ("add-port", "PORT", ANYTHING),
    ("add-bond", "PORT", ANYTHING),
    ("set-fail-mode", "MODE", words("standalone secure")),
    ("*", "BRIDGE PARENT", BRIDGES),
    ("*", "PORT BOND", columns("Port.name")),
    ("*", "IFACE", columns("Interface.name")),
    ("*", "DATAPATH", words("system netdev")),
    ("*", "VLAN I-SID ZONE LIMIT POLICY", ANYTHING),
    *EVERYWHERE,
)

TABLES = {"ovn-nbctl": NB, "ovn-sbctl": SB, "ovs-vsctl": VS}

#: command, option, choices for its value
OPTIONS: "Table" = (
    ("*", "--wait", words("none sb hv")),
    ("*", "--format", words("list table html csv json")),
    ("*", "--data", words("string bare json")),
    ("*", "--db", STREAMS[3:]),
    ("*", "--private-key --certificate --ca-cert --bootstrap-ca-cert --log-file --pidfile --unixctl", (FILES,)),
    ("*", "--type", words("switch port-group")),
    ("*", "--severity", words("alert warning notice info debug")),
    ("*", "--policy", words("dst-ip src-ip")),
    ("*", "--meter", columns("Meter.name")),
    ("*", "--gateway-port --output-port", ROUTER_PORTS),
)


def choices(table: "Table", command: str, placeholder: str) -> "tuple[Choice, ...] | None":
    """What may stand for a placeholder of a command (or for the value of an option); None where no row says it."""
    for pattern, placeholders, found in table:
        if placeholder in placeholders.split() and fnmatchcase(command, pattern):
            return found
    return None


def tokens(synopsis: str) -> list[str]:
    """The words of a synopsis; a choice between several stays one word."""
    return synopsis.replace(" | ", "|").split()


def placeholders(token: str) -> "Iterator[str]":
    """What a word of a synopsis stands for: PLACEHOLDER, or a `word` or `word=` that is typed as it is."""
    for part in token.split("...")[0].replace("{", "").replace("}", "").removeprefix("[").split("|"):
        name = part.removeprefix("[")
        length = next((at for at, sign in enumerate(name) if not (sign.isalnum() or sign in "-_")), len(name))
        if name[:length].isupper():
            yield name[:length]
        elif length:
            yield name[:length] + ("=" if name[length:].startswith("=") else "")
