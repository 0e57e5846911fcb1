"""What the switch writes back into its database: what became of ports and bridges, and what they counted.

    Interface     ofport mac_in_use link_state admin_state ifindex mtu status error statistics bfd_status
    Bridge        datapath_id datapath_version
    Datapath      capabilities
    Open_vSwitch  cur_cfg ovs_version datapath_types iface_types

Only columns whose value differs are written.  Facts: ovs-vswitchd.conf.db(5).
"""

from collections.abc import Mapping
from typing import Any

from pyovn.net.mac import mac_str
from pyovn.net.uuids import Uuid
from pyovn.openflow.actions import OFPP_LOCAL
from pyovn.ovsdb.model import Row
from pyovn.ovsdb.replica import Replica
from pyovn.ovsdb.txn import Txn
from pyovn.tables.vswitch import Bridge, CTZone, Datapath, Interface, OpenvSwitch
from pyovn.vswitch.bfd import Monitors
from pyovn.vswitch.conntrack.table import Conntrack
from pyovn.vswitch.ports import CONFIG_DOWN, Port
from pyovn.vswitch.reconcile import LOCAL_IN_DATABASE, Outcome
from pyovn.vswitch.wanted import INTERFACE_TYPES, WantedBridge

VERSION = "3.7.0"
DATAPATH_TYPES = frozenset(("dummy", "netdev", "system"))
INTERFACE_TYPES_SHOWN = frozenset(INTERFACE_TYPES - {""})
NO_PORT = -1

#: what the datapath can do, in the words of ovs-vswitchd.conf.db(5)
CAPABILITIES = dict.fromkeys(
    (
        "check_pkt_len", "clone", "ct_clear", "ct_flush", "ct_label", "ct_mark", "ct_orig_tuple", "ct_orig_tuple6",
        "ct_state", "ct_state_nat", "ct_zero_snat", "ct_zone", "explicit_drop_action", "masked_set_action", "nd_ext",
        "recirc", "sample_nesting", "tnl_push_pop", "trunc", "ufid",
    ),
    "true",
) | {"max_vlan_headers": "1", "max_hash_alg": "1", "max_mpls_depth": "0", "add_mpls": "false", "ct_timeout": "false",
     "ct_eventmask": "false", "lb_output_action": "false", "psample": "false"}  # fmt: skip


def report(replica: Replica, bridges: tuple[WantedBridge, ...], outcomes: Mapping[Uuid, Outcome]) -> Txn:
    """The transaction that brings the database up to date."""
    txn = Txn()
    for bridge in bridges:
        row = replica.get(Bridge, bridge.row)
        if row is not None:
            _write(txn, row, datapath_id=f"{bridge.datapath_id:016x}", datapath_version="<built-in>")
    for id_, outcome in outcomes.items():
        interface = replica.get(Interface, id_)
        if interface is not None:
            _write(txn, interface, **interface_columns(outcome))
    for datapath in replica.rows(Datapath).values():
        _write(txn, datapath, capabilities=CAPABILITIES)
    for switch in replica.rows(OpenvSwitch).values():
        _write(
            txn, switch, cur_cfg=switch.next_cfg, ovs_version=VERSION, datapath_types=DATAPATH_TYPES,
            iface_types=INTERFACE_TYPES_SHOWN,
        )  # fmt: skip
    return txn


def interface_columns(outcome: Outcome) -> dict[str, Any]:
    """The columns that tell what became of an interface."""
    port = outcome.port
    if port is None:
        return {
            "ofport": NO_PORT, "error": outcome.error, "link_state": None, "admin_state": None, "mac_in_use": None,
            "ifindex": None, "mtu": None, "status": {},
        }  # fmt: skip
    return {
        "ofport": LOCAL_IN_DATABASE if port.ofport == OFPP_LOCAL else port.ofport,
        "error": outcome.error,
        "link_state": "up" if port.up else "down",
        "admin_state": "down" if port.config & CONFIG_DOWN else "up",
        "mac_in_use": mac_str(port.mac),
        "ifindex": port.nic.ifindex if port.nic is not None else 0,
        "mtu": port.nic.mtu if port.nic is not None else None,
        "status": {"driver_name": "pyovn"} if port.nic is not None else {},
    }


def liveness_report(replica: Replica, outcomes: Mapping[Uuid, Outcome], monitors: Monitors) -> Txn:
    """The transaction that tells the database which links and paths work."""
    txn = Txn()
    for id_, outcome in outcomes.items():
        interface = replica.get(Interface, id_)
        if interface is not None and outcome.port is not None:
            link = "up" if outcome.port.up else "down"
            _write(txn, interface, link_state=link, bfd_status=monitors.status(outcome.port))
    return txn


def statistics_report(replica: Replica, outcomes: Mapping[Uuid, Outcome]) -> Txn:
    """The transaction that brings the counters in the database up to date."""
    txn = Txn()
    for id_, outcome in outcomes.items():
        interface = replica.get(Interface, id_)
        if interface is not None and outcome.port is not None:
            _write(txn, interface, statistics=counters(outcome.port))
    return txn


def counters(port: Port) -> dict[str, int]:
    """What a port counted."""
    return {
        "rx_packets": port.rx_packets, "rx_bytes": port.rx_bytes, "rx_dropped": port.rx_dropped,
        "rx_errors": port.rx_errors, "tx_packets": port.tx_packets, "tx_bytes": port.tx_bytes,
        "tx_dropped": port.tx_dropped, "tx_errors": 0,
    }  # fmt: skip


def limit_zones(replica: Replica, conntrack: Conntrack) -> None:
    """Give conntrack the limits of its zones."""
    conntrack.limits.clear()
    conntrack.default_limit = None
    for datapath in replica.rows(Datapath).values():
        conntrack.default_limit = datapath.ct_zone_default_limit or conntrack.default_limit
        for number, id_ in datapath.ct_zones.items():
            zone = replica.get(CTZone, id_)
            if zone is not None and zone.limit is not None:
                conntrack.limits[number] = zone.limit


def _write(txn: Txn, row: Row, **values: Any) -> None:
    """Write the columns whose value differs."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        txn.update(row, **changed)
