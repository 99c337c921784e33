"""What do the content blocks of one turn say to a provider?"""

from collections.abc import Mapping
from typing import Any

import msgspec

from fcc.settings.profile import Ask
from fcc.translate.request.calls import Call, arguments
from fcc.translate.request.foreign import foreign_text
from fcc.translate.request.media import (
    DOCUMENT_BELOW,
    IMAGE_BELOW,
    IMAGE_LOST,
    IMAGE_OMITTED,
    document_head,
    document_text,
    file_part,
    image_part,
)
from fcc.translate.request.names import provider_name
from fcc.translate.request.parts import Part, is_blank, mark, text_part, texts
from fcc.translate.signature import unseal
from fcc.wire.messages import Block, Message, Source

__all__ = ["AssistantTurn", "Reader", "Result", "UserTurn"]

EMPTY = "[empty]"
"""Stands for what has a place and no words."""


class Result(msgspec.Struct):
    """A tool's answer: text for the tool message, and what has to follow it as user parts."""

    tool_use_id: str
    text: str
    attached: list[Part] = []
    cache_control: dict[str, Any] | None = None
    """The client's breakpoint, where breakpoints are taken."""


class UserTurn(msgspec.Struct):
    """What the client says: results first, for the calls they answer come right before."""

    results: list[Result]
    parts: list[Part]


class AssistantTurn(msgspec.Struct):
    """What the model said."""

    texts: list[str] = []
    reasoning: list[str] = []
    calls: list[Call] = []
    entries: list[msgspec.Raw] = []
    """The model's own entries of its reasoning, if it is the one that is asked."""

    def __bool__(self) -> bool:
        return bool(self.texts or self.calls)

    def join(self, other: "AssistantTurn") -> None:
        """Add what another turn says."""
        self.texts += other.texts
        self.reasoning += other.reasoning
        self.calls += other.calls
        self.entries += other.entries


class Reader:
    """Reads turns for one provider; `declined` collects what it had to leave out.

    `returned` is the tag of the model whose own reasoning goes back to it; None: none does.
    """

    def __init__(
        self, ask: Ask, aliases: Mapping[str, Mapping[str, str]], returned: str | None = None
    ) -> None:
        self._ask = ask
        self._aliases = aliases
        """Tool -> the client's names of arguments -> the provider's."""
        self._returned = returned
        self.declined: list[str] = []
        self.media = False
        """Whether any image or file has been passed on."""

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
        turn = AssistantTurn()
        extras: dict[str, msgspec.Raw] = {}
        for block in _blocks(message):
            if block.type == "text":
                # As `_parts` has it, but half of all blocks are such.
                turn.texts += [] if is_blank(block.text) else [block.text or ""]
            elif block.type == "tool_use":
                turn.calls.append(self._call(block))
            elif block.type in ("thinking", "redacted_thinking"):
                self._reasoning(block, turn, extras)
            elif block.type == "tool_result":
                text = self._result(block).text
                turn.texts.append(EMPTY if is_blank(text) else text)
            else:
                turn.texts += texts(self._parts(block))
        for call in turn.calls if extras else ():
            call.extra = extras.get(call.id)
        return turn

    def _reasoning(self, block: Block, turn: AssistantTurn, extras: dict[str, msgspec.Raw]) -> None:
        thinking = block.thinking or ""
        if not is_blank(thinking):
            turn.reasoning.append(thinking)
        if self._returned is None:
            return
        sealed = unseal(block.signature or block.data, thinking)
        if sealed is not None and sealed.model == self._returned:
            turn.entries += sealed.entries
            extras |= sealed.calls

    def _call(self, block: Block) -> Call:
        name = block.name or ""
        aliases = self._aliases.get(name, {})
        text = arguments(bytes(block.input), aliases)
        return Call(block.id or "", provider_name(name, self._ask.tool_names), text)

    def _parts(self, block: Block) -> list[Part]:
        parts = self._uncached(block)
        if self._ask.cache_control and block.cache_control is not None:
            mark(parts, block.cache_control)
        return parts

    def _uncached(self, block: Block) -> list[Part]:
        if block.type == "text":
            return [] if is_blank(block.text) else [text_part(block.text or "")]
        if block.type == "image":
            return [self._image(block)]
        if block.type == "document":
            return self._document(block)
        return self._other(block)

    def _image(self, block: Block) -> Part:
        if not self._ask.images:
            return text_part(IMAGE_OMITTED)
        self.media = True
        return image_part(block) or text_part(IMAGE_LOST)

    def _document(self, block: Block) -> list[Part]:
        part = file_part(block) if self._ask.documents == "file" else None
        if part is not None:
            self.media = True
            return [part]
        source = block.source
        if isinstance(source, Source) and isinstance(source.content, list):
            # Images may stand between the texts.
            inner = [item for item in map(inner_block, source.content) if item is not None]
            parts = [part for item in inner for part in self._parts(item)]
            return [*map(text_part, document_head(block)), *parts]
        text = document_text(block)
        return [text_part(EMPTY if is_blank(text) else text)]

    def _other(self, block: Block) -> list[Part]:
        text = foreign_text(block)
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
        if self._ask.cache_control:
            result.cache_control = block.cache_control
        return result

    def _inner(self, item: object, attached: list[Part]) -> str:
        """The text of one thing in a tool_result; what is no text goes to `attached`."""
        block = inner_block(item)
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


def inner_block(item: object) -> Block | None:
    if not isinstance(item, dict) or item.get("type") not in _INNER:
        return None
    try:
        return msgspec.convert(item, Block, strict=False)
    except msgspec.ValidationError:
        return None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
