"""What an action is, and what it must know to become OpenFlow.

Env      the logical flow's place, the chassis's answers (ports, groups, meters), the controller's choices
Action   text, prerequisites, OpenFlow
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from pyovn.openflow.action_codec import encode_actions
from pyovn.openflow.actions import Action as OpenFlowAction
from pyovn.openflow.actions import Actions as OpenFlowActions
from pyovn.openflow.actions import Subfield
from pyovn.openflow.flows import GroupDef

Pipeline = Literal["ingress", "egress"]

#: Logical tables of each pipeline.
LENGTHS: dict[Pipeline, int] = {"ingress": 34, "egress": 16}

OTHER: dict[Pipeline, Pipeline] = {"ingress": "egress", "egress": "ingress"}


class Tables(NamedTuple):
    """OpenFlow tables that actions resubmit to (numbers of OVN 26.03)."""

    ingress: int = 8
    egress: int = 48
    output_from_ingress: int = 42
    remote_output: int = 44
    output_from_egress: int = 64
    mac_binding: int = 66
    mac_lookup: int = 67
    hairpin: int = 68
    hairpin_reply: int = 69
    snat_to_vip: int = 70
    get_fdb: int = 71
    lookup_fdb: int = 72
    in_port_security: int = 73
    out_port_security: int = 75
    ecmp_next_hop_mac: int = 76
    ecmp_next_hop: int = 77
    affinity: int = 78
    mac_cache_use: int = 79
    ct_nw_dst: int = 81
    ct_ip6_dst: int = 82
    ct_tp_dst: int = 83
    flood_remote: int = 84
    ct_state_save: int = 85
    ct_proto: int = 86
    get_remote_fdb: int = 87


TABLES = Tables()


class MeterRequest(NamedTuple):
    """A meter an action wants: bands in kb/s, private to the logical flow."""

    rate: int
    burst: int


def _nothing(_name: str) -> int | None:
    return None


def _no_group(_definition: GroupDef) -> int:
    raise AssertionError("this flow's groups have no allocator")


def _no_meter(_request: MeterRequest) -> int:
    raise AssertionError("this flow's meters have no allocator")


@dataclass(slots=True)
class Env:
    """Everything outside its text that an action's OpenFlow depends on."""

    pipeline: Pipeline = "ingress"
    #: logical table
    table: int = 0
    tables: Tables = TABLES
    is_switch: bool = True
    #: port name → its tunnel key
    lookup_port: Callable[[str], int | None] = _nothing
    #: port name → the OpenFlow port or tunnel that leads there (for `fwd_group` liveness)
    tunnel_port: Callable[[str], int | None] = _nothing
    #: whether a port is bound to this chassis (for `ct_lb_mark_local`)
    resident: Callable[[str], bool] = field(default=lambda _port: False)
    #: a group like this (its id is 0) → the id to use
    group: Callable[[GroupDef], int] = _no_group
    #: a `set_meter` meter → the id to use
    meter: Callable[[MeterRequest], int] = _no_meter
    #: name of a meter in the Meter table → its id
    named_meter: Callable[[str], int | None] = _nothing
    #: actions → their bytes in OpenFlow 1.5, for those the controller runs later
    wire: Callable[[OpenFlowActions], bytes] = encode_actions
    #: meter of what this flow sends to the controller
    controller_meter: int | None = None
    #: register field of the zone that `…_in_czone` actions share
    common_zone: str = "reg11"
    #: commits say `nat(src=0.0.0.0)`, so that connections of all zones may share ports
    all_zero_snat: bool = False
    #: `select` hashes layer-4 ports symmetrically
    symmetric_l4_hash: bool = False
    #: `arp` and `nd_ns` nests say `output` themselves
    explicit_output: bool = True
    #: first 32 bits of the logical flow's UUID
    cookie: int = 0
    #: tunnel key of the datapath
    datapath: int = 0
    #: collector sets that this chassis has; None: any
    collector_sets: frozenset[int] | None = None

    def openflow_table(self, pipeline: Pipeline, table: int) -> int:
        """The OpenFlow table of a logical table."""
        return (self.tables.ingress if pipeline == "ingress" else self.tables.egress) + table

    @property
    def next_table(self) -> int:
        """The OpenFlow table after this flow's."""
        return self.openflow_table(self.pipeline, self.table + 1)

    @property
    def output_table(self) -> int:
        """Where `output` leads."""
        return self.tables.output_from_ingress if self.pipeline == "ingress" else self.tables.output_from_egress

    def zone(self, *, snat: bool = False) -> Subfield:
        """The register that holds the zone of plain conntrack actions."""
        register = "reg13" if self.is_switch else "reg12" if snat else "reg11"
        return register, 0, 16


Out = list[OpenFlowAction]


class Action(Protocol):
    """One statement."""

    def __str__(self) -> str:
        """Its canonical text, with the semicolon."""

    def needs(self) -> tuple[str, ...]:
        """What a packet must be for it: predicates, or `=NAME` for the prerequisites of a symbol."""

    def encode(self, env: Env, out: Out) -> None:
        """Append its OpenFlow to `out`."""


Actions = tuple[Action, ...]

NOTHING: tuple[str, ...] = ()
IP = ("ip",)


def encode(actions: Actions, env: Env) -> OpenFlowActions:
    """The OpenFlow of a sequence."""
    out: Out = []
    for action in actions:
        action.encode(env, out)
    return tuple(out)


def text(actions: Actions) -> str:
    """The canonical text of a sequence."""
    return " ".join(map(str, actions)) if actions else "drop;"
