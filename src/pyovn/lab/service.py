"""The lab's command socket: finds the hypervisor a command is about and runs it there.

ip …  ping …  guests …      on the hypervisor that the client names ($PYOVN_HOST)
on GUEST COMMAND…           in a guest or external host, wherever it is
external NAME ADDRESS…      a host on a physical network, outside of OVN
link HOST eth0 up|down      the cable of a NIC; eth0 is the tunnels'
kill, start HOST PART       switch, controller, or node: both, and all cables
tcpdump PLACE [-c N] [-w FILE]      a card's name, a physical network's, or `underlay`
hosts, ready, down          the lab as a whole
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pyovn.lab import commands, external
from pyovn.lab.capture import Capture, datagram_frame
from pyovn.lab.hypervisor import PARTS
from pyovn.lab.machines import Machines, NoSuchThing
from pyovn.lab.network import Lab
from pyovn.lab.segment import NIC
from pyovn.lab.wire import Reply
from pyovn.net.errors import OvnError
from pyovn.packet import pcap
from pyovn.packet.describe import describe
from pyovn.packet.pcap import Captured
from pyovn.runtime.clock import SYSTEM

UNDERLAY = "underlay"
NODE = "node"


class Usage(OvnError):
    """Words that are no command of the lab."""


class Dump(NamedTuple):
    """A `tcpdump` command: where, after how many frames to stop, and the file to write."""

    place: str
    packets: int | None = None
    file: Path | None = None


class Service:
    """Answers the lab's commands; see the module."""

    def __init__(self, lab: Lab, stop: Callable[[], None]) -> None:
        self._lab, self._stop = lab, stop
        self._commands: dict[str, Callable[[str, Sequence[str], Reply], Awaitable[int]]] = {
            "on": self._on,
            "external": self._external,
            "link": self._link,
            "kill": self._kill,
            "start": self._start,
            "tcpdump": self._tcpdump,
            "hosts": self._hosts,
            "ready": self._ready,
            "down": self._down,
        }

    async def __call__(self, host: str, words: Sequence[str], reply: Reply) -> int:
        """Run one command; returns its exit code.  Raises OvnError."""
        if not words:
            raise Usage("a command is missing")
        command = self._commands.get(words[0])
        if command is not None:
            return await command(host, words[1:], reply)
        return await commands.execute(self._machines(host, words), None, words, reply)

    def _machines(self, host: str, words: Sequence[str]) -> Machines:
        """Where a command is carried out: on its hypervisor, or outside where it is about an external host."""
        match words:
            case ["ip", "netns", "exec", name, *_] if name in self._lab.outside.namespaces:
                return self._lab.outside
        return self._lab.host(host or next(iter(self._lab.hosts))).machines

    async def _on(self, host: str, words: Sequence[str], reply: Reply) -> int:
        if len(words) < 2:
            raise Usage("usage: on GUEST COMMAND…")
        return await commands.execute(self._find(words[0]), words[0], words[1:], reply)

    def _find(self, guest: str) -> Machines:
        """Where a guest is.  Raises NoSuchThing."""
        for machines in self._lab.everywhere():
            if guest in machines.namespaces:
                return machines
        known = [name for machines in self._lab.everywhere() for name in machines.namespaces]
        raise NoSuchThing(f"{guest}: no such guest; there are {', '.join(known) or 'none yet'}")

    async def _external(self, host: str, words: Sequence[str], reply: Reply) -> int:
        external.connect(self._lab, external.parse(words))
        return 0

    async def _link(self, host: str, words: Sequence[str], reply: Reply) -> int:
        match words:
            case [name, nic, "up" | "down" as state] if NIC.fullmatch(nic):
                self._lab.host(name).machines.nic(nic).up = state == "up"
            case [name, "up" | "down" as state] if name in self._lab.outside.nics:
                self._lab.outside.nics[name].up = state == "up"
            case _:
                raise Usage("usage: link HOST ethN up|down, or link EXTERNAL-HOST up|down")
        return 0

    async def _kill(self, host: str, words: Sequence[str], reply: Reply) -> int:
        name, part = _host_and_part("kill", words)
        hypervisor = self._lab.host(name)
        if part == NODE:
            hypervisor.cables(up=False)
        for each in reversed(PARTS) if part == NODE else (part,):
            await hypervisor.kill(each)
        return 0

    async def _start(self, host: str, words: Sequence[str], reply: Reply) -> int:
        name, part = _host_and_part("start", words)
        hypervisor = self._lab.host(name)
        if part == NODE:
            hypervisor.cables(up=True)
        for each in PARTS if part == NODE else (part,):
            hypervisor.start(each)
        return 0

    async def _hosts(self, host: str, words: Sequence[str], reply: Reply) -> int:
        for name, hypervisor in self._lab.hosts.items():
            broken = hypervisor.down()
            remark = f"  down: {', '.join(broken)}" if broken else ""
            await reply.out(f"{name} {hypervisor.address}{remark}\n")
        return 0

    async def _ready(self, host: str, words: Sequence[str], reply: Reply) -> int:
        await self._lab.ready()
        return 0

    async def _down(self, host: str, words: Sequence[str], reply: Reply) -> int:
        self._stop()
        return 0

    async def _tcpdump(self, host: str, words: Sequence[str], reply: Reply) -> int:
        command = dump_command(words)
        frames: asyncio.Queue[Captured] = asyncio.Queue()

        def seen(frame: bytes) -> None:
            frames.put_nowait(Captured(SYSTEM.wall_ms() / 1000, frame))

        detach = self._attach(command.place, seen)
        try:
            await show(frames, command, reply)
        finally:
            detach()
        return 0

    def _attach(self, place: str, seen: Callable[[bytes], None]) -> Callable[[], None]:
        """Show `seen` every frame at a place; returns what undoes it.  Raises NoSuchThing."""
        if place == UNDERLAY:
            return tap_underlay(self._lab, seen)
        if place in self._lab.segments:
            taps = self._lab.segments[place].taps
            taps.append(seen)
            return lambda: taps.remove(seen)
        for machines in self._lab.everywhere():
            card = machines.cards.get(place)
            if card is not None:

                def tap(frame: bytes, _sent: bool) -> None:
                    seen(frame)

                card.taps.append(tap)
                return lambda taps=card.taps: taps.remove(tap)  # type: ignore[misc]  # bound now on purpose
        raise NoSuchThing(f"{place}: no card or physical network of that name, and not “{UNDERLAY}”")


def _host_and_part(verb: str, words: Sequence[str]) -> tuple[str, str]:
    """A hypervisor and what of it; all of it where nothing is named.  Raises Usage."""
    match words:
        case [host]:
            return host, NODE
        case [host, part] if part in (*PARTS, NODE):
            return host, part
    raise Usage(f"usage: {verb} HOST [{'|'.join((*PARTS, NODE))}]")


def tap_underlay(lab: Lab, seen: Callable[[bytes], None]) -> Callable[[], None]:
    """Show `seen` every datagram between hypervisors as a frame; returns what undoes it."""

    def tap(source: str, source_port: int, target: str, port: int, payload: bytes) -> None:
        seen(datagram_frame(source, source_port, target, port, payload))

    lab.fabric.taps.append(tap)
    return lambda: lab.fabric.taps.remove(tap)


def capture_underlay(lab: Lab) -> tuple[Capture, Callable[[], None]]:
    """A capture of the underlay that runs until its second part is called."""
    capture = Capture()
    return capture, tap_underlay(lab, lambda frame: capture.add(frame, SYSTEM.wall_ms() / 1000))


def dump_command(words: Sequence[str]) -> Dump:
    """The command that the words after `tcpdump` stand for; `-i`, `-n` and the like are accepted.  Raises Usage."""
    command, rest = Dump(""), list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-c", "-w", "-i") and not rest:
            raise Usage(f"tcpdump: option requires an argument -- '{word[1:]}'")
        if word == "-c":
            count = rest.pop(0)
            if not count.isdecimal():
                raise Usage(f"tcpdump: invalid packet count {count}")
            command = command._replace(packets=int(count))
        elif word == "-w":
            command = command._replace(file=Path(rest.pop(0)))
        elif word == "-i" or not word.startswith("-"):
            command = command._replace(place=rest.pop(0) if word == "-i" else word)
    if not command.place:
        raise Usage(f"usage: tcpdump CARD|{UNDERLAY} [-c COUNT] [-w FILE]")
    return command


async def show(frames: asyncio.Queue[Captured], command: Dump, reply: Reply) -> None:
    """Print frames as they come, or write them to the file.  Raises Usage where the file cannot be written."""
    seen = 0
    try:
        file = command.file.open("wb") if command.file else None
    except OSError as fault:
        raise Usage(f"tcpdump: {command.file}: {fault.strerror}") from None
    try:
        if file:
            file.write(pcap.HEADER)
            file.flush()
        while command.packets is None or seen < command.packets:
            captured = await frames.get()
            seen += 1
            if file:
                file.write(pcap.record(captured))
                file.flush()
            else:
                await reply.out(f"{captured.time_s:.6f} {describe(captured.frame)}\n")
    finally:
        if file:
            file.close()
