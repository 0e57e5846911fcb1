"""How results are printed: lines as the commands say them, listings in any of five formats.

    list    column : value, a paragraph per row          table   headings, dashes, aligned columns
    csv     RFC 4180                                     html    a table with links between UUIDs
    json    {"data":[[…]],"headings":[…]}

What commands say in lines is printed as they say it, but in `json`: there it is what they found.

Cells show their value as `string` (notation of OVSDB's tools), `bare` (no quotes and brackets) or `json`.
"""

import json

from pyovn.cli.ctl.errors import CtlError
from pyovn.cli.ctl.values import bare_text, members, plain_uuid, to_json, value_text
from pyovn.net.uuids import is_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pyovn.ovsdb.schema import ColumnType

    Cell = tuple[ColumnType | None, Any]  #: a value and its type; None and what is shown for what no column holds

LABEL_WIDTH = 20


class Style:
    """How the user wants results to look."""

    __slots__ = ("data", "format", "headings", "max_width", "one_line", "pretty")

    def __init__(self, options: "Mapping[str, str | None]") -> None:
        self.format = options.get("--format") or "list"
        self.data = options.get("--data") or "string"
        self.headings = "--no-headings" not in options
        self.pretty = "--pretty" in options
        self.one_line = "--oneline" in options
        self.max_width = int(options.get("--max-column-width") or 0)
        if self.format not in FORMATS:
            raise CtlError(f'unknown output format "{self.format}"')
        if self.data not in CELLS:
            raise CtlError(f'unknown data format "{self.data}"')


class Shown:
    """What stands in a cell that is no column's value: its text, and what it is in JSON."""

    __slots__ = ("json", "text")

    def __init__(self, text: str, json: "Any" = None) -> None:
        self.text = text
        self.json = json


class Listing:
    """A table of results: headings, and rows of typed values; perhaps a caption, and the time."""

    __slots__ = ("caption", "headings", "rows", "time")

    def __init__(self, headings: "Sequence[str]", caption: str = "", time: str = "") -> None:
        self.headings = list(headings)
        self.caption = caption
        self.time = time
        self.rows: list[list[Cell]] = []


def lines_text(lines: "Sequence[str]", style: Style) -> str:
    """What a command said."""
    text = "".join(f"{line}\n" for line in lines)
    if not style.one_line:
        return text
    return text[:-1].replace("\\", "\\\\").replace("\n", "\\n") + "\n"


def listing_text(listing: Listing, style: Style) -> str:
    """A listing in the style asked for."""
    text = FORMATS[style.format](listing, style)
    if style.format == "json":
        return text
    above = [line for line in (listing.time, listing.caption if style.format != "html" else "") if line]
    return "".join(f"{line}\n" for line in above) + text


def _texts(listing: Listing, style: Style) -> list[list[str]]:
    show = CELLS[style.data]
    return [[value.text if type_ is None else show(type_, value) for type_, value in row] for row in listing.rows]


def _as_list(listing: Listing, style: Style) -> str:
    paragraphs = []
    for row in _texts(listing, style):
        if style.headings:
            row = [f"{name:<{LABEL_WIDTH}}: {text}" for name, text in zip(listing.headings, row, strict=True)]
        paragraphs.append("".join(f"{line}\n" for line in row))
    return "\n".join(paragraphs)


def _as_table(listing: Listing, style: Style) -> str:
    rows = _texts(listing, style)
    headings = [listing.headings] if style.headings else []
    widths = [max(map(_width, column)) for column in zip(*headings, *rows, strict=True)]
    if style.max_width:
        least = [len(name) for name in listing.headings] if style.headings else [0] * len(widths)
        widths = [max(low, min(width, style.max_width)) for low, width in zip(least, widths, strict=True)]
    if style.headings:
        rows = [listing.headings, ["-" * width for width in widths], *rows]
    return "".join(_aligned(row, widths) + "\n" for row in rows)


def _aligned(row: "Sequence[str]", widths: "Sequence[int]") -> str:
    cells = (text[:width] + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True))
    return " ".join(cells).rstrip(" ")


def _width(text: str) -> int:
    """The width of a cell: bytes, as the C tools count."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def _as_csv(listing: Listing, style: Style) -> str:
    rows = _texts(listing, style)
    if style.headings:
        rows.insert(0, listing.headings)
    return "".join(",".join(map(_csv_field, row)) + "\n" for row in rows)


def _csv_field(text: str) -> str:
    if any(special in text for special in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _as_html(listing: Listing, style: Style) -> str:
    lines = ["<table border=1>"]
    if listing.caption:
        lines.append(f"    <caption>{_escaped(listing.caption)}</caption>")
    if style.headings:
        lines += ["  <tr>", *(f"    <th>{_escaped(name)}</th>" for name in listing.headings), "  </tr>"]
    for row in listing.rows:
        cells = zip(listing.headings, row, strict=True)
        lines += ["  <tr>", *(f"    <td>{_html_cell(name, cell, style)}</td>" for name, cell in cells), "  </tr>"]
    return "\n".join([*lines, "</table>", ""])


def _html_cell(heading: str, cell: "Cell", style: Style) -> str:
    type_, value = cell
    if type_ is None:
        return _linked(heading, _escaped(value.text), [value.text] if is_uuid(value.text) else [])
    text = _escaped(CELLS[style.data](type_, value))
    if type_.key.type != "uuid" or type_.is_map:
        return text
    return _linked(heading, text, members(type_, value))


def _linked(heading: str, text: str, uuids: "Sequence[str]") -> str:
    """The text with its UUIDs shortened: the row's own is an anchor, others point at one."""
    for uuid in uuids:
        anchor = f'name="{uuid}"' if heading == "_uuid" else f'href="#{uuid}"'
        text = text.replace(uuid, f"<a {anchor}>{uuid[:8]}</a>")
    return text


def _escaped(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text


def _as_json(listing: Listing, style: Style) -> str:
    data = [
        [value.json if type_ is None else to_json(type_, value, plain_uuid) for type_, value in row]
        for row in listing.rows
    ]
    whole: dict[str, Any] = {"data": data, "headings": listing.headings}
    whole |= {name: text for name, text in (("caption", listing.caption), ("time", listing.time)) if text}
    return json_text(whole, style)


def json_text(value: "Any", style: Style) -> str:
    """JSON, on a line or laid out."""
    return (pretty(value) if style.pretty else compact(value)) + "\n"


def compact(value: "Any") -> str:
    """JSON without spaces, keys sorted; reals that are whole numbers as such."""
    return json.dumps(_whole(value), separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _whole(value: "Any") -> "Any":
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def pretty(value: "Any", indent: str = "\n  ") -> str:
    """JSON over many lines, closing brackets on the last."""
    if isinstance(value, dict) and value:
        return (
            "{"
            + ",".join(f"{indent}{compact(key)}: {pretty(value[key], indent + '  ')}" for key in sorted(value))
            + "}"
        )
    if isinstance(value, list) and value:
        return "[" + ",".join(indent + pretty(item, indent + "  ") for item in value) + "]"
    return compact(value)


def _json_cell(type_: "ColumnType", value: "Any") -> str:
    return compact(to_json(type_, value, plain_uuid))


CELLS: "dict[str, Callable[[ColumnType, Any], str]]" = {"string": value_text, "bare": bare_text, "json": _json_cell}
FORMATS: "dict[str, Callable[[Listing, Style], str]]" = {
    "list": _as_list,
    "table": _as_table,
    "csv": _as_csv,
    "html": _as_html,
    "json": _as_json,
}
