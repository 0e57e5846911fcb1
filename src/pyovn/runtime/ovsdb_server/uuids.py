"""Random UUIDs, many at a time."""

import os
import re
from collections.abc import Iterator

from pyovn.net.uuids import Uuid

_BATCH = 256
_fields = re.compile("(.{8})(.{4}).(.{3}).(.{3})(.{12})").findall


def random_uuids() -> Iterator[Uuid]:
    """Version 4 UUIDs without end; one call to the system makes hundreds of them."""
    while True:
        for one, two, three, four, five in _fields(os.urandom(16 * _BATCH).hex()):
            yield Uuid(f"{one}-{two}-4{three}-a{four}-{five}")
