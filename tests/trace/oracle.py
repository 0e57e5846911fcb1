"""C's `ovn-trace` beside ours, on one database."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path
from random import Random

from pyovn.cli.session import connect
from pyovn.cli.trace import request_of, split
from pyovn.trace.network import Network
from pyovn.trace.request import answer
from pyovn.trace.tables import DATABASE, read_tables
from tests.support.c_programs import need
from tests.support.servers import RunningServer, c_server_process

SCHEMAS = Path("/usr/share/ovn")  #: where Debian's ovn-common has them


@contextmanager
def older_central() -> Iterator[RunningServer]:
    """Databases of OVN 23.03 with its northd."""
    northd = need("ovn-northd", version="23.03")
    schemas = [json.loads((SCHEMAS / f"ovn-{name}.ovsschema").read_text()) for name in ("nb", "sb")]
    with c_server_process(*schemas, version="23.03") as server:
        remotes = [f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}"]
        quiet = ["-vconsole:off", "-vsyslog:off", f"--unixctl={server.directory}/n", "--no-chdir"]
        running = subprocess.Popen([northd, *remotes, *quiet])
        try:
            yield server
        finally:
            running.terminate()
            running.wait()


FORMS = ("--detailed", "--summary", "--minimal", "--all")


class Twins:
    """Both tracers over the database at `remote`."""

    def __init__(self, remote: str, version: str = "26.03") -> None:
        self.remote = remote
        self.program = need("ovn-trace", version)
        self.load()

    def load(self) -> None:
        """Take in the database as it is now."""
        session = connect(self.remote, DATABASE, leader_only=False)
        self.tables = read_tables(session.call)
        self.network = Network(self.tables)
        session.close()

    def theirs(self, *words: str) -> str | None:
        """What C prints; None where it dies of a signal, as on IPv6 neighbour discovery that a router is to learn."""
        command = [self.program, f"--db={self.remote}", "--no-leader-only", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode <= 0, done.stderr
        return done.stdout if done.returncode == 0 else None

    def ours(self, *words: str) -> str:
        """What we print."""
        return answer(self.network, request_of(*split(list(words))))

    def agree(self, *words: str) -> None:
        """Fail unless both print the same, but for which of several matching flows of one priority they name.

        The database does not order such flows; the actions below the line must be the same all the same.
        """
        theirs, ours = self.theirs(*words), self.ours(*words)
        if theirs is None or self._same(theirs, ours) or self._turns_back(words):
            return
        difference = "\n".join(unified_diff(theirs.splitlines(), ours.splitlines(), "C", "ours", lineterm="", n=4))
        raise AssertionError(f"{words}\n{difference}")

    @staticmethod
    def _same(theirs: str, ours: str) -> bool:
        return _without_flows(theirs) == _without_flows(ours)

    def _turns_back(self, words: Sequence[str]) -> bool:
        """Whether the traces part where the packet would go back to the router that it came from.

        C's tracer lets flags that the egress pipeline set cross a patch, `flags.loopback` among them.  A switch does
        not, and nor do we.
        """
        asked = *(word for word in words if word not in FORMS), "--detailed"
        theirs = self.theirs(*asked)
        lines = zip(_without_flows(theirs or ""), _without_flows(self.ours(*asked)), strict=False)
        return next(("omitting output" in ours for others, ours in lines if others != ours), False)


def _without_flows(text: str) -> list[str]:
    return [_FLOW.sub(r"\1 … \2", line) for line in text.splitlines()]


#: "32. ls_in_l2_lkup (file.c:7): match, priority 50, uuid 01234567"
_FLOW = re.compile(r"^(\s*\d+\. \w+) \(.*(, priority \d+), uuid \w+$")
_MAC = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b")
_IP4 = re.compile(r"\b\d+\.\d+\.\d+\.\d+\b")
_IP6 = re.compile(r"\b(?:f[de][0-9a-f]{2}|ff0[0-9])(?::[0-9a-f]{1,4})*::(?:[0-9a-f]{1,4})?(?::[0-9a-f]{1,4})*")


TRANSPORTS = (
    "tcp.dst == 80", "tcp.dst == 22", "tcp.dst == 23", "udp.src == 68 && udp.dst == 67", "udp.dst == 53",
    "icmp4.type == 8", "icmp4.type == 3 && icmp4.code == 4", "ip.proto == 2", "tcp.src == 80 && ip.frag == 1",
)  # fmt: skip
STATES = ("new", "est", "rpl,est", "rel", "inv")


class Packets:
    """Command lines for packets that have something to do with a network; the choices are the caller's."""

    def __init__(self, twins: Twins, choices: Random) -> None:
        self._choices = choices
        text = "\n".join(f"{row['match']} {row['actions']}" for row in twins.tables["Logical_Flow"])
        self._macs = sorted({*_MAC.findall(text), "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05", "33:33:00:00:00:01"})
        self._ip4 = sorted({*_IP4.findall(text), "255.255.255.255", "224.0.0.5", "8.8.8.8"})
        self._ip6 = sorted({*_IP6.findall(text), "ff02::1", "fd00::99", "fe80::1"})
        ports = twins.network.ports.values()
        self._inports = sorted(
            port.name for port in ports if port.datapath.is_switch and port.type != "chassisredirect"
        )

    def __bool__(self) -> bool:
        return bool(self._inports)

    def line(self) -> list[str]:
        """Options and microflow."""
        choose = self._choices.choice
        states = [f"--ct={choose(STATES)}" for _ in range(self._choices.randrange(4))]
        link = f'inport == "{choose(self._inports)}" && eth.src == {self._mac()} && eth.dst == {self._mac()}'
        above = choose((self._nothing, self._arp, self._over_ip4, self._over_ip4, self._over_ip6))()
        return [*states, choose(FORMS), link + above]

    def _mac(self) -> str:
        return self._choices.choice(self._macs)

    def _nothing(self) -> str:
        return ""

    def _arp(self) -> str:
        spa, tpa = self._choices.choices(self._ip4, k=2)
        operation = self._choices.choice((1, 1, 2))
        return f" && arp.op == {operation} && arp.sha == {self._mac()} && arp.spa == {spa} && arp.tpa == {tpa}"

    def _over_ip4(self) -> str:
        source, destination = self._choices.choices(self._ip4, k=2)
        ttl, transport = self._choices.choice((64, 64, 1, 0)), self._choices.choice(TRANSPORTS)
        return f" && ip4.src == {source} && ip4.dst == {destination} && ip.ttl == {ttl} && {transport}"

    def _over_ip6(self) -> str:
        source, destination, target = self._choices.choices(self._ip6, k=3)
        transport = self._choices.choice(
            (
                f"nd_ns && nd.target == {target} && nd.sll == {self._mac()}",
                f"nd_na && nd.target == {target} && nd.tll == {self._mac()}",
                "nd_rs",
                "icmp6.type == 128 && ip.ttl == 255",
                "tcp.dst == 80 && ip.ttl == 64",
            )
        )
        return f" && ip6.src == {source} && ip6.dst == {destination} && {transport}"
