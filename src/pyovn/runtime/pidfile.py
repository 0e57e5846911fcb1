"""Pidfiles: the number of a running daemon, in a file that the daemon keeps locked.

A file that nobody has locked belongs to a daemon that died, and is replaced.
"""

from __future__ import annotations

import fcntl
import os

from pyovn.net.errors import OvnError
from pyovn.runtime.streams import reason


class DaemonFault(OvnError):
    """A daemon that cannot start: something that it needs is missing, or taken."""


def lock(path: str, *, overwrite: bool) -> int:
    """Put our process id into the file at `path` and keep it locked; raises `DaemonFault`."""
    if not overwrite:
        running = holder(path)
        if running is not None:
            raise DaemonFault(f"{path}: already running as pid {running}, aborting")
    temporary = f"{path}.tmp"
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as fault:
        raise DaemonFault(f"{temporary}: create failed ({reason(fault)})") from None
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        os.rename(temporary, path)
    except OSError as fault:
        os.close(descriptor)
        raise DaemonFault(f"{path}: cannot be made our pidfile ({reason(fault)})") from None
    return descriptor


def holder(path: str) -> int | None:
    """The process that runs with this pidfile, if one does."""
    try:
        with open(path, "rb+") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                text = file.read(32).strip()
                return int(text) if text.isdigit() else 0
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise DaemonFault(f"{path}: open failed ({reason(fault)})") from None
    return None
