"""Faults that the switch reports to whoever asked."""

from pyovn.net.errors import OvnError


class NoDevice(OvnError):
    """A port that cannot be made."""


class Refused(OvnError):
    """A request that the switch does not carry out, as OpenFlow's (type, code)."""

    def __init__(self, type_: int, code: int, text: str) -> None:
        super().__init__(text)
        self.type = type_
        self.code = code


class NoMonitor(OvnError):
    """A port without BFD."""

    def __init__(self) -> None:
        super().__init__("no such bfd object")
