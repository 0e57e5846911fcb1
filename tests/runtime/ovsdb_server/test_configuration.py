"""Configuration files: what they may say, and a server that follows them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyovn.net.errors import Malformed
from pyovn.ovsdb.schema import Schema
from pyovn.runtime.ovsdb_server.configuration import ConfigurationFile, parse
from pyovn.runtime.ovsdb_server.endpoints import Options
from pyovn.runtime.ovsdb_server.shell import create_log
from tests.ovsdb.server.engine import insert
from tests.support.clusters import eventually
from tests.support.rich_schema import RICH
from tests.support.servers import Rpc, RunningServer, upstream_schema

SERVER = [sys.executable, "-m", "pyovn.daemons.ovsdb_server", "-vsyslog:off", "-vconsole:off"]


def test_a_configuration_names_remotes_and_databases() -> None:
    options = {"role": "r", "read-only": True, "inactivity-probe": 5, "max-backoff": 6, "dscp": 7}
    databases = {"a.db": {"service-model": "standalone"}, "/b.db": None}
    found = parse({"remotes": {"punix:s": None, "ptcp:1": options}, "databases": databases}, Path("/there"))
    assert found.remotes == {"punix:s": Options(), "ptcp:1": Options(5, 6, "r", True)}
    assert found.databases == (Path("/there/a.db"), Path("/b.db"))


@pytest.mark.parametrize(
    ("json", "fault"),
    [
        ([], "must be a JSON object"),
        ({"x": 1}, "'x' is not known"),
        ({"remotes": []}, "'remotes' is not a JSON object"),
        ({"remotes": {"punix:s": 5}}, "punix:s: options must be a JSON object"),
        ({"remotes": {"punix:s": {"role": 5}}}, "punix:s: 'role' must be of type str"),
        ({"remotes": {"punix:s": {"inactivity-probe": True}}}, "'inactivity-probe' must be of type int"),
        ({"remotes": {"punix:s": {"rôle": ""}}}, "punix:s: there is no option 'rôle'"),
        ({"databases": {"a": 5}}, "a: must be a JSON object"),
        ({"databases": {"a": {"service-model": "relay"}}}, "a: service model 'relay' is not offered"),
        ({"databases": {"a": {"backup": True}}}, "a: 'backup' is not for a standalone database"),
    ],
)
def test_what_makes_no_sense_is_named(json: Any, fault: str) -> None:
    with pytest.raises(Malformed, match=fault):
        parse(json, Path("/"))


@pytest.mark.parametrize("content", [None, "{"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "conf"
    if content is not None:
        file.write_text(content)
    with pytest.raises(Malformed, match=str(file)):
        ConfigurationFile(file, tmp_path).load()


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cf") as name:
        for schema in (RICH, upstream_schema("ovn-nb")):
            create_log(Path(name) / f"{schema['name']}.db", Schema.parse(schema))
        yield Path(name)


def write(place: Path, remotes: dict[str, Any], *databases: str) -> None:
    (place / "conf").write_text(json.dumps({"remotes": remotes, "databases": dict.fromkeys(databases)}))


def test_a_server_follows_its_file(place: Path) -> None:
    write(place, {f"punix:{place}/s": {}}, "Rich.db")
    server = RunningServer(place, (), [*SERVER, f"--config-file={place}/conf"])
    server._command = [word for word in server._command if "--remote" not in word]

    def command(name: str, *words: str) -> tuple[str, str]:
        with eventually(lambda: Rpc(server.control)) as rpc:
            answer = rpc.call(f"ovsdb-server/{name}", *words)
        return answer.get("result") or "", str(answer.get("error") or "").strip()

    server.start()
    try:
        assert command("list-dbs")[0] == "Rich\n_Server\n"
        kept = server.rpc()
        kept.call("set_db_change_aware", True)
        write(place, {f"punix:{place}/s": {}, f"punix:{place}/r": {"read-only": True}}, "Rich.db", "OVN_Northbound.db")
        assert command("reload") == ("", "")
        assert command("list-dbs")[0] == "OVN_Northbound\nRich\n_Server\n"
        with Rpc(str(place / "r")) as reader:
            assert reader.transact("Rich", insert(name="a"))[0]["error"] == "not allowed"
        assert "uuid" in kept.transact("Rich", insert(name="a"))[0]
        write(place, {f"punix:{place}/s": {}}, "OVN_Northbound.db")
        command("reload")
        assert command("list-dbs")[0] == "OVN_Northbound\n_Server\n"
        assert not (place / "r").exists()
        (place / "conf").write_text("{")
        assert command("reload")[1] == "Configuration failed.  See the log file for details."
        assert command("list-dbs")[0] == "OVN_Northbound\n_Server\n"
        refused = f"Update the {place}/conf and use ovsdb-server/reload instead"
        assert command("add-db", "x")[1] == command("remove-remote", "x")[1] == refused
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["a.db"], "Databases should be specified in a config file"),
        (["--remote=punix:x"], "--config-file is mutually exclusive with --remote"),
        (["--active"], "--config-file is mutually exclusive with --sync-from, --sync-exclude-tables and --active"),
    ],
)
def test_arguments_that_the_file_is_for_are_refused(tmp_path: Path, words: list[str], fault: str) -> None:
    command = [*SERVER, f"--config-file={tmp_path}/conf", f"--unixctl={tmp_path}/c", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert fault in done.stderr
