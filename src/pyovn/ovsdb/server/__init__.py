"""The database server's engine: pure functions and state machines, driven by a shell with sockets and files.

messages ─→ Session ─→ operations ─→ Transaction ─→ integrity ─→ Database ─→ changes ─→ monitors ─→ messages
                                                                    └─→ journal (storage)
"""
