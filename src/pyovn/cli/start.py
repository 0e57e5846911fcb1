"""Where `ovn-nbctl` and `ovn-sbctl` start as programs of their own: by way of their daemon, if they have one."""

import sys

from pyovn.cli.shortcut import shortcut

NB = ("OVN_NB_DB", "OVN_NBCTL_OPTIONS", "OVN_NB_DAEMON")
SB = ("OVN_SB_DB", "OVN_SBCTL_OPTIONS", "OVN_SB_DAEMON")


def nbctl() -> int:
    """Run `ovn-nbctl` with the words of its command line."""
    status = shortcut(sys.argv[1:], NB)
    if status is None:
        from pyovn.cli.nbctl import main

        status = main()
    return status


def sbctl() -> int:
    """Run `ovn-sbctl` with the words of its command line."""
    status = shortcut(sys.argv[1:], SB)
    if status is None:
        from pyovn.cli.sbctl import main

        status = main()
    return status
