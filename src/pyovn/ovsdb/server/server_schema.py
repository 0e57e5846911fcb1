"""`_Server`: the database in which a server describes the others, and itself."""

from typing import Any

from pyovn.ovsdb.schema import Schema
from pyovn.ovsdb.server.text import json_text

SERVER_SCHEMA = Schema.parse(
    {
        "name": "_Server",
        "version": "1.2.0",
        "cksum": "3009684573 744",
        "tables": {
            "Database": {
                "columns": {
                    "name": {"type": "string"},
                    "model": {
                        "type": {"key": {"type": "string", "enum": ["set", ["clustered", "relay", "standalone"]]}}
                    },
                    "connected": {"type": "boolean"},
                    "leader": {"type": "boolean"},
                    "schema": {"type": {"key": "string", "min": 0}},
                    "cid": {"type": {"key": "uuid", "min": 0}},
                    "sid": {"type": {"key": "uuid", "min": 0}},
                    "index": {"type": {"key": "integer", "min": 0}},
                }
            }
        },
    }
)


def database_row(schema: Schema) -> dict[str, Any]:
    """What is true of a standalone database: it is whole, here, and its own leader."""
    return {
        "name": schema.name,
        "model": "standalone",
        "connected": True,
        "leader": True,
        "schema": json_text(schema.json()),
    }
