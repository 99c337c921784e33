"""Of what is the content of a chat message made?

A part is `{"type": "text", ...}`, `{"type": "image_url", ...}` or `{"type": "file", ...}`. Content
is a string wherever no part needs the list: many chat templates know strings only.
"""

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "ChatMessage",
    "Part",
    "content",
    "is_blank",
    "limit_breakpoints",
    "mark",
    "text_part",
    "texts",
]

Part = dict[str, Any]
ChatMessage = dict[str, Any]


MAX_BREAKPOINTS = 4
"""Of the prompt cache, in one request: Anthropic's limit."""


def text_part(text: str) -> Part:
    """Text as a part."""
    return {"type": "text", "text": text}


def mark(parts: Sequence[Part], cache_control: dict[str, Any]) -> None:
    """Puts the client's cache breakpoint at the end of the parts, where a text stands."""
    if parts and "text" in parts[-1]:
        ttl = cache_control.get("ttl")
        kept = {"ttl": ttl} if isinstance(ttl, str) else {}
        parts[-1]["cache_control"] = {"type": "ephemeral", **kept}


def limit_breakpoints(messages: Iterable[ChatMessage]) -> None:
    """Takes the earliest away of more breakpoints than are allowed: the later cover more."""
    contents = (message.get("content") for message in messages)
    parts = [part for said in contents if isinstance(said, list) for part in said]
    marked = [part for part in parts if isinstance(part, dict) and "cache_control" in part]
    for part in marked[:-MAX_BREAKPOINTS]:
        del part["cache_control"]


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
