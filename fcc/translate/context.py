"""What reading an answer must know of the request that it answers."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from fcc.translate.tools import DeclaredTool

__all__ = ["Context"]


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Kept for as long as the answer streams, which the request itself is not."""

    tools: tuple[DeclaredTool, ...] = ()
    """The tools that the model may call, under the client's names."""
    names: Mapping[str, str] = MappingProxyType({})
    """The provider's name of a tool -> the client's, where they differ."""
    used_ids: frozenset[str] = frozenset()
    """Every tool_use id of the conversation."""
    stop_sequences: frozenset[str] = frozenset()
    prefill: str = ""
    """The beginning of the answer that the client gave; some servers repeat it (llama.cpp)."""
    begun: bool = False
    """The answer goes on with what was said before: nothing in it is the beginning of the whole."""
    foreground: bool = False
    """Subagents run in the foreground, whatever the model says."""

    @property
    def known_tools(self) -> tuple[DeclaredTool, ...]:
        """The tools under every name that the model may call them by."""
        if not self.names:
            return self.tools
        by_name = {tool.name: tool for tool in self.tools}
        renamed = (
            msgspec.structs.replace(by_name[name], name=sent)
            for sent, name in self.names.items()
            if name in by_name and sent not in by_name
        )
        return (*self.tools, *renamed)
