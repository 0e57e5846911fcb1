"""File descriptors: as many as the system gives, some of them kept back from clients.

Files have to be opened while clients hold all the connections that they can get: to compact a database, or to look at
a renewed certificate.  Connections beyond the limit are closed as they come.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from typing import Any

from pyovn.runtime import logging as vlog

LOG = vlog.Limited(vlog.module("ovsdb_server"))

KEPT_BACK = 64


def raise_limit() -> None:
    """Allow this process as many descriptors as it may allow itself."""
    with contextlib.suppress(OSError, ValueError):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def for_clients() -> int:
    """How many connections there may be at a time."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**31 if most == resource.RLIM_INFINITY else max(1, most - KEPT_BACK)


def tell_of_lack(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Handle what asyncio has to report: a line now and then, and no tracebacks, where connections cannot be accepted.

    That happens while clients are many that have not finished shaking hands.
    """
    if "out of system resource" in context.get("message", ""):
        LOG.warning("cannot accept connections: %s", context.get("exception"))
    else:
        loop.default_exception_handler(context)
