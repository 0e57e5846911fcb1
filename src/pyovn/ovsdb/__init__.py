"""The OVSDB protocol: schemas, values, messages, a client session, a typed replica, and transactions."""
