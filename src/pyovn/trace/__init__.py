"""The tracer: what the logical network would do to a packet.

    rows of the Southbound database ─ network ─▶ Network ┐
    microflow ─ microflow ─▶ packet ─────────────────────┴ tracer ─▶ tree of nodes ─ render ─▶ text

Nothing physical takes part: every port is taken to be resident and every hypervisor reachable.
"""
