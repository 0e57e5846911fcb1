"""Access control, sampling of its verdicts, and the chains of functions traffic is steered through."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, MaxLength, Strong
    from pyovn.tables.nb.switch import LogicalSwitchPort


@table("ACL", root=False)
class ACL(Row):
    """One rule on traffic entering (`from-lport`) or leaving (`to-lport`) a switch's ports."""

    name: Annotated[str, MaxLength(63)] | None
    priority: Annotated[int, Between(0, 32767)]
    direction: Literal["from-lport", "to-lport"]
    match: str
    action: Literal["allow", "allow-related", "allow-stateless", "drop", "reject", "pass"]
    network_function_group: Strong[NetworkFunctionGroup] | None
    log: bool
    severity: Literal["alert", "warning", "notice", "info", "debug"] | None
    meter: str | None  #: limits the rate of log messages
    label: Annotated[int, Between(0, 2**32 - 1)]  #: written to the connection's `ct_label` for telemetry
    tier: Annotated[int, Between(0, 3)]  #: lower tiers are judged first
    sample_new: Strong[Sample] | None  #: for packets that open a connection
    sample_est: Strong[Sample] | None  #: for packets of established connections
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Sample", root=False, indexes=[("metadata",)])
class Sample(Row):
    """What to attach to the samples of an ACL's verdicts, and who receives them."""

    collectors: frozenset[Strong[SampleCollector]]
    metadata: Annotated[int, Between(1, 2**32 - 1)]


@table("Sample_Collector", indexes=[("id",)])
class SampleCollector(Row):
    """A collector of samples and the share of packets it gets."""

    id: Annotated[int, Between(1, 255)]
    name: str
    probability: Annotated[int, Between(0, 65535)]  #: out of 65535
    set_id: Annotated[int, Between(1, 2**32 - 1)]
    external_ids: Mapping[str, str]


@table("Sampling_App", indexes=[("type",)])
class SamplingApp(Row):
    """The application number under which one kind of sampling reports."""

    type: Literal["drop", "acl-new", "acl-est"]
    id: Annotated[int, Between(1, 255)]
    external_ids: Mapping[str, str]


@table("Network_Function", indexes=[("name",), ("id",)])
class NetworkFunction(Row):
    """A bump in the wire: traffic goes out of one port and comes back through the other."""

    name: str
    outport: Strong[LogicalSwitchPort]
    inport: Strong[LogicalSwitchPort]
    health_check: Strong[NetworkFunctionHealthCheck] | None
    id: Annotated[int, Between(1, 255)]
    external_ids: Mapping[str, str]


@table("Network_Function_Group", indexes=[("name",), ("id",)])
class NetworkFunctionGroup(Row):
    """Functions of one kind, one of which is in use."""

    name: str
    fallback: Literal["fail-open", "fail-close"] | None
    network_function: frozenset[Strong[NetworkFunction]]
    network_function_active: Strong[NetworkFunction] | None
    mode: Literal["inline"]
    id: Annotated[int, Between(1, 255)]
    external_ids: Mapping[str, str]


@table("Network_Function_Health_Check", root=False, indexes=[("name",)])
class NetworkFunctionHealthCheck(Row):
    """How a network function's health is probed."""

    name: str
    options: Mapping[str, str]
    external_ids: Mapping[str, str]
