"""Small networks as rows of the Southbound database, for traces that need no server."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyovn.trace.network import COLUMNS, Network
from pyovn.trace.request import Request, answer, run
from pyovn.trace.tracer import Options
from pyovn.trace.tree import Node

Flow = tuple[str, int, int, str, str]

SWITCH = "11111111-0000-0000-0000-000000000000"
ROUTER = "22222222-0000-0000-0000-000000000000"
#: columns that older databases lack
_NEW = {"nb_uuid": (), "type": ()}
PORT_UUIDS = "33333333-0000-0000-0000-{:012}"

PACKET = (
    'inport == "a" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:02 && '
    "ip4.src == 1.1.1.1 && ip4.dst == 2.2.2.2 && ip.ttl == 64 && tcp.src == 1000 && tcp.dst == 80"
)


def rows(flows: Sequence[Flow], **more: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """A switch `sw` with ports a, b, c and a patch port `to-lr` to the router `lr`; flows are of the switch."""
    labels = {"stage-name": "stage", "source": "northd.c:1"}
    tables: dict[str, list[Mapping[str, Any]]] = {table: [] for table in COLUMNS}
    tables["Datapath_Binding"] = [
        {"_uuid": SWITCH, "tunnel_key": 1, "external_ids": {"name": "sw", "logical-switch": "s"}, **_NEW},
        {"_uuid": ROUTER, "tunnel_key": 2, "external_ids": {"name": "lr", "logical-router": "r"}, **_NEW},
    ]
    tables["Port_Binding"] = [
        port(1, "a", port_security=("0a:00:00:00:00:01",)),
        port(2, "b"),
        port(3, "c"),
        port(4, "to-lr", type="patch", options={"peer": "to-sw"}),
        port(5, "to-sw", datapath=ROUTER, type="patch", options={"peer": "to-lr"}, tunnel_key=1),
    ]
    members = PORT_UUIDS.format(3), PORT_UUIDS.format(1), PORT_UUIDS.format(2)
    tables["Multicast_Group"] = [{"datapath": SWITCH, "name": "mc", "tunnel_key": 0x8000, "ports": members}]
    tables["Logical_Flow"] = [
        flow(number, SWITCH, pipeline, table, priority, match, actions, labels)
        for number, (pipeline, table, priority, match, actions) in enumerate(flows)
    ]
    for name, extra in more.items():
        tables[name] = [*tables[name], *extra]
    return tables


def port(number: int, name: str, **columns: Any) -> dict[str, Any]:
    """A row of Port_Binding."""
    defaults = {"datapath": SWITCH, "tunnel_key": number, "type": "", "options": {}, "port_security": ()}
    return {"_uuid": PORT_UUIDS.format(number), "logical_port": name, "external_ids": {}, **defaults, **columns}


def flow(
    number: int, datapath: str, pipeline: str, table: int, priority: int, match: str, actions: str, labels: Any
) -> dict[str, Any]:
    """A row of Logical_Flow."""
    return {
        "_uuid": f"{number:08x}-0000-0000-0000-000000000000", "logical_datapath": datapath, "logical_dp_group": (),
        "pipeline": pipeline, "table_id": table, "priority": priority, "match": match, "actions": actions,
        "tags": {}, "external_ids": labels,
    }  # fmt: skip


def network(*flows: Flow, **more: Sequence[Mapping[str, Any]]) -> Network:
    """The network that runs `flows`, and delivers what egress gets."""
    return Network(rows([*flows, ("egress", 0, 0, "1", "output;")], **more))


def trace(actions: str, packet: str = PACKET, *forms: str, options: Options | None = None, **more: Any) -> str:
    """What a trace says of these actions in table 0 of the switch; table 1 sends to port b."""
    then = "ingress", 1, 0, "1", 'outport = "b"; output;'
    asked = Request(packet, "sw", forms or ("minimal",), options or Options())
    return answer(network(("ingress", 0, 0, "1", actions), then, **more), asked).split("\n", 1)[1]


def nodes(actions: str, packet: str = PACKET) -> list[Node]:
    """All nodes of such a trace."""
    found = run(network(("ingress", 0, 0, "1", actions)), Request(packet, "sw"))
    return [node for root in found.nodes for node in root.walk()]
