"""Hypothesis strategies for values of columns and rows of any table."""

from typing import Any

from hypothesis import strategies as st

from pyovn.net.uuids import uuid_text
from pyovn.ovsdb.model import Row, columns
from pyovn.ovsdb.schema import MAX_INTEGER, MIN_INTEGER, UNLIMITED, BaseType, ColumnType

uuids = st.integers(0, 2**128 - 1).map(uuid_text)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def atoms(base: BaseType) -> st.SearchStrategy[Any]:
    """Atoms that a base type allows."""
    if base.enum is not None:
        return st.sampled_from(base.enum)
    match base.type:
        case "integer":
            low = MIN_INTEGER if base.low is None else int(base.low)
            return st.integers(low, MAX_INTEGER if base.high is None else int(base.high))
        case "real":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "uuid":
            return uuids
    return texts


def values(type_: ColumnType) -> st.SearchStrategy[Any]:
    """Values that a column's type allows."""
    most = 4 if type_.max == UNLIMITED else min(type_.max, 4)
    if type_.value is not None:
        return st.dictionaries(atoms(type_.key), atoms(type_.value), min_size=type_.min, max_size=most)
    if type_.is_scalar:
        return atoms(type_.key)
    if type_.is_optional:
        return st.none() | atoms(type_.key)
    return st.frozensets(atoms(type_.key), min_size=type_.min, max_size=most)


def rows(cls: type[Row]) -> st.SearchStrategy[dict[str, Any]]:
    """Some columns of a row of `cls`."""
    return st.fixed_dictionaries({}, optional={name: values(column.type) for name, column in columns(cls).items()})
