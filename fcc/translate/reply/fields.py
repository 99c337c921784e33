"""Which field of a chunk says what?"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from fcc.wire.chat import Chunk, Delta
from fcc.wire.json import loads

__all__ = ["plain_text", "reasoning_of", "text_of_items"]


def plain_text(chunk: Chunk) -> str | None:
    """The text of a chunk that says nothing else; None for any other."""
    choices = chunk.choices
    if not choices or len(choices) != 1 or chunk.usage is not None or chunk.type == "error":
        return None
    if not (chunk.error is chunk.base_resp is chunk.x_groq is None):
        return None
    choice = choices[0]
    delta = choice.delta
    if delta is None or choice.finish_reason or choice.native_finish_reason:
        return None
    if choice.usage is not None or choice.index not in (0, None):
        return None
    more = delta.reasoning_content or delta.reasoning or delta.reasoning_details
    if more or delta.tool_calls or delta.refusal or not isinstance(delta.content, str):
        return None
    return delta.content


def reasoning_of(delta: Delta, order: Sequence[str]) -> tuple[str, tuple[msgspec.Raw, ...]]:
    """The reasoning text of the first field of `order` that has any, and the entries as they came."""
    if not (delta.reasoning_content or delta.reasoning or delta.reasoning_details):
        return "", ()
    details = tuple(delta.reasoning_details or ())
    for field in order:
        if field in _FIELDS and (text := _FIELDS[field](delta)):
            return text, details
    return "", details


def text_of_items(items: list[Any]) -> str:
    """The text of a list of content parts."""
    texts = (item.get("text") for item in items if isinstance(item, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _details_text(delta: Delta) -> str | None:
    """The text of OpenRouter's reasoning_details: reasoning.text and reasoning.summary."""
    texts: list[str] = []
    for raw in delta.reasoning_details or ():
        entry = _entry(raw)
        if isinstance(entry, dict):
            texts += [
                text for key in ("text", "summary") if isinstance(text := entry.get(key), str)
            ]
    return "".join(texts) or None


def _entry(raw: msgspec.Raw) -> Any:
    try:
        return loads(bytes(raw))
    except (ValueError, RecursionError):
        return None


_FIELDS: dict[str, Callable[[Delta], str | None]] = {
    "reasoning_content": lambda delta: delta.reasoning_content,
    "reasoning": lambda delta: delta.reasoning,
    "reasoning_details": _details_text,
}
