"""`ovn-sbctl`: the southbound database on the command line."""

from pyovn.cli import start
from pyovn.cli.ctl.program import Program
from pyovn.cli.ctl.records import ONLY, by_name
from pyovn.cli.sb.barrier import NoBarrier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SB = "pyovn.cli.sb."

#: module → its commands; only the modules of the commands that are used get imported
TOPICS = {
    SB + "general": "init show chassis-add chassis-del lsp-bind lsp-unbind ip-multicast-flush",
    SB + "flows": "lflow-list dump-flows count-flows",
    SB + "connections": "get-connection del-connection set-connection",
    "pyovn.cli.ctl.certificates": "get-ssl del-ssl set-ssl",
    "pyovn.cli.ctl.generic": "list find get set add remove clear create destroy wait-until comment",
}

RECORDS = {
    **{
        table: by_name("name")
        for table in (
            "Address_Set", "Chassis", "Chassis_Private", "DHCP_Options", "DHCPv6_Options", "Gateway_Chassis",
            "HA_Chassis_Group", "Load_Balancer", "Meter", "Mirror", "Port_Group", "RBAC_Role",
        )
    },
    "Chassis_Template_Var": by_name("chassis"),
    "Connection": by_name("target"),
    "Datapath_Binding": by_name("external_ids:name", "external_ids:name2", "nb_uuid"),
    "MAC_Binding": by_name("logical_port"),
    "Port_Binding": by_name("logical_port", "external_ids:name"),
    "RBAC_Permission": by_name("table"),
    "SB_Global": (ONLY,),
    "SSL": (ONLY,),
    "Service_Monitor": by_name("logical_port"),
}  # fmt: skip

PROGRAM = Program(
    "ovn-sbctl",
    title="OVN southbound DB management utility",
    database="OVN_Southbound",
    version="ovn-sbctl 26.03.2\nOpen vSwitch Library 3.7.0\nDB Schema 21.8.0",
    socket=("OVN_RUNDIR", "/var/run/ovn", "ovnsb_db.sock"),
    topics=TOPICS,
    records=RECORDS,
    only="SB_Global",
    barrier=NoBarrier,
    environment=start.SB,
    options={"--wait": "=", "--no-wait": "", "--print-wait-time": ""},
    refused=("--wait", "--no-wait", "--print-wait-time"),
)


def main(words: "Sequence[str] | None" = None) -> int:
    """Run `ovn-sbctl` with the words of its command line."""
    from pyovn.cli.ctl.frame import main

    return main(PROGRAM, words)
