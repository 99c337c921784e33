"""Does a model write tool calls into its text, in a way that fcc makes calls of?"""

from itertools import count
from typing import Final

from fcc.translate.dialects.scanner import Scanner
from fcc.translate.pieces import ToolCallEnd
from fcc.translate.tools import DeclaredTool

__all__ = ["written_calls"]

_DIALECTS: Final = ("default",)


def written_calls(text: str, tool: DeclaredTool, *, truncated: bool) -> tuple[str, ...]:
    """The names of the dialects in which whole calls of `tool` are written; () where none is."""
    scanner = Scanner(_DIALECTS, (tool,), count())
    pieces = [*scanner.feed(text), *scanner.finish(clean=True, truncated=truncated)]
    if not any(isinstance(piece, ToolCallEnd) for piece in pieces):
        return ()
    return tuple(scanner.repairs)
