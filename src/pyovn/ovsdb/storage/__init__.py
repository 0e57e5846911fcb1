"""OVSDB's standalone database file: a log of JSON records, the schema first, then one per transaction."""
