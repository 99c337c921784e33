"""What do the content blocks of one turn say to a provider?"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fcc.settings.profile import Ask
from fcc.translate.request.calls import Call, arguments
from fcc.translate.request.media import (
    DOCUMENT_BELOW,
    IMAGE_BELOW,
    IMAGE_LOST,
    IMAGE_OMITTED,
    document_text,
    file_part,
    image_part,
)
from fcc.translate.request.names import provider_name
from fcc.translate.request.parts import Part, is_blank, text_part, texts
from fcc.wire.messages import Block, Message

__all__ = ["AssistantTurn", "Reader", "Result", "UserTurn"]

EMPTY = "[empty]"
"""Stands for what has a place and no words."""


class Result(msgspec.Struct):
    """A tool's answer: text for the tool message, and what has to follow it as user parts."""

    tool_use_id: str
    text: str
    attached: list[Part] = []
    cached: bool = False


class UserTurn(msgspec.Struct):
    """What the client says: results first, for the calls they answer come right before."""

    results: list[Result]
    parts: list[Part]


class AssistantTurn(msgspec.Struct):
    """What the model said."""

    texts: list[str]
    reasoning: list[str]
    calls: list[Call]

    def __bool__(self) -> bool:
        return bool(self.texts or self.calls)

    def join(self, other: "AssistantTurn") -> None:
        """Add what another turn says."""
        self.texts += other.texts
        self.reasoning += other.reasoning
        self.calls += other.calls


class Reader:
    """Reads turns for one provider; `declined` collects what it had to leave out."""

    def __init__(self, ask: Ask, aliases: Mapping[str, Mapping[str, str]]) -> None:
        self._ask = ask
        self._aliases = aliases
        """Tool -> the client's names of arguments -> the provider's."""
        self.declined: list[str] = []

    def user(self, message: Message) -> UserTurn:
        """The results and the parts of a user turn, each in order."""
        turn = UserTurn([], [])
        for block in _blocks(message):
            if block.type == "tool_result":
                turn.results.append(self._result(block))
            else:
                turn.parts += self._parts(block)
        return turn

    def assistant(self, message: Message) -> AssistantTurn:
        """The texts, the reasoning and the calls of an assistant turn, each in order."""
        turn = AssistantTurn([], [], [])
        for block in _blocks(message):
            if block.type == "tool_use":
                turn.calls.append(self._call(block))
            elif block.type == "thinking":
                if not is_blank(block.thinking):
                    turn.reasoning.append(block.thinking or "")
            elif block.type == "tool_result":
                text = self._result(block).text
                turn.texts.append(EMPTY if is_blank(text) else text)
            else:
                turn.texts += texts(self._parts(block))
        return turn

    def _call(self, block: Block) -> Call:
        name = block.name or ""
        aliases = self._aliases.get(name, {})
        text = arguments(bytes(block.input), aliases)
        return Call(block.id or "", provider_name(name, self._ask.tool_names), text)

    def _parts(self, block: Block) -> list[Part]:
        if block.type == "text":
            if is_blank(block.text):
                return []
            cached = block.cache_control if self._ask.cache_control else None
            return [text_part(block.text or "", cached)]
        if block.type == "image":
            return [self._image(block)]
        if block.type == "document":
            return [self._document(block)]
        return self._other(block)

    def _image(self, block: Block) -> Part:
        if not self._ask.images:
            return text_part(IMAGE_OMITTED)
        return image_part(block) or text_part(IMAGE_LOST)

    def _document(self, block: Block) -> Part:
        part = file_part(block) if self._ask.documents == "file" else None
        text = document_text(block)
        return part or text_part(EMPTY if is_blank(text) else text)

    def _other(self, block: Block) -> list[Part]:
        text = OTHERS[block.type](block) if block.type in OTHERS else _own_words(block)
        if is_blank(text):
            self.declined.append(f"a block of type {block.type!r}")
            return []
        return [text_part(text)]

    def _result(self, block: Block) -> Result:
        result = Result(block.tool_use_id or "", "", [])
        content = block.content
        if isinstance(content, list):
            said = [self._inner(item, result.attached) for item in content]
            result.text = "\n".join(text for text in said if text)
        elif content is not None:
            result.text = content if isinstance(content, str) else _json(content)
        if block.is_error and not result.text.startswith("Error: "):
            result.text = f"Error: {result.text or 'the tool failed and said nothing'}"
        result.cached = self._ask.cache_control and block.cache_control is not None
        return result

    def _inner(self, item: object, attached: list[Part]) -> str:
        """The text of one thing in a tool_result; what is no text goes to `attached`."""
        block = _inner_block(item)
        if block is None:
            return item if isinstance(item, str) else _json(item)
        if block.type == "text":
            return block.text or ""
        said = []
        for part in self._parts(block):
            if "text" not in part:
                attached.append(part)
            below = DOCUMENT_BELOW if part["type"] == "file" else IMAGE_BELOW
            said.append(part.get("text", below))
        return "\n".join(said)


def _blocks(message: Message) -> list[Block]:
    if isinstance(message.content, str):
        return [Block(type="text", text=message.content)]
    return message.content or []


_INNER = ("text", "image", "document", "search_result", "tool_reference")


def _inner_block(item: object) -> Block | None:
    if not isinstance(item, dict) or item.get("type") not in _INNER:
        return None
    try:
        return msgspec.convert(item, Block, strict=False)
    except msgspec.ValidationError:
        return None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


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


def _server_result(block: Block) -> str:
    """What a tool of Anthropic's servers found, in the course of an earlier answer."""
    if block.content is None or isinstance(block.content, str):
        return block.content or ""
    return f"[{block.type}: {_json(_open_only(block.content))}]"


def _open_only(value: Any) -> Any:
    """Without what only Anthropic's servers can read."""
    if isinstance(value, list):
        return [_open_only(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {k: _open_only(v) for k, v in value.items() if not k.startswith("encrypted")}


OTHERS: dict[str, Callable[[Block], str]] = {
    "search_result": _search_result,
    "tool_reference": _tool_reference,
    "thinking": _nothing,
    "redacted_thinking": _nothing,
    "tool_use": _nothing,
    "server_tool_use": _nothing,
    "mcp_tool_use": _nothing,
    "mcp_tool_result": _server_result,
    "advisor_tool_result": _server_result,
    "web_search_tool_result": _server_result,
    "web_fetch_tool_result": _server_result,
    "code_execution_tool_result": _server_result,
    "bash_code_execution_tool_result": _server_result,
    "text_editor_code_execution_tool_result": _server_result,
    "tool_search_tool_result": _server_result,
}
"""How a block of a less common type is told in words; "" leaves it out."""
