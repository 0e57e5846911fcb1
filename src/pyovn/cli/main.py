"""`pyovn`: everything under one name.

    pyovn vsctl add-br br0 ─▶ cli.vsctl     pyovn northd ─▶ daemons.northd     pyovn lab up ─▶ cli.lab

A sub-command's module is imported only when it is used, and gets the words after its name.
"""

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: heading → (sub-command, module, what it does)
GROUPS = {
    "Try it": (
        ("lab", "pyovn.cli.lab", "A whole OVN in one process, without root: `pyovn lab up`."),
    ),
    "Databases": (
        ("nbctl", "pyovn.cli.nbctl", "Edit the northbound database, as ovn-nbctl does."),
        ("sbctl", "pyovn.cli.sbctl", "Look into the southbound database, as ovn-sbctl does."),
        ("vsctl", "pyovn.cli.vsctl", "Configure a switch, as ovs-vsctl does."),
        ("ovsdb-client", "pyovn.cli.ovsdb_client", "Ask a database server, as ovsdb-client does."),
        ("ovsdb-tool", "pyovn.cli.ovsdb_tool", "Make and mend database files, as ovsdb-tool does."),
    ),
    "Looking closer": (
        ("plan", "pyovn.cli.plan", "Tell what an edit of the network would do, without making it."),
        ("prove", "pyovn.cli.prove", "Prove that some ports cannot open connections to others, or show how they can."),
        ("why", "pyovn.cli.why", "Tell what becomes of a packet, and which row of the network is behind it."),
        ("trace", "pyovn.cli.trace", "Follow a packet through the logical network, as ovn-trace does."),
        ("detrace", "pyovn.cli.detrace", "Tell what logical flows a trace of the switch passed, as ovn-detrace does."),
        ("ofctl", "pyovn.cli.ofctl", "Ask a switch for its OpenFlow flows, as ovs-ofctl does."),
        ("appctl", "pyovn.cli.appctl", "Send a command to a running daemon, as ovn-appctl does."),
    ),
    "Your shell": (
        ("completion", "pyovn.cli.completion.shells", "Print what makes bash or zsh complete the tools' commands."),
    ),
    "Daemons": (
        ("ctl", "pyovn.cli.ovn_ctl", "Start and stop databases and daemons, as ovn-ctl does."),
        ("northd", "pyovn.daemons.northd", "Compile the northbound into the southbound database."),
        ("controller", "pyovn.daemons.controller", "Drive the switch of one hypervisor."),
        ("ovsdb-server", "pyovn.daemons.ovsdb_server", "Serve databases."),
        ("vswitchd", "pyovn.daemons.vswitchd", "Run the embedded switch."),
    ),
}  # fmt: skip
#: sub-commands that nobody types → their modules
HIDDEN = {"complete": "pyovn.cli.completion.complete"}
MODULES = {name: module for group in GROUPS.values() for name, module, _ in group}
#: sub-commands that are click's, and what they are called in their module
CLICK = {name: name for name in ("lab", "plan", "prove", "why")}

BRIEF = ("plan", "prove", "why")  #: sub-commands that load much, answer, and end


def main(words: "Sequence[str] | None" = None) -> int:
    """Run a sub-command; returns the exit status."""
    if words is None and sys.argv[1:2] and sys.argv[1] in BRIEF:
        gc.disable()  # the end of the process collects all garbage at once
    words = list(sys.argv[1:] if words is None else words)
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        from importlib.metadata import version

        sys.stdout.write(f"pyovn {version('pyovn')}, for OVN 26.03\n")
        return 0
    module = MODULES.get(words[0]) or HIDDEN.get(words[0])
    if module is None:
        sys.stderr.write(complaint(words[0]))
        return 2
    return start(words[0], module, words[1:])


def start(name: str, module: str, words: list[str]) -> int:
    """Run the sub-command `name`, which lives in `module`, with `words`."""
    found = __import__(module, fromlist=["main"])
    sys.argv = [f"pyovn {name}", *words]
    if name in CLICK:
        getattr(found, CLICK[name])(words, f"pyovn {name}")  # ends the process itself
    outcome: int | None = found.main(words)
    return outcome or 0


def complaint(word: str) -> str:
    """What to say about a sub-command that is none."""
    from difflib import get_close_matches

    near = get_close_matches(word, MODULES, 1)
    hint = f" Did you mean `pyovn {near[0]}`?" if near else " Try `pyovn --help`."
    return f"pyovn: there is no sub-command {word!r}.{hint}\n"


def help_text() -> str:
    """`pyovn --help`."""
    lines = ["pyovn: Open Virtual Network, in Python", "", "usage: pyovn COMMAND [ARG...]", ""]
    for heading, group in GROUPS.items():
        lines.append(f"{heading}:")
        lines += [f"  {name:<14}{summary}" for name, _, summary in group]
        lines.append("")
    lines.append("`pyovn COMMAND --help` says more about a command.")
    return "\n".join(lines) + "\n"
