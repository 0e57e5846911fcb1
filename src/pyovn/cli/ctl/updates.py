"""What a server's updates do to a row's JSON.

{"new": row}  {"initial": row}  {"insert": row}     the row
{"modify": {column: difference}}                    members of sets that came or went, pairs of maps that did
{"old": row}  {"delete": null}                      no row any more
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyovn.ovsdb.schema import ColumnType

    Json = Any

WHOLE = ("new", "initial", "insert")


def row_of(change: "Json") -> "dict[str, Json] | None":
    """The row as it is now; None where it is deleted."""
    for kind in WHOLE:
        if kind in change:
            row: dict[str, Json] = change[kind]
            return row
    return None


def patched(type_: "ColumnType", old: "Json", difference: "Json") -> "Json":
    """A column's JSON after a difference (ovsdb-server(7), "Update2 notification")."""
    if type_.is_map:
        return ["map", _paired([] if old is None else old[1], difference[1])]
    if type_.max == 1:
        return difference
    atoms = {_key(atom): atom for atom in ([] if old is None else _atoms(old))}
    for atom in _atoms(difference):
        if atoms.pop(_key(atom), None) is None:
            atoms[_key(atom)] = atom
    return ["set", [*atoms.values()]]


def _key(atom: "Json") -> "Json":
    """An atom as a dictionary can have it: the text of a UUID."""
    return atom[1] if isinstance(atom, list) else atom


def _atoms(wire: "Json") -> "list[Json]":
    return wire[1] if isinstance(wire, list) and wire[0] == "set" else [wire]


def _paired(old: "list[Json]", difference: "list[Json]") -> "list[Json]":
    """A map's pairs: those that are equal in the difference went, others came in the place of those with their key."""
    changed = [key for key, _ in difference]
    return [pair for pair in old if pair[0] not in changed] + [pair for pair in difference if pair not in old]
