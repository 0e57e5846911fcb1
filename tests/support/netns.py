"""Several hypervisors on one machine: a network namespace, an ovsdb-server and an ovs-vswitchd for each (root).

    with Rig(hosts=3) as rig:
        rig.nbctl("ls-add", "sw0")
        rig.hosts[0].start_controller()             ours; "23.03" or "26.03": C's
        vm = rig.hosts[0].plug("p1", "50:54:00:00:00:01", "192.168.0.1/24")
        vm.ping("192.168.0.2")
        frames = rig.underlay.capture(lambda: vm.ping(…))

    guest netns ── veth ── br-int ─┐                        ┌─ br-phys (encapsulation IP) ── veth ──┐
                              │    └ Geneve, user space ────┘                                       Linux bridge
                              └ patch ── br-ex ── veth ──┐
    machine outside ── veth ─────────────────────────────┴ another Linux bridge, with `outside=True`

No kernel datapath is needed: all bridges are `netdev`.  Two things have to be right for TCP: checksum offload off
wherever a kernel interface faces Open vSwitch, and room for the tunnel header in the underlay's MTU.
"""

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from pyovn.tables.nb import NORTHBOUND
from pyovn.tables.sb import SOUTHBOUND
from pyovn.tables.vswitch import OPEN_VSWITCH
from tests.support.c_programs import need

UNDERLAY_MTU = 1600
PATIENCE_S = 45.0
#: Rigs may be up side by side.
RIGS = (letter for letter in itertools.cycle(string.ascii_lowercase))
TTL = re.compile(r"(?:ttl|hlim)=(\d+)")
STAMP = re.compile(r"\[([0-9.]+)\]")
#: More than a packet takes there and back.
ROUND_TRIP_S = 0.1
LOSS = re.compile(r"(\d+) packets transmitted, (\d+) received")
DEBIAN_SCHEMAS = {"OVN_Northbound": "ovn-nb", "OVN_Southbound": "ovn-sb"}


def require() -> None:
    """Skip, with the reason, where namespaces or programs are missing."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    for tool in ("ip", "ping", "ethtool", "tcpdump"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if not Path("/dev/net/tun").exists():
        pytest.skip("no /dev/net/tun")
    probe = subprocess.run(["ip", "netns", "add", f"probe{os.getpid()}"], check=False, capture_output=True)
    if probe.returncode:
        pytest.skip(f"cannot make network namespaces: {probe.stderr.decode().strip()}")
    subprocess.run(["ip", "netns", "del", f"probe{os.getpid()}"], check=True)


def run(*words: str, check: bool = True) -> str:
    """What a command prints."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(words)}: {done.stderr or done.stdout}")
    return done.stdout


def until(holds: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {patience_s:g} s"
        time.sleep(0.05)


def listens(path: Path) -> bool:
    """Whether a server answers at a socket: the file is there before it does."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@dataclass
class Namespace:
    """A network namespace."""

    name: str

    def make(self) -> None:
        """Create it, with its loopback up."""
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str) -> str:
        """An `ip` command inside."""
        return run("ip", "-n", self.name, *words)

    def inside(self, *words: str) -> list[str]:
        """The words of a command, so that it runs inside."""
        return ["ip", "netns", "exec", self.name, *words]

    def no_offload(self, device: str) -> None:
        """Make a device compute its checksums itself."""
        run(*self.inside("ethtool", "-K", device, "tx", "off"))

    def set_ipv4(self, device: str, key: str, value: int) -> None:
        """Set an IPv4 setting of a device."""
        run(*self.inside("sh", "-c", f"echo {value} > /proc/sys/net/ipv4/conf/{device}/{key}"))

    def remove(self) -> None:
        """Delete it and what is in it."""
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)


@dataclass
class Guest(Namespace):
    """A guest: a namespace with one interface, plugged into a hypervisor."""

    mac: str = ""
    address: str = ""

    def ping(self, target: str, count: int = 3, interval_s: float = 0.1) -> tuple[int, int]:
        """(sent, answered)."""
        family = ["-6"] if ":" in target else []
        words = self.inside("ping", *family, "-n", "-c", str(count), "-i", str(interval_s), "-W", "2", target)
        found = LOSS.search(run(*words, check=False))
        assert found is not None
        return int(found[1]), int(found[2])

    def time_to_live(self, target: str) -> int:
        """The time to live that an answer has left."""
        family = ["-6"] if ":" in target else []
        found = TTL.search(run(*self.inside("ping", *family, "-n", "-c", "1", "-W", "2", target)))
        assert found is not None
        return int(found[1])

    def sysctl(self, key: str, value: int) -> None:
        """Set an IPv4 setting of its interface."""
        self.set_ipv4(f"{self.name}i", key, value)

    def forget_routes(self) -> None:
        """Forget what was learnt about paths, such as how large packets can be."""
        for family in ("-4", "-6"):
            self.ip(family, "route", "flush", "cache")

    @contextlib.contextmanager
    def pinging(self, target: str, interval_s: float = 0.02) -> Iterator[list[int]]:
        """Ping all the while; the list gets (sent, answered) at the end."""
        words = self.inside("ping", "-n", "-i", str(interval_s), "-W", "1", target)
        result: list[int] = []
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield result
            finally:
                process.send_signal(signal.SIGINT)
                output = process.communicate(timeout=10)[0]
        found = LOSS.search(output)
        assert found is not None
        result += (int(found[1]), int(found[2]))

    @contextlib.contextmanager
    def watching(self, target: str, interval_s: float = 0.02) -> Iterator["Watch"]:
        """Ping all the while, and know when answers came."""
        words = self.inside("ping", "-n", "-D", "-i", str(interval_s), "-W", "1", target)
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
            watch = Watch()
            assert process.stdout is not None
            reader = threading.Thread(target=watch.read, args=(process.stdout,))
            reader.start()
            try:
                yield watch
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(10)
                reader.join(10)


@dataclass
class Watch:
    """When a ping was answered, as seconds since the epoch."""

    answers: list[float] = field(default_factory=list)

    def read(self, lines: Iterable[str]) -> None:
        """Note the answers among a ping's lines."""
        for line in lines:
            if "bytes from" in line and (stamp := STAMP.match(line)):
                self.answers.append(float(stamp[1]))

    @property
    def gap(self) -> float:
        """The longest time without an answer, in seconds."""
        return max((later - earlier for earlier, later in itertools.pairwise(self.answers)), default=float("inf"))

    def answered(self, after: float) -> bool:
        """True once something that was sent after that was answered."""
        return bool(self.answers) and self.answers[-1] > after + ROUND_TRIP_S


@dataclass
class Underlay(Namespace):
    """A physical network: a Linux bridge that all hypervisors hang on."""

    def make(self) -> None:
        """Create the bridge."""
        super().make()
        self.ip("link", "add", "br0", "mtu", str(UNDERLAY_MTU), "type", "bridge")
        self.ip("link", "set", "br0", "up")

    def attach(self, host: Namespace, device: str) -> None:
        """Give a hypervisor a NIC on this network."""
        run("ip", "link", "add", device, "mtu", str(UNDERLAY_MTU), "type", "veth", "peer", "name", f"{device}x")
        run("ip", "link", "set", device, "netns", host.name)
        run("ip", "link", "set", f"{device}x", "netns", self.name)
        self.ip("link", "set", f"{device}x", "mtu", str(UNDERLAY_MTU), "master", "br0", "up")
        host.ip("link", "set", device, "mtu", str(UNDERLAY_MTU), "up")
        host.no_offload(device)
        host.set_ipv4(device, "arp_ignore", 1)  # else it answers, beside br-phys, and what comes to its MAC is lost
        self.no_offload(f"{device}x")

    def capture(self, host: "Host", act: Callable[[], object], expression: str = "udp port 6081") -> bytes:
        """The pcap file of what passes a hypervisor's NIC during `act`."""
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "frames.pcap"
            words = self.inside(
                "tcpdump", "-i", f"{host.name}ex", "-U", "--immediate-mode", "-w", str(path), "-Z", "root", expression
            )
            with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
                assert process.stderr is not None
                while "listening" not in process.stderr.readline():
                    assert process.poll() is None, "tcpdump ended at once"
                act()
                time.sleep(0.2)
                process.terminate()
                process.communicate(timeout=10)
            return path.read_bytes()


@dataclass
class Host(Namespace):
    """A hypervisor."""

    rig: "Rig" = field(repr=False, default=None)  # type: ignore[assignment]
    chassis: str = ""
    address: str = ""
    version: str = "any"
    kind: str = "ours"
    controller: subprocess.Popen[bytes] | None = None
    switch: subprocess.Popen[bytes] | None = None

    @property
    def directory(self) -> Path:
        """Where its sockets are."""
        return self.rig.directory / self.chassis

    @property
    def database(self) -> str:
        """Its Open_vSwitch database."""
        return f"unix:{self.directory}/db.sock"

    def start(self) -> None:
        """Switch and database, up and told where the network is."""
        super().make()
        self.directory.mkdir()
        device = f"{self.name}e"
        self.rig.underlay.attach(self, device)
        self.rig.ovsdb_server(self.directory, "db", OPEN_VSWITCH.schema(), self.version)
        self.vsctl("--no-wait", "init")
        self.start_switch()
        self.vsctl(*bridge_with("br-phys", device))
        self._address()
        if self.rig.outside is not None:
            physical = f"{self.name}p"
            self.rig.outside.attach(self, physical)
            self.vsctl(*bridge_with("br-ex", physical))

    def start_switch(self) -> None:
        """Run ovs-vswitchd; the encapsulation address goes with the device that the switch makes."""
        program = str(need("ovs-vswitchd", self.version))
        words = self.inside(program, "--disable-system", f"--unixctl={self.directory}/vs.ctl", "-vconsole:off")
        self.switch = self.rig.start(
            [*words, "-vsyslog:off", f"--log-file={self.directory}/vswitchd.log", self.database], self.directory
        )
        until(lambda: listens(self.directory / "vs.ctl"), "ovs-vswitchd")

    def kill_switch(self) -> None:
        """The switch dies, and with it the devices that it made."""
        assert self.switch is not None
        self.switch.kill()
        self.switch.wait(10)
        (self.directory / "vs.ctl").unlink(missing_ok=True)

    def revive_switch(self) -> None:
        """The switch comes back; it makes its devices anew."""
        self.start_switch()
        until(lambda: "br-phys" in self.ip("-o", "link"), "br-phys")
        self._address()

    def _address(self) -> None:
        self.ip("addr", "replace", f"{self.address}/24", "dev", "br-phys")
        self.ip("link", "set", "br-phys", "mtu", str(UNDERLAY_MTU), "up")
        self.no_offload("br-phys")

    @property
    def nic(self) -> str:
        """The device that leads to the other hypervisors."""
        return f"{self.name}e"

    def configure(self, encap: str = "geneve", **more: str) -> None:
        """What a controller finds in the database; `more` are other external_ids, `_` for `-`."""
        ids = {
            "system-id": self.chassis,
            "hostname": f"{self.chassis}.example.org",
            "ovn-remote": self.rig.southbound,
            "ovn-encap-type": encap,
            "ovn-encap-ip": self.address,
            "ovn-bridge-datapath-type": "netdev",
            **{key.replace("_", "-"): value for key, value in more.items()},
        }
        self.vsctl("set", "open", ".", *(f"external_ids:{key}={value}" for key, value in ids.items()))

    def start_controller(self, kind: str = "") -> None:
        """Run ovn-controller here: "ours", or the C one of a version; again, the same as before."""
        kind = self.kind = kind or self.kind
        program = [sys.executable, "-c", "import sys; from pyovn.daemons.controller import main; sys.exit(main())"]
        if kind != "ours":
            program = [str(need("ovn-controller", kind))]
        control = [] if kind == "23.03" else [f"--unixctl={self.directory}/oc.ctl"]  # it has no such option yet
        words = [*program, self.database, *control, "-vconsole:off", "-vsyslog:off"]
        log = f"--log-file={self.directory}/controller.log"
        self.controller = self.rig.start(self.inside(*words, log), self.directory)

    def kill_controller(self) -> None:
        """The controller dies."""
        assert self.controller is not None
        self.controller.kill()
        self.controller.wait(10)
        (self.directory / "oc.ctl").unlink(missing_ok=True)

    def stop_controller(self) -> None:
        """End the controller as a service manager would, leaving everything in place."""
        assert self.controller is not None
        self.controller.terminate()
        self.controller.wait(10)
        (self.directory / "oc.ctl").unlink(missing_ok=True)

    def plug(self, port: str, mac: str, address: str, *gateways: str) -> Guest:
        """A guest with an interface that is bound to a logical port; it may know gateways."""
        guest, outer = self.rig.guest(self, mac, address, *gateways)
        self.vsctl("add-port", "br-int", outer, "--", "set", "interface", outer, f"external_ids:iface-id={port}")
        return guest

    def vsctl(self, *words: str) -> str:
        """C ovs-vsctl on this host."""
        return run(str(need("ovs-vsctl", self.version)), f"--db={self.database}", "--timeout=20", *words)

    def appctl(self, *words: str) -> str:
        """C ovs-appctl on this host's switch."""
        return run(str(need("ovs-appctl", self.version)), "-t", str(self.directory / "vs.ctl"), *words)

    def flows(self, bridge: str = "br-int") -> str:
        """The flows of a bridge, without statistics."""
        socket = f"{self.directory}/{bridge}.mgmt"
        return run(str(need("ovs-ofctl", self.version)), "-OOpenFlow15", "--no-stats", "dump-flows", socket)

    def log(self) -> str:
        """What the controller has logged."""
        path = self.directory / "controller.log"
        return path.read_text() if path.exists() else ""


def bridge_with(bridge: str, device: str) -> tuple[str, ...]:
    """The ovs-vsctl words that make a bridge in user space with a device on it."""
    kind = ("set", "bridge", bridge, "datapath_type=netdev")
    return ("add-br", bridge, "--", *kind, "--", "add-port", bridge, device)


class Rig:
    """Central and some hypervisors, alive inside `with`."""

    def __init__(self, hosts: int = 3, *, northd: str = "any", switch: str = "any", outside: bool = False) -> None:
        """`northd` is "ours" or the version of C's; `switch` the version of Open vSwitch; `outside`: see `machine`."""
        require()
        self.northd, self.switch = northd, switch
        self._scratch = tempfile.TemporaryDirectory(prefix="ns-")
        self.directory = Path(self._scratch.name)
        self.northbound = f"unix:{self.directory}/nb.sock"
        self.southbound = f"unix:{self.directory}/sb.sock"
        stem = f"t{os.getpid() % 100000}{next(RIGS)}"
        self.underlay = Underlay(f"{stem}u")
        self.outside = Underlay(f"{stem}o") if outside else None
        self.hosts = [
            Host(f"{stem}h{number}", self, f"hv{number}", f"10.77.0.{number}", switch) for number in range(1, hosts + 1)
        ]
        self.guests: list[Guest] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start databases, northd and the hypervisors' switches."""
        try:
            self._databases()
            self._start_northd()
            self.underlay.make()
            if self.outside is not None:
                self.outside.make()
            for host in self.hosts:
                host.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End what was started, and remove the namespaces."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait()
        for namespace in (*self.guests, *self.hosts, self.underlay, self.outside):
            if namespace is not None:
                namespace.remove()
        self._scratch.cleanup()

    def start(self, words: list[str], directory: Path) -> subprocess.Popen[bytes]:
        """Run a daemon with its files in `directory`."""
        kinds = ("RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR")
        own = {f"{family}_{kind}": str(directory) for family in ("OVS", "OVN") for kind in kinds}
        log = (directory / "out").open("ab")
        with log:
            process = subprocess.Popen(words, env={**os.environ, **own}, stdout=log, stderr=log)
        self._processes.append(process)
        return process

    def ovsdb_server(self, directory: Path, name: str, schema: object, version: str = "any") -> None:
        """A C database server with one database."""
        written = directory / f"{name}.schema"
        written.write_text(json.dumps(schema))
        file, listener = directory / f"{name}.db", directory / f"{name}.sock"
        run(str(need("ovsdb-tool", version)), "create", str(file), str(written))
        options = [f"--remote=punix:{listener}", f"--unixctl={directory}/{name}.ctl", "-vconsole:off", "-vsyslog:off"]
        self.start([str(need("ovsdb-server", version)), *options, str(file)], directory)
        until(lambda: listens(listener), f"ovsdb-server {name}")

    def guest(self, beyond: Namespace, mac: str, address: str, *gateways: str) -> tuple[Guest, str]:
        """A machine with an interface, and the device in another namespace that leads to it."""
        guest = Guest(f"{beyond.name}{len(self.guests)}", mac, address)
        guest.make()
        self.guests.append(guest)
        inner, outer = f"{guest.name}i", f"{guest.name}o"
        run("ip", "link", "add", inner, "type", "veth", "peer", "name", outer)
        run("ip", "link", "set", inner, "netns", guest.name)
        run("ip", "link", "set", outer, "netns", beyond.name)
        beyond.ip("link", "set", outer, "up")
        guest.ip("link", "set", inner, "address", mac)
        guest.ip("link", "set", inner, "up")
        for each in filter(None, address.split(",")):
            guest.ip("addr", "add", each, "dev", inner, *(["nodad"] if ":" in each else []))
        for gateway in gateways:
            guest.ip(*(["-6"] if ":" in gateway else []), "route", "add", "default", "via", gateway)
        guest.no_offload(inner)
        beyond.no_offload(outer)
        return guest, outer

    def machine(self, mac: str, address: str, *gateways: str) -> Guest:
        """A machine on the physical network outside."""
        assert self.outside is not None
        guest, outer = self.guest(self.outside, mac, address, *gateways)
        self.outside.ip("link", "set", outer, "master", "br0")
        return guest

    def nbctl(self, *words: str) -> str:
        """C ovn-nbctl on our northbound database."""
        return run(str(need("ovn-nbctl")), f"--db={self.northbound}", "--timeout=30", *words)

    def sbctl(self, *words: str) -> str:
        """C ovn-sbctl on our southbound database."""
        return run(str(need("ovn-sbctl")), f"--db={self.southbound}", "--timeout=30", *words)

    def northd_log(self) -> str:
        """What northd has said."""
        return (self.directory / "out").read_text()

    def _databases(self) -> None:
        for name, database in (("nb", NORTHBOUND), ("sb", SOUTHBOUND)):
            schema = database.schema()
            if self.northd == "23.03":
                path = Path(f"/usr/share/ovn/{DEBIAN_SCHEMAS[database.name]}.ovsschema")
                schema = json.loads(path.read_text())
            self.ovsdb_server(self.directory, name, schema)
        self.nbctl("init")

    def _start_northd(self) -> None:
        program = [sys.executable, "-c", "import sys; from pyovn.daemons.northd import main; sys.exit(main())"]
        if self.northd != "ours":
            program = [str(need("ovn-northd", self.northd))]
        options = [f"--ovnnb-db={self.northbound}", f"--ovnsb-db={self.southbound}"]
        self.start([*program, *options, f"--unixctl={self.directory}/northd.ctl", "-vconsole:info"], self.directory)
