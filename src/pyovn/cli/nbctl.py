"""`ovn-nbctl`: the northbound database on the command line."""

from pyovn.cli import start
from pyovn.cli.ctl.program import Program
from pyovn.cli.ctl.records import ONLY, by_name, via
from pyovn.cli.nb.barrier import NbBarrier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NB = "pyovn.cli.nb."

#: module → its commands; only the modules of the commands that are used get imported
TOPICS = {
    NB + "general": "init show sync",
    NB + "switches": "ls-add ls-del ls-list",
    NB + "ports": "lsp-add lsp-del lsp-list lsp-get-parent lsp-get-tag lsp-set-addresses lsp-get-addresses"
    " lsp-set-port-security lsp-get-port-security lsp-get-up lsp-set-enabled lsp-get-enabled lsp-set-type lsp-get-type"
    " lsp-set-options lsp-get-options lsp-get-ls lsp-add-router-port lsp-add-localnet-port",
    NB + "acls": "acl-add acl-del acl-list",
    NB + "qos": "qos-add qos-del qos-list",
    NB + "meters": "meter-add meter-del meter-list copp-add copp-del copp-list ls-copp-add lr-copp-add",
    NB + "groups": "pg-add pg-set-ports pg-get-ports pg-del",
    NB + "mirrors": "mirror-add mirror-del mirror-list mirror-rule-add mirror-rule-del lsp-attach-mirror"
    " lsp-detach-mirror",
    NB + "forwarding": "fwd-group-add fwd-group-del fwd-group-list",
    NB + "functions": "nf-add nf-del nf-list nfg-add nfg-del nfg-list nfg-add-nf nfg-del-nf",
    NB + "health": "lsp-hc-add lsp-hc-del lsp-hc-list",
    NB + "hagroups": "ha-chassis-group-add ha-chassis-group-del ha-chassis-group-list ha-chassis-group-add-chassis"
    " ha-chassis-group-remove-chassis ha-chassis-group-set-chassis-prio",
    NB + "bindings": "static-mac-binding-add static-mac-binding-del static-mac-binding-list",
    NB + "routers": "lr-add lr-del lr-list",
    NB + "router_ports": "lrp-add lrp-del lrp-list lrp-set-enabled lrp-get-enabled lrp-set-options"
    " lrp-set-gateway-chassis lrp-del-gateway-chassis lrp-get-gateway-chassis lrp-set-redirect-type"
    " lrp-get-redirect-type",
    NB + "policies": "lr-policy-add lr-policy-del lr-policy-list",
    NB + "nats": "lr-nat-add lr-nat-del lr-nat-list lr-nat-update-ext-ip",
    NB + "routes": "lr-route-add lr-route-del lr-route-list",
    NB + "balancers": "lb-add lb-del lb-list ls-lb-add ls-lb-del ls-lb-list lr-lb-add lr-lb-del lr-lb-list",
    NB + "dhcp": "dhcp-options-create dhcp-options-del dhcp-options-list dhcp-options-set-options"
    " dhcp-options-get-options lsp-set-dhcpv4-options lsp-get-dhcpv4-options lsp-set-dhcpv6-options"
    " lsp-get-dhcpv6-options",
    "pyovn.cli.ctl.generic": "list find get set add remove clear create destroy wait-until comment",
    "pyovn.cli.ctl.connections": "get-connection del-connection set-connection",
    "pyovn.cli.ctl.certificates": "get-ssl del-ssl set-ssl",
}  # fmt: skip

RECORDS = {
    **{
        table: by_name("name")
        for table in (
            "ACL", "Address_Set", "Forwarding_Group", "HA_Chassis_Group", "Load_Balancer", "Load_Balancer_Group",
            "Logical_Router_Port", "Meter", "Port_Group",
        )
    },
    "Chassis_Template_Var": by_name("chassis"),
    "Connection": by_name("target"),
    "DHCP_Options": (
        *via("Logical_Switch_Port", "dhcpv4_options", "name", "external_ids:neutron:port_name"),
        *via("Logical_Switch_Port", "dhcpv6_options", "name", "external_ids:neutron:port_name"),
    ),
    "HA_Chassis": by_name("chassis_name"),
    "Load_Balancer_Health_Check": by_name("vip"),
    "Logical_Router": by_name("name", "external_ids:neutron:router_name"),
    "Logical_Switch": by_name("name", "external_ids:neutron:network_name"),
    "Logical_Switch_Port": by_name("name", "external_ids:neutron:port_name"),
    "NAT": by_name("external_ip"),
    "NB_Global": (ONLY,),
    "SSL": (ONLY,),
}  # fmt: skip

#: parts of the names that commands had before OVN 2.6
RENAMED = (("lswitch-", "ls-"), ("lport-", "lsp-"), ("lrouter-", "lr-"), ("lrport-", "lrp-"), ("-macs", "-addresses"))

PROGRAM = Program(
    "ovn-nbctl",
    title="OVN northbound DB management utility",
    database="OVN_Northbound",
    version="ovn-nbctl 26.03.2\nOpen vSwitch Library 3.7.0\nDB Schema 7.18.0",
    socket=("OVN_RUNDIR", "/var/run/ovn", "ovnnb_db.sock"),
    topics=TOPICS,
    records=RECORDS,
    only="NB_Global",
    barrier=NbBarrier,
    environment=start.NB,
    options={"--wait": "=", "--no-wait": "", "--print-wait-time": ""},
    renamed=RENAMED,
)


def main(words: "Sequence[str] | None" = None) -> int:
    """Run `ovn-nbctl` with the words of its command line."""
    from pyovn.cli.ctl.frame import main

    return main(PROGRAM, words)
