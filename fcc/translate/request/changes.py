"""Which tools can be called at the end of a conversation that adds and removes some?

tool_addition and tool_removal stand in system messages (beta mid-conversation-tool-changes). Chat
completions know one list of tools, so the list is what the conversation has made of it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fcc.translate.request.foreign import tool_name
from fcc.wire.messages import Block, Message

__all__ = ["tools_after"]


class _Named(msgspec.Struct):
    name: str | None = None


_LIST = msgspec.json.Decoder(list[msgspec.Raw] | None)
_NAMED = msgspec.json.Decoder(_Named)


def tools_after(tools: bytes, messages: Iterable[Message]) -> bytes:
    """The request's `tools` as they are after the last message: the same bytes if none change."""
    changes = list(_changes(messages))
    if not changes:
        return tools
    try:
        listed = [(_name(tool), tool) for tool in (_LIST.decode(tools) if tools else None) or ()]
    except (msgspec.DecodeError, UnicodeDecodeError):
        # What can't be read is refused where tools are read.
        return tools
    removed: dict[str, list[tuple[str, msgspec.Raw]]] = {}
    for block in changes:
        name = tool_name(block)
        if block.type == "tool_removal":
            removed[name] = [tool for tool in listed if tool[0] == name]
            listed = [tool for tool in listed if tool[0] != name]
            continue
        definition = (block.tool or {}).get("definition")
        added = [(name, _encoded(definition))] if isinstance(definition, dict) else None
        listed = [tool for tool in listed if added is None or tool[0] != name]
        listed += removed.pop(name, []) if added is None else added
    return msgspec.json.encode([tool for _, tool in listed])


def _changes(messages: Iterable[Message]) -> Iterator[Block]:
    for message in messages:
        if message.role == "system" and isinstance(message.content, list):
            for block in message.content:
                if block.type in ("tool_addition", "tool_removal"):
                    yield block


def _name(tool: msgspec.Raw) -> str:
    try:
        return _NAMED.decode(tool).name or ""
    except msgspec.DecodeError:
        return ""


def _encoded(definition: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(definition))
