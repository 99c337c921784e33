"""Of what is the content of a chat message made?

A part is `{"type": "text", ...}`, `{"type": "image_url", ...}` or `{"type": "file", ...}`. Content
is a string wherever no part needs the list: many chat templates know strings only.
"""

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["ChatMessage", "Part", "content", "is_blank", "text_part", "texts"]

Part = dict[str, Any]
ChatMessage = dict[str, Any]


def text_part(text: str, cache_control: dict[str, Any] | None = None) -> Part:
    """Text, with the client's cache breakpoint where there is one."""
    if cache_control is None:
        return {"type": "text", "text": text}
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}


def content(parts: Sequence[Part], between: str = "\n") -> str | list[Part]:
    """A string where all parts are plain text, else the parts themselves."""
    words = []
    for part in parts:
        if "text" not in part or "cache_control" in part:
            return list(parts)
        words.append(part["text"])
    return between.join(words)


def texts(parts: Iterable[Part]) -> list[str]:
    """The texts among the parts."""
    return [part["text"] for part in parts if "text" in part]


def is_blank(text: str | None) -> bool:
    """Whether there is nothing to read in it."""
    return not text or text.isspace()
