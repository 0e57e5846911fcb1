"""The tools a lab puts on the search path: the names that people and guides type.

    ovn-nbctl ovn-sbctl ovn-trace ovn-appctl    pyovn's own, whatever else is installed
    ovs-vsctl ovs-ofctl ovs-appctl              on the hypervisor that $PYOVN_HOST names
    pyovn                                       this interpreter's
    ip                                          `ip netns …` acts on the lab's guests, the rest on this machine

A shim is two lines of shell around this interpreter, so it works from any directory.
"""

import sys
from pathlib import Path

MODULES = {
    "ovn-nbctl": "pyovn.cli.nbctl",
    "ovn-sbctl": "pyovn.cli.sbctl",
    "ovn-trace": "pyovn.cli.trace",
    "ovn-appctl": "pyovn.cli.appctl",
    "ovs-vsctl": "pyovn.cli.vsctl",
    "ovs-ofctl": "pyovn.cli.ofctl",
    "ovs-appctl": "pyovn.cli.appctl",
    "pyovn": "pyovn.cli.main",
    "ip": "pyovn.cli.lab_ip",
}


def install(directory: Path) -> None:
    """Write the tools into `directory`."""
    for name, module in MODULES.items():
        tool = directory / name
        code = f"import sys; sys.argv[0] = {name!r}; from {module} import main; sys.exit(main())"
        tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
        tool.chmod(0o755)
