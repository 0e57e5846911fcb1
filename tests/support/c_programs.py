"""The C programs that tests compare with: where they are and which version they count as.

$PYOVN_C_OVN   a directory with OVN 26.03 / OVS 3.7 programs, counts as "26.03"
the system's   Debian's OVN 23.03 / OVS 3.1, counts as "23.03"
"""

import os
import shutil
from pathlib import Path

import pytest

SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def find(name: str, version: str = "any") -> Path | None:
    """The C program `name` of `version` ("26.03", "23.03" or "any": the newest there is)."""
    newest = os.environ.get("PYOVN_C_OVN")
    if version != "23.03" and newest and (Path(newest) / name).exists():
        return Path(newest) / name
    if version != "26.03" and (found := shutil.which(name, path=SYSTEM_PATH)):
        return Path(found)
    return None


def need(name: str, version: str = "any") -> Path:
    """Like `find`; where the program is missing the test is skipped with the reason."""
    path = find(name, version)
    if path is None:
        where = "PYOVN_C_OVN names no directory with it" if version == "26.03" else "not installed"
        pytest.skip(f"C program {name} ({version}): {where}")
    return path
