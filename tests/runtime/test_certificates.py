"""TLS settings, and certificates that are learned from a first server."""

import ssl
from pathlib import Path

import pytest

from pyovn.runtime.certificates import Files, TlsFault, common_name, context, protocol_range, store
from tests.support.certificates import Authority

MOST = ssl.TLSVersion.MAXIMUM_SUPPORTED
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (V12, MOST)),
        ("TLSv1.2,TLSv1.3", (V12, V13)),
        ("TLSv1.3", (V13, V13)),
        ("TLSv1.2", (V12, V12)),
        ("TLSv1.2+", (V12, MOST)),
        ("TLSv1.3 TLSv1.2", (V12, V13)),
        ("SSLv3", (V12, MOST)),
    ],
)
def test_protocols_are_a_range(text: str, expected: tuple[ssl.TLSVersion, ssl.TLSVersion]) -> None:
    assert protocol_range(text) == expected


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    store(str(path), "first")
    store(str(path), "second")
    assert path.read_text() == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["ca.pem"]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(TlsFault, match="No such file or directory"):
        store(str(tmp_path / "missing" / "ca.pem"), "text")


def test_common_names_are_found() -> None:
    subject = ((("organizationName", "o"),), (("commonName", "chassis-1"),))
    assert common_name({"subject": subject}) == "chassis-1"
    assert common_name({}) is None
    assert common_name(None) is None


def test_files_that_make_no_sense_are_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("nonsense")
    name = str(tmp_path / "x")
    with pytest.raises(TlsFault, match="cannot use SSL files"):
        context(Files(name, name, name), server=False)


def test_ciphers_are_limited(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = authority.issue("me")
    files = Files(tls.private_key, tls.certificate, tls.ca_cert, "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384")
    names = [cipher["name"] for cipher in context(files, server=True).get_ciphers() if cipher["protocol"] == "TLSv1.2"]
    assert names == ["ECDHE-ECDSA-AES256-GCM-SHA384"]
    with pytest.raises(TlsFault):
        context(files._replace(ciphers="NO-SUCH-CIPHER"), server=True)
