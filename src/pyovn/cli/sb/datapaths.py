"""Datapaths by the names that users and cloud managers have for them."""

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.records import by_name, find_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyovn.cli.ctl.view import Row, View

RECORD_IDS = by_name("external_ids:name", "external_ids:name2", "nb_uuid")
DATAPATHS = "Datapath_Binding external_ids nb_uuid"


def find_datapath(view: "View", name: str) -> "Row | None":
    """The datapath that `name` means, if there is just one."""
    try:
        return find_row(view, {"Datapath_Binding": RECORD_IDS}, "Datapath_Binding", name, must_exist=False)
    except CtlError:
        return None


def known_datapaths(view: "View") -> "Iterator[str]":
    """What the datapaths are called."""
    for row in view.table("Datapath_Binding").rows.values():
        yield from (row["external_ids"][key] for key in ("name", "name2") if key in row["external_ids"])


def names(datapath: "Row") -> str:
    """A datapath's names in quotes."""
    ids = datapath["external_ids"]
    return " aka ".join(f'"{ids[key]}"' for key in ("name", "name2") if key in ids)


def facts(datapath: "Row") -> "dict[str, str | None]":
    """What tells a datapath from others, as JSON has it."""
    ids = datapath["external_ids"]
    return {"datapath": datapath.uuid, "datapath_name": ids.get("name"), "datapath_name2": ids.get("name2")}


def title(datapath: "Row") -> str:
    """A datapath's names and UUID."""
    return f"{names(datapath)} ({datapath.uuid})"
