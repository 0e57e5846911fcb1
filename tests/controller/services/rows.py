"""A southbound database of a few rows."""

from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import new


class Rows:
    """Rows by table and UUID; what `incr` calls a source."""

    def __init__(self):
        self.tables = {}

    def put(self, cls, uuid, **columns):
        """Add or replace a row."""
        row = new(cls, Uuid(uuid), **columns)
        self.tables.setdefault(cls, {})[Uuid(uuid)] = row
        return row

    def drop(self, cls, uuid):
        """Remove a row."""
        del self.tables[cls][Uuid(uuid)]

    def rows(self, cls):
        """The rows of a table."""
        return self.tables.get(cls, {})

    def where(self, cls, **equal):
        """The rows that have these values."""
        return tuple(row for row in self.rows(cls).values() if all(getattr(row, k) == v for k, v in equal.items()))
