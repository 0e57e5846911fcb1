"""Roles: what a client may write that is not the administrator (the tables RBAC_Role and RBAC_Permission).

    connection's role ─→ RBAC_Role.name ─→ permissions[table] ─→ RBAC_Permission
                                                                  authorization    whose rows: columns that must
                                                                                   hold the client's name
                                                                  insert_delete    rows may come and go
                                                                  update           columns that may be written

A client's name is the common name of its certificate; one without a certificate may write nothing.  Reading is never
restricted.  An authorization is a column, `column:key` of a map, or "" for rows of anybody.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pyovn.ovsdb.server.errors import Refused

if TYPE_CHECKING:
    from pyovn.ovsdb.server.tables import TableStore

_INSERT, _UPDATE, _MUTATE, _DELETE = "row insertion into", "modification of", "mutate operation on", "row deletion from"


class Permission(NamedTuple):
    """What a role may do with one table."""

    authorization: Sequence[str]
    insert_delete: bool
    update: frozenset[str]


class Guard:
    """The rules for one client in one role."""

    __slots__ = ("_name", "_role", "_tables")

    def __init__(self, tables: "dict[str, TableStore]", role: str, name: str | None) -> None:
        self._tables = tables
        self._role = role
        self._name = name

    def check_insert(self, table: "TableStore", row: Sequence[Any]) -> None:
        """Raise `Refused` unless the client may add this row."""
        permission = self._permission(table, _INSERT)
        if not permission.insert_delete or not self._owns(permission, table, row):
            raise self._refusal(table, _INSERT)

    def check_delete(self, table: "TableStore", rows: Iterable[Sequence[Any]]) -> None:
        """Raise `Refused` unless the client may remove these rows."""
        permission = self._permission(table, _DELETE)
        for row in rows:
            if not permission.insert_delete or not self._owns(permission, table, row):
                raise self._refusal(table, _DELETE)

    def check_update(self, table: "TableStore", rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> None:
        """Raise `Refused` unless the client may give these columns of these rows new values."""
        self._check_columns(table, rows, columns, _UPDATE)

    def check_mutate(self, table: "TableStore", rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> None:
        """Raise `Refused` unless the client may mutate these columns of these rows."""
        if columns:
            self._check_columns(table, rows, columns, _MUTATE)

    def refuse_conversion(self, database: str) -> Refused:
        """The error for a client that wants to convert a database."""
        return Refused(
            "permission error",
            f'RBAC rules for client "{self._client}" role "{self._role}" prohibit "convert" of database {database}'
            " (only the root role may convert databases)",
        )

    def _check_columns(
        self, table: "TableStore", rows: Iterable[Sequence[Any]], columns: Sequence[str], what: str
    ) -> None:
        permission = self._permission(table, what)
        forbidden = not permission.update.issuperset(columns)
        for row in rows:
            if forbidden or not self._owns(permission, table, row):
                raise self._refusal(table, what)

    def _permission(self, table: "TableStore", what: str) -> Permission:
        permission = None if self._name is None else self._lookup(table.name)
        if permission is None:
            raise self._refusal(table, what)
        return permission

    def _lookup(self, table: str) -> Permission | None:
        roles, permissions = self._tables.get("RBAC_Role"), self._tables.get("RBAC_Permission")
        if roles is None or permissions is None:
            return None
        for role in _as_dicts(roles):
            if role.get("name") == self._role and (uuid := role.get("permissions", {}).get(table)) is not None:
                row = permissions.rows.get(uuid)
                return None if row is None else _read_permission(permissions, row)
        return None

    def _owns(self, permission: Permission, table: "TableStore", row: Sequence[Any]) -> bool:
        """True where one of the columns that say whose a row is names the client."""
        for authorization in permission.authorization:
            if not authorization:
                return True
            name, colon, key = authorization.partition(":")
            column = table.by_name.get(name)
            if column is None or bool(colon) != column.is_map:
                continue
            value = row[column.place]
            if (value.get(key) if colon else value) == self._name:
                return True
        return False

    @property
    def _client(self) -> str:
        return "(null)" if self._name is None else self._name

    def _refusal(self, table: "TableStore", what: str) -> Refused:
        text = f'RBAC rules for client "{self._client}" role "{self._role}" prohibit {what} table "{table.name}".'
        return Refused("permission error", text)


def _as_dicts(table: "TableStore") -> Iterator[dict[str, Any]]:
    for row in table.rows.values():
        yield {column.name: row[column.place] for column in table.columns}


def _read_permission(table: "TableStore", row: Sequence[Any]) -> Permission:
    def members(name: str) -> Any:
        column = table.by_name.get(name)
        return () if column is None else column.members(row[column.place])

    return Permission(tuple(members("authorization")), any(members("insert_delete")), frozenset(members("update")))
