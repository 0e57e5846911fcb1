"""The database commands, which work on any table of any schema."""

from pyovn.cli.ctl.command import CommandTable
from pyovn.cli.ctl.conditions import ASSIGN, column_and_key, holds, term
from pyovn.cli.ctl.errors import CtlError, TryAgain
from pyovn.cli.ctl.output import Listing
from pyovn.cli.ctl.records import column_name, find_row, table_name
from pyovn.cli.ctl.values import (
    atom_text,
    check_count,
    gathered,
    members,
    parse,
    parse_atom,
    parse_atoms,
    parse_pairs,
    value_text,
)
from pyovn.ovsdb.schema import UNLIMITED, BaseType, ColumnType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from pyovn.cli.ctl.call import Ctl
    from pyovn.cli.ctl.view import Row

command = CommandTable("Database commands")

UUID = ColumnType(BaseType("uuid"))  #: of the column `_uuid`, which no schema lists


# what the commands read


def _table(ctl: "Ctl") -> str:
    return table_name(ctl.view.schema, ctl.arguments[0])


def _record_reads(ctl: "Ctl") -> "Iterator[str]":
    """Whatever it takes to look a record of the table up."""
    table = _table(ctl)
    yield table
    for way in ctl.program.records.get(table, ()):
        yield from way.reads(table)


def _listing_reads(ctl: "Ctl") -> "Iterator[str]":
    yield from _record_reads(ctl)
    table = _table(ctl)
    yield f"{table} {' '.join(_columns(ctl, table))}"


def _find_reads(ctl: "Ctl") -> "Iterator[str]":
    yield from _listing_reads(ctl)
    yield from _term_reads(ctl, ctl.arguments[1:])


def _argument_reads(ctl: "Ctl") -> "Iterator[str]":
    yield from _record_reads(ctl)
    yield from _term_reads(ctl, ctl.arguments[2:])


def _creation_reads(ctl: "Ctl") -> "Iterator[str]":
    yield from _term_reads(ctl, ctl.arguments[1:])


def _term_reads(ctl: "Ctl", arguments: "Iterable[str]") -> "Iterator[str]":
    table = _table(ctl)
    for argument in arguments:
        yield f"{table} {column_and_key(ctl.view.schema, table, argument)[0].column}"


def _column_reads(ctl: "Ctl") -> "Iterator[str]":
    yield from _record_reads(ctl)
    table = _table(ctl)
    yield f"{table} {column_name(ctl.view.schema, table, ctl.arguments[2])}"


def _cleared_reads(ctl: "Ctl") -> "Iterator[str]":
    yield from _record_reads(ctl)
    table = _table(ctl)
    for name in ctl.arguments[2:]:
        yield f"{table} {column_name(ctl.view.schema, table, name)}"


# looking


def _columns(ctl: "Ctl", table: str) -> list[str]:
    """The columns to show: those of `--columns`, or all."""
    wanted = ctl.option("--columns")
    if wanted is None:
        return ["_uuid", *sorted(ctl.view.schema.columns(table))]
    names = wanted.replace(",", " ").split()
    if not names:
        raise CtlError("must specify at least one column name")
    return [column_name(ctl.view.schema, table, name, with_uuid=True) for name in names]


def _show(ctl: "Ctl", table: str, rows: "Iterable[Row]") -> None:
    columns = _columns(ctl, table)
    types = [UUID if name == "_uuid" else ctl.view.schema[table].columns[name].type for name in columns]
    ctl.listing = Listing(columns)
    for row in rows:
        ctl.listing.rows.append([(type_, row[name]) for type_, name in zip(types, columns, strict=True)])


def _record(ctl: "Ctl", table: str, record: str) -> "Row | None":
    """The row named `record`; None only where `--if-exists` allows it."""
    return find_row(ctl.view, ctl.program.records, table, record, must_exist=not ctl.has("--if-exists"))


@command("list", "TABLE [RECORD]...", options="--if-exists --columns=", reads=_listing_reads)
def list_(ctl: "Ctl", table: str, *records: str) -> None:
    """List RECORDs, or all records, of TABLE."""
    table = _table(ctl)
    if not records:
        return _show(ctl, table, ctl.view.rows(table))
    found = [_record(ctl, table, record) for record in records]
    return _show(ctl, table, [row for row in found if row is not None])


@command("find", "TABLE [COLUMN[:KEY]=VALUE]...", options="--columns=", reads=_find_reads)
def find(ctl: "Ctl", table: str, *conditions: str) -> None:
    """List the records of TABLE that satisfy all CONDITIONs."""
    table = _table(ctl)
    _show(ctl, table, [row for row in ctl.view.rows(table) if all(holds(ctl, row, each) for each in conditions)])


@command("get", "TABLE RECORD [COLUMN[:KEY]]...", options="--if-exists --id=", reads=_argument_reads)
def get(ctl: "Ctl", table: str, record: str, *columns: str) -> None:
    """Print the values of COLUMNs of RECORD."""
    table = _table(ctl)
    row = _record(ctl, table, record)
    if row is None:
        return
    if (name := ctl.option("--id")) is not None:
        ctl.symbols.bind(name, row.uuid)
    for argument in columns:
        _print_value(ctl, row, record, argument)


def _print_value(ctl: "Ctl", row: "Row", record: str, argument: str) -> None:
    found, reader = column_and_key(ctl.view.schema, row.table.name, argument)
    if rest := reader.text[reader.at :]:
        raise CtlError(f'{argument}: trailing garbage "{rest}" in argument')
    if found.column == "_uuid":
        ctl.print(row.uuid)
        return
    type_ = row.table.schema.columns[found.column].type
    if found.key is None:
        ctl.print(value_text(type_, row[found.column]))
        return
    if type_.value is None:
        raise CtlError(f"cannot specify key to get for non-map column {found.column}")
    pairs, key = row[found.column], parse_atom(type_.key, found.key, ctl.symbols.reference)
    if key in pairs:
        ctl.print(atom_text(type_.value, pairs[key]))
    elif not ctl.has("--if-exists"):
        raise CtlError(f'no key "{found.key}" in {row.table.name} record "{record}" column {found.column}')
    else:
        ctl.print("")


@command("wait-until", "TABLE RECORD [COLUMN[:KEY]=VALUE]...", reads=_argument_reads)
def wait_until(ctl: "Ctl", table: str, record: str, *conditions: str) -> None:
    """Wait until RECORD exists and satisfies all CONDITIONs."""
    row = find_row(ctl.view, ctl.program.records, _table(ctl), record, must_exist=False)
    if row is None or not all(holds(ctl, row, condition) for condition in conditions):
        raise TryAgain


# changing


def _mutable(row: "Row", column: str) -> ColumnType:
    """The type of a column that may be changed; raises `CtlError` if it may not."""
    found = row.table.schema.columns[column]
    if not found.mutable and not row.is_new:
        raise CtlError(f"cannot modify read-only column {column} in table {row.table.name}")
    return found.type


def assign(ctl: "Ctl", row: "Row", argument: str) -> None:
    """Carry out one `COLUMN[:KEY]=VALUE`."""
    wanted = term(ctl.view.schema, row.table.name, argument, ASSIGN)
    type_ = _mutable(row, wanted.column)
    if wanted.key is None:
        row[wanted.column] = parse(type_, wanted.text, ctl.symbols.reference)
        return
    if type_.value is None:
        raise CtlError(f"cannot specify key to set for non-map column {wanted.column}")
    key = parse_atom(type_.key, wanted.key, ctl.symbols.reference)
    row.put(wanted.column, key, parse_atom(type_.value, wanted.text, ctl.symbols.reference))


@command("set", "TABLE RECORD COLUMN[:KEY]=VALUE...", options="--if-exists", reads=_argument_reads)
def set_(ctl: "Ctl", table: str, record: str, first: str, *rest: str) -> None:
    """Set COLUMNs of RECORD."""
    row = _record(ctl, _table(ctl), record)
    if row is not None:
        for argument in (first, *rest):
            assign(ctl, row, argument)


@command("add", "TABLE RECORD COLUMN [KEY=]VALUE...", options="--if-exists", reads=_column_reads)
def add(ctl: "Ctl", table: str, record: str, column: str, first: str, *rest: str) -> None:
    """Add VALUEs to a COLUMN of RECORD."""
    table = _table(ctl)
    row = _record(ctl, table, record)
    if row is None:
        return
    column = column_name(ctl.view.schema, table, column)
    type_ = _mutable(row, column)
    for argument in (first, *rest):
        _add_members(ctl, row, column, type_, argument)
    _check_size(row, column, type_, "add")


def _several(type_: ColumnType) -> ColumnType:
    """The type of an argument with any number of a column's members, but at least one."""
    return ColumnType(type_.key, type_.value, 1, UNLIMITED)


def _some_atoms(type_: ColumnType, argument: str, ctl: "Ctl") -> "list[Any]":
    atoms = parse_atoms(type_, argument, ctl.symbols.reference)
    check_count(type_, len(atoms), argument)
    return atoms


def _add_members(ctl: "Ctl", row: "Row", column: str, type_: ColumnType, argument: str) -> None:
    several = _several(type_)
    if type_.is_map:
        pairs = parse_pairs(several, argument, ctl.symbols.reference)
        check_count(several, len(pairs), argument)
        for key, value in pairs:
            if key not in row[column]:
                row.put(column, key, value)
        return
    atoms = _some_atoms(several, argument, ctl)
    if type_.max > 1:
        for atom in atoms:
            row.add(column, atom)
        return
    whole = sorted({*members(type_, row[column]), *atoms})
    _complain(row, column, type_, "add", len(whole))
    row[column] = gathered(type_, whole)


def _check_size(row: "Row", column: str, type_: ColumnType, operation: str) -> None:
    _complain(row, column, type_, operation, len(members(type_, row[column])))


def _complain(row: "Row", column: str, type_: ColumnType, operation: str, count: int) -> None:
    """Raise where `operation` leaves more or fewer members than the column may have."""
    if type_.min <= count <= type_.max:
        return
    most = count > type_.max
    limit = f"maximum number is {type_.max}" if most else f"minimum number is {type_.min}"
    raise CtlError(
        f'"{operation}" operation would put {count} values in column {column} of table {row.table.name} but the {limit}'
    )


@command("remove", "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...", options="--if-exists", reads=_column_reads)
def remove(ctl: "Ctl", table: str, record: str, column: str, first: str, *rest: str) -> None:
    """Remove VALUEs, or the pairs with KEYs, from a COLUMN of RECORD."""
    table = _table(ctl)
    row = _record(ctl, table, record)
    if row is None:
        return
    column = column_name(ctl.view.schema, table, column)
    type_ = _mutable(row, column)
    for argument in (first, *rest):
        _remove_members(ctl, row, column, type_, argument)
    _check_size(row, column, type_, "remove")


def _remove_members(ctl: "Ctl", row: "Row", column: str, type_: ColumnType, argument: str) -> None:
    if type_.is_map:
        _remove_pairs(ctl, row, column, type_, argument)
        return
    atoms = _some_atoms(_several(type_), argument, ctl)
    if type_.max > 1:
        for atom in atoms:
            row.discard(column, atom)
        return
    left = [atom for atom in members(type_, row[column]) if atom not in atoms]
    _complain(row, column, type_, "remove", len(left))
    row[column] = gathered(type_, left)


def _remove_pairs(ctl: "Ctl", row: "Row", column: str, type_: ColumnType, argument: str) -> None:
    """Remove pairs that match key and value, or (if the argument has none) key alone."""
    several = _several(type_)
    try:
        pairs = parse_pairs(several, argument, ctl.symbols.reference)
        check_count(several, len(pairs), argument)
        doomed = [key for key, value in pairs if row[column].get(key) == value]
    except CtlError:
        doomed = _some_atoms(ColumnType(type_.key, None, 1, UNLIMITED), argument, ctl)
    for key in doomed:
        row.drop(column, key)


@command("clear", "TABLE RECORD COLUMN...", options="--if-exists", reads=_cleared_reads)
def clear(ctl: "Ctl", table: str, record: str, first: str, *rest: str) -> None:
    """Clear COLUMNs of RECORD."""
    table = _table(ctl)
    row = _record(ctl, table, record)
    if row is None:
        return
    for name in (first, *rest):
        column = column_name(ctl.view.schema, table, name)
        type_ = _mutable(row, column)
        if type_.min > 0:
            where = f"column {column} of table {table}"
            raise CtlError(f'"clear" operation cannot be applied to {where}, which is not allowed to be empty')
        row[column] = {} if type_.is_map else gathered(type_, [])


@command("create", "TABLE COLUMN[:KEY]=VALUE...", options="--id=", reads=_creation_reads)
def create(ctl: "Ctl", table: str, first: str, *rest: str) -> None:
    """Create a record in TABLE and print its UUID."""
    table = _table(ctl)
    name = ctl.option("--id")
    if name is not None:
        row = ctl.view.table(table).insert(ctl.symbols.create(name))
    else:
        row = ctl.view.insert(table)
        if not ctl.view.schema.is_root(table):
            ctl.program.warn(
                "db_ctl_base", f'applying "create" command to table {table} without --id option will have no effect'
            )
    for argument in (first, *rest):
        assign(ctl, row, argument)
    ctl.print(row.uuid)


@command("destroy", "TABLE [RECORD]...", options="--if-exists --all", reads=_record_reads)
def destroy(ctl: "Ctl", table: str, *records: str) -> None:
    """Delete RECORDs, or with `--all` every record, of TABLE."""
    table = _table(ctl)
    if ctl.has("--all") and records:
        raise CtlError("--all and records argument should not be specified together")
    if not ctl.has("--all") and not records:
        ctl.program.warn("db_ctl_base", "either --all or records argument should be specified")
    for row in ctl.view.rows(table) if ctl.has("--all") else ():
        row.delete()
    for record in records:
        doomed = _record(ctl, table, record)
        if doomed is not None:
            doomed.delete()


@command("comment", "[ARGUMENT]...")
def comment(ctl: "Ctl", *words: str) -> None:
    """Add a comment to the transaction."""
    ctl.view.comments.append(" ".join(words))
