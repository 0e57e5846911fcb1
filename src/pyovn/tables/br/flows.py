"""Bridges and their flows."""

from __future__ import annotations

from pyovn.ovsdb.model import TYPE_CHECKING, Row, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Annotated

    from pyovn.ovsdb.model import Between, Strong


@table("Bridge", indexes=[("name",)])
class Bridge(Row):
    """A bridge whose flows are controlled."""

    name: str
    options: Mapping[str, str]
    external_ids: Mapping[str, str]


@table("Logical_Flow", indexes=[("bridge", "table_id", "priority", "match")])
class LogicalFlow(Row):
    """One flow of a bridge, in the logical-flow language."""

    bridge: Strong[Bridge] | None
    table_id: Annotated[int, Between(0, 100)]
    priority: Annotated[int, Between(0, 65535)]
    match: str
    actions: str
    external_ids: Mapping[str, str]
