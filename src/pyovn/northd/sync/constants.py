"""Tables with the same rows everywhere: DHCP_Options, DHCPv6_Options, RBAC_Role and RBAC_Permission.

The option tables tell controllers which DHCP options there are and how their values are written (RFC 2132, 3361, 3442,
5859 and IANA's registry); the roles say what `ovn-controller` may change where the server enforces that.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pyovn.northd.sync.rows import RowSync
from pyovn.ovsdb.txn import Txn
from pyovn.tables.sb import DHCPOptions, DHCPv6Options, RBACPermission, RBACRole

DHCP4 = {
    "ipv4": {
        "offerip": 0, "netmask": 1, "router": 3, "dns_server": 6, "log_server": 7, "lpr_server": 9, "swap_server": 16,
        "policy_filter": 21, "broadcast_address": 28, "router_solicitation": 32, "nis_server": 41, "ntp_server": 42,
        "netbios_name_server": 44, "server_id": 54, "tftp_server_address": 150, "next_server": 253,
    },
    "bool": {"ip_forward_enable": 19, "router_discovery": 31, "ethernet_encap": 36},
    "uint8": {"default_ttl": 23, "tcp_ttl": 37, "netbios_node_type": 46},
    "uint16": {"mtu": 26},
    "uint32": {"arp_cache_timeout": 35, "tcp_keepalive_interval": 38, "lease_time": 51, "T1": 58, "T2": 59},
    "str": {"hostname": 12, "domain_name": 15, "bootfile_name": 67, "path_prefix": 210, "wpad": 252,
            "bootfile_name_alt": 254},
    "host_id": {"tftp_server": 66},
    "domains": {"domain_search_list": 119},
    "static_routes": {"classless_static_route": 121, "ms_classless_static_route": 249},
}  # fmt: skip
DHCP6 = {
    "mac": {"server_id": 2},
    "ipv6": {"ia_addr": 5, "dns_server": 23},
    "domain": {"fqdn": 39},
    "str": {"domain_search": 24, "bootfile_name": 59, "bootfile_name_alt": 254},
}

#: table: who may change a row (the column that must hold the client's name), may it add and delete, which columns
PERMISSIONS: Mapping[str, tuple[str, bool, str]] = {
    "Chassis": ("name", True, "nb_cfg external_ids encaps vtep_logical_switches other_config transport_zones"),
    "Chassis_Private": ("name", True, "nb_cfg nb_cfg_timestamp chassis external_ids"),
    "Controller_Event": ("", True, "chassis event_info event_type seq_num"),
    "Encap": ("chassis_name", True, "type options ip"),
    "FDB": ("", True, "dp_key mac port_key timestamp"),
    "Port_Binding": (
        "", False, "chassis additional_chassis encap additional_encap up virtual_parent options",
    ),
    "MAC_Binding": ("", True, "logical_port ip mac datapath timestamp"),
    "Service_Monitor": ("chassis_name", False, "status"),
    "IGMP_Group": ("chassis_name", True, "address protocol chassis datapath ports"),
    "BFD": ("chassis_name", False, "status"),
    "Learned_Route": ("", True, "datapath logical_port ip_prefix nexthop external_ids"),
}  # fmt: skip
ROLE = "ovn-controller"


class DHCP4Sync(RowSync[str, DHCPOptions]):
    """DHCP_Options, by name."""

    cls = DHCPOptions
    options: ClassVar = {name: (code, kind) for kind, codes in DHCP4.items() for name, code in codes.items()}

    def key(self, row: DHCPOptions) -> str | None:
        """The name of an option."""
        return row.name

    def wanted(self, key: str) -> Mapping[str, Any] | None:
        """The columns of an option."""
        found = self.options.get(key)
        return None if found is None else {"name": key, "code": found[0], "type": found[1]}


class DHCP6Sync(RowSync[str, DHCPv6Options]):
    """DHCPv6_Options, by name."""

    cls = DHCPv6Options
    options: ClassVar = {name: (code, kind) for kind, codes in DHCP6.items() for name, code in codes.items()}

    def key(self, row: DHCPv6Options) -> str | None:
        """The name of an option."""
        return row.name

    def wanted(self, key: str) -> Mapping[str, Any] | None:
        """The columns of an option."""
        found = self.options.get(key)
        return None if found is None else {"name": key, "code": found[0], "type": found[1]}


class PermissionSync(RowSync[str, RBACPermission]):
    """RBAC_Permission, by table."""

    cls = RBACPermission

    def __init__(self) -> None:
        super().__init__()
        self.named: dict[str, Any] = {}  #: the rows that are being inserted

    def key(self, row: RBACPermission) -> str | None:
        """The table that a permission is about."""
        return row.table

    def wanted(self, key: str) -> Mapping[str, Any] | None:
        """The columns of a permission."""
        if key not in PERMISSIONS:
            return None
        who, may_add, what = PERMISSIONS[key]
        columns = frozenset(what.split())
        return {"table": key, "authorization": frozenset((who,)), "insert_delete": may_add, "update": columns}

    def plan(self, txn: Txn) -> None:
        """Remember what is being inserted only as long as it is."""
        self.named = {}
        super().plan(txn)

    def insert(self, txn: Txn, key: str, wanted: Mapping[str, Any]) -> None:
        """Add a permission, and remember its name for the role."""
        self.named[key] = txn.insert(RBACPermission, **wanted)


class RoleSync(RowSync[str, RBACRole]):
    """RBAC_Role, by name; roles that are not ours are left alone."""

    cls = RBACRole

    def __init__(self, permissions: PermissionSync) -> None:
        super().__init__()
        self.permissions = permissions

    def key(self, row: RBACRole) -> str | None:
        """The name of a role."""
        return row.name

    def wanted(self, key: str) -> Mapping[str, Any] | None:
        """The columns of our role."""
        if key != ROLE:
            return None
        rows = {table: row.uuid for table, row in self.permissions.rows.items() if table in PERMISSIONS}
        return {"name": ROLE, "permissions": {**rows, **self.permissions.named}}

    def remove(self, txn: Txn, key: str, row: RBACRole) -> None:
        """Other roles may be an administrator's."""
