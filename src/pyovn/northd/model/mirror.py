"""Mirrors that end at a logical port (`type=lport`), as a port that has them sees them.

    Logical_Switch_Port.mirror_rules ─► Mirror: sink, filter ─► Mirror_Rule: priority, match, action

Copies go to a port of type `mirror` on the same switch, mp-<switch>-<sink>, which stands for the sink wherever that is.
"""

from typing import NamedTuple

from pyovn.northd.model.port import quoted


class Copying(NamedTuple):
    """A mirror with an end that is there."""

    stand_in: str  #: the port that copies go to
    enters: bool  #: packets that come in by the port are copied
    leaves: bool  #: packets that go out by it
    rules: tuple[tuple[int, str, bool], ...]  #: (priority, match, are these packets copied?)

    @property
    def target(self) -> str:
        """The port that copies go to, as a string of the language."""
        return quoted(self.stand_in)
