"""TLS at the database server: who gets in, and how settings change while it runs."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyovn.ovsdb.schema import Schema
from pyovn.runtime.ovsdb_server import remotes
from pyovn.runtime.ovsdb_server.shell import Shell
from pyovn.runtime.streams import Remote, StreamFault, Tls, connect
from tests.support.certificates import Authority
from tests.support.loops import asynchronous
from tests.support.servers import upstream_schema

NB = "OVN_Northbound"
LISTEN = "pssl:0:127.0.0.1"
FROM_DATABASE = Tls(*(f"db:{NB},SSL,{name}" for name in ("private_key", "certificate", "ca_cert", "ssl_protocols")))
ASK = b'{"id":1,"method":"list_dbs","params":[]}'


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def serving(tls: Tls, *listen: str) -> AsyncIterator[Shell]:
    shell = Shell(tls=tls)
    await shell.start([Schema.parse(upstream_schema("ovn-nb"))], listen)
    try:
        yield shell
    finally:
        await shell.stop()


async def asked(shell: Shell, tls: Tls) -> bytes:
    """What a client with these certificates hears; raises `StreamFault`."""
    port = shell.remotes.endpoints[LISTEN].bound_port
    reader, writer = await connect(Remote.parse(f"ssl:127.0.0.1:{port}"), tls)
    try:
        writer.write(ASK)
        answer = await reader.read(1000)
    except (ssl.SSLError, OSError) as fault:
        raise StreamFault(str(fault)) from fault
    finally:
        writer.close()
    if not answer:
        raise StreamFault("hung up")
    return answer


@asynchronous
async def _let_in_and_out(directory: Path) -> None:
    authority, stranger = Authority(directory), Authority(directory, "stranger")
    server, client, impostor = authority.issue("server"), authority.issue("me"), stranger.issue("me2")
    async with serving(server, LISTEN) as shell:
        assert NB.encode() in await asked(shell, client)
        with pytest.raises(StreamFault):
            await asked(shell, replace(impostor, ca_cert=authority.certificate))
        with pytest.raises(StreamFault, match="certificate verify failed"):
            await asked(shell, replace(client, ca_cert=stranger.certificate))
        assert NB.encode() in await asked(shell, client)


def test_both_sides_must_show_a_certificate_of_the_authority(tmp_path: Path) -> None:
    _let_in_and_out(tmp_path)


def test_sessions_know_the_common_name(authority: Authority) -> None:
    @asynchronous
    async def play() -> None:
        async with serving(authority.issue("server"), LISTEN) as shell:
            port = shell.remotes.endpoints[LISTEN].bound_port
            _, writer = await connect(Remote.parse(f"ssl:127.0.0.1:{port}"), authority.issue("chassis-1"))
            while not shell.connections:
                await asyncio.sleep(0.01)
            assert [session.identity for session in shell.connections] == ["chassis-1"]
            writer.close()

    play()


def test_a_client_learns_the_authority_from_its_first_server(authority: Authority) -> None:
    client = authority.issue("me")
    file = authority.directory / "learned.pem"
    first = replace(client, ca_cert="", bootstrap_ca_cert=str(file))

    @asynchronous
    async def play() -> None:
        async with serving(authority.issue("server"), LISTEN) as shell:
            assert NB.encode() in await asked(shell, first)
            assert file.read_text().split() == Path(authority.certificate).read_text().split()
            assert file.stat().st_mode & 0o777 == 0o444
            assert NB.encode() in await asked(shell, first)
        other = Authority(authority.directory, "other")
        async with serving(other.issue("other-server"), LISTEN) as shell:
            with pytest.raises(StreamFault, match="certificate verify failed"):
                await asked(shell, first)

    play()


def test_a_server_does_not_trust_the_first_client(authority: Authority) -> None:
    server = replace(authority.issue("server"), ca_cert="", bootstrap_ca_cert="/nowhere/ca.pem")
    with pytest.raises(StreamFault, match="cannot verify clients"):
        server.context(server=True)


def test_settings_come_from_a_database_and_change_with_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotes, "STATUS_INTERVAL_S", 0.05)
    client = authority.issue("me")

    async def set_ssl(shell: Shell, tls: Tls, **more: Any) -> None:
        row = {"private_key": tls.private_key, "certificate": tls.certificate, "ca_cert": tls.ca_cert, **more}
        session = shell.server.open()
        session.handle(
            {
                "id": 1,
                "method": "transact",
                "params": [
                    NB,
                    {"op": "delete", "table": "NB_Global", "where": []},
                    {"op": "insert", "table": "SSL", "uuid-name": "s", "row": row},
                    {"op": "insert", "table": "Connection", "uuid-name": "c", "row": {"target": LISTEN}},
                    {
                        "op": "insert",
                        "table": "NB_Global",
                        "row": {"ssl": ["named-uuid", "s"], "connections": ["named-uuid", "c"]},
                    },
                ],
            }
        )
        session.close()

    async def eventually(shell: Shell, tls: Tls) -> bytes:
        while True:
            try:
                return await asked(shell, tls)
            except (StreamFault, KeyError):
                await asyncio.sleep(0.02)

    @asynchronous
    async def play() -> None:
        async with serving(FROM_DATABASE, f"db:{NB},NB_Global,connections") as shell:
            await set_ssl(shell, Tls())
            await asyncio.sleep(0.1)
            assert LISTEN not in shell.remotes.endpoints  # it cannot, without a key
            await set_ssl(shell, authority.issue("server"))
            assert NB.encode() in await eventually(shell, client)
            other = Authority(authority.directory, "other")
            await set_ssl(shell, other.issue("server2"), ssl_protocols="TLSv1.3")
            theirs = other.issue("them")
            assert NB.encode() in await eventually(shell, theirs)
            with pytest.raises(StreamFault):
                await asked(shell, client)
            with pytest.raises(StreamFault):
                await asked(shell, replace(theirs, protocols="TLSv1.2"))

    play()


def test_a_renewed_certificate_is_used_without_a_restart(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remotes, "STATUS_INTERVAL_S", 0.05)
    client = authority.issue("me")

    async def shown(shell: Shell) -> Any:
        port = shell.remotes.endpoints[LISTEN].bound_port
        _, writer = await connect(Remote.parse(f"ssl:127.0.0.1:{port}"), client)
        try:
            return writer.get_extra_info("peercert")["serialNumber"]
        finally:
            writer.close()

    @asynchronous
    async def play() -> None:
        async with serving(authority.issue("server"), LISTEN) as shell:
            before = await shown(shell)
            server = authority.issue("server")
            os.utime(server.certificate, ns=(1, 1))
            while await shown(shell) == before:
                await asyncio.sleep(0.02)

    play()
