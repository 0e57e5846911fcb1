"""What a switch holds, in ovs-ofctl's notation: flows and groups both ways, meters, ports and tables printed.

    cookie=0x0, duration=2.3s, table=3, n_packets=1, n_bytes=60, idle_age=2, priority=5,ip actions=output:1
    group_id=7,type=select,selection_method=dp_hash,bucket=bucket_id:0,weight:100,actions=output:1

The pieces: `match_text`, `action_text`, `action_parser`, `values`.
"""

import re
from collections.abc import Iterable, Mapping

from pyovn.net.errors import Malformed
from pyovn.net.mac import mac_str
from pyovn.openflow import messages as m
from pyovn.openflow.action_parser import parse_actions, split_actions
from pyovn.openflow.action_text import format_actions
from pyovn.openflow.actions import OFPP_NONE
from pyovn.openflow.fields import FULL
from pyovn.openflow.flows import (
    BUCKET_NONE,
    CHECK_OVERLAP,
    DEFAULT_PRIORITY,
    GROUP_ALL,
    GROUP_ANY,
    METER_ALL,
    METER_CONTROLLER,
    METER_SLOWPATH,
    NO_BYTE_COUNTS,
    NO_PACKET_COUNTS,
    RESET_COUNTS,
    SEND_FLOW_REM,
    Bucket,
    Flow,
    FlowStats,
    GroupDef,
    GroupType,
    MeterBand,
    MeterDef,
)
from pyovn.openflow.group_codec import GROUP_TYPES
from pyovn.openflow.match import Match, order
from pyovn.openflow.match_text import format_match, match_of, parse_match
from pyovn.openflow.values import (
    FIELD_NAMES,
    PortNames,
    number,
    parse_port,
    parse_value,
    port_text,
    set_name,
    value_text,
)

__all__ = [
    "diff_line",
    "format_actions",
    "format_flow",
    "format_group",
    "format_group_stats",
    "format_match",
    "format_meter",
    "format_meter_stats",
    "format_port",
    "format_port_stats",
    "format_queue_stats",
    "format_stats",
    "format_tables",
    "parse_actions",
    "parse_flow",
    "parse_group",
    "parse_match",
    "parse_meter",
]

_FLAG_WORDS = (
    (SEND_FLOW_REM, "send_flow_rem"),
    (CHECK_OVERLAP, "check_overlap"),
    (RESET_COUNTS, "reset_counts"),
    (NO_PACKET_COUNTS, "no_packet_counts"),
    (NO_BYTE_COUNTS, "no_byte_counts"),
)
_FLAGS = {word: bit for bit, word in _FLAG_WORDS}


# --- flows --------------------------------------------------------------------------------------------------------


def _seconds(value: float) -> str:
    """Whole seconds bare, else to the millisecond, or as much finer as it takes."""
    whole, rest = divmod(round(value * 1_000_000_000), 1_000_000_000)
    for digits in (0, 3, 6):
        part, finer = divmod(rest, 10 ** (9 - digits))
        if not finer:
            return f"{whole}.{part:0{digits}d}s" if digits else f"{whole}s"
    return f"{whole}.{rest:09d}s"


def _attributes(flow: Flow) -> str:
    """Timeouts, flags and importance, each with what separates it from the next."""
    text = f"idle_timeout={flow.idle_timeout}, " if flow.idle_timeout else ""
    text += f"hard_timeout={flow.hard_timeout}, " if flow.hard_timeout else ""
    text += "".join(f"{word} " for bit, word in _FLAG_WORDS if flow.flags & bit)
    return text + (f"importance={flow.importance}, " if flow.importance else "")


def _what(flow: Flow, names: PortNames | None) -> str:
    """Priority, match and actions."""
    priority = f"priority={flow.priority}" if flow.priority != DEFAULT_PRIORITY else ""
    match = format_match(flow.match, names)
    wanted = ",".join(part for part in (priority, match) if part)
    return f"{wanted}{wanted and ' '}actions={format_actions(flow.actions, names)}"


def format_stats(stats: FlowStats, names: PortNames | None = None) -> str:
    """A line of `ovs-ofctl dump-flows`, without the space in front."""
    flow = stats.flow
    idle = f"idle_age={stats.idle_age}, " if stats.idle_age is not None else ""
    hard = f"hard_age={stats.hard_age}, " if stats.hard_age is not None else ""
    return (
        f"cookie={flow.cookie:#x}, duration={_seconds(stats.duration)}, table={flow.table}, n_packets={stats.packets}, "
        f"n_bytes={stats.bytes}, {_attributes(flow)}{idle}{hard}{_what(flow, names)}"
    )


def format_flow(flow: Flow, names: PortNames | None = None) -> str:
    """A line of `ovs-ofctl --no-stats dump-flows`, without the space in front."""
    cookie = f"cookie={flow.cookie:#x}, " if flow.cookie else ""
    table = f"table={flow.table}, " if flow.table else ""
    return f"{cookie}{table}{_attributes(flow)}{_what(flow, names)}"


def diff_line(flow: Flow, names: PortNames | None = None) -> str:
    """A line of `ovs-ofctl diff-flows`, without the sign in front."""
    table = f"table={flow.table} " if flow.table else ""
    priority = f"priority={flow.priority}," if flow.priority != DEFAULT_PRIORITY else ""
    cookie = f"cookie={flow.cookie:#x} " if flow.cookie else ""
    idle = f"idle_timeout={flow.idle_timeout} " if flow.idle_timeout else ""
    hard = f"hard_timeout={flow.hard_timeout} " if flow.hard_timeout else ""
    match = format_match(flow.match, names)
    return f"{table}{priority}{match} {cookie}{idle}{hard}actions={format_actions(flow.actions, names)}"


_ACTIONS = re.compile(r"(?:^|[,\s])actions?=")
_WORDS = re.compile(r"[,\s]+(?![^()]*\))")


def parse_flow(text: str, ports: Mapping[str, int] | None = None, *, actions: bool | None = True) -> Flow:
    """The flow that `text` describes; counters are passed over.  Raises Malformed.

    `actions`: True where the text must say what the flow does, False where it must not, None where either is fine.
    """
    known = ports or {}
    found = _ACTIONS.search(text)
    if found is None and actions:
        raise Malformed("must specify an action")
    if found is not None and actions is False:
        raise Malformed("actions are not allowed here")
    head, tail = (text, "") if found is None else (text[: found.start()], text[found.end() :])
    numbers = {"table": 0, "priority": DEFAULT_PRIORITY, "cookie": 0, **dict.fromkeys(_TIMES, 0)}
    flags, terms = 0, []
    for part in (part for part in _WORDS.split(head.strip()) if part):
        name, equals, value = part.partition("=")
        if name in _FLAGS and not equals:
            flags |= _FLAGS[name]
        elif name in numbers:
            numbers[name] = number(value.partition("/")[0])
        elif name not in _COUNTERS:
            terms.append(part)
    doing = parse_actions(tail, known) if found else ()
    times = (numbers[name] for name in _TIMES)
    head_fields = numbers["table"], numbers["priority"], match_of(terms, known), doing, numbers["cookie"]
    idle, hard, importance = times
    return Flow(*head_fields, idle, hard, flags, importance)


_TIMES = ("idle_timeout", "hard_timeout", "importance")
_COUNTERS = frozenset(("duration", "n_packets", "n_bytes", "idle_age", "hard_age", "out_port", "out_group"))


# --- groups -------------------------------------------------------------------------------------------------------


def format_group(group: GroupDef, names: PortNames | None = None) -> str:
    """A line of `ovs-ofctl dump-groups`, without the space in front."""
    text = f"group_id={group.id},type={group.type}"
    if group.selection_method:
        text += f",selection_method={group.selection_method}"
    if group.selection_method_param:
        text += f",selection_method_param={group.selection_method_param}"
    if group.fields:
        text += f",fields({','.join(_hash_field(*term) for term in group.fields)})"
    return text + "".join(f",bucket={_bucket(bucket, group, names)}" for bucket in group.buckets)


def _hash_field(name: str, value: int, _mask: int) -> str:
    word = set_name(name)
    return word if value == FULL[name] else f"{word}={value_text(name, value, FULL[name], {})}"


def _bucket(bucket: Bucket, group: GroupDef, names: PortNames | None) -> str:
    text = f"bucket_id:{bucket.id}," if bucket.id != BUCKET_NONE else ""
    if group.type == "select" and bucket.weight != 1:
        text += f"weight:{bucket.weight},"
    if bucket.watch_port != OFPP_NONE:
        text += f"watch_port:{port_text(bucket.watch_port, names or {})},"
    if bucket.watch_group != GROUP_ANY:
        text += f"watch_group:{bucket.watch_group},"
    return f"{text}actions={format_actions(bucket.actions, names)}"


def parse_group(text: str, ports: Mapping[str, int] | None = None) -> GroupDef:
    """The group that `text` describes; raises Malformed."""
    head, *buckets = re.split(r"[,\s]*bucket=", text.strip())
    group_id, kind, method, param, fields = None, None, "", 0, ""
    for part in split_actions(head):
        name, _, value = part.partition("=")
        match name:
            case "group_id":
                group_id = _group_number(value)
            case "type":
                kind = _group_type(value)
            case "selection_method":
                method = value
            case "selection_method_param":
                param = number(value)
            case "fields":
                fields = value
            case _ if part.startswith("fields("):
                fields = part[7:-1]
            case _:
                raise Malformed(f"unknown keyword {name}")
    if group_id is None:
        raise Malformed("must specify a group_id")
    if kind is None:
        raise Malformed("must specify a type")
    parsed = tuple(_parse_bucket(bucket, kind, place, ports or {}) for place, bucket in enumerate(buckets))
    return GroupDef(group_id, kind, parsed, method, param, _hash_fields(fields))


def _group_number(text: str) -> int:
    return GROUP_ALL if text == "all" else number(text)


def _group_type(text: str) -> GroupType:
    word = {"fast_failover": "ff"}.get(text, text)
    for kind in GROUP_TYPES:
        if kind == word:
            return kind
    raise Malformed(f"invalid group type {text}")


def _hash_fields(text: str) -> Match:
    terms = []
    for part in split_actions(text):
        name, equals, value = part.partition("=")
        if name not in FIELD_NAMES:
            raise Malformed(f"{name}: unknown field")
        field = FIELD_NAMES[name]
        terms.append((field, parse_value(field, value, {})[0] if equals else FULL[field], FULL[field]))
    return tuple(sorted(terms, key=order))


def _parse_bucket(text: str, kind: GroupType, place: int, ports: Mapping[str, int]) -> Bucket:
    bucket = Bucket((), 1 if kind == "select" else 0, place)
    actions: list[str] = []
    for part in split_actions(text):
        name, colon, value = re.match(r"(\w*)([:=]?)(.*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
        if name == "actions" and colon:
            actions.append(value)
        elif colon and name in ("bucket_id", "weight", "watch_port", "watch_group"):
            bucket = _with(bucket, name, value, ports)
        else:
            actions.append(part)
    return bucket._replace(actions=parse_actions(",".join(actions), ports))


def _with(bucket: Bucket, name: str, value: str, ports: Mapping[str, int]) -> Bucket:
    if name == "bucket_id":
        return bucket._replace(id=number(value))
    if name == "weight":
        return bucket._replace(weight=number(value))
    if name == "watch_port":
        return bucket._replace(watch_port=parse_port(value, ports))
    return bucket._replace(watch_group=number(value))


def format_group_stats(stats: m.GroupStats) -> str:
    """A line of `ovs-ofctl dump-group-stats`, without the space in front."""
    text = (
        f"group_id={stats.id},duration={_seconds(stats.duration)},ref_count={stats.references},"
        f"packet_count={stats.packets},byte_count={stats.bytes}"
    )
    for place, (packets, bytes_) in enumerate(stats.buckets):
        text += f",bucket{place}:packet_count={packets},byte_count={bytes_}"
    return text


# --- meters -------------------------------------------------------------------------------------------------------

_METER_NAMES = {METER_ALL: "all", METER_CONTROLLER: "controller", METER_SLOWPATH: "slowpath"}


def _meter_name(meter: int) -> str:
    return _METER_NAMES.get(meter, str(meter))


def format_meter(meter: MeterDef) -> str:
    """The lines of a meter in `ovs-ofctl dump-meters`."""
    words = "pktps" if meter.pktps else "kbps"
    words += " burst" if meter.burst else ""
    words += " stats" if meter.stats else ""
    lines = [f"meter={_meter_name(meter.id)} {words} bands="]
    for band in meter.bands:
        kind = "drop" if band.precedence is None else "dscp_remark"
        text = f"type={kind} rate={band.rate}" + (f" burst_size={band.burst}" if meter.burst else "")
        lines.append(text + ("" if band.precedence is None else f" prec_level={band.precedence}"))
    return "\n".join(lines)


def format_meter_stats(stats: m.MeterStats) -> str:
    """The lines of a meter in `ovs-ofctl meter-stats`."""
    lines = [
        f"meter:{_meter_name(stats.id)} flow_count:{stats.flows} packet_in_count:{stats.packets} "
        f"byte_in_count:{stats.bytes} duration:{_seconds(stats.duration)} bands:"
    ]
    lines += (
        f"{place}: packet_count:{packets} byte_count:{bytes_}" for place, (packets, bytes_) in enumerate(stats.bands)
    )
    return "\n".join(lines)


def parse_meter(text: str) -> MeterDef:
    """The meter that `text` describes; raises Malformed."""
    head, *bands = re.split(r"[,\s]*bands?=", text.strip())
    flags, meter_id = set(), None
    for word in re.split(r"[,\s]+", head):
        name, equals, value = word.partition("=")
        if equals and name == "meter":
            named = {text: code for code, text in _METER_NAMES.items()}
            meter_id = named[value] if value in named else number(value)
        elif word in ("kbps", "pktps", "burst", "stats"):
            flags.add(word)
        elif word:
            raise Malformed(f"unknown keyword {word}")
    if meter_id is None:
        raise Malformed("must specify a meter")
    parsed = tuple(_parse_band(band) for band in bands if band)
    return MeterDef(meter_id, parsed, "pktps" in flags, "burst" in flags, "stats" in flags)


def _parse_band(text: str) -> MeterBand:
    words = dict(word.partition("=")[::2] for word in re.split(r"[,\s]+", text) if word)
    kind = words.get("type")
    if kind not in ("drop", "dscp_remark") or "rate" not in words:
        raise Malformed(f"{text}: a band needs a type (drop or dscp_remark) and a rate")
    precedence = number(words.get("prec_level", "0")) if kind == "dscp_remark" else None
    return MeterBand(number(words["rate"]), number(words.get("burst_size", "0")), precedence)


# --- ports and tables ---------------------------------------------------------------------------------------------

_CONFIG = ((m.PORT_DOWN, "PORT_DOWN"), (m.NO_RECV, "NO_RECV"), (m.NO_FWD, "NO_FWD"), (m.NO_PACKET_IN, "NO_PACKET_IN"))
_STATE = ((m.LINK_DOWN, "LINK_DOWN"), (m.BLOCKED, "BLOCKED"), (m.LIVE, "LIVE"))
_FEATURES = (
    "10MB-HD 10MB-FD 100MB-HD 100MB-FD 1GB-HD 1GB-FD 10GB-FD 40GB-FD 100GB-FD 1TB-FD OTHER COPPER FIBER AUTO_NEG "
    "AUTO_PAUSE AUTO_PAUSE_ASYM"
).split()


def _words(table: Iterable[tuple[int, str]], bits: int) -> str:
    return " ".join(word for bit, word in table if bits & bit) or "0"


def format_port(port: m.Port) -> str:
    """The lines of a port in `ovs-ofctl show` and `dump-ports-desc`."""
    lines = [
        f" {port_text(port.number, {})}({port.name}): addr:{mac_str(port.mac)}",
        f"     config:     {_words(_CONFIG, port.config)}",
        f"     state:      {_words(_STATE, port.state)}",
    ]
    features = tuple((1 << bit, word) for bit, word in enumerate(_FEATURES))
    for label, bits in (
        ("current:    ", port.current),
        ("advertised: ", port.advertised),
        ("supported:  ", port.supported),
        ("peer:       ", port.peer),
    ):
        if bits:
            lines.append(f"     {label}{_words(features, bits)}")
    lines.append(f"     speed: {port.speed // 1000} Mbps now, {port.max_speed // 1000} Mbps max")
    return "\n".join(lines)


def _count(value: int | None) -> str:
    return "?" if value is None else str(value)


def format_port_stats(stats: m.PortStats, names: PortNames | None = None) -> str:
    """The lines of a port in `ovs-ofctl dump-ports`."""
    c = _count
    port = port_text(stats.number, names or {}).rjust(2)
    return (
        f"  port {port}: rx pkts={c(stats.rx_packets)}, bytes={c(stats.rx_bytes)}, "
        f"drop={c(stats.rx_dropped)}, errs={c(stats.rx_errors)}, frame={c(stats.rx_frame_errors)}, "
        f"over={c(stats.rx_over_errors)}, crc={c(stats.rx_crc_errors)}\n"
        f"           tx pkts={c(stats.tx_packets)}, bytes={c(stats.tx_bytes)}, drop={c(stats.tx_dropped)}, "
        f"errs={c(stats.tx_errors)}, coll={c(stats.collisions)}\n"
        f"           duration={_seconds(stats.duration)}"
    )


def format_queue_stats(stats: m.QueueStats, names: PortNames | None = None) -> str:
    """A line of `ovs-ofctl queue-stats`, without the spaces in front."""
    c, duration = _count, "?" if stats.duration is None else _seconds(stats.duration)
    return (
        f"port {port_text(stats.port, names or {})} queue {stats.queue}: bytes={c(stats.tx_bytes)}, "
        f"pkts={c(stats.tx_packets)}, errors={c(stats.tx_errors)}, duration={duration}"
    )


def format_tables(tables: Iterable[m.TableStats]) -> str:
    """The body of `ovs-ofctl dump-tables`: equal tables in a row only once."""
    lines, rows = [], list(tables)
    at = 0
    while at < len(rows):
        row, end = rows[at], at + 1
        lines += [f"  table {row.table}:", f"    active={row.active}, lookup={row.lookups}, matched={row.matched}", ""]
        while end < len(rows) and rows[end][1:] == row[1:]:
            end += 1
        if end - at == 2:
            lines += [f"  table {rows[at + 1].table}: ditto", ""]
        elif end - at > 2:
            lines += [f"  tables {rows[at + 1].table}...{rows[end - 1].table}: ditto", ""]
        at = end
    return "\n".join(lines)
