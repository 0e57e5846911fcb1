"""The control commands of the switch, as `ovs-appctl` sends them.

ofproto/trace ofproto/list dpif/show dpctl/dump-flows dpctl/dump-conntrack dpctl/flush-conntrack dpctl/show
fdb/show fdb/flush bfd/show bfd/set-forwarding bridge/dump-flows netdev-dummy/receive
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pyovn.net.errors import Malformed
from pyovn.net.mac import mac_str
from pyovn.openflow.action_text import format_action, format_actions
from pyovn.openflow.actions import Action
from pyovn.openflow.match_text import format_match, parse_match
from pyovn.runtime.commands import ANY_NUMBER, Command, CommandFailed
from pyovn.runtime.nics import DummyNic
from pyovn.vswitch.bridge import Bridge
from pyovn.vswitch.conntrack.table import Connection
from pyovn.vswitch.conntrack.text import dumped
from pyovn.vswitch.datapath import Datapath
from pyovn.vswitch.errors import NoMonitor
from pyovn.vswitch.frame import extract
from pyovn.vswitch.inject import frame_of
from pyovn.vswitch.key import compiled, place
from pyovn.vswitch.ports import Port
from pyovn.vswitch.reconcile import LOCAL_IN_DATABASE
from pyovn.vswitch.tables import Rule
from pyovn.vswitch.text import actions_text, megaflow_text
from pyovn.vswitch.trace import ct_state_of, trace

TRACE_USAGE = "bridge br_flow [--ct-next STATE]... [packet]"

#: the words of `bfd/set-forwarding`
FORWARDING = {"normal": None, "true": True, "false": False}
T = TypeVar("T")
Dummies = Callable[[], Mapping[str, DummyNic]]


def commands(datapath: Datapath, dummies: Dummies) -> dict[str, Command]:
    """The commands of one switch."""
    tools = Tools(datapath, dummies)
    return {
        "ofproto/trace": Command(tools.trace, TRACE_USAGE, 1, ANY_NUMBER),
        "ofproto/list": Command(lambda _: "".join(f"{name}\n" for name in sorted(datapath.bridges))),
        "dpif/show": Command(tools.show),
        "dpctl/show": Command(tools.show, "[-s] [dp...]", 0, 2),
        "dpctl/dump-flows": Command(tools.dump_flows, "[-m] [--names] [dp]", 0, ANY_NUMBER),
        "dpif/dump-flows": Command(tools.dump_flows, "[-m] [--names | --no-names] bridge", 0, ANY_NUMBER),
        "dpctl/dump-conntrack": Command(tools.dump_conntrack, "[-m] [-s] [dp] [zone=N]", 0, 4),
        "dpctl/flush-conntrack": Command(tools.flush_conntrack, "[dp] [zone=N]", 0, 4),
        "dpctl/ct-stats-show": Command(tools.conntrack_statistics, "[dp] [zone=N]", 0, 2),
        "bridge/dump-flows": Command(tools.dump_bridge, "[--offload-stats] bridge", 1, 2),
        "fdb/show": Command(tools.show_fdb, "bridge", 1, 1),
        "fdb/flush": Command(tools.flush_fdb, "[bridge]", 0, 1),
        "bfd/show": Command(tools.show_bfd, "[interface]", 0, 1),
        "bfd/set-forwarding": Command(tools.force_bfd, "[interface] normal|false|true", 1, 2),
        "revalidator/purge": Command(lambda _: datapath.flush()),
        "revalidator/wait": Command(lambda _: None),
        "netdev-dummy/receive": Command(tools.receive, "name [--qid queue_id] packet|flow [--len packet_len]", 2, 6),
    }  # fmt: skip


def _flow(rule: Rule) -> str:
    match = format_match(rule.match)
    return f"priority={rule.priority}{',' if match else ''}{match},actions={format_actions(rule.actions)}"


def _kind(port: Port) -> str:
    """What is behind a port."""
    if port.tunnel is not None:
        config = port.tunnel
        ends = {
            "key": _or_flow(config.out_key),
            "local_ip": _or_flow(config.local),
            "remote_ip": _or_flow(config.remote),
        }
        return f"{config.kind}: " + ", ".join(f"{name}={value}" for name, value in ends.items() if value)
    if port.peer is not None:
        return f"patch: peer={port.peer[1]}"
    return "internal" if port.is_local else "system"


def _described(action: Action) -> str:
    return format_action(action, {})


def _or_flow(value: int | str | None) -> str:
    return "flow" if value is None else str(value)


class Tools:
    """What the commands do."""

    def __init__(self, datapath: Datapath, dummies: Dummies) -> None:
        self.datapath = datapath
        self._dummies = dummies

    def _bridge(self, name: str) -> Bridge:
        bridge = self.datapath.bridges.get(name)
        if bridge is None:
            raise CommandFailed(f"{name}: unknown bridge")
        return bridge

    def trace(self, words: list[str]) -> str:
        """Trace a packet."""
        states = [ct_state_of(words[at + 1]) for at, word in enumerate(words[:-1]) if word in ("--ct-next", "-ct-next")]
        plain = [
            word
            for at, word in enumerate(words)
            if not word.startswith("-") and not (at and words[at - 1].endswith("-ct-next"))
        ]
        if len(plain) < 2:
            raise CommandFailed("Must specify bridge name")
        bridge = self._bridge(plain[0])
        ports = {port.name: number for number, port in bridge.ports.items()}
        try:
            _, key = compiled(parse_match(plain[1], ports))
        except Malformed as fault:
            raise CommandFailed(f"Bad openflow flow syntax: {fault}") from None
        if len(plain) > 2:
            key |= extract(bytes.fromhex(plain[2]))[0]
        if key & place("vlan_tci", 0x1000):
            key |= place("vlan_tpid", 0x8100)
        return trace(self.datapath, bridge, key, _described, states) + "\n"

    def show(self, _: list[str]) -> str:
        """Bridges and ports."""
        return "\n".join(self._shown()) + "\n"

    def _shown(self) -> Iterator[str]:
        yield f"netdev@ovs-netdev: hit:{self.datapath.hits} missed:{self.datapath.misses}"
        for name, bridge in sorted(self.datapath.bridges.items()):
            yield f"  {name}:"
            for port in sorted(bridge.ports.values(), key=lambda port: port.name):
                number = LOCAL_IN_DATABASE if port.is_local else port.ofport
                inside = "none" if port.kind == "patch" else str(port.number)
                yield f"    {port.name} {number}/{inside}: ({_kind(port)})"

    def dump_flows(self, _: list[str]) -> str:
        """The cache."""
        datapath = self.datapath
        lines = []
        for bucket, _table, _key, entry in datapath.lines():
            id_ = datapath.recirculation_id(bucket)
            key = entry.key | (bucket.frozen.key if bucket.frozen else place("in_port", bucket.ofport))
            used = f"{max(0.0, datapath.now - entry.used):.3f}s" if entry.packets else "never"
            match = megaflow_text(key, entry.translation.consulted, id_)
            done = actions_text(entry.translation.operations, key)
            lines.append(f"{match}, packets:{entry.packets}, bytes:{entry.bytes}, used:{used}, actions:{done}\n")
        return "".join(lines)

    def _connections(self, words: list[str]) -> list[Connection]:
        zones = [int(word.partition("=")[2], 0) for word in words if word.startswith("zone=")]
        return list(self.datapath.conntrack.connections(self.datapath.now, zones[0] if zones else None))

    def dump_conntrack(self, words: list[str]) -> str:
        """The connections."""
        return "".join(f"{dumped(connection)}\n" for connection in self._connections(words))

    def flush_conntrack(self, words: list[str]) -> None:
        """Forget connections."""
        for connection in self._connections(words):
            self.datapath.conntrack.remove(connection)

    def conntrack_statistics(self, words: list[str]) -> str:
        """How many connections there are."""
        return f"Connections Stats:\n    Total: {len(self._connections(words))}\n"

    def dump_bridge(self, words: list[str]) -> str:
        """The flows of a bridge with their counters."""
        datapath, bridge = self.datapath, self._bridge(words[-1])
        datapath.credit_all()
        return "".join(
            f"{'' if not rule.table else f'table_id={rule.table}, '}duration={int(datapath.now - rule.created)}s, "
            f"n_packets={rule.packets}, n_bytes={rule.bytes}, {_flow(rule)}\n"
            for rule in bridge.tables
        )

    def show_fdb(self, words: list[str]) -> str:
        """The learned addresses of a bridge."""
        bridge = self._bridge(words[0])
        lines = [" port  VLAN  MAC                Age\n"]
        for vlan, mac, entry in bridge.fdb.entries():
            port = bridge.ports.get(entry.port)
            number = "LOCAL" if port is not None and port.is_local else str(entry.port)
            lines.append(f"{number:>5}  {vlan:4}  {mac_str(mac)}  {int(self.datapath.now - entry.seen):3}\n")
        return "".join(lines)

    def flush_fdb(self, words: list[str]) -> str:
        """Forget the learned addresses of one bridge or of all."""
        for bridge in [self._bridge(words[0])] if words else list(self.datapath.bridges.values()):
            bridge.fdb.flush()
        return "table successfully flushed\n"

    def show_bfd(self, words: list[str]) -> str:
        """How BFD stands."""
        return self._asked(lambda: self.datapath.monitors.show(words[0] if words else None, self.datapath.tick()))

    def force_bfd(self, words: list[str]) -> str:
        """Believe that ports are usable or not."""
        if words[-1] not in FORWARDING:
            raise CommandFailed("unknown fault string")
        name, forwarding = (words[0] if len(words) > 1 else None), FORWARDING[words[-1]]
        self._asked(lambda: self.datapath.monitors.force(name, forwarding, self.datapath.tick()))
        return "OK\n"

    @staticmethod
    def _asked(act: Callable[[], T]) -> T:
        try:
            return act()
        except NoMonitor as fault:
            raise CommandFailed(str(fault)) from None

    def receive(self, words: list[str]) -> None:
        """Let frames arrive at a device that has nothing behind it."""
        nic = self._dummies().get(words[0])
        if nic is None:
            raise CommandFailed("no such dummy netdev")
        for text in words[1:]:
            if text.startswith("--"):
                raise CommandFailed(f"{text}: not supported")
            try:
                nic.inject(frame_of(text))
            except (Malformed, ValueError) as fault:
                raise CommandFailed(f"bad packet or flow syntax: {fault}") from None
