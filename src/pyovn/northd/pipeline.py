"""The stages of the logical pipelines of OVN 26.03, as data, and the flows that fill them.

A stage is a table of one of the four pipelines; its number is its place in the list.  The names are what
`external_ids:stage-name` of a Logical_Flow says, and what `ovn-trace` prints.
"""

from typing import Final, NamedTuple

LS_IN = """
    check_port_sec apply_port_sec mirror lookup_fdb put_fdb pre_acl pre_lb pre_stateful acl_hint acl_eval acl_sample
    acl_action qos ct_extract lb_aff_check lb lb_aff_learn pre_hairpin nat_hairpin hairpin acl_after_lb_eval
    acl_after_lb_sample acl_after_lb_action pre_network_function stateful network_function arp_rsp dhcp_options
    dhcp_response dns_lookup dns_response external_port l2_lkup l2_unknown
"""
LS_OUT = """
    lookup_fdb put_fdb pre_acl pre_lb pre_stateful acl_hint acl_eval acl_sample acl_action mirror qos
    pre_network_function stateful network_function check_port_sec apply_port_sec
"""
LR_IN = """
    admission lookup_neighbor learn_neighbor ip_input dhcp_relay_req unsnat post_unsnat defrag ct_extract lb_aff_check
    dnat lb_aff_learn ecmp_stateful nd_ra_options nd_ra_response ip_routing_pre ip_routing ip_routing_ecmp policy
    policy_ecmp dhcp_relay_resp_chk dhcp_relay_resp arp_resolve chk_pkt_len larger_pkts gw_redirect network_id
    arp_request ecmp_stateful_egr
"""
LR_OUT = """
    chk_dnat_local undnat post_undnat snat post_snat egr_loop delivery
"""
PIPELINES: Final = (
    ("ls_in_", "ingress", "switch", LS_IN),
    ("ls_out_", "egress", "switch", LS_OUT),
    ("lr_in_", "ingress", "router", LR_IN),
    ("lr_out_", "egress", "router", LR_OUT),
)


class Stage:
    """A table of a pipeline; the same stage is always the same object."""

    __slots__ = ("datapath", "index", "name", "pipeline", "table")

    def __init__(self, index: int, name: str, pipeline: str, table: int, datapath: str) -> None:
        self.index = index  #: its place among all stages
        self.name = name
        self.pipeline = pipeline
        self.table = table
        self.datapath = datapath  #: "switch" or "router"

    def __repr__(self) -> str:
        return self.name

    @property
    def is_ingress(self) -> bool:
        """Is it passed before the output port is settled?"""
        return self.pipeline == "ingress"

    def jump(self) -> str:
        """The action that goes on here, in the usual spelling."""
        return f"next(pipeline={self.pipeline},table={self.table});"


def _stages() -> list[Stage]:
    stages: list[Stage] = []
    for prefix, pipeline, datapath, names in PIPELINES:
        for number, name in enumerate(names.split()):
            stages.append(Stage(len(stages), prefix + name, pipeline, number, datapath))
    return stages


STAGES: Final = tuple(_stages())
STAGE: Final = {stage.name: stage for stage in STAGES}  #: by name
AT: Final = {(stage.datapath, stage.pipeline, stage.table): stage for stage in STAGES}  #: by place


Tags = tuple[tuple[str, str], ...]  #: `Logical_Flow.tags`, sorted


class Flow(NamedTuple):
    """What a logical flow is, wherever it applies; equal flows of several datapaths become one row."""

    stage: Stage
    priority: int
    match: str
    actions: str
    port: str | Tags | None = None  #: the only port it can concern, for `tags:in_out_port`; or other tags
    meter: str | None = None  #: the meter for packets it sends to the controller
    description: str | None = None  #: why it drops


ANY = "1"  #: the match that everything satisfies
NEXT = "next;"
DROP = "drop;"
OUTPUT = "output;"
