"""`pyovn lab`: a whole OVN in one process, without root.

pyovn lab up --detach        start it
eval "$(pyovn lab env hv1)"  let OVN's and OVS's tools act on it, as if on hypervisor hv1
pyovn lab ping vm1 10.0.0.2  from a guest
pyovn lab down               end it
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyovn.cli.lab_client import call
from pyovn.lab.layout import DEFAULT_ROOT, HOST_VARIABLE, ROOT_VARIABLE, Layout, exports
from pyovn.net.errors import OvnError

if TYPE_CHECKING:
    from pyovn.lab.network import Lab

root_option = click.option(
    "--dir",
    "root",
    type=click.Path(path_type=Path),
    default=lambda: Path(os.environ.get(ROOT_VARIABLE) or DEFAULT_ROOT),
    help="The lab's directory.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def lab() -> None:
    """A whole OVN in one process, without root."""


@lab.command()
@root_option
@click.option("--hosts", default="hv1,hv2", show_default=True, help="The hypervisors' names.")
@click.option("--encap", type=click.Choice(["geneve", "vxlan"]), default="geneve", show_default=True)
@click.option("--northd", type=click.Path(exists=True, path_type=Path), help="Run this ovn-northd in place of ours.")
@click.option("--controller", "controllers", multiple=True, help="HOST=PROGRAM: run this ovn-controller on HOST.")
@click.option(
    "--external",
    "externals",
    multiple=True,
    metavar="NAME=ADDRESS/LENGTH",
    help="A host outside of OVN on the physical network of the NICs eth1; `pyovn lab external` adds more.",
)
@click.option("--detach", is_flag=True, help="Go on in the background; returns when the lab is ready.")
@click.option("--ready-fd", type=int, hidden=True)
def up(
    root: Path,
    hosts: str,
    encap: str,
    northd: Path | None,
    controllers: tuple[str, ...],
    externals: tuple[str, ...],
    detach: bool,
    ready_fd: int | None,
) -> None:
    """Start a lab: databases, ovn-northd, and hypervisors with their switches.

    Every hypervisor has NICs: eth0 carries the tunnels, eth1 (eth2 …) is on a physical network of its own.  As on a
    real node, `ovs-vsctl add-br br-ex -- add-port br-ex eth1` and `ovs-vsctl set open . \\
    external-ids:ovn-bridge-mappings=physnet1:br-ex` let logical networks reach it.
    """
    from pyovn.lab import external
    from pyovn.lab.foreign import Parts
    from pyovn.lab.network import Lab

    if detach:
        programs = [f"--northd={northd}"] if northd else []
        programs += [f"--controller={pair}" for pair in controllers]
        programs += [f"--external={host}" for host in externals]
        start_detached(root, hosts, [f"--encap={encap}", *programs])
        return
    pairs = (pair.partition("=") for pair in controllers)
    try:
        parts = Parts(northd, {host: Path(program) for host, _, program in pairs})
        network = Lab(Layout(root.absolute()), hosts.split(","), encap=encap, parts=parts)
        for each in externals:
            external.connect(network, external.from_option(each))
        asyncio.run(serve(network, ready_fd))
    except* OvnError as faults:
        raise click.ClickException("; ".join(str(fault) for fault in leaves(faults))) from None


def leaves(group: BaseExceptionGroup[OvnError]) -> Iterator[BaseException]:
    """The exceptions in a group of groups."""
    for fault in group.exceptions:
        if isinstance(fault, BaseExceptionGroup):
            yield from leaves(fault)
        else:
            yield fault


async def serve(network: "Lab", ready_fd: int | None) -> None:
    """Run a lab until it is told to end."""
    from pyovn.lab import shims, wire
    from pyovn.lab.service import Service

    stop, layout = asyncio.Event(), network.layout
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with network:
        shims.install(layout.bin)
        server = await wire.listen(layout.control, Service(network, stop.set))
        await network.ready()
        tell_ready(layout, ready_fd)
        await network.until_stopped(stop)
        server.close()
        layout.control.unlink(missing_ok=True)


def tell_ready(layout: Layout, ready_fd: int | None) -> None:
    """Say that the lab works: to the parent of `--detach`, or to the person."""
    if ready_fd is not None:
        os.write(ready_fd, b"ready")
        os.close(ready_fd)
    else:
        click.echo(f'The lab is up in {layout.root}.  In another terminal: eval "$(pyovn lab env)"')


def start_detached(root: Path, hosts: str, options: list[str]) -> None:
    """Start the lab as a process of its own and wait until it is ready."""
    root.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    log = root / "lab.log"
    words = ["lab", "up", f"--dir={root}", f"--hosts={hosts}", f"--ready-fd={writing}", *options]
    with log.open("w") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "pyovn", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(writing,),
            start_new_session=True,
        )
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        ready = pipe.read()
    if ready != b"ready":
        raise click.ClickException(f"the lab did not start:\n{log.read_text()}")
    click.echo(f'The lab is up (pid {child.pid}) in {root}.  Now: eval "$(pyovn lab env {hosts.split(",")[0]})"')


@lab.command()
@root_option
@click.argument("host", required=False)
def env(root: Path, host: str | None) -> None:
    """Print the environment in which OVN's and OVS's tools act on HOST of the lab."""
    layout = Layout(root.absolute())
    known = [path.parent.name for path in sorted(layout.root.glob("*/db.sock"))]
    host = host or os.environ.get(HOST_VARIABLE) or next(iter(known), "")
    if host not in known:
        raise click.ClickException(f"no hypervisor {host!r} in {root}; there are: {', '.join(known) or 'none'}")
    for line in exports(layout.environment(host, os.environ.get("PATH", ""))):
        click.echo(line)


PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


def passed_on(name: str, *words: str, doc: str) -> None:
    """Make a command that the running lab carries out."""

    @lab.command(name, help=doc, context_settings=PASSED_ON)
    @root_option
    @click.option("--host", default=lambda: os.environ.get(HOST_VARIABLE, ""))
    @click.argument("rest", nargs=-1, type=click.UNPROCESSED)
    def run(root: Path, host: str, rest: tuple[str, ...]) -> None:
        sys.exit(call(str(root), host, [*words, *rest]))


passed_on("on", "on", doc="GUEST COMMAND…: run ip, ping, udp, tcp or serve in a guest.")
passed_on(
    "external",
    "external",
    doc="NAME ADDRESS/LENGTH… [--network ethN] [--vlan TAG] [--gateway ADDRESS] [--mac MAC]: add a host on a physical "
    "network, outside of OVN; `on NAME …` and `ip netns exec NAME …` run commands there.",
)
passed_on("link", "link", doc="HOST ethN up|down: cut a NIC's cable, or plug it in; eth0 is the tunnels'.")
passed_on("kill", "kill", doc="HOST [switch|controller|node]: end it as a crash would; a node loses its cables too.")
passed_on("start", "start", doc="HOST [switch|controller|node]: start what was killed.")
passed_on("hosts", "hosts", doc="List the hypervisors, their tunnel addresses, and what of them is down.")
passed_on("guests", "guests", doc="List the guests of a hypervisor.")
passed_on("tcpdump", "tcpdump", doc="CARD|underlay [-c COUNT] [-w FILE]: show what passes, decoded.")
passed_on("down", "down", doc="End the lab.")


@lab.command(context_settings=PASSED_ON)
@root_option
@click.argument("guest")
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def ping(root: Path, guest: str, rest: tuple[str, ...]) -> None:
    """Ping from a guest; takes ping's options."""
    sys.exit(call(str(root), "", ["on", guest, "ping", *rest]))


@lab.command()
@root_option
@click.argument("host", required=False)
def shell(root: Path, host: str | None) -> None:
    """Open a shell whose tools act on HOST of the lab."""
    layout = Layout(root.absolute())
    known = [path.parent.name for path in sorted(layout.root.glob("*/db.sock"))]
    name = host or next(iter(known), "")
    if name not in known:
        raise click.ClickException(f"no hypervisor {name!r} in {root}; there are: {', '.join(known) or 'none'}")
    environment = {**os.environ, **layout.environment(name, os.environ.get("PATH", ""))}
    program = os.environ.get("SHELL", "/bin/sh")
    os.execve(program, [program], environment)


@lab.command()
@click.argument("story", type=click.Choice(["l2", "l3"]), default="l2")
@click.option("--plain", is_flag=True, help="Without colours and boxes.")
def demo(story: str, plain: bool) -> None:
    """Show a story with everything in it.

    l2: two guests on two hypervisors ping through a logical switch.
    l3: they reach a host outside of OVN through gateways, and a gateway dies.
    """
    from pyovn.lab import demo, demo_gateways, stage

    play = {"l2": demo.PLAY, "l3": demo_gateways.PLAY}[story]
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(stage.perform(play, plain=plain)))
