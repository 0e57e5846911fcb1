"""The tables and columns that a controller looks at."""

from collections.abc import Sequence

from pyovn.ovsdb.model import Row
from pyovn.tables import sb, vswitch

#: What is read of the local database: not its statistics, which change all the time.
SWITCH_TABLES: dict[type[Row], Sequence[str] | None] = {
    vswitch.OpenvSwitch: ("bridges", "datapaths", "external_ids", "other_config", "iface_types"),
    vswitch.FlowTable: (),
    vswitch.Bridge: (
        "name", "ports", "datapath_type", "fail_mode", "other_config", "external_ids", "flow_tables", "mirrors",
    ),
    vswitch.Port: ("name", "interfaces", "external_ids"),
    vswitch.Interface: (
        "name", "type", "ofport", "options", "external_ids", "other_config", "bfd", "bfd_status", "mtu",
    ),
    vswitch.Datapath: ("capabilities",),
    vswitch.Mirror: ("name", "output_port", "select_src_port", "select_dst_port", "external_ids"),
}  # fmt: skip
SOUTHBOUND_TABLES: dict[type[Row], Sequence[str] | None] = {
    sb.SBGlobal: ("nb_cfg", "options", "ipsec"),
    sb.Chassis: None,
    sb.ChassisPrivate: None,
    sb.Encap: None,
    sb.HAChassis: None,
    sb.HAChassisGroup: None,
    sb.DatapathBinding: None,
    sb.PortBinding: None,
    sb.MulticastGroup: None,
    sb.MACBinding: None,
    sb.StaticMACBinding: None,
    sb.ECMPNexthop: None,
    sb.FDB: None,
    sb.LogicalDPGroup: None,
    sb.AddressSet: None,
    sb.PortGroup: None,
    sb.Meter: None,
    sb.MeterBand: None,
    sb.LoadBalancer: None,
    sb.ChassisTemplateVar: None,
    sb.DNS: ("records", "datapaths", "options"),
    sb.BFD: None,
    sb.ServiceMonitor: None,
    sb.ControllerEvent: None,
    sb.IPMulticast: None,
    sb.IGMPGroup: None,
    sb.Mirror: None,
}
#: Southbound columns that say nothing to a chassis.
SOUTHBOUND_TABLES[sb.LogicalFlow] = (
    "logical_datapath", "logical_dp_group", "pipeline", "table_id", "priority", "match", "actions", "tags",
    "controller_meter",
)  # fmt: skip
