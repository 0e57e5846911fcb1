"""Matches as the trace shows them."""

from pyovn.openflow.match import Match


def match_text(match: Match) -> str:
    """A match in ovs-ofctl notation."""
    return ",".join(f"{name}={value:#x}/{mask:#x}" for name, value, mask in match)
