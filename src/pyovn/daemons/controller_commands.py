"""What a running ovn-controller can be asked over its control socket."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from pyovn.controller.binding import BINDING, EDGES, LOCAL_PORT
from pyovn.controller.core import Core
from pyovn.controller.flowtable import cookie_of
from pyovn.daemons.engine_commands import Watch, engine_commands
from pyovn.net.errors import OvnError
from pyovn.runtime.commands import Command, CommandFailed
from pyovn.runtime.ovsdb import Client

DASHES = "-" * 40
#: what a chassis has to do with other fabrics' VTEPs: nothing is ever there, as this one takes no part in EVPN
EVPN = (
    "evpn/remote-vtep-list", "evpn/vtep-binding-list", "evpn/vtep-multicast-group-list", "evpn/vtep-fdb-list",
    "evpn/vtep-arp-list",
)  # fmt: skip


class Running(Protocol):
    """The controller, as its commands see it."""

    core: Core | None
    southbound: Client | None
    paused: bool
    watch: Watch
    report_delay_s: float

    def wake(self) -> None:
        """Have the loop look again."""

    def inject(self, microflow: str) -> None:
        """Put a packet in at a port here; raises CannotInject."""


def commands(controller: Running) -> dict[str, Command]:
    """All commands that are the controller's own."""

    def core() -> Core:
        if controller.core is None:
            raise CommandFailed("the controller has not started yet")
        return controller.core

    def connection_status(_: list[str]) -> str:
        there = controller.southbound
        return "connected" if there is not None and there.connected else "not connected"

    def forget_cluster(_: list[str]) -> None:
        if controller.southbound is not None:
            controller.southbound.forget_cluster()

    def pause(_: list[str]) -> None:
        controller.paused = True

    def resume(_: list[str]) -> None:
        controller.paused = False
        controller.wake()

    def delay(arguments: list[str]) -> None:
        if not arguments[0].isdecimal():
            raise CommandFailed("unsigned integer required")
        controller.report_delay_s = float(arguments[0])

    def inject(microflow: str) -> None:
        core()
        try:
            controller.inject(microflow)
        except OvnError as fault:
            raise CommandFailed(str(fault)) from None

    return {
        "connection-status": Command(connection_status),
        "ct-zone-list": Command(lambda _: "".join(f"{user} {zone}\n" for user, zone in sorted(core().zones.items()))),
        "group-table-list": Command(lambda _: _numbered(core().groups)),
        "meter-table-list": Command(lambda _: _numbered(core().meters)),
        "debug/pause": Command(pause),
        "debug/resume": Command(resume),
        "debug/status": Command(lambda _: "paused" if controller.paused else "running"),
        "debug/delay-nb-cfg-report": Command(delay, "SECONDS", 1, 1),
        "debug/dump-local-bindings": Command(lambda _: "".join(_bindings(core()))),
        "debug/dump-local-datapaths": Command(lambda _: "".join(_datapaths(core()))),
        "debug/dump-local-template-vars": Command(lambda _: "".join(_variables(core()))),
        "debug/dump-mac-bindings": Command(lambda _: "".join(_mac_bindings(core()))),
        "debug/dump-related-ports": Command(lambda _: "".join(_related(core()))),
        "debug/dump-peer-ports": Command(lambda _: "".join(_peers(core()))),
        "debug/dump-lflow-conj-ids": Command(lambda _: "".join(_conjunctions(core()))),
        "inject-pkt": Command(lambda arguments: inject(arguments[0]), "MICROFLOW", 1, 1),
        **engine_commands(lambda: core().engine, controller.watch),
        **dict.fromkeys(EVPN, Command(lambda _: "")),
        "inc-engine/recompute": Command(lambda _: controller.watch.follow(core().recompute())),
        "recompute": Command(lambda _: controller.watch.follow(core().recompute()), "[deprecated]"),
        "lflow-cache/show-stats": Command(lambda _: _cache(core())),
        "lflow-cache/flush": Command(lambda _: core().logical.templates.clear()),
        "flush-lflow-cache": Command(lambda _: core().logical.templates.clear(), "[deprecated]"),
        "sb-cluster-state-reset": Command(forget_cluster),
    }


def _numbered(table: Mapping[int, Any]) -> str:
    entries = {repr(definition._replace(id=0)): id_ for id_, definition in table.items()}
    return "".join(f"{text}: {id_}\n" for text, id_ in sorted(entries.items()))


def _cache(core: Core) -> str:
    logical = core.logical
    known = sum(template is not None for template in logical.templates.values())
    rows = (
        ("high-watermark", len(logical.templates)),
        ("total", len(logical.templates)),
        ("cache-expr", len(logical.templates) - known),
        ("cache-matches", known),
        ("trim count", 0),
        ("Mem usage (KB)", 0),
    )
    return "Enabled: true\n" + "".join(f"{name:<16}: {number}\n" for name, number in rows)


def _datapaths(core: Core) -> Iterator[str]:
    yield "Local datapaths:\n"
    for datapath in sorted(core.datapaths(), key=lambda each: each.name):
        yield f"Datapath: {datapath.name}, type: {'switch' if datapath.is_switch else 'router'}\n"


def _mac_bindings(core: Core) -> Iterator[str]:
    yield "Local MAC bindings:\n"
    for datapath in sorted(core.datapaths(), key=lambda each: each.key):
        for row in sorted(core.mac_bindings(datapath.uuid), key=lambda each: (each.logical_port, each.ip)):
            port = core.key_of(row.logical_port, datapath.uuid)
            yield f"cookie: {cookie_of(row.uuid):#x}, datapath-key: {datapath.key}, port-key: {port}, "
            yield f"ip: {row.ip}, mac: {row.mac}\n"


def _variables(core: Core) -> Iterator[str]:
    yield "Local template vars:\n"
    yield from (f"name: '{name}' value: '{value}'\n" for name, value in sorted(core.template_variables().items()))


def _related(core: Core) -> Iterator[str]:
    yield from (f"{name}\n" for name in sorted(core.engine.facts(LOCAL_PORT)))


def _bindings(core: Core) -> Iterator[str]:
    yield "Local bindings:\n"
    facts = core.engine.facts(BINDING)
    bound = [(core.port(uuid), here) for uuid in facts if (here := facts.get(uuid)) is not None and here.interface]
    named = sorted(((row, here) for row, here in bound if row is not None), key=lambda pair: pair[0].logical_port)
    for row, here in named:
        if here.nested:
            continue
        children = [child for child, its in named if its.nested and child.parent_port == row.logical_port]
        interface = core.interface(here.interface)
        yield f"name: [{row.logical_port}], OVS interface name : [{interface}], "
        yield f"num binding lports : [{1 + len(children)}]\n"
        yield f"{'localport' if here.type else 'primary'} lport : [{row.logical_port}]\n"
        for number, child in enumerate(children, 1):
            yield f"child lport[{number}] : [{child.logical_port}], type : [CONTAINER]\n"
        yield f"{DASHES}\n"


def _peers(core: Core) -> Iterator[str]:
    edges = core.engine.facts(EDGES)
    for datapath in sorted(core.datapaths(), key=lambda each: each.name):
        if datapath.uuid not in edges:
            continue
        for row in core.ports_of(datapath.uuid):
            peer = row.options.get("peer")
            if peer and row.type in ("patch", "l3gateway"):
                yield f"dp {datapath.name} : local = {row.logical_port}, remote = {peer}\n"


def _conjunctions(core: Core) -> Iterator[str]:
    listed = core.ids.listed_conjunctions()
    yield "Conjunction IDs allocations:\n"
    for flow, (first, number) in sorted(listed.items()):
        yield f"lflow: {flow}, start: {first}, n: {number}\n"
    yield f"---\nTotal {sum(number for _, number in listed.values())} IDs used.\n"
