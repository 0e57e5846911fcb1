"""The switch as a whole, and its managers."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated, Literal

    from pyovn.ovsdb.model import Between, Ephemeral, Strong
    from pyovn.tables.vswitch.bridge import Bridge


@table("Open_vSwitch", max_rows=1)
class OpenvSwitch(Row):
    """The host's switch: its bridges, what it can do, and how OVN uses it (`external_ids`)."""

    datapaths: Mapping[str, Strong[Datapath]]
    bridges: frozenset[Strong[Bridge]]
    manager_options: frozenset[Strong[Manager]]
    ssl: Strong[SSL] | None
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]
    next_cfg: int  #: incremented by a client that wants to know when its changes are in force
    cur_cfg: int  #: the `next_cfg` that is in force
    statistics: Annotated[Mapping[str, str], Ephemeral]
    ovs_version: str | None
    db_version: str | None
    system_type: str | None
    system_version: str | None
    datapath_types: frozenset[str]
    iface_types: frozenset[str]
    dpdk_initialized: bool
    dpdk_version: str | None


@table("Manager", root=False, indexes=[("target",)])
class Manager(Row):
    """A database client that the server connects to, or an address it listens on."""

    target: str
    max_backoff: Annotated[int, Between(1000, None)] | None  #: milliseconds
    inactivity_probe: int | None  #: milliseconds, 0 for none
    connection_mode: Literal["in-band", "out-of-band"] | None
    other_config: Mapping[str, str]
    external_ids: Mapping[str, str]
    is_connected: Annotated[bool, Ephemeral]
    status: Annotated[Mapping[str, str], Ephemeral]


@table("SSL", root=False, max_rows=1)
class SSL(Row):
    """Keys and certificates of the switch."""

    private_key: str
    certificate: str
    ca_cert: str
    bootstrap_ca_cert: bool  #: trust the first peer's CA certificate and keep it
    external_ids: Mapping[str, str]


@table("Datapath", root=False)
class Datapath(Row):
    """A kind of datapath (`system` for the kernel, `netdev` for user space) and what it can do."""

    datapath_version: str
    ct_zones: Mapping[Annotated[int, Between(0, 65535)], Strong[CTZone]]
    capabilities: Mapping[str, str]
    ct_zone_default_limit: Annotated[int, Between(0, 2**32 - 1)] | None
    external_ids: Mapping[str, str]


@table("CT_Zone", root=False)
class CTZone(Row):
    """Time-outs and limits of one conntrack zone."""

    timeout_policy: Strong[CTTimeoutPolicy] | None
    limit: Annotated[int, Between(0, 2**32 - 1)] | None
    external_ids: Mapping[str, str]


@table("CT_Timeout_Policy", root=False)
class CTTimeoutPolicy(Row):
    """Time-outs of connections, in seconds."""

    timeouts: Mapping[
        Literal[
            "tcp_syn_sent",
            "tcp_syn_recv",
            "tcp_established",
            "tcp_fin_wait",
            "tcp_close_wait",
            "tcp_last_ack",
            "tcp_time_wait",
            "tcp_close",
            "tcp_syn_sent2",
            "tcp_retransmit",
            "tcp_unack",
            "udp_first",
            "udp_single",
            "udp_multiple",
            "icmp_first",
            "icmp_reply",
        ],
        Annotated[int, Between(0, 2**32 - 1)],
    ]
    external_ids: Mapping[str, str]
