"""Certificates for tests of TLS."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pyovn.runtime.streams import Tls

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def certificates(directory: Path) -> Tls:
    """A key and a certificate that vouches for itself."""
    authority = Authority(directory)
    return Tls(str(authority.key), authority.certificate, authority.certificate)


class Authority:
    """A CA, whose files lie in a directory."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self.directory = directory
        self.key, self.certificate = directory / f"{name}-key.pem", str(directory / f"{name}.pem")
        _openssl("req", "-x509", *_KEY, "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key,
                 "-out", self.certificate)  # fmt: skip

    def issue(self, name: str) -> Tls:
        """A key and a certificate for `name`, and this CA to verify others by."""
        key, request, certificate = (self.directory / f"{name}{what}.pem" for what in ("-key", "-req", ""))
        _openssl("req", *_KEY, "-subj", f"/O=test/CN={name}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                 "-days", "2", "-out", certificate)  # fmt: skip
        return Tls(str(key), str(certificate), self.certificate)


def options(tls: Tls) -> list[str]:
    """The same as arguments of any program."""
    files = {"private-key": tls.private_key, "certificate": tls.certificate, "ca-cert": tls.ca_cert}
    files["bootstrap-ca-cert"] = tls.bootstrap_ca_cert
    return [f"--{name}={file}" for name, file in files.items() if file]


def _openssl(*words: str | Path) -> None:
    program = shutil.which("openssl") or pytest.skip("openssl: not installed")
    subprocess.run([program, *words], check=True, capture_output=True)
