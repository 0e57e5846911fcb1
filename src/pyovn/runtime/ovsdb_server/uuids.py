"""Random UUIDs, many at a time."""

import os
from collections.abc import Iterator

from pyovn.net.uuids import Uuid

_BATCH = 256


def random_uuids() -> Iterator[Uuid]:
    """Version 4 UUIDs without end; one call to the system makes hundreds of them."""
    while True:
        digits = os.urandom(16 * _BATCH).hex()
        for at in range(0, 32 * _BATCH, 32):
            variant = "89ab"[int(digits[at + 16], 16) & 3]
            yield Uuid(
                f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-4{digits[at + 13 : at + 16]}"
                f"-{variant}{digits[at + 17 : at + 20]}-{digits[at + 20 : at + 32]}"
            )
