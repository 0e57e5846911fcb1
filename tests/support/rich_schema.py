"""A small schema in which every kind of column, constraint and reference occurs."""

from typing import Any


def _column(type: Any, **more: Any) -> dict[str, Any]:
    return {"type": type, **more}


def _reference(table: str, *, weak: bool = False) -> dict[str, Any]:
    return {"type": "uuid", "refTable": table, **({"refType": "weak"} if weak else {})}


RICH: dict[str, Any] = {
    "name": "Rich",
    "version": "1.2.3",
    "cksum": "1 2",
    "tables": {
        "Root": {
            "isRoot": True,
            "columns": {
                "name": _column("string"),
                "num": _column({"key": {"type": "integer", "minInteger": 0, "maxInteger": 100}}),
                "any": _column("integer"),
                "ratio": _column({"key": {"type": "real", "minReal": -1.5, "maxReal": 2.5}}),
                "flag": _column("boolean"),
                "id": _column("uuid"),
                "color": _column({"key": {"type": "string", "enum": ["set", ["red", "green", "blue"]]}}),
                "level": _column({"key": {"type": "integer", "enum": ["set", [1, 2, 5]]}, "min": 0, "max": 1}),
                "short": _column({"key": {"type": "string", "minLength": 2, "maxLength": 5}, "min": 0, "max": 1}),
                "tags": _column({"key": "string", "min": 0, "max": "unlimited"}),
                "nums": _column({"key": {"type": "integer", "minInteger": 0, "maxInteger": 9}, "min": 0, "max": 3}),
                "pair": _column({"key": "integer", "min": 1, "max": 2}),
                "reals": _column({"key": "real", "min": 0, "max": "unlimited"}),
                "map": _column({"key": "string", "value": "string", "min": 0, "max": "unlimited"}),
                "imap": _column(
                    {
                        "key": {"type": "integer", "maxInteger": 10},
                        "value": {"type": "integer", "minInteger": 0},
                        "min": 0,
                        "max": 2,
                    }
                ),
                "kids": _column({"key": _reference("Kid"), "min": 0, "max": "unlimited"}),
                "kid": _column({"key": _reference("Kid"), "min": 0, "max": 1}),
                "kmap": _column({"key": "string", "value": _reference("Kid"), "min": 0, "max": "unlimited"}),
                "peers": _column({"key": _reference("Root", weak=True), "min": 0, "max": "unlimited"}),
                "wmap": _column(
                    {"key": _reference("Root", weak=True), "value": "string", "min": 0, "max": "unlimited"}
                ),
                "need": _column({"key": _reference("Other"), "min": 0, "max": 1}),
                "frozen": _column("string", mutable=False),
                "eph": _column("string", ephemeral=True),
            },
            "indexes": [["name"]],
        },
        "Kid": {
            "columns": {
                "name": _column("string"),
                "kids": _column({"key": _reference("Kid"), "min": 0, "max": "unlimited"}),
                "val": _column({"key": "integer", "min": 0, "max": 1}),
            },
            "indexes": [["name", "val"]],
        },
        "Other": {
            "isRoot": True,
            "maxRows": 2,
            "columns": {
                "name": _column("string"),
                "must": _column({"key": _reference("Root", weak=True), "min": 1, "max": 2}),
                "eph": _column("integer", ephemeral=True),
            },
        },
        "Single": {"isRoot": True, "maxRows": 1, "columns": {"x": _column("integer")}},
    },
}
