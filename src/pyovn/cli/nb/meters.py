"""`meter-*` and `copp-*`: rate limits, and which control protocols they protect ovn-controller from."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.numbers import whole_within
from pyovn.cli.nb.lookup import ROUTER, SWITCH, must_find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

    Entry = dict[str, Any]

command = CommandTable("Meter and control plane protection commands")

METERS = ("Meter name unit bands fair", "Meter_Band action rate burst_size")
COPP = ("Copp", "copp", "")
COPPS = ("Copp name meters",)
RATES = range(1, 2**32)
BURSTS = range(2**32)
UNITS = {"kbps": "kb", "pktps": "packet"}  #: unit of rates → unit of bursts
PROTOCOLS = (
    "arp", "arp-resolve", "dhcpv4-opts", "dhcpv6-opts", "dns", "event-elb", "icmp4-error", "icmp6-error", "igmp",
    "nd-na", "nd-ns", "nd-ns-resolve", "nd-ra-opts", "tcp-reset", "bfd", "reject", "svc-monitor", "dhcpv4-relay",
)  # fmt: skip


@command("meter-add", "NAME ACTION RATE UNIT [BURST]", options="--fair --may-exist", reads=METERS)
def meter_add(ctl: "Ctl", name: str, action: str, rate_text: str, unit: str, burst_text: str | None = None) -> None:
    """Add a meter."""
    if ctl.view.find("Meter", "name", name):
        if ctl.has("--may-exist"):
            return
        raise CtlError(f'meter with name "{name}" already exists')
    if name.startswith("__"):
        raise CtlError('meter names that begin with "__" are reserved')
    if action != "drop":
        raise CtlError('action must be "drop"')
    rate = whole_within(rate_text, RATES)
    if rate is None:
        raise CtlError("rate must be in the range 1...4294967295")
    if unit not in UNITS:
        raise CtlError('unit must be "kbps" or "pktps"')
    burst = 0 if burst_text is None else whole_within(burst_text, BURSTS)
    if burst is None:
        raise CtlError("burst must be in the range 0...4294967295")
    band = ctl.view.insert("Meter_Band", action=action, rate=rate, burst_size=burst)
    meter = ctl.view.insert("Meter", name=name, unit=unit, bands=[band.uuid])
    if ctl.has("--fair"):
        meter["fair"] = True


@command("meter-del", "[NAME]", reads=METERS)
def meter_del(ctl: "Ctl", name: str | None = None) -> None:
    """Remove a meter, or all."""
    for meter in ctl.view.rows("Meter") if name is None else list(ctl.view.find("Meter", "name", name)):
        meter.delete()


@command("meter-list", reads=METERS)
def meter_list(ctl: "Ctl") -> None:
    """Print meters."""
    meters = sorted(ctl.view.rows("Meter"), key=lambda row: str(row["name"]))
    ctl.tell([meter.entry("name", "unit", "fair") | {"bands": _bands(ctl, meter)} for meter in meters], _meter_lines)


def _bands(ctl: "Ctl", meter: "Row") -> "list[Entry]":
    return [band.entry("action", "rate", "burst_size") for band in ctl.view.referred("Meter_Band", meter["bands"])]


def _meter_lines(meters: "list[Entry]") -> "Iterator[str]":
    for meter in meters:
        yield f"{meter['name']}:{' (fair)' if meter['fair'] else ''} bands:"
        for band in meter["bands"]:
            burst = f", {band['burst_size']} {UNITS[meter['unit']]} burst" if band["burst_size"] else ""
            yield f"  {band['action']}: {band['rate']} {meter['unit']}{burst}"


def _check_protocol(name: str) -> None:
    if name not in PROTOCOLS:
        raise CtlError(f"Invalid control protocol. Allowed values: {', '.join(PROTOCOLS)}.")


def _policy(ctl: "Ctl", name: str) -> "Row | None":
    return ctl.view.first("Copp", "name", name)


@command("copp-add", "NAME PROTO METER", reads=COPPS)
def copp_add(ctl: "Ctl", name: str, protocol: str, meter: str) -> None:
    """Let METER limit PROTO packets in policy NAME."""
    _check_protocol(protocol)
    policy = _policy(ctl, name) or ctl.view.insert("Copp", name=name)
    policy.put("meters", protocol, meter)


@command("copp-del", "NAME [PROTO]", reads=COPPS)
def copp_del(ctl: "Ctl", name: str, protocol: str | None = None) -> None:
    """Remove the limit of PROTO packets, or all limits, from policy NAME."""
    if protocol is not None:
        _check_protocol(protocol)
    policy = _policy(ctl, name)
    if policy is None:
        return
    if protocol is None:
        policy.delete()
    else:
        policy.drop("meters", protocol)
        if not policy["meters"]:
            policy.delete()


@command("copp-list", "NAME", reads=COPPS)
def copp_list(ctl: "Ctl", name: str) -> None:
    """Print the limits of policy NAME."""
    policy = _policy(ctl, name)
    limits = {} if policy is None else policy["meters"]
    found = [{"protocol": protocol, "meter": meter} for protocol, meter in limits.items()]
    ctl.tell(found, lambda entries: (f"{entry['protocol']}: {entry['meter']}" for entry in entries))


@command("ls-copp-add", "NAME SWITCH", reads=(*COPPS, "Logical_Switch name copp"))
def ls_copp_add(ctl: "Ctl", name: str, switch: str) -> None:
    """Apply policy NAME to SWITCH."""
    owner = must_find(ctl.view, SWITCH, switch)
    owner["copp"] = must_find(ctl.view, COPP, name).uuid


@command("lr-copp-add", "NAME ROUTER", reads=(*COPPS, "Logical_Router name copp"))
def lr_copp_add(ctl: "Ctl", name: str, router: str) -> None:
    """Apply policy NAME to ROUTER."""
    owner = must_find(ctl.view, ROUTER, router)
    owner["copp"] = must_find(ctl.view, COPP, name).uuid
