"""What do the blocks say that only Anthropic's servers make or understand?

They stand in conversations that began elsewhere. Each becomes a line of text, so that the model
knows what happened; what has no words for it is left out, and that is told in the log.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from fcc.wire.messages import Block

__all__ = ["FOREIGN", "foreign_text"]


def foreign_text(block: Block) -> str:
    """The block in words; "" where it has none."""
    known = FOREIGN.get(block.type)
    return _own_words(block) if known is None else known(block)


def _own_words(block: Block) -> str:
    """The text of a block of any type that has some."""
    return block.text or (block.content if isinstance(block.content, str) else "")


def _nothing(_: Block) -> str:
    return ""


def _search_result(block: Block) -> str:
    source = block.source if isinstance(block.source, str) else ""
    inner = block.content if isinstance(block.content, list) else []
    lines = [item["text"] for item in inner if isinstance(item, dict) and "text" in item]
    return "\n".join(str(line) for line in (block.title, source, *lines) if line)


def _tool_reference(block: Block) -> str:
    return f"[the tool {block.tool_name} can be called]"


def _tool_addition(block: Block) -> str:
    return f"[from here on the tool {tool_name(block)} can be called]"


def _tool_removal(block: Block) -> str:
    return f"[from here on the tool {tool_name(block)} can't be called]"


def tool_name(block: Block) -> str:
    """Which tool a tool_addition or a tool_removal is about."""
    tool = block.tool or {}
    definition = tool.get("definition")
    named = definition if isinstance(definition, dict) else tool
    name = named.get("name") or named.get("mcp_server_name") or named.get("server_name")
    return name if isinstance(name, str) else ""


def _server_call(block: Block) -> str:
    """What an earlier answer asked of Anthropic's servers."""
    return f"[called {block.name or 'a tool'} with {bytes(block.input).decode() or '{}'}]"


def _server_result(block: Block) -> str:
    """What a tool of Anthropic's servers found, in the course of an earlier answer."""
    if block.content is None or isinstance(block.content, str):
        return block.content or ""
    found = msgspec.json.encode(_open_only(block.content)).decode()
    return f"[{block.type}: {found}]"


def _open_only(value: Any) -> Any:
    """Without what only Anthropic's servers can read."""
    if isinstance(value, list):
        return [_open_only(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {k: _open_only(v) for k, v in value.items() if not k.startswith("encrypted")}


def _upload(block: Block) -> str:
    return f"[file {block.file_id or ''}: in a container that can't be reached from here]"


FOREIGN: dict[str, Callable[[Block], str]] = {
    "search_result": _search_result,
    "tool_reference": _tool_reference,
    "tool_addition": _tool_addition,
    "tool_removal": _tool_removal,
    "container_upload": _upload,
    "thinking": _nothing,
    "redacted_thinking": _nothing,
    "tool_use": _nothing,
    "fallback": _nothing,
    "mcp_tool_listing": _nothing,
    "server_tool_use": _server_call,
    "mcp_tool_use": _server_call,
    "mcp_tool_result": _server_result,
    "advisor_tool_result": _server_result,
    "web_search_tool_result": _server_result,
    "web_fetch_tool_result": _server_result,
    "code_execution_tool_result": _server_result,
    "bash_code_execution_tool_result": _server_result,
    "text_editor_code_execution_tool_result": _server_result,
    "tool_search_tool_result": _server_result,
}
"""Type of a block -> its words. A type of the future is told by its own text."""
