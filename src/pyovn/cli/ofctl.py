"""`ovs-ofctl`: a switch's OpenFlow tables on the command line, ours or a real one's, over OpenFlow 1.5.

    pyovn ofctl dump-flows br-int
    pyovn ofctl add-flow unix:/run/br-int.mgmt 'table=5,ip,nw_dst=10.0.0.1,actions=output:3'

One row per command in `COMMANDS`; the functions are in `pyovn.cli.of`.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pyovn.cli.of import edits, queries, watch
from pyovn.cli.of.session import Options, Session, Usage, remote_of
from pyovn.net.errors import OvnError
from pyovn.runtime.openflow import OpenFlowClient

VERSION = "ovs-ofctl (Open vSwitch) 3.7.0\nOpenFlow versions 0x6:0x6"


class Command(NamedTuple):
    """One command."""

    run: Callable[..., Awaitable[int | None]]
    #: arguments after the switch, for the help text
    usage: str
    #: how many of them at least and at most
    least: int
    most: int
    #: what it does
    about: str


COMMANDS: dict[str, Command] = {
    "show": Command(queries.show, "", 0, 0, "show OpenFlow information"),
    "dump-desc": Command(queries.description, "", 0, 0, "print switch description"),
    "dump-tables": Command(queries.tables, "", 0, 0, "print table stats"),
    "dump-ports": Command(queries.port_stats, "[PORT]", 0, 1, "print port statistics"),
    "dump-ports-desc": Command(queries.ports, "[PORT]", 0, 1, "print port descriptions"),
    "queue-stats": Command(queries.queues, "", 0, 0, "print queue statistics"),
    "dump-flows": Command(queries.flows, "[FLOW]", 0, 1, "print flow entries"),
    "dump-aggregate": Command(queries.aggregate, "[FLOW]", 0, 1, "print aggregate flow statistics"),
    "dump-groups": Command(queries.groups, "[GROUP]", 0, 1, "print group descriptions"),
    "dump-group-stats": Command(queries.group_stats, "[GROUP]", 0, 1, "print group statistics"),
    "dump-meters": Command(queries.meters, "[METER]", 0, 1, "print meter configuration"),
    "meter-stats": Command(queries.meter_stats, "[METER]", 0, 1, "print meter statistics"),
    "dump-tlv-map": Command(queries.tlv_map, "", 0, 0, "print TLV option mappings"),
    "probe": Command(queries.probe, "", 0, 0, "find out whether the switch is up"),
    "add-flow": Command(edits.add_flow, "FLOW", 1, 1, "add a flow"),
    "add-flows": Command(edits.add_flows, "FILE", 1, 1, "add the flows of FILE"),
    "mod-flows": Command(edits.mod_flows, "FLOW", 1, 1, "change the actions of matching flows"),
    "del-flows": Command(edits.del_flows, "[FLOW]", 0, 1, "delete matching flows"),
    "replace-flows": Command(edits.replace_flows, "FILE", 1, 1, "make the flows those of FILE"),
    "diff-flows": Command(edits.diff_flows, "SOURCE", 1, 1, "compare flows with a file or another switch"),
    "add-group": Command(edits.add_group, "GROUP", 1, 1, "add a group"),
    "add-groups": Command(edits.add_groups, "FILE", 1, 1, "add the groups of FILE"),
    "mod-group": Command(edits.mod_group, "GROUP", 1, 1, "change a group"),
    "del-groups": Command(edits.del_groups, "[GROUP]", 0, 1, "delete a group or all"),
    "add-meter": Command(edits.add_meter, "METER", 1, 1, "add a meter"),
    "mod-meter": Command(edits.mod_meter, "METER", 1, 1, "change a meter"),
    "del-meters": Command(edits.del_meters, "[METER]", 0, 1, "delete a meter or all"),
    "packet-out": Command(edits.packet_out, "IN_PORT ACTIONS PACKET...", 1, 99, "execute actions on packets"),
    "mod-port": Command(edits.mod_port, "PORT ACTION", 2, 2, "change a port"),
    "add-tlv-map": Command(edits.add_tlv_map, "MAP", 1, 1, "map Geneve options to fields"),
    "del-tlv-map": Command(edits.del_tlv_map, "[MAP]", 0, 1, "undo mappings"),
    "ct-flush-zone": Command(edits.ct_flush_zone, "ZONE", 1, 1, "forget the connections of a zone"),
    "monitor": Command(watch.monitor, "[MISSLEN]", 0, 9, "print what the switch sends"),
    "snoop": Command(watch.snoop, "", 0, 0, "print what the switch and its controller say"),
}

#: options that change nothing here: their one meaning is what we always do
_IDLE = ("--bundle", "-m", "--more", "--no-color", "--color", "--readd", "--timestamp", "--no-read-only")


def main(words: Sequence[str] | None = None) -> int:
    """Run `ovs-ofctl` with the words of its command line."""
    try:
        options, rest = parse_options(list(sys.argv[1:] if words is None else words))
        if rest[:1] in (["--help"], ["--version"]):
            sys.stdout.write(help_text() if rest == ["--help"] else f"{VERSION}\n")
            return 0
        command, switch, arguments = parse_command(rest)
        return asyncio.run(run(command, switch, arguments, options)) or 0
    except TimeoutError:
        sys.stderr.write("ovs-ofctl: timed out\n")
    except OvnError as fault:
        sys.stderr.write(f"ovs-ofctl: {fault}\n")
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
    return 1


def parse_options(words: list[str]) -> tuple[Options, list[str]]:
    """(options, the other words); raises Usage."""
    options, rest = Options(names=sys.stdout.isatty()), list[str]()
    waiting = iter(words)
    for word in waiting:
        if not word.startswith("-") or word == "-" or len(rest) > 1:
            rest.append(word)
            continue
        name, equals, value = word.partition("=")
        if name[:2] in ("-O", "-F", "-t") and name[1] != "-" and len(name) > 2:
            name, value, equals = name[:2], name[2:], "="
        if name in ("-h", "--help", "-V", "--version"):
            return options, ["--help" if name in ("-h", "--help") else "--version"]
        if name in _VALUED:
            text = value if equals else next(waiting, "")
            options = _VALUED[name](options, text)
        elif name in _FLAGS:
            options = replace(options, **_FLAGS[name])
        elif name in ("--sort", "--rsort"):
            options = replace(options, sort=value, descending=name == "--rsort")
        elif name not in _IDLE and not name.startswith("-v"):
            raise Usage(f"unrecognized option '{word}'")
    return options, rest


_FLAGS: dict[str, dict[str, Any]] = {
    "--names": {"names": True},
    "--no-names": {"names": False},
    "--stats": {"stats": True},
    "--no-stats": {"stats": False},
    "--strict": {"strict": True},
    "--may-create": {"may_create": True},
}


def _protocols(options: Options, text: str) -> Options:
    if text and not {"OpenFlow15", "OXM", "any"} & {word.partition("-")[0] for word in text.split(",")}:
        raise Usage(f"{text}: only OpenFlow15 is spoken here")
    return options


def _timeout(options: Options, text: str) -> Options:
    if not text.isdigit():
        raise Usage(f"value {text} on -t or --timeout is invalid")
    return replace(options, timeout_s=float(text) or None)


def _file(part: str) -> Callable[[Options, str], Options]:
    return lambda options, path: replace(options, tls=replace(options.tls, **{part: path}))


_VALUED: dict[str, Callable[[Options, str], Options]] = {
    "-O": _protocols,
    "--protocols": _protocols,
    "-F": lambda options, _: options,
    "--flow-format": lambda options, _: options,
    "-t": _timeout,
    "--timeout": _timeout,
    **dict.fromkeys(("-p", "--private-key"), _file("private_key")),
    **dict.fromkeys(("-c", "--certificate"), _file("certificate")),
    **dict.fromkeys(("-C", "--ca-cert"), _file("ca_cert")),
}


def parse_command(words: list[str]) -> tuple[Command, str, list[str]]:
    """(command, switch, arguments); raises Usage."""
    if not words:
        raise Usage("missing command name; use --help for help")
    name, *rest = words
    command = COMMANDS.get(name)
    if command is None:
        raise Usage(f"unknown command '{name}'; use --help for help")
    if not rest or len(rest) - 1 < command.least:
        raise Usage(f"'{name}' command requires at least {command.least + 1} arguments")
    if len(rest) - 1 > command.most:
        raise Usage(f"'{name}' command takes at most {command.most + 1} arguments")
    return command, rest[0], rest[1:]


async def run(command: Command, switch: str, arguments: list[str], options: Options) -> int | None:
    """Run a command against a switch; the exit status."""

    def out(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        if command.run in (watch.monitor, watch.snoop):
            sys.stdout.flush()

    async with asyncio.timeout(options.timeout_s), OpenFlowClient(remote_of(switch), tls=options.tls) as client:
        session = Session(client, options, out)
        await session.learn_ports()
        if command.run is watch.snoop:
            arguments = [switch]
        return await command.run(session, *arguments)


def help_text() -> str:
    """`ovs-ofctl --help`."""
    lines = ["ovs-ofctl: OpenFlow switch management utility", "usage: ovs-ofctl [OPTIONS] COMMAND SWITCH [ARG...]", ""]
    for name, command in COMMANDS.items():
        call = f"{name} SWITCH {command.usage}".rstrip()
        lines.append(f"  {call:<38}{command.about}")
    lines += [
        "",
        "SWITCH is a bridge's name, or tcp:HOST:PORT, ssl:HOST:PORT, unix:FILE.",
        "Options: --names --no-names --stats --no-stats --strict --may-create --sort[=FIELD] --rsort[=FIELD]",
        "         -O OpenFlow15 -t SECS -p KEY -c CERT -C CA_CERT -h -V",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
