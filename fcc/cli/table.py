"""How do rows look on this terminal?"""

import os
import sys
from collections.abc import Sequence

import click

__all__ = ["paint", "table", "terminal_width", "wrapped"]

_GAP = 2
_NARROWEST = 12
"""Characters that a column keeps when the terminal is too narrow."""


def paint(text: str, colour: str, *, bold: bool = False) -> str:
    """`text` in colour; plain where NO_COLOR asks for it (https://no-color.org).

    click takes the colour away where the output is no terminal.
    """
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour, bold=bold or None)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> str:
    """The rows in columns under their heads; columns named in `right` are flush right.

    On a terminal that is too narrow the widest columns are cut, with an ellipsis.
    """
    widths = [max(map(_width, column)) for column in zip(heads, *rows, strict=True)]
    if sys.stdout.isatty():
        _narrow(widths, terminal_width())
    flush = [head in right.split() for head in heads]
    lines = [paint(_line(heads, widths, flush), "bright_black", bold=True)]
    return "\n".join([*lines, *(_line(row, widths, flush) for row in rows)])


def wrapped(text: str, indent: int) -> str:
    """`text` behind `indent` characters that are there already, wrapped to the terminal."""
    if not sys.stdout.isatty():
        return text
    import textwrap

    room = max(terminal_width() - indent, 2 * _NARROWEST)
    # A path or a command is copied from here: it is never cut in two.
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * indent}".join(lines)


def terminal_width() -> int:
    """Characters in a line of the terminal, by COLUMNS or as it says itself."""
    import shutil  # it takes 5 ms with all its compressors, and a pipe needs no width

    return shutil.get_terminal_size().columns


def _narrow(widths: list[int], terminal: int) -> None:
    over = sum(widths) + _GAP * (len(widths) - 1) - terminal
    while over > 0 and max(widths) > _NARROWEST:
        widest = widths.index(max(widths))
        others = [width for place, width in enumerate(widths) if place != widest]
        step = min(over, widths[widest] - max([_NARROWEST, *others, widths[widest] - over]) or 1)
        widths[widest] -= step
        over -= step


def _line(row: Sequence[str], widths: Sequence[int], flush: Sequence[bool]) -> str:
    cells = []
    for cell, width, right in zip(row, widths, flush, strict=True):
        shown = cell if _width(cell) <= width else click.unstyle(cell)[: width - 1] + "…"
        space = " " * (width - _width(shown))
        cells.append(space + shown if right else shown + space)
    return (" " * _GAP).join(cells).rstrip()


def _width(cell: str) -> int:
    """Characters that are seen: colour takes no room."""
    return len(click.unstyle(cell))
