"""What a flow does: one small immutable class per action, as Open vSwitch understands it.

    (SetField("reg14", 3, 0xffffffff), Resubmit(8))        an `Actions` is a tuple; the empty tuple drops

Every class is a NamedTuple whose last field, `kind`, is constant: it keeps equality and hashing apart for
actions of the same shape (`Push` and `Pop`) and serves as dispatch key (`HANDLERS[action.kind]`).  Leave it
at its default.  A *subfield* is written (field name, offset of its lowest bit, number of bits).

Facts: ovs-actions(7); the bytes are in `action_codec`, the notation in `action_text`.
"""

from typing import Any, Literal, NamedTuple

#: (field name, lowest bit, number of bits)
Subfield = tuple[str, int, int]

# Reserved OpenFlow 1.1+ port numbers.
OFPP_MAX = 0xFFFFFF00
OFPP_UNSET = 0xFFFFFFF7
OFPP_IN_PORT = 0xFFFFFFF8
OFPP_TABLE = 0xFFFFFFF9
OFPP_NORMAL = 0xFFFFFFFA
OFPP_FLOOD = 0xFFFFFFFB
OFPP_ALL = 0xFFFFFFFC
OFPP_CONTROLLER = 0xFFFFFFFD
OFPP_LOCAL = 0xFFFFFFFE
OFPP_ANY = OFPP_NONE = 0xFFFFFFFF

MAX_LEN_ALL = 0xFFFF  #: `max_len` of a controller action that sends the whole packet

# Reasons of a packet-in.
OFPR_NO_MATCH, OFPR_ACTION, OFPR_INVALID_TTL, OFPR_ACTION_SET, OFPR_GROUP, OFPR_PACKET_OUT = range(6)

# Ct.flags are keyword fields of the class; these are Nat.flags.
NAT_PERSISTENT, NAT_HASH, NAT_RANDOM = 4, 8, 16

# Learn.flags
LEARN_SEND_FLOW_REM, LEARN_DELETE_LEARNED, LEARN_WRITE_RESULT = 1, 2, 4

# Words of Bundle and Multipath, by their numbers on the wire.
HASH_FIELDS = (
    "eth_src",
    "symmetric_l4",
    "symmetric_l3l4",
    "symmetric_l3l4+udp",
    "nw_src",
    "nw_dst",
    "symmetric_l3",
)
MULTIPATH_ALGORITHMS = ("modulo_n", "hash_threshold", "hrw", "iter_hash")
BUNDLE_ALGORITHMS = ("active_backup", "hrw")


class Output(NamedTuple):
    """Send the packet to a port."""

    #: OpenFlow 1.1+ port number; reserved numbers are the OFPP_ constants.  To the controller: use `Controller`
    port: int
    #: most bytes to send where the port is OFPP_CONTROLLER; else 0
    max_len: int = 0
    kind: Literal["output"] = "output"


class OutputReg(NamedTuple):
    """Send the packet to the port whose number is in a subfield."""

    #: field that holds the port number, 16 or 32 bits of it
    field: str
    #: lowest bit
    ofs: int
    #: number of bits
    bits: int
    #: most bytes to send if the port is the controller
    max_len: int = MAX_LEN_ALL
    kind: Literal["output_reg"] = "output_reg"


class OutputTrunc(NamedTuple):
    """Send at most the first bytes of the packet to a port."""

    port: int
    #: most bytes of packet to send
    max_len: int
    kind: Literal["output_trunc"] = "output_trunc"


class Resubmit(NamedTuple):
    """Look the packet up once more, then go on with the next action."""

    #: table to search; 255 means the table of the flow itself
    table: int
    #: what the look-up takes for in_port (the field itself keeps its value); None: the real one
    in_port: int | None = None
    #: look up with the original-direction conntrack tuple in place of addresses and ports
    ct: bool = False
    kind: Literal["resubmit"] = "resubmit"


class SetField(NamedTuple):
    """Write a constant into some bits of a field."""

    field: str
    #: bits to write, in place (not shifted), none outside the mask
    value: int
    #: which bits to write; all ones of the field's width: the whole field
    mask: int
    kind: Literal["set_field"] = "set_field"


class Move(NamedTuple):
    """Copy bits from one field to another."""

    src: str
    #: lowest bit of the source
    src_ofs: int
    dst: str
    #: lowest bit of the destination
    dst_ofs: int
    #: number of bits copied
    bits: int
    kind: Literal["move"] = "move"


class Push(NamedTuple):
    """Push a subfield on the packet's stack."""

    field: str
    #: lowest bit
    ofs: int
    #: number of bits; 16 bits of `in_port` are its 16-bit form, where 0xff00 and up stand for 0xffffff00 and up
    bits: int
    kind: Literal["push"] = "push"


class Pop(NamedTuple):
    """Pop the stack into a subfield."""

    field: str
    #: lowest bit
    ofs: int
    #: number of bits; 16 bits of `in_port` are its 16-bit form, see `Push`
    bits: int
    kind: Literal["pop"] = "pop"


class PushVlan(NamedTuple):
    """Add an outer VLAN tag with VID 0 (or a copy of the present outer tag)."""

    #: 0x8100 or 0x88a8
    ethertype: int
    kind: Literal["push_vlan"] = "push_vlan"


class PopVlan(NamedTuple):
    """Remove the outer VLAN tag, if there is one."""

    kind: Literal["pop_vlan"] = "pop_vlan"


class PushMpls(NamedTuple):
    """Add an MPLS label stack entry."""

    #: 0x8847 or 0x8848
    ethertype: int
    kind: Literal["push_mpls"] = "push_mpls"


class PopMpls(NamedTuple):
    """Remove the outermost MPLS label stack entry."""

    #: Ethertype of the packet afterwards
    ethertype: int
    kind: Literal["pop_mpls"] = "pop_mpls"


class DecTtl(NamedTuple):
    """Decrement the IPv4 TTL or IPv6 hop limit; at 0 or 1 stop here and send the packet to controllers."""

    #: controller ids that hear of an expired TTL; (0,) is plain `dec_ttl`, () tells nobody (as C ovn-controller has it)
    controllers: tuple[int, ...] = (0,)
    kind: Literal["dec_ttl"] = "dec_ttl"


class DecMplsTtl(NamedTuple):
    """Decrement the TTL of the outer MPLS label."""

    kind: Literal["dec_mpls_ttl"] = "dec_mpls_ttl"


class SetMplsTtl(NamedTuple):
    """Set the TTL of the outer MPLS label."""

    ttl: int
    kind: Literal["set_mpls_ttl"] = "set_mpls_ttl"


class Group(NamedTuple):
    """Apply a group."""

    #: group id
    id: int
    kind: Literal["group"] = "group"


class Meter(NamedTuple):
    """Measure the packet; drop it if the meter's band says so."""

    #: meter id
    id: int
    kind: Literal["meter"] = "meter"


class SetQueue(NamedTuple):
    """Choose the queue of later outputs."""

    #: queue id
    id: int
    kind: Literal["set_queue"] = "set_queue"


class PopQueue(NamedTuple):
    """Return to the queue the packet had at first."""

    kind: Literal["pop_queue"] = "pop_queue"


class Controller(NamedTuple):
    """Send the packet to a controller as a packet-in."""

    #: most bytes of packet
    max_len: int = MAX_LEN_ALL
    #: opaque bytes handed to the controller
    userdata: bytes = b""
    #: stop here; the controller resumes the pipeline with the continuation it is given
    pause: bool = False
    #: meter that polices these packet-ins; None: the default controller meter
    meter_id: int | None = None
    #: which of the connected controllers (NXT_SET_CONTROLLER_ID)
    controller_id: int = 0
    #: an OFPR_ constant
    reason: int = OFPR_ACTION
    kind: Literal["controller"] = "controller"


class Nat(NamedTuple):
    """The address translation of a `Ct`."""

    #: "src", "dst", or None: only undo what the connection's NAT says
    direction: Literal["src", "dst"] | None = None
    #: lowest and highest address; None: no address given
    lo: int | None = None
    hi: int | None = None
    #: lowest and highest port; None: no port given
    port_lo: int | None = None
    port_hi: int | None = None
    #: NAT_ bits
    flags: int = 0
    #: the addresses are IPv6
    v6: bool = False
    kind: Literal["nat"] = "nat"


class Ct(NamedTuple):
    """Send the packet through connection tracking."""

    #: add or update the connection
    commit: bool = False
    #: a committed connection in the other direction is replaced (needs commit)
    force: bool = False
    #: the zone: a number or the 16-bit subfield that holds it
    zone: int | Subfield = 0
    #: table in which a tracked copy of the packet goes on; None: none does
    table: int | None = None
    #: address translation; None: none
    nat: Nat | None = None
    #: application-layer gateway port: 21 ftp, 69 tftp, 0 none
    alg: int = 0
    #: actions (SetField, Move on ct_mark/ct_label) applied to the connection as it is committed
    exec: tuple["Action", ...] = ()
    kind: Literal["ct"] = "ct"


class CtClear(NamedTuple):
    """Forget the packet's connection tracking state."""

    kind: Literal["ct_clear"] = "ct_clear"


class Conjunction(NamedTuple):
    """Clause `clause` of `n` of conjunctive match `id`; all clauses matched: look up with conj_id = id."""

    id: int
    #: 1-based
    clause: int
    #: number of clauses of the match
    n: int
    kind: Literal["conjunction"] = "conjunction"


class LearnSpec(NamedTuple):
    """One part of a learned flow."""

    #: "match": the learned flow matches dst; "load": it writes dst; "output": it outputs to the port in src
    use: Literal["match", "load", "output"]
    #: where the value comes from when the flow is learned: a subfield, or None for `value`
    src: tuple[str, int] | None
    #: the constant, where `src` is None
    value: int
    #: (field, lowest bit) of the learned flow's match or write; None for "output"
    dst: tuple[str, int] | None
    #: number of bits
    bits: int


class Learn(NamedTuple):
    """Add or refresh a flow made from the packet's fields."""

    #: table of the learned flow
    table: int
    specs: tuple[LearnSpec, ...] = ()
    idle_timeout: int = 0
    hard_timeout: int = 0
    priority: int = 0x8000
    cookie: int = 0
    #: LEARN_ bits
    flags: int = 0
    fin_idle_timeout: int = 0
    fin_hard_timeout: int = 0
    #: most flows learned by this action; 0: no limit
    limit: int = 0
    #: with LEARN_WRITE_RESULT: the (field, bit) that says if the flow is there now
    result: tuple[str, int] | None = None
    kind: Literal["learn"] = "learn"


class Note(NamedTuple):
    """Does nothing; carries bytes."""

    data: bytes
    kind: Literal["note"] = "note"


class Clone(NamedTuple):
    """Run actions on a copy: what they do to packet, fields and stack is undone afterwards."""

    actions: tuple["Action", ...]
    kind: Literal["clone"] = "clone"


class CheckPktLarger(NamedTuple):
    """Write whether the packet is longer than a number of bytes into one bit."""

    #: bytes, Ethernet header included
    length: int
    field: str
    #: which bit of the field
    bit: int
    kind: Literal["check_pkt_larger"] = "check_pkt_larger"


class Bundle(NamedTuple):
    """Choose one of several ports and output to it, or load its number into a subfield."""

    #: "eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp", "nw_src", "nw_dst", "symmetric_l3"
    hash_fields: str
    #: "active_backup" or "hrw"
    algorithm: str
    #: ports (OFPP numbers) in order
    ports: tuple[int, ...]
    basis: int = 0
    #: where to write the chosen port; None: output to it
    dst: Subfield | None = None
    kind: Literal["bundle"] = "bundle"


class Multipath(NamedTuple):
    """Hash the packet to a link number and write it into a subfield."""

    hash_fields: str
    basis: int
    #: "modulo_n", "hash_threshold", "hrw" or "iter_hash"
    algorithm: str
    n_links: int
    arg: int
    dst: Subfield
    kind: Literal["multipath"] = "multipath"


class Sample(NamedTuple):
    """Report a fraction of packets to an IPFIX collector set."""

    #: of 65535
    probability: int
    collector_set_id: int
    #: a number, or the 32-bit subfield that holds it
    obs_domain_id: int | Subfield
    obs_point_id: int | Subfield
    #: OFPP number of the port the sampled packet came from or goes to; OFPP_NONE: none
    sampling_port: int = OFPP_NONE
    #: 0 unspecified, 1 ingress, 2 egress
    direction: int = 0
    kind: Literal["sample"] = "sample"


class FinTimeout(NamedTuple):
    """Shorten this flow's timeouts when a packet has FIN or RST."""

    idle_timeout: int = 0
    hard_timeout: int = 0
    kind: Literal["fin_timeout"] = "fin_timeout"


class Exit(NamedTuple):
    """Stop processing the packet."""

    kind: Literal["exit"] = "exit"


class DeleteField(NamedTuple):
    """Remove a tunnel metadata option."""

    field: str
    kind: Literal["delete_field"] = "delete_field"


class GotoTable(NamedTuple):
    """Instruction: go on in a later table when this list is done."""

    table: int
    kind: Literal["goto_table"] = "goto_table"


class WriteMetadata(NamedTuple):
    """Instruction: write bits of the metadata field."""

    value: int
    mask: int = 0xFFFFFFFFFFFFFFFF
    kind: Literal["write_metadata"] = "write_metadata"


class WriteActions(NamedTuple):
    """Instruction: merge actions into the packet's action set."""

    actions: tuple["Action", ...]
    kind: Literal["write_actions"] = "write_actions"


class ClearActions(NamedTuple):
    """Instruction: empty the packet's action set."""

    kind: Literal["clear_actions"] = "clear_actions"


class Unknown(NamedTuple):
    """An action this table does not know, kept as its bytes."""

    data: bytes
    kind: Literal["unknown"] = "unknown"


# fmt: off
Action = (
    Output | OutputReg | OutputTrunc | Resubmit | SetField | Move | Push | Pop | PushVlan | PopVlan
    | PushMpls | PopMpls | DecTtl | DecMplsTtl | SetMplsTtl | Group | Meter | SetQueue | PopQueue
    | Controller | Ct | Nat | CtClear | Conjunction | Learn | Note | Clone | CheckPktLarger | Bundle
    | Multipath | Sample | FinTimeout | Exit | DeleteField | GotoTable | WriteMetadata | WriteActions
    | ClearActions | Unknown
)
# fmt: on

#: Kinds that are instructions beside apply-actions, not actions.
INSTRUCTIONS = frozenset(("goto_table", "write_metadata", "write_actions", "clear_actions"))

Actions = tuple[Action, ...]

DROP: Actions = ()


def walk(actions: Actions) -> "list[Action]":
    """All actions in order, those nested in clone, ct(exec) and write_actions included."""
    found: list[Action] = []
    for action in actions:
        found.append(action)
        inner: Any = action.exec if isinstance(action, Ct) else getattr(action, "actions", ())
        found.extend(walk(inner))
    return found
