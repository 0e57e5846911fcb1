"""A trace as text, in the three forms of `ovn-trace`.

detailed   every table; what comes last in a list is not indented, so that long paths stay readable
summary    a program: titles with braces, actions
minimal    what can be seen from outside: changes of headers, outputs, log lines
"""

from pyovn.trace.tree import TITLES, Node

_STEP = 4


def detailed(nodes: list[Node]) -> str:
    """The table-by-table form."""
    lines: list[str] = []
    _detailed(nodes, 0, lines)
    return _joined(lines)


def summary(nodes: list[Node]) -> str:
    """The form of a program."""
    lines: list[str] = []
    _summary(nodes, 0, lines)
    return _joined(lines)


def minimal(nodes: list[Node]) -> str:
    """The form of what can be seen from outside."""
    lines: list[str] = []
    _minimal(nodes, 0, lines)
    return _joined(lines)


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _detailed(nodes: list[Node], level: int, lines: list[str]) -> None:
    for index, node in enumerate(nodes):
        if node.kind == "modify":
            continue
        more = node.indented or index + 1 < len(nodes)
        margin = " " * _STEP * (level + more)
        if node.kind in TITLES:
            lines += ("", margin + node.text, margin + "-" * len(node.text))
        elif node.kind == "table":
            lines.append(margin + node.text)
        else:
            lines.append(" " * _STEP * (level + 1) + _spoken(node))
        _detailed(node.children, level + 2 * more, lines)


def _summary(nodes: list[Node], level: int, lines: list[str]) -> None:
    margin = " " * _STEP * level
    for node in nodes:
        if node.kind == "modify" or node.facts.get("detail"):
            continue
        if node.kind in TITLES:
            inside: list[str] = []
            _summary(node.children, level + 1, inside)
            lines += _block(node.text, margin, inside)
        elif node.kind == "table":
            _summary(node.children, level, lines)
        else:
            lines.append(margin + _spoken(node) + _semicolon(node))


def _minimal(nodes: list[Node], level: int, lines: list[str]) -> None:
    margin = " " * _STEP * level
    for node in nodes:
        if node.kind == "transformation":
            inside: list[str] = []
            _minimal(node.children, level + 1, inside)
            lines += _block(node.text, margin, inside)
        elif node.kind in ("pipeline", "table"):
            _minimal(node.children, level, lines)
        elif node.kind == "output":
            if not node.facts.get("crosses"):
                lines.append(f'{margin}output("{node.text}");')
        elif node.kind in ("modify", "error"):
            lines.append(f"{margin}{node.text};")


def _block(title: str, margin: str, inside: list[str]) -> list[str]:
    """A title with a body in braces, or without one where there is nothing to say."""
    return [f"{margin}{title} {{", *inside, f"{margin}}};"] if inside else [f"{margin}{title};"]


def _spoken(node: Node) -> str:
    if node.kind == "output":
        return f'/* output to "{node.text}", type "{node.facts["type"]}" */'
    return node.text


def _semicolon(node: Node) -> str:
    """Actions and notes bring their own punctuation."""
    return "" if node.kind in ("action", "note") else ";"
