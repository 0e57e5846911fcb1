"""Addresses with ports, as load balancers have them: `10.0.0.1:80`, `[fd00::1]:80`, `fd00::1`."""

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.nb.prefixes import address

PORTS = range(65536)


class Endpoint:
    """An IP address, and a port unless that is 0."""

    __slots__ = ("ip", "port", "version")

    def __init__(self, version: int, ip: str, port: int) -> None:
        self.version = version
        self.ip = ip
        self.port = port

    @classmethod
    def parse(cls, text: str) -> "Endpoint | None":
        """The endpoint that `text` writes; None for what is none."""
        plain = address(text)
        if plain is not None:
            return cls(*plain, 0)
        if text.startswith("["):
            host, _, rest = text[1:].partition("]")
            if rest and not rest.startswith(":"):
                return None
            digits = rest[1:]
        else:
            host, _, digits = text.partition(":")
        found = address(host)
        if found is None or (digits and not (digits.isascii() and digits.isdecimal() and int(digits) in PORTS)):
            return None
        return cls(*found, int(digits or 0))

    def __str__(self) -> str:
        if not self.port:
            return self.ip
        return f"[{self.ip}]:{self.port}" if self.version == 6 else f"{self.ip}:{self.port}"


def virtual(text: str) -> Endpoint:
    """The endpoint of a VIP; raises `CtlError`."""
    endpoint = Endpoint.parse(text)
    if endpoint is None:
        raise CtlError(f"{text}: should be an IP address (or an IP address and a port number with : as a separator).")
    return endpoint


def backends(vip: Endpoint, text: str) -> str:
    """The backends of a VIP, which must have a port if it has, in the form to keep; raises `CtlError`."""
    words = [word for word in text.split(",") if word]
    endpoints = [Endpoint.parse(word) for word in words]
    faults = [fault for each in zip(words, endpoints, strict=True) if (fault := _fault(vip, *each))]
    if faults:
        raise CtlError(f"{', '.join(faults)}.")
    return ",".join(map(str, endpoints))


def _fault(vip: Endpoint, word: str, endpoint: Endpoint | None) -> str:
    """What is wrong with a backend; empty if nothing is."""
    if endpoint is not None and endpoint.version != vip.version:
        return f"{word}: IP address family is different from VIP {vip.ip}"
    if vip.port and (endpoint is None or not endpoint.port):
        return f"{word}: should be an IP address and a port number with : as a separator"
    if endpoint is None or (endpoint.port and not vip.port):
        return f"{word}: should be an IP address"
    return ""
