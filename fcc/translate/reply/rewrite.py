"""Arguments that the client must not see as the model wrote them.

Two reasons: the schema had a parameter under another name, as the provider refuses its own
(`DeclaredTool.aliases`); and subagents in the foreground, because on a free tier of few requests
a minute those that run side by side eat each other's turns. Such calls are held until they end.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from fcc.translate.context import Context
from fcc.translate.pieces import Arguments, Piece, ToolCall, ToolCallEnd
from fcc.wire.events import encode

__all__ = ["SUBAGENT_TOOLS", "Rewrites"]

SUBAGENT_TOOLS: Final = frozenset({"Task", "Agent"})
"""The tool's name in older and in present versions of Claude Code."""

_Rewrite = Callable[[dict[str, Any]], dict[str, Any]]


class Rewrites:
    """`feed(pieces) -> pieces`: the same, but for the calls of certain tools."""

    def __init__(self, context: Context) -> None:
        self._names = context.names
        self._aliases = {tool.name: tool.aliases for tool in context.tools if tool.aliases}
        self._foreground = context.foreground
        self.held: dict[int, tuple[_Rewrite, list[str]]] = {}
        """The calls that come whole, by their numbers."""
        self.needed = bool(self._aliases) or self._foreground
        """Whether anything may have to be rewritten."""

    def feed(self, pieces: Iterable[Piece]) -> list[Piece]:
        """Arguments of a call that is rewritten come whole, at its end."""
        passed: list[Piece] = []
        for piece in pieces:
            match piece:
                case ToolCall():
                    rewrite = self._rewrite_of(self._names.get(piece.name, piece.name))
                    if rewrite is not None:
                        self.held[piece.call] = (rewrite, [])
                case Arguments(call=call) if call in self.held:
                    self.held[call][1].append(piece.text)
                    continue
                case ToolCallEnd(call=call) if call in self.held:
                    rewrite, parts = self.held.pop(call)
                    passed.append(Arguments(call, _rewritten("".join(parts), rewrite)))
                case _:
                    pass
            passed.append(piece)
        return passed

    def _rewrite_of(self, name: str) -> _Rewrite | None:
        aliases = self._aliases.get(name, {})
        foreground = self._foreground and name in SUBAGENT_TOOLS
        if not (aliases or foreground):
            return None

        def rewrite(arguments: dict[str, Any]) -> dict[str, Any]:
            named = {aliases.get(key, key): value for key, value in arguments.items()}
            return _in_foreground(named) if foreground else named

        return rewrite


def _in_foreground(arguments: dict[str, Any]) -> dict[str, Any]:
    if "run_in_background" not in arguments:
        return arguments
    return {**arguments, "run_in_background": False}


def _rewritten(text: str, rewrite: _Rewrite) -> str:
    try:
        arguments: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    if not isinstance(arguments, dict):
        return text
    changed = rewrite(arguments)
    return text if changed == arguments else encode(changed).decode()
