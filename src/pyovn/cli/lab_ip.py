"""`ip` inside a lab: `ip netns …` acts on the lab's guests, `ip link set ethN` on its NICs, the rest on this machine.

A guest is what a guide's `ip netns add vm1` makes: the lines that guides print work as written, without root.
"""

import os
import re
import sys

#: a NIC of a lab's hypervisor
NIC = re.compile(r"eth\d+")
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def main() -> int:
    """Run one `ip` command."""
    words = sys.argv[1:]
    root = os.environ.get("PYOVN_LAB")
    if root and concerns_guests(words):
        from pyovn.cli.lab_client import call

        return call(root, os.environ.get("PYOVN_HOST", ""), ["ip", *words])
    os.environ["PATH"] = SYSTEM_PATH
    try:
        os.execvp("ip", ["ip", *words])
    except OSError as fault:
        print(f"ip: {fault.strerror}", file=sys.stderr)
        return 127


def concerns_guests(words: list[str]) -> bool:
    """Whether the command is about a network namespace, which in a lab is a guest, or about a hypervisor's NIC."""
    plain = [word for word in words if not word.startswith("-")]
    if plain[:2] == ["link", "set"]:
        return "netns" in plain or any(NIC.fullmatch(word) for word in plain[2:4])
    return plain[:1] == ["netns"]
