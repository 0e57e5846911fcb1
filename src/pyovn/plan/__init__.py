"""Plans: what an edit of the northbound database would do, seen before it is made.

    snapshots of both databases ─ central ─▶ databases and northd in memory ─ an edit ─▶ changes ─ effects ─▶ words
                                                 │ before                  │ after
                                                 └── reach ────────────────┴─▶ packets that would fare differently

Nothing outside is touched: there is no process, and no socket.
"""
