"""Certificates for tests of TLS."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pyovn.runtime.streams import Tls


def certificates(directory: Path) -> Tls:
    """A key and a certificate that vouches for itself."""
    program = shutil.which("openssl") or pytest.skip("openssl: not installed")
    key, certificate = str(directory / "key.pem"), str(directory / "cert.pem")
    command = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x -keyout {key}"
    subprocess.run([program, *command.split(), "-out", certificate], check=True, capture_output=True)
    return Tls(key, certificate, certificate)
