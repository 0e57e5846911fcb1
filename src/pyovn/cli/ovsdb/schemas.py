"""Commands that show what databases there are and what they look like."""

from typing import TYPE_CHECKING

from pyovn.cli.ctl.output import Listing, Shown, compact
from pyovn.cli.ovsdb.call import write, write_json
from pyovn.ovsdb.schema import Schema

if TYPE_CHECKING:
    from pyovn.cli.ovsdb_client import Call

UUID_COLUMNS = ("_uuid", "_version")  #: which every table has


def fetch(call: "Call") -> Schema:
    """The schema of the database."""
    return Schema.parse(call.session.call("get_schema", call.database))


def list_dbs(call: "Call") -> None:
    """Print the names of the databases."""
    write("".join(f"{name}\n" for name in sorted(call.session.call("list_dbs"))))


def get_schema(call: "Call") -> None:
    """Print the schema."""
    write_json(fetch(call).json(), call.options)


def get_schema_version(call: "Call") -> None:
    """Print the schema's version."""
    write(fetch(call).version + "\n")


def get_schema_cksum(call: "Call") -> None:
    """Print the schema's checksum."""
    write(fetch(call).cksum + "\n")


def list_tables(call: "Call") -> None:
    """Print the names of the tables."""
    listing = Listing(["Table"])
    listing.rows += [[(None, Shown(name, name))] for name in sorted(fetch(call).tables)]
    call.show(listing)


def list_columns(call: "Call") -> None:
    """Print the columns of a table, or of all, with their types."""
    wanted = call.words[0] if call.words else None
    listing = Listing(["Column", "Type"] if wanted else ["Table", "Column", "Type"])
    for table in sorted(fetch(call).tables.values(), key=lambda table: table.name):
        if wanted not in (None, table.name):
            continue
        types = dict.fromkeys(UUID_COLUMNS, "uuid") | {name: c.type.json() for name, c in table.columns.items()}
        for name in sorted(types):
            words = [name] if wanted else [table.name, name]
            cells = [Shown(word, word) for word in words] + [Shown(compact(types[name]), types[name])]
            listing.rows.append([(None, cell) for cell in cells])
    call.show(listing)
