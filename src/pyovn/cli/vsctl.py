"""`ovs-vsctl`: a switch's own database on the command line."""

from pyovn.cli.ctl.program import Program
from pyovn.cli.ctl.records import ONLY, by_name, via
from pyovn.cli.vs.barrier import VsBarrier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

VS = "pyovn.cli.vs."

TOPICS = {
    VS + "general": "init show emer-reset",
    VS + "bridges": "add-br del-br list-br br-exists br-to-vlan br-to-parent br-set-external-id br-get-external-id",
    VS + "ports": "add-port add-bond del-port list-ports list-ifaces port-to-br iface-to-br add-bond-iface"
    " del-bond-iface",
    VS + "controllers": "get-controller del-controller set-controller get-fail-mode del-fail-mode set-fail-mode"
    " get-manager del-manager set-manager",
    VS + "autoattach": "add-aa-mapping del-aa-mapping get-aa-mapping",
    VS + "datapaths": "add-zone-tp del-zone-tp list-zone-tp set-zone-limit del-zone-limit list-zone-limits list-dp-cap",
    "pyovn.cli.ctl.certificates": "get-ssl del-ssl set-ssl",
    "pyovn.cli.ctl.generic": "list find get set add remove clear create destroy wait-until comment",
}  # fmt: skip

RECORDS = {
    **{table: by_name("name") for table in ("Bridge", "Port", "Interface", "Mirror", "Flow_Table")},
    **{
        table: via("Bridge", column, "name")
        for table, column in (
            ("AutoAttach", "auto_attach"), ("Controller", "controller"), ("IPFIX", "ipfix"), ("NetFlow", "netflow"),
            ("sFlow", "sflow"),
        )
    },
    "Flow_Sample_Collector_Set": by_name("id"),
    "Manager": by_name("target"),
    "Open_vSwitch": (ONLY,),
    "QoS": via("Port", "qos", "name"),
    "SSL": (ONLY,),
}  # fmt: skip

PROGRAM = Program(
    "ovs-vsctl",
    title="ovs-vswitchd management utility",
    database="Open_vSwitch",
    version="ovs-vsctl (Open vSwitch) 3.7.0\nDB Schema 8.8.0",
    socket=("OVS_RUNDIR", "/var/run/openvswitch", "db.sock"),
    topics=TOPICS,
    records=RECORDS,
    only="Open_vSwitch",
    barrier=VsBarrier,
    options={"--no-wait": "", "--retry": "", "--peer-ca-cert": "="},
)


def main(words: "Sequence[str] | None" = None) -> int:
    """Run `ovs-vsctl` with the words of its command line."""
    from pyovn.cli.ctl.frame import main

    return main(PROGRAM, words)
