"""What users give as text: JSON on the command line, schemas in files."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyovn.cli.ctl.errors import CtlError
from pyovn.net.errors import OvnError
from pyovn.ovsdb.schema import Schema

Json = Any
_KEYWORD = re.compile("[a-z]+")


def fault_text(fault: json.JSONDecodeError) -> str:
    """Where and why a text is not JSON."""
    if not fault.doc.strip():
        return "line 0, column 0, byte 0: empty input stream"
    word = _KEYWORD.match(fault.doc, fault.pos)
    why = f"invalid keyword '{word[0]}'" if word else fault.msg[0].lower() + fault.msg[1:]
    more = len(word[0]) if word else 0
    return f"line {fault.lineno - 1}, column {fault.colno - 1 + more}, byte {fault.pos + more}: {why}"


def parse(text: str) -> Json:
    """The JSON that a word of the command line holds; raises `CtlError`."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        raise CtlError(f'"{text}": {fault_text(fault)}') from None


def read_schema(name: str) -> Schema:
    """The schema in a file; raises `OvnError`."""
    try:
        text = Path(name).read_text(encoding="utf-8")
        return Schema.parse(json.loads(text))
    except OSError as fault:
        why = f'error opening "{name}": {fault.strerror}'
    except json.JSONDecodeError as fault:
        why = fault_text(fault)
    except OvnError as fault:
        raise CtlError(f"failed to read schema: {fault}") from None
    raise CtlError(f'failed to read schema: "{name}" could not be read as JSON ({why})')


def is_query(value: Json) -> bool:
    """True for the parameters of a `transact` request."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def differences(ours: Schema, theirs: Schema) -> Sequence[str]:
    """How the schema of a backup differs from that of a database, in words."""
    pairs = (
        ("name", ours.name, theirs.name),
        ("version", ours.version, theirs.version),
        ("checksum", ours.cksum, theirs.cksum),
    )
    return [
        f'backup schema has {what} "{one}" but database schema has {what} "{other}"'
        for what, one, other in pairs
        if one != other
    ]
