"""Subagents in the foreground: `run_in_background` of the subagent tool is always false.

On a free tier of few requests a minute, subagents that run side by side eat each other's turns.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from fcc.translate.pieces import Arguments, Piece, ToolCall, ToolCallEnd
from fcc.wire.events import encode

__all__ = ["SUBAGENT_TOOLS", "Foreground"]

SUBAGENT_TOOLS: Final = frozenset({"Task", "Agent"})
"""The tool's name in older and in present versions of Claude Code."""


class Foreground:
    """`feed(pieces) -> pieces`: holds the arguments of subagent calls and rewrites them whole."""

    def __init__(self) -> None:
        self._held: dict[int, list[str]] = {}

    def feed(self, pieces: Iterable[Piece]) -> list[Piece]:
        """The same pieces, but for subagent calls, whose arguments come at their end."""
        passed: list[Piece] = []
        for piece in pieces:
            match piece:
                case ToolCall(name=name) if name in SUBAGENT_TOOLS:
                    self._held[piece.call] = []
                case Arguments(call=call) if call in self._held:
                    self._held[call].append(piece.text)
                    continue
                case ToolCallEnd(call=call) if call in self._held:
                    passed.append(Arguments(call, _rewrite("".join(self._held.pop(call)))))
                case _:
                    pass
            passed.append(piece)
        return passed


def _rewrite(arguments: str) -> str:
    try:
        value: Any = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    if not isinstance(value, dict) or not value.get("run_in_background"):
        return arguments
    return encode({**value, "run_in_background": False}).decode()
